//! The one error type of this crate.

use std::path::PathBuf;

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

/// What can go wrong, told so that a learner knows what to do next.
///
/// `Display` is what a notebook cell shows when `?` meets an error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read, written or created.
    Io {
        /// What was tried, as in "read" or "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file's content is not what it should be.
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with expected and got.
        problem: String,
        /// What to do next.
        advice: String,
    },
    /// A data set could not be found, fetched or read.
    Mnist(lenet_mnist::Error),
    /// An argument does not fit.
    Argument {
        /// The argument's name.
        name: &'static str,
        /// What would fit.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A weights file does not fit the network.
    Weights {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file, as in `c1.weight`.
        tensor: String,
        /// What the network needs.
        expected: String,
        /// What the file holds.
        got: String,
    },
    /// NaN or infinity where a finite number belongs.
    NotFinite {
        /// What is not finite, as in "loss".
        what: &'static str,
        /// Epoch, counted from 1.
        epoch: usize,
        /// Batch within the epoch, counted from 1.
        batch: usize,
    },
    /// A figure could not be drawn.
    Figure(lenet_figures::Error),
    /// dfdx could not make a tensor.
    Device(CpuError),
}

impl Error {
    /// An argument that does not fit: its name, what would fit and what was given.
    pub(crate) fn argument(name: &'static str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self::Argument { name, expected, got }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { action, path, source } => {
                write!(f, "cannot {action} {}: {source}", path.display())
            }
            Self::Data { path, problem, advice } => {
                write!(f, "{}: {problem}; {advice}", path.display())
            }
            Self::Mnist(source) => source.fmt(f),
            Self::Argument { name, expected, got } => {
                write!(f, "{name} must be {expected}, got {got}")
            }
            Self::Weights { path, tensor, expected, got } => write!(
                f,
                "{}: tensor `{tensor}`: expected {expected}, got {got}; the network keeps its weights",
                path.display()
            ),
            Self::NotFinite { what, epoch, batch } => write!(
                f,
                "{what} is not finite in epoch {epoch}, batch {batch}; the model is as it was before this \
                 epoch: try a smaller learning rate, and look for NaN in the data"
            ),
            Self::Figure(source) => source.fmt(f),
            Self::Device(source) => write!(f, "cannot make a tensor: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Mnist(source) => source.source(),
            Self::Figure(source) => source.source(),
            Self::Device(source) => Some(source),
            _ => None,
        }
    }
}

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
