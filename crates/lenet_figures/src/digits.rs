//! Handwritten digits, or other grey pictures: one, a sheet of many, and what they are read as.

use plotters::style::text_anchor::HPos::{Center, Right};
use plotters::style::RGBColor;

use crate::classes::{named, no_class};
use crate::page::{percent, widest, Page, Raster, MARGIN, ORANGE, THIN};
use crate::{Error, Figure, Result};

/// Width of a picture in a sheet, and of a large one.
const SMALL_WIDTH: f64 = 112.0;
const LARGE_WIDTH: f64 = 336.0;
/// More classes have no numbers.
const MOST_CLASSES: usize = 10_000;

/// Grey pictures of one size: ink from 0 (black) to 1 (white), picture by picture and row by row.
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
    /// If `ink` is not one or more whole pictures, or holds NaN.
    pub fn new(ink: &'a [f32], rows: usize, columns: usize) -> Result<Self> {
        let (values, pixels) = (ink.len(), rows.saturating_mul(columns));
        if values == 0 || pixels == 0 || values % pixels != 0 {
            let expected = format!("whole pictures of {rows} by {columns} values");
            let got = format!("{values} values");
            return Err(Error::argument("images", expected, got));
        }
        if ink.iter().any(|value| value.is_nan()) {
            return Err(Error::argument("images", "values from 0 to 1", "NaN"));
        }
        Ok(Self { ink, rows, columns })
    }

    /// How many pictures there are.
    pub fn count(&self) -> usize {
        self.ink.len() / (self.rows * self.columns)
    }

    /// The pictures, white ink on black, as MNIST's files have it.
    fn rasters(&self) -> impl Iterator<Item = Raster> + '_ {
        let pictures = self.ink.chunks(self.rows * self.columns);
        pictures.map(|ink| Raster::grey(self.columns, ink))
    }
}

/// What an image is read as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The class with the largest probability.
    pub class: usize,
    /// That probability, from 0 to 1.
    pub probability: f32,
    /// What the image is, if that is known.
    pub label: Option<usize>,
}

/// The first of `images`, large, with its rows and columns numbered from 0. `index` is its number in the words.
///
/// # Errors
/// If it is too large to be drawn.
pub fn digit(images: &Images<'_>, index: usize) -> Result<Figure> {
    const EM: f64 = 13.0;
    /// Every so many rows and columns are numbered.
    const STEP: usize = 7;
    let (rows, columns) = (images.rows, images.columns);
    let pixel = LARGE_WIDTH / columns as f64;
    let (left, top, height) = (MARGIN + 2.0 * EM, MARGIN, pixel * rows as f64);
    let page = (left + LARGE_WIDTH + MARGIN, top + height + MARGIN + 1.5 * EM);
    let ink = &images.ink[..rows * columns];
    let inked = ink.iter().filter(|&&ink| ink > 0.0).count();
    let words = format!("Image {index}: {rows} by {columns} pixels, {inked} of them not black.");
    Page::figure(page, words, &|page| {
        let middle = |at: usize| (at as f64 + 0.5) * pixel;
        for column in (0..columns).step_by(STEP) {
            let at = (left + middle(column), top + height + EM);
            page.text(at, &column.to_string(), EM, Center)?;
        }
        for row in (0..rows).step_by(STEP) {
            let at = (left - EM / 2.0, top + middle(row));
            page.text(at, &row.to_string(), EM, Right)?;
        }
        page.picture((left, top), (pixel, pixel), &Raster::grey(columns, ink))
    })
}

/// All `images` in rows of `columns`, each under its label.
///
/// # Errors
/// If there are not as many labels as images, or a label has no name.
pub fn digits(images: &Images<'_>, labels: &[usize], names: &[&str], columns: usize) -> Result<Figure> {
    let names = class_names(names, labels.iter().copied())?;
    let labels = labels.iter().map(|&label| names[label].clone());
    let captions: Vec<_> = labels.map(|name| (vec![name], false)).collect();
    sheet(images, captions, columns, &|each, count| {
        format!("{count} images with their labels, row by row: {}.", each.join(" "))
    })
}

/// The images of the first mistakes of `total`, in rows of `columns`: each under what it is, what it is read as, and how
/// surely.
///
/// # Errors
/// As [`predictions`]; or if an image has no label.
pub fn mistakes(
    images: &Images<'_>,
    readings: &[Reading],
    total: usize,
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let names = class_names(names, classes(readings))?;
    let caption = |reading: &Reading| {
        let label = reading.label.map(|label| &names[label]);
        let label = label.ok_or_else(|| Error::new("a mistake has a label; one has none"))?;
        let first = format!("{label} read as {}", names[reading.class]);
        Ok((vec![first, percent(reading.probability)], false))
    };
    let captions = readings.iter().map(caption).collect::<Result<Vec<_>>>()?;
    sheet(images, captions, columns, &|each, count| format!("{count} of {total} mistakes: {}.", each.join("; ")))
}

/// All `images` in rows of `columns`, each under what it is read as and how surely. Where that is wrong, an orange frame and
/// the right class say so.
///
/// # Errors
/// If there are not as many readings as images, or a class has no name.
///
/// # Example
/// ```
/// use lenet_figures::{drawn_seven, predictions, Images, Reading};
///
/// let seven = drawn_seven();
/// let reading = Reading { class: 2, probability: 0.63, label: Some(7) };
/// let figure = predictions(&Images::new(&seven, 28, 28)?, &[reading], &[], 12)?;
/// assert!(figure.text().ends_with("row by row: 2, not 7, 63.0 %. Wrong: 1."));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn predictions(images: &Images<'_>, readings: &[Reading], names: &[&str], columns: usize) -> Result<Figure> {
    let names = class_names(names, classes(readings))?;
    let wrong = |reading: &Reading| reading.label.filter(|&label| label != reading.class);
    let caption = |reading: &Reading| {
        let not = wrong(reading).map_or(String::new(), |label| format!(", not {}", names[label]));
        let first = format!("{}{not}", names[reading.class]);
        (vec![first, percent(reading.probability)], !not.is_empty())
    };
    let captions = readings.iter().map(caption).collect();
    let wrong = readings.iter().filter_map(wrong).count();
    sheet(images, captions, columns, &|each, count| {
        let each = each.join("; ");
        format!("{count} images and what they are read as, row by row: {each}. Wrong: {wrong}.")
    })
}

fn classes(readings: &[Reading]) -> impl Iterator<Item = usize> + '_ {
    let both = |reading: &Reading| [Some(reading.class), reading.label];
    readings.iter().flat_map(both).flatten()
}

/// A name for each class up to the largest of `classes`.
fn class_names(names: &[&str], classes: impl Iterator<Item = usize>) -> Result<Vec<String>> {
    let largest = classes.max().unwrap_or(0);
    match names.len() {
        0 if largest < MOST_CLASSES => named(names, largest + 1),
        0 => Err(no_class("each class", largest, MOST_CLASSES)),
        count if largest < count => named(names, count),
        count => Err(no_class("each class", largest, count)),
    }
}

/// The pictures in rows of `columns`, each below its lines of caption, and marked or not. `words` makes the words out of
/// the captions and their number.
fn sheet(
    images: &Images<'_>,
    captions: Vec<(Vec<String>, bool)>,
    columns: usize,
    words: &dyn Fn(&[String], usize) -> String,
) -> Result<Figure> {
    const EM: f64 = 18.0;
    const LINE: f64 = 25.0;
    const MARK: (f64, RGBColor) = (3.0, ORANGE);
    let (count, images_there) = (captions.len(), images.count());
    if count != images_there || columns == 0 {
        let expected = format!("{images_there}, as there are images, in rows of 1 or more");
        let got = format!("{count} in rows of {columns}");
        return Err(Error::argument("the number of labels or readings", expected, got));
    }
    let pixel = SMALL_WIDTH / images.columns as f64;
    let size = (SMALL_WIDTH, pixel * images.rows as f64);
    let lines: Vec<&String> = captions.iter().flat_map(|(lines, _)| lines).collect();
    let above = captions[0].0.len() as f64 * LINE;
    let step = (widest(&lines, EM)?.max(size.0) + MARGIN, size.1 + MARGIN + above);
    let columns = columns.min(count);
    let rows = count.div_ceil(columns);
    let page = (MARGIN + columns as f64 * step.0, MARGIN + rows as f64 * step.1);
    let each: Vec<_> = captions.iter().map(|(lines, _)| lines.join(", ")).collect();
    Page::figure(page, words(&each, count), &|page| {
        for (index, (picture, (lines, marked))) in images.rasters().zip(&captions).enumerate() {
            let (row, column) = ((index / columns) as f64, (index % columns) as f64);
            let middle = MARGIN / 2.0 + (column + 0.5) * step.0;
            let top = MARGIN / 2.0 + row * step.1;
            for (line, caption) in lines.iter().enumerate() {
                let at = (middle, top + (line as f64 + 0.5) * LINE);
                page.text(at, caption, EM, Center)?;
            }
            let frame = if *marked { MARK } else { THIN };
            page.framed((middle - size.0 / 2.0, top + above), (pixel, pixel), &picture, frame)?;
        }
        Ok(())
    })
}
