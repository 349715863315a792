//! Curves, and charts of a learner's own.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;

use crate::{Canvas, Error, Figure, Result};

/// Where a closure given to [`chart`] draws, in CSS pixels.
pub type Area<'a> = DrawingArea<Canvas<'a>, Shift>;

/// A figure of `size` CSS pixels, drawn by `draw` with plotters.
///
/// # Errors
/// [`Error::Draw`] with what `draw` returns.
pub fn chart(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<Figure> {
    let _ = (size, draw);
    Err(Error::draw("not yet"))
}

/// A named series of values; one without a value leaves a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    name: String,
    values: Vec<Option<f32>>,
}

impl Line {
    /// A line of `values` (f32, or `Option<f32>` with gaps).
    pub fn new(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<Option<f32>>>,
    ) -> Self {
        Self {
            name: name.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }
}

/// What stands around the lines of [`curves`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axes<'a> {
    /// Above the chart.
    pub title: &'a str,
    /// What is counted from 1 on the horizontal axis.
    pub x: &'a str,
    /// What is drawn on the vertical axis.
    pub y: &'a str,
    /// The largest value that the quantity can have.
    pub most: f64,
    /// Whether the vertical axis is logarithmic.
    pub logarithmic: bool,
}

impl Default for Axes<'_> {
    fn default() -> Self {
        Self {
            title: "",
            x: "Epoch",
            y: "",
            most: f64::INFINITY,
            logarithmic: false,
        }
    }
}

/// Values over the epochs: a line for each series.
///
/// # Errors
/// [`Error::Argument`] without one finite value.
pub fn curves(axes: &Axes<'_>, lines: &[Line]) -> Result<Figure> {
    let _ = (axes, lines);
    Err(Error::draw("not yet"))
}
