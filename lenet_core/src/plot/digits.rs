//! Handwritten digits as pictures.

use super::drawing::{Align, Color, Drawing, Point, Raster, TextStyle};
use super::figure::Figure;
use super::images::{Images, Labels};
use crate::{Error, Result};

/// Pixels of the drawing for a pixel of a single digit.
const LARGE_PIXEL: f64 = 12.0;
/// Pixels of the drawing for a pixel of a digit in a grid.
const SMALL_PIXEL: f64 = 4.0;
const TICK_SIZE: f64 = 13.0;
const LABEL_SIZE: f64 = 16.0;
const MARGIN: f64 = 12.0;
const FRAME_STROKE: f64 = 1.0;
/// Rows and columns of a single digit that are numbered: every so many.
const TICK_STEP: usize = 7;

/// One image of a batch, large, with its rows and columns numbered from 0.
///
/// `images` is a tensor of u8 (0 to 255) or f32 (0 to 1) of shape (rows, columns), (images, rows, columns) or
/// (images, 1, rows, columns).
///
/// # Errors
/// [`Error::Argument`] if there is no image `index`.
pub fn digit(images: &impl Images, index: usize) -> Result<Figure> {
    digit_figure(images, index)
}

/// The first `rows` times `columns` images of a batch in a grid, each under its label.
///
/// `images` is as for [`digit`], `labels` a tensor or slice of u8.
///
/// # Errors
/// [`Error::Argument`] if there are fewer images or labels than places in the grid, or no places.
pub fn digits(
    images: &impl Images,
    labels: &impl Labels,
    rows: usize,
    columns: usize,
) -> Result<Figure> {
    digits_figure(images, labels, rows, columns)
}

fn digit_figure(images: &dyn Images, index: usize) -> Result<Figure> {
    if index >= images.count() {
        return Err(argument(
            "index",
            format!("below {}, the number of images", images.count()),
            index,
        ));
    }
    let picture = picture(images, index);
    let size = (
        picture.width as f64 * LARGE_PIXEL,
        picture.height as f64 * LARGE_PIXEL,
    );
    let left = MARGIN + 2.0 * TICK_SIZE;
    let top = MARGIN;
    let mut drawing = Drawing::new(
        left + size.0 + MARGIN,
        top + size.1 + MARGIN + 1.5 * TICK_SIZE,
    );
    for column in (0..picture.width).step_by(TICK_STEP) {
        let x = left + (column as f64 + 0.5) * LARGE_PIXEL;
        let at = (x, top + size.1 + TICK_SIZE);
        drawing.text(
            at,
            column.to_string(),
            TextStyle::new(TICK_SIZE, Align::Middle),
        );
    }
    for row in (0..picture.height).step_by(TICK_STEP) {
        let y = top + (row as f64 + 0.5) * LARGE_PIXEL;
        drawing.text(
            (left - TICK_SIZE / 2.0, y),
            row.to_string(),
            TextStyle::new(TICK_SIZE, Align::End),
        );
    }
    let words = format!(
        "Image {index}: {} by {} pixels, {}.",
        picture.height,
        picture.width,
        ink_in_words(images, index)
    );
    framed(&mut drawing, (left, top), size, picture);
    Figure::new(&drawing, words)
}

fn digits_figure(
    images: &dyn Images,
    labels: &dyn Labels,
    rows: usize,
    columns: usize,
) -> Result<Figure> {
    let count = rows.saturating_mul(columns);
    let available = images.count().min(labels.count());
    if count == 0 || count > available {
        let expected = format!("1 to {available} places, as there are images and labels");
        return Err(argument(
            "rows x columns",
            expected,
            format!("{rows} x {columns}"),
        ));
    }
    let (image_rows, image_columns) = images.size();
    let size = (
        image_columns as f64 * SMALL_PIXEL,
        image_rows as f64 * SMALL_PIXEL,
    );
    let step = (size.0 + MARGIN, size.1 + MARGIN + 1.5 * LABEL_SIZE);
    let mut drawing = Drawing::new(
        MARGIN + columns as f64 * step.0,
        MARGIN / 2.0 + rows as f64 * step.1,
    );
    let mut names = Vec::with_capacity(count);
    for index in 0..count {
        let (row, column) = ((index / columns) as f64, (index % columns) as f64);
        let corner = (MARGIN + column * step.0, row * step.1 + 2.0 * LABEL_SIZE);
        let label = labels.label(index).to_string();
        let above = (corner.0 + size.0 / 2.0, corner.1 - 0.75 * LABEL_SIZE);
        drawing.text(
            above,
            label.as_str(),
            TextStyle::new(LABEL_SIZE, Align::Middle),
        );
        framed(&mut drawing, corner, size, picture(images, index));
        names.push(label);
    }
    Figure::new(
        &drawing,
        format!(
            "{count} images with their labels, row by row: {}.",
            names.join(" ")
        ),
    )
}

/// The picture inside a thin frame.
fn framed(drawing: &mut Drawing, corner: Point, size: (f64, f64), picture: Raster) {
    let half = FRAME_STROKE / 2.0;
    let outer = (size.0 + FRAME_STROKE, size.1 + FRAME_STROKE);
    drawing.frame(
        (corner.0 - half, corner.1 - half),
        outer,
        FRAME_STROKE,
        Color::FRAME,
    );
    drawing.raster(corner, size, picture);
}

/// White ink on black, as MNIST's files have it.
fn picture(images: &dyn Images, index: usize) -> Raster {
    let (height, width) = images.size();
    let grey = |ink: f32| (ink.clamp(0.0, 1.0) * f32::from(u8::MAX)).round() as u8;
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    let rgb = places
        .map(|(row, column)| [grey(images.ink(index, row, column)); 3])
        .collect();
    Raster { width, height, rgb }
}

/// How much of the image is ink.
fn ink_in_words(images: &dyn Images, index: usize) -> String {
    let (height, width) = images.size();
    let inked = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    let inked = inked
        .filter(|&(row, column)| images.ink(index, row, column) > 0.0)
        .count();
    format!("{inked} of them not black")
}

fn argument(name: &'static str, expected: String, got: impl ToString) -> Error {
    Error::Argument {
        name,
        expected,
        got: got.to_string(),
    }
}
