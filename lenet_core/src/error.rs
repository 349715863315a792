//! The one error type of this crate.

use std::path::Path;

use dfdx::tensor::CpuError;

/// `Result` with this crate's [`Error`], or with another.
///
/// The second parameter is for the notebook's kernel: to tell what is wrong with a cell, it compiles the cell in a
/// function that returns a `Result` with an error of its own, where this one is in scope.
///
/// ```
/// use lenet_core::prelude::*;
///
/// struct OfTheKernel;
/// fn cell() -> Result<(), OfTheKernel> {
///     Ok(())
/// }
/// # assert!(cell().is_ok());
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong. `Display` says what, where, and what to do next; a notebook cell shows it when `?` meets an error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument does not fit: its name, what would fit, and what was given.
    Argument(String),
    /// A file cannot be read or written, or does not hold what it should.
    File(String),
    /// NaN or infinity where a finite value belongs.
    NotFinite {
        /// What is not finite, as in "the loss".
        what: &'static str,
        /// Epoch, counted from 1.
        epoch: usize,
        /// Mini-batch within the epoch, counted from 1.
        batch: usize,
    },
    /// A data set could not be found, fetched or read.
    Mnist(lenet_mnist::Error),
    /// A figure could not be drawn.
    Figure(lenet_figures::Error),
    /// dfdx could not make a tensor.
    Device(CpuError),
}

impl Error {
    pub(crate) fn argument(name: &str, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Self {
        Self::Argument(format!("{name} must be {expected}, got {got}"))
    }

    pub(crate) fn file(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::File(format!("{}: {problem}", path.display()))
    }

    /// The operating system refused to `read` or `write` a file.
    pub(crate) fn io(action: &str, path: &Path, source: std::io::Error) -> Self {
        Self::File(format!("cannot {action} {}: {source}", path.display()))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Argument(sentence) | Self::File(sentence) => f.write_str(sentence),
            Self::NotFinite { what, epoch, batch } => write!(
                f,
                "{what} is not finite in epoch {epoch}, batch {batch}; the model is as it was before this epoch: try a smaller \
                 learning rate, and look for NaN in the data"
            ),
            Self::Mnist(source) => source.fmt(f),
            Self::Figure(source) => source.fmt(f),
            Self::Device(source) => write!(f, "cannot make a tensor: {source}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<CpuError> for Error {
    fn from(source: CpuError) -> Self {
        Self::Device(source)
    }
}

impl From<lenet_mnist::Error> for Error {
    fn from(source: lenet_mnist::Error) -> Self {
        Self::Mnist(source)
    }
}

impl From<lenet_figures::Error> for Error {
    fn from(source: lenet_figures::Error) -> Self {
        Self::Figure(source)
    }
}
