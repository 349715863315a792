//! The folder that keeps the data: where it is, and one process at a time in it.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use crate::programs::wait;
use crate::{Error, Result};

/// Where MNIST is kept: the folder `LENET_MNIST_DIR` where that is set, else `lenet_core/mnist` in the user's cache
/// folder (`XDG_CACHE_HOME` or `~/.cache` on Linux, `~/Library/Caches` on macOS, `LOCALAPPDATA` on Windows).
///
/// # Errors
/// When no variable tells where the user's folders are.
pub fn data_folder() -> Result<PathBuf> {
    let chosen = set_variable("LENET_MNIST_DIR");
    let folder = chosen.or_else(|| Some(user_cache()?.join("lenet_core").join("mnist")));
    let problem = "this user has no home folder to keep MNIST in; set LENET_MNIST_DIR to a folder";
    let folder = folder.ok_or_else(|| Error(problem.into()))?;
    std::path::absolute(&folder).map_err(|error| Error::io("find", &folder, &error))
}

/// The operating system's folder for what a user's programs can fetch again.
fn user_cache() -> Option<PathBuf> {
    if cfg!(windows) {
        return set_variable("LOCALAPPDATA");
    }
    if cfg!(target_os = "macos") {
        return Some(env::home_dir()?.join("Library").join("Caches"));
    }
    // The XDG Base Directory Specification tells programs to ignore a relative path.
    let xdg = set_variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    xdg.or_else(|| Some(env::home_dir()?.join(".cache")))
}

/// The path in an environment variable that is set to something.
fn set_variable(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// The data folder refuses: another one is a way out.
pub(crate) fn folder_error(action: &str, path: &Path, error: &io::Error) -> Error {
    let Error(text) = Error::io(action, path, error);
    Error(text + ", or set LENET_MNIST_DIR to another folder, and run this again")
}

/// A folder for unfinished work inside the data folder, so that a finished file only needs to be renamed, and the right
/// to write there. It goes when it is dropped. The operating system takes the right back however a process ends, and
/// whoever gets it next clears up.
pub(crate) struct Staging {
    pub path: PathBuf,
    _lock: File,
}

impl Staging {
    /// What names of folders for unfinished work begin with; the process' id follows.
    const PREFIX: &str = ".unfinished-";

    /// Waits until no other process fetches into `dir`, and says so while it waits.
    pub fn enter(dir: &Path, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        let dir_name = dir.display();
        let say = |seconds| format!("another process fetches into {dir_name}: waiting ({seconds} s)");
        let entered = wait(progress, say, || Self::try_enter(dir));
        entered.map_err(|error| folder_error("write", dir, &error))
    }

    /// A new folder, unless another process has the right to write.
    fn try_enter(dir: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(dir)?;
        let lock = File::options().append(true).create(true).open(dir.join(".lock"))?;
        match lock.try_lock() {
            Ok(()) => Self::leftovers(dir).for_each(|path| drop(fs::remove_dir_all(path))),
            Err(TryLockError::WouldBlock) => return Ok(None),
            // A disk that knows no locks. To fetch is safe there, too, thanks to the process' id and whole renames, but
            // what looks left over may be another process' work.
            Err(TryLockError::Error(_)) => {}
        }
        let path = dir.join(format!("{}{}", Self::PREFIX, process::id()));
        fs::create_dir_all(&path)?;
        Ok(Some(Self { path, _lock: lock }))
    }

    /// Takes away what a killed process may have left in a folder that needs nothing else.
    pub fn tidy(dir: &Path) {
        if Self::leftovers(dir).next().is_some() {
            // That it may not go is no reason to stop.
            let _ = Self::try_enter(dir);
        }
    }

    /// The folders for unfinished work in `dir`.
    fn leftovers(dir: &Path) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            let id = name.and_then(|name| name.strip_prefix(Self::PREFIX));
            id.is_some_and(|id| id.parse::<u32>().is_ok())
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
