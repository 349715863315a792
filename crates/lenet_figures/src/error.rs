//! What can go wrong.

use std::fmt;
use std::path::PathBuf;

/// A result whose error is the crate's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no figure.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument that no figure can be made of.
    Argument {
        /// The argument's name.
        name: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// plotters, its font or the PNG encoder refused.
    Draw(String),
    /// The file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn argument(
        name: &'static str,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self::Argument {
            name,
            expected,
            got,
        }
    }

    pub(crate) fn draw(problem: impl fmt::Display) -> Self {
        Self::Draw(problem.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument {
                name,
                expected,
                got,
            } => write!(f, "{name} must be {expected}, got {got}"),
            Self::Draw(problem) => write!(f, "the figure can't be drawn: {problem}"),
            Self::Write { path, source } => {
                write!(f, "can't write {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } => Some(source),
            _ => None,
        }
    }
}
