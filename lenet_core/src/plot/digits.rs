//! Handwritten digits as pictures.

use super::drawing::{Align, Color, Drawing, Raster, TextStyle};
use super::figure::Figure;
use super::images::{Images, Labels};
use super::page::percent;
use super::tiles::{self, Tile};
use crate::{Error, Result};

/// Pixels of the drawing for a pixel of a single digit.
const LARGE_PIXEL: f64 = 12.0;
/// Pixels of the drawing for a pixel of a digit in a grid.
const SMALL_PIXEL: f64 = 4.0;
const TICK_SIZE: f64 = 13.0;
const MARGIN: f64 = 12.0;
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

/// An image that the network reads as another digit than its label says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistake {
    /// Which image of the batch it is.
    pub index: usize,
    /// The digit that it is.
    pub label: u8,
    /// The digit that the network reads.
    pub predicted: u8,
    /// The probability that the network gives to the digit it reads, from 0 to 1.
    pub probability: f32,
}

/// The first `rows` times `columns` of `mistakes` in a grid (fewer if there are fewer), each image under what it is
/// and what the network reads.
///
/// `images` is the batch that the mistakes' indices count in, as for [`digit`].
///
/// # Errors
/// [`Error::Argument`] if there are no mistakes, the grid has no places, or there is no image of a mistake's index.
pub fn mistakes(
    images: &impl Images,
    mistakes: &[Mistake],
    rows: usize,
    columns: usize,
) -> Result<Figure> {
    mistakes_figure(images, mistakes, rows, columns)
}

fn digit_figure(images: &dyn Images, index: usize) -> Result<Figure> {
    let picture = picture(images, index)?;
    let size = tiles::size(&picture, LARGE_PIXEL);
    let (left, top) = (MARGIN + 2.0 * TICK_SIZE, MARGIN);
    let mut drawing = Drawing::new(
        left + size.0 + MARGIN,
        top + size.1 + MARGIN + 1.5 * TICK_SIZE,
    );
    for column in (0..picture.width).step_by(TICK_STEP) {
        let at = (
            left + (column as f64 + 0.5) * LARGE_PIXEL,
            top + size.1 + TICK_SIZE,
        );
        drawing.text(
            at,
            column.to_string(),
            TextStyle::new(TICK_SIZE, Align::Middle),
        );
    }
    for row in (0..picture.height).step_by(TICK_STEP) {
        let at = (
            left - TICK_SIZE / 2.0,
            top + (row as f64 + 0.5) * LARGE_PIXEL,
        );
        drawing.text(at, row.to_string(), TextStyle::new(TICK_SIZE, Align::End));
    }
    let black = picture
        .pixels
        .iter()
        .filter(|&&color| color == Color([0; 3]))
        .count();
    let (rows, columns) = (picture.height, picture.width);
    let words = format!(
        "Image {index}: {rows} by {columns} pixels, {} of them not black.",
        rows * columns - black
    );
    tiles::framed(&mut drawing, (left, top), size, picture);
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
        let got = format!("{rows} x {columns}");
        return Err(Error::argument("rows x columns", expected, got));
    }
    let tile = |index| {
        Ok(Tile {
            captions: vec![labels.label(index).to_string()],
            picture: picture(images, index)?,
        })
    };
    let tiles = (0..count).map(tile).collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = (0..count)
        .map(|index| labels.label(index).to_string())
        .collect();
    let words = format!(
        "{count} images with their labels, row by row: {}.",
        names.join(" ")
    );
    Figure::new(&tiles::page(tiles, columns, SMALL_PIXEL), words)
}

fn mistakes_figure(
    images: &dyn Images,
    mistakes: &[Mistake],
    rows: usize,
    columns: usize,
) -> Result<Figure> {
    let places = rows.saturating_mul(columns);
    if places == 0 {
        let got = format!("{rows} x {columns}");
        return Err(Error::argument("rows x columns", "at least 1 place", got));
    }
    if mistakes.is_empty() {
        let expected = "at least one; a network without mistakes has none to show";
        return Err(Error::argument("mistakes", expected, "none"));
    }
    let shown = &mistakes[..mistakes.len().min(places)];
    let tile = |mistake: &Mistake| {
        let Mistake {
            index,
            label,
            predicted,
            probability,
        } = *mistake;
        let captions = vec![
            format!("{label} read as {predicted}"),
            percent(f64::from(probability)),
        ];
        Ok(Tile {
            captions,
            picture: picture(images, index)?,
        })
    };
    let tiles = shown.iter().map(tile).collect::<Result<Vec<_>>>()?;
    let names: Vec<_> = tiles.iter().map(|tile| tile.captions.join(", ")).collect();
    let words = format!(
        "{} of {} mistakes: {}.",
        shown.len(),
        mistakes.len(),
        names.join("; ")
    );
    Figure::new(
        &tiles::page(tiles, columns.min(shown.len()), SMALL_PIXEL),
        words,
    )
}

/// White ink on black, as MNIST's files have it.
fn picture(images: &dyn Images, index: usize) -> Result<Raster> {
    if index >= images.count() {
        let expected = format!("below {}, the number of images", images.count());
        return Err(Error::argument("index", expected, index.to_string()));
    }
    let (height, width) = images.size();
    let grey = |ink: f32| (ink.clamp(0.0, 1.0) * f32::from(u8::MAX)).round() as u8;
    let places = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    let pixels = places
        .map(|(row, column)| Color([grey(images.ink(index, row, column)); 3]))
        .collect();
    Ok(Raster {
        width,
        height,
        pixels,
    })
}
