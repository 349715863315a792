//! The notebooks' figures.

use crate::Cell;

/// Cells of `lenet5.ipynb` that show a figure.
pub const WALKTHROUGH_FIGURES: &[&str] =
    &["architecture", "digits", "digit", "histogram", "predictions", "loss", "accuracy"];
/// Cells of `by_hand.ipynb` that show a figure.
pub const BY_HAND_FIGURES: &[&str] = &["filter", "curve"];
/// Cells of `explore.ipynb` that show a figure.
pub const EXPLORE_FIGURES: &[&str] = &[
    "confusion",
    "classes",
    "mistakes",
    "c1-before",
    "c1-after",
    "c3-after",
    "maps",
    "output",
    "map",
    "copies",
    "compare",
    "relu-compare",
    "files",
    "preparation",
];

/// Asserts that a cell shows a figure in every form: PNG, HTML with the same PNG and an alternative text, and a
/// sentence for viewers without pictures. Gives the PNG's width by its height.
///
/// # Panics
/// If a form is missing.
pub fn assert_figure(cell: &Cell) -> f64 {
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let (id, png) = (cell.id(), cell.png());
    assert!(png.starts_with(SIGNATURE), "[{id}] shows a PNG that is none");
    let html = cell.shown("text/html");
    assert!(html.contains(" alt=\""), "[{id}] has no alternative text");
    assert!(html.contains("src=\"data:image/png;base64,"), "[{id}] has no picture in its HTML");
    let sentence = cell.shown("text/plain");
    assert!(sentence.ends_with('.'), "[{id}] has no sentence: {sentence}");
    // Width and height stand in the first chunk (PNG specification, 11.2.2).
    let side = |at: usize| {
        let bytes = png[at..at + 4].try_into().expect("four bytes");
        f64::from(u32::from_be_bytes(bytes))
    };
    side(16) / side(20)
}
