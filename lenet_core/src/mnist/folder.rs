//! The folder that keeps the data: where it is, and one process at a time in it.

use std::env;
use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;

use super::progress::{Ticker, LOOK_EVERY};
use crate::{Error, Result};

/// The environment variable that names another folder.
pub(super) const FOLDER_VARIABLE: &str = "LENET_MNIST_DIR";

/// The lock's file in the data folder.
const LOCK_NAME: &str = ".lock";

/// What names of folders for unfinished work begin with.
const STAGING_PREFIX: &str = ".unfinished-";

/// The folder that [`load_data`](super::load_data) reads from and fetches into: `LENET_MNIST_DIR`
/// where it is set, else `lenet_core/mnist` in the user's cache folder (`XDG_CACHE_HOME` or
/// `~/.cache` on Linux, `~/Library/Caches` on macOS, `LOCALAPPDATA` on Windows).
///
/// # Errors
/// When no variable tells where the user's folders are.
pub fn data_folder() -> Result<PathBuf> {
    let chosen = set_variable(FOLDER_VARIABLE).map(PathBuf::from);
    let folder = chosen.or_else(|| Some(user_cache()?.join("lenet_core").join("mnist")));
    let folder = folder.ok_or_else(|| {
        let expected = "a folder for the data, as this user has no home folder";
        Error::argument(FOLDER_VARIABLE, expected, "nothing")
    })?;
    std::path::absolute(&folder).map_err(|source| Error::Io {
        action: "find",
        path: folder,
        source,
    })
}

/// The operating system's folder for what a user's programs can fetch again.
fn user_cache() -> Option<PathBuf> {
    if cfg!(windows) {
        return set_variable("LOCALAPPDATA").map(PathBuf::from);
    }
    if cfg!(target_os = "macos") {
        return Some(env::home_dir()?.join("Library").join("Caches"));
    }
    // The XDG Base Directory Specification tells programs to ignore a relative path.
    let xdg = set_variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    xdg.or_else(|| Some(env::home_dir()?.join(".cache")))
}

/// An environment variable that is set to something.
fn set_variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// What to do when the folder refuses.
pub(super) fn folder_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    let advice = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room there for 110 MB"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "allow this user to read and write there"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in the place of a folder: move it away"
        }
        _ => "see that the disk works",
    };
    Error::Folder {
        action,
        path: path.to_path_buf(),
        source,
        advice: format!("{advice}, or set {FOLDER_VARIABLE} to another folder, and run this again"),
    }
}

/// Keeps other processes from fetching into the same folder for as long as it lives. The operating
/// system takes the lock back when the process ends, however it ends.
pub(super) struct Lock {
    _file: File,
    /// False on a disk that knows no locks. Fetching is safe there too, thanks to unique names and
    /// whole renames, but what looks left over may be another process' work.
    exclusive: bool,
}

impl Lock {
    /// Waits until no other process fetches into `dir`, and says so while it waits.
    pub fn acquire(dir: &Path, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let mut ticker = Ticker::start();
        loop {
            if let Some(lock) = Self::try_acquire(dir)? {
                return Ok(lock);
            }
            if let Some(seconds) = ticker.due() {
                let dir = dir.display();
                progress(&format!(
                    "another process fetches MNIST into {dir}: waiting ({seconds} s)"
                ));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// The lock, unless another process has it.
    fn try_acquire(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(LOCK_NAME);
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = opened.map_err(|source| folder_error("write", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                _file: file,
                exclusive: true,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => Ok(Some(Self {
                _file: file,
                exclusive: false,
            })),
        }
    }
}

/// A folder for unfinished work inside the data folder, so that a finished file only needs to be
/// renamed. It goes when it is dropped; one left by a killed process goes when the next one starts.
pub(super) struct Staging {
    pub path: PathBuf,
}

impl Staging {
    pub fn new(dir: &Path, lock: &Lock) -> Result<Self> {
        clear(dir, lock);
        let path = dir.join(format!("{STAGING_PREFIX}{}", process::id()));
        fs::create_dir_all(&path).map_err(|source| folder_error("create", &path, source))?;
        Ok(Self { path })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Takes away what a killed process may have left in a folder that needs nothing else.
pub(super) fn tidy(dir: &Path) {
    // Most times there is nothing, and the lock need not be asked for.
    if leftovers(dir).next().is_some() {
        if let Ok(Some(lock)) = Lock::try_acquire(dir) {
            clear(dir, &lock);
        }
    }
}

/// Takes away what killed processes left, where that is sure.
fn clear(dir: &Path, lock: &Lock) {
    if lock.exclusive {
        leftovers(dir).for_each(|folder| remove(&folder));
    }
}

/// The folders for unfinished work in `dir`.
fn leftovers(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let unfinished = |entry: &DirEntry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with(STAGING_PREFIX)
    };
    entries.filter(unfinished).map(|entry| entry.path())
}

/// Takes a folder away that is worth nothing; that it may not go is no reason to stop.
fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
}

/// Makes the names in `dir` last through a power cut, where the operating system can.
pub(super) fn sync_folder(dir: &Path) {
    if cfg!(unix) {
        if let Ok(folder) = File::open(dir) {
            let _ = folder.sync_all();
        }
    }
}
