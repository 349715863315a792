//! The one error type of this crate.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with files. `Display` says what, where, and what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refuses to read or write a file or folder.
    Io {
        /// What was tried, as in "read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
        /// What to do next.
        advice: String,
    },
    /// A file's content is not what it should be.
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do next.
        advice: String,
    },
    /// No source has MNIST.
    Fetch {
        /// One line for each file or source tried: its name and what is wrong with it.
        attempts: Vec<String>,
        /// How to fetch by hand.
        advice: String,
    },
    /// Neither `LENET_MNIST_DIR` nor a home folder is set.
    NoFolder,
}

impl Error {
    pub(crate) fn data(path: &Path, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Data {
            path: path.into(),
            problem: problem.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                action,
                path,
                source,
                advice,
            } => write!(f, "cannot {action} {}: {source}; {advice}", path.display()),
            Self::Data {
                path,
                problem,
                advice,
            } => write!(f, "{}: {problem}; {advice}", path.display()),
            Self::Fetch { attempts, advice } => {
                write!(f, "no source could be fetched from")?;
                for attempt in attempts {
                    write!(f, "\n  {attempt}")?;
                }
                write!(f, "\n{advice}")
            }
            Self::NoFolder => write!(
                f,
                "this user has no home folder to keep MNIST in; set LENET_MNIST_DIR to a folder"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
