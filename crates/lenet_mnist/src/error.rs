//! The one error type of this crate.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a file: `Display` says what, where, and what to do next.
#[derive(Debug)]
pub struct Error(pub(crate) String);

impl Error {
    /// What the file at `path` is or has, and what to do next.
    pub(crate) fn data(path: &Path, problem: &str, advice: &str) -> Self {
        Self(format!("{} {problem}; {advice}", path.display()))
    }

    /// The operating system refuses to `action` the file or folder at `path`.
    pub(crate) fn io(action: &str, path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "make room there for 110 MB",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "allow this user to read and write there",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "a file is in the place of a folder: move it away",
            ErrorKind::NotFound => "see that the path is right",
            _ => "see that the disk works",
        };
        Self(format!("cannot {action} {}: {error}; {advice}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
