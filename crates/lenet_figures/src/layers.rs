//! The inside of a network: its layers, filters and feature maps.

use crate::{Error, Figure, Result, Table};

/// A layer of a network, as a row of its table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// As in the paper: C1, S2, …
    pub name: String,
    /// `Conv2D 5x5`, `Linear`, …
    pub kind: String,
    /// `tanh`, `relu`, …, or empty.
    pub activation: String,
    /// (channels, rows, columns) or (values).
    pub output: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// How the parameters are counted, or empty.
    pub formula: String,
}

/// The layers with their output shapes and parameters, as Keras' `summary()` prints them; `rows` are without the input.
pub fn layer_table(rows: &[Row]) -> Table<4> {
    let _ = rows;
    todo!()
}

/// The network from left to right; the first of `rows` is the input.
///
/// # Errors
/// [`Error::Argument`].
pub fn architecture(rows: &[Row]) -> Result<Figure> {
    let _ = rows;
    Err(Error::draw("not yet"))
}

/// A convolution's filters. `shape`: output channels, input channels, rows, columns. `strongest`: the magnitude of the strongest colour,
/// if not the largest weight's.
///
/// # Errors
/// [`Error::Argument`].
pub fn filters(
    title: &str,
    shape: [usize; 4],
    weights: &[f32],
    strongest: Option<f32>,
) -> Result<Figure> {
    let _ = (title, shape, weights, strongest);
    Err(Error::draw("not yet"))
}

/// A layer's output for one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maps<'a> {
    /// The layer's.
    pub name: &'a str,
    /// Channels, rows, columns; a vector is one row of one channel.
    pub shape: [usize; 3],
    /// Channel by channel and row by row.
    pub values: &'a [f32],
}

/// What each layer makes of one image. A last layer with as many values as `names` (or at most 20, without names) carries the names.
///
/// # Errors
/// [`Error::Argument`].
pub fn feature_maps(title: &str, layers: &[Maps<'_>], names: &[&str]) -> Result<Figure> {
    let _ = (title, layers, names);
    Err(Error::draw("not yet"))
}
