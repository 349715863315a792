//! What can go wrong.

use std::fmt;

use plotters::drawing::DrawingAreaErrorKind;

/// A result whose error is the crate's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no figure, in a sentence.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// What went wrong, as it is to be shown.
    pub(crate) fn new(problem: impl fmt::Display) -> Self {
        Self(problem.to_string())
    }

    /// An argument that no figure can be made of.
    pub(crate) fn argument(name: &str, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self(format!("{name} must be {expected}, got {got}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for Error {
    fn from(problem: DrawingAreaErrorKind<E>) -> Self {
        Self(format!("plotters can't draw: {problem}"))
    }
}
