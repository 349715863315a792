//! Handwritten digits as pictures.

use crate::{Error, Figure, Result};

/// Grey pictures of one size: ink from 0 to 1, image by image and row by row.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    ink: &'a [f32],
    rows: usize,
    columns: usize,
}

impl<'a> Images<'a> {
    /// Pictures of `rows` by `columns` pixels.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub fn new(ink: &'a [f32], rows: usize, columns: usize) -> Result<Self> {
        Ok(Self { ink, rows, columns })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.ink.len() / (self.rows * self.columns)
    }
}

/// An image that is read as another class than its label says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistake {
    /// Which image of the batch it is.
    pub index: usize,
    /// The class that it is.
    pub label: usize,
    /// The class that it is read as.
    pub predicted: usize,
    /// The probability of the class it is read as, from 0 to 1.
    pub probability: f32,
}

/// One image, large; `index` is its number in the words.
///
/// # Errors
/// [`Error::Argument`].
pub fn digit(images: Images<'_>, index: usize) -> Result<Figure> {
    let _ = (images, index);
    Err(Error::draw("not yet"))
}

/// All images in rows of `columns`, each under its label.
///
/// # Errors
/// [`Error::Argument`].
pub fn digits(
    images: Images<'_>,
    labels: &[usize],
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let _ = (images, labels, names, columns);
    Err(Error::draw("not yet"))
}

/// The images of some `mistakes` (`images` holds these alone, in their order), of `total` in all.
///
/// # Errors
/// [`Error::Argument`].
pub fn mistakes(
    images: Images<'_>,
    mistakes: &[Mistake],
    total: usize,
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let _ = (images, mistakes, total, names, columns);
    Err(Error::draw("not yet"))
}

/// All images in rows of `columns`, each under what it is read as and how sure; wrong ones are marked. `probabilities` holds a row for
/// each image; `labels` may be empty.
///
/// # Errors
/// [`Error::Argument`].
pub fn predictions(
    images: Images<'_>,
    probabilities: &[f32],
    labels: &[usize],
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let _ = (images, probabilities, labels, names, columns);
    Err(Error::draw("not yet"))
}
