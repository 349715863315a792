//! Values for each class: bars, accuracies, the confusion matrix.

use crate::{Error, Figure, Result};

/// How the values of [`bars`] are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Shares between 0 and 1, in per cent.
    Percent,
    /// Counts and other values that are not negative.
    Number,
}

/// A bar for each value, with its class below it; `names` may be empty: then the classes are numbers.
///
/// # Errors
/// [`Error::Argument`].
pub fn bars(title: &str, names: &[&str], values: &[f32], unit: Unit) -> Result<Figure> {
    let _ = (title, names, values, unit);
    Err(Error::draw("not yet"))
}

/// How many labels there are of each class.
///
/// # Errors
/// [`Error::Argument`].
pub fn histogram(title: &str, names: &[&str], labels: &[usize], classes: usize) -> Result<Figure> {
    let _ = (title, names, labels, classes);
    Err(Error::draw("not yet"))
}

/// The share of each class's images that is read right.
///
/// # Errors
/// [`Error::Argument`].
pub fn accuracy_by_class(names: &[&str], shares: &[f32]) -> Result<Figure> {
    let _ = (names, shares);
    Err(Error::draw("not yet"))
}

/// How many images of each class (rows) are read as which class (columns).
///
/// # Errors
/// [`Error::Argument`].
pub fn confusion(names: &[&str], counts: &[usize], unit: Unit) -> Result<Figure> {
    let _ = (names, counts, unit);
    Err(Error::draw("not yet"))
}
