//! Handwritten digits, or other grey pictures: one, a sheet of many, and what they are read as.

use plotters::style::text_anchor::HPos::{Center, Right};
use plotters::style::RGBColor;

use crate::classes::{answer, name};
use crate::page::{percent, widest, Page, Raster, MARGIN, ORANGE, THIN};
use crate::{Error, Figure, Result};

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
            return Err(Error::argument("images", expected, format!("{values} values")));
        }
        if ink.iter().any(|value| value.is_nan()) {
            return Err(Error::argument("images", "values from 0 to 1", "NaN"));
        }
        Ok(Self { ink, rows, columns })
    }

    fn each(&self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        self.ink.chunks(self.rows * self.columns)
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
    const WIDTH: f64 = 336.0;
    const EM: f64 = 13.0;
    /// From a numbered row or column to the next one.
    const STEP: usize = 7;
    let Images { ink, rows, columns } = *images;
    let ink = &ink[..rows * columns];
    let pixel = WIDTH / columns as f64;
    let (left, top, height) = (MARGIN + 2.0 * EM, MARGIN, pixel * rows as f64);
    let page = (left + WIDTH + MARGIN, top + height + MARGIN + 1.5 * EM);
    let inked = ink.iter().filter(|&&ink| ink > 0.0).count();
    let words = format!("Image {index}: {rows} by {columns} pixels, {inked} of them not black.");
    Page::figure(page, words, &|page| {
        let middle = |at: usize| (at as f64 + 0.5) * pixel;
        for column in (0..columns).step_by(STEP) {
            page.text((left + middle(column), top + height + EM), &column.to_string(), EM, Center)?;
        }
        for row in (0..rows).step_by(STEP) {
            page.text((left - EM / 2.0, top + middle(row)), &row.to_string(), EM, Right)?;
        }
        page.picture((left, top), (pixel, pixel), &Raster::grey(columns, ink))
    })
}

/// All `images` in rows of `columns`, each under its label.
///
/// # Errors
/// If there are not as many labels as images, or a label has no name.
pub fn digits(images: &Images<'_>, labels: &[usize], names: &[&str], columns: usize) -> Result<Figure> {
    let caption = |&label: &usize| Ok(Caption { lines: vec![name(names, label)?], marked: false });
    let captions: Vec<_> = labels.iter().map(caption).collect::<Result<_>>()?;
    let words = format!("{} images with their labels, row by row: {}.", labels.len(), joined(&captions, " "));
    sheet(images, &captions, columns, words)
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
    let caption = |reading: &Reading| {
        let label = reading.label.ok_or_else(|| Error::new("a mistake has a label; one has none"))?;
        let first = format!("{} read as {}", name(names, label)?, name(names, reading.class)?);
        Ok(Caption { lines: vec![first, percent(reading.probability)], marked: false })
    };
    let captions: Vec<_> = readings.iter().map(caption).collect::<Result<_>>()?;
    let words = format!("{} of {total} mistakes: {}.", readings.len(), joined(&captions, "; "));
    sheet(images, &captions, columns, words)
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
    let caption = |reading: &Reading| {
        let lines = vec![answer(names, reading.class, reading.label)?, percent(reading.probability)];
        Ok(Caption { lines, marked: reading.label.is_some_and(|label| label != reading.class) })
    };
    let captions: Vec<_> = readings.iter().map(caption).collect::<Result<_>>()?;
    let wrong = captions.iter().filter(|caption| caption.marked).count();
    let (count, each) = (readings.len(), joined(&captions, "; "));
    let words = format!("{count} images and what they are read as, row by row: {each}. Wrong: {wrong}.");
    sheet(images, &captions, columns, words)
}

/// What stands above a picture of a sheet, and whether its frame marks it.
struct Caption {
    lines: Vec<String>,
    marked: bool,
}

fn joined(captions: &[Caption], between: &str) -> String {
    let each: Vec<_> = captions.iter().map(|caption| caption.lines.join(", ")).collect();
    each.join(between)
}

/// The pictures in rows of `columns`, each below its caption.
fn sheet(images: &Images<'_>, captions: &[Caption], columns: usize, words: String) -> Result<Figure> {
    const WIDTH: f64 = 112.0;
    const EM: f64 = 18.0;
    const LINE: f64 = 25.0;
    const MARK: (f64, RGBColor) = (3.0, ORANGE);
    let (count, images_there) = (captions.len(), images.each().len());
    if count != images_there || columns == 0 {
        let expected = format!("{images_there}, as there are images, in rows of 1 or more");
        let got = format!("{count} in rows of {columns}");
        return Err(Error::argument("the number of labels or readings", expected, got));
    }
    let pixel = WIDTH / images.columns as f64;
    let lines: Vec<&String> = captions.iter().flat_map(|caption| &caption.lines).collect();
    let above = captions[0].lines.len() as f64 * LINE;
    let step = (widest(&lines, EM)?.max(WIDTH) + MARGIN, pixel * images.rows as f64 + MARGIN + above);
    let columns = columns.min(count);
    let page = (MARGIN + columns as f64 * step.0, MARGIN + count.div_ceil(columns) as f64 * step.1);
    Page::figure(page, words, &|page| {
        for (index, (ink, caption)) in images.each().zip(captions).enumerate() {
            let (row, column) = ((index / columns) as f64, (index % columns) as f64);
            let middle = MARGIN / 2.0 + (column + 0.5) * step.0;
            let top = MARGIN / 2.0 + row * step.1;
            for (line, text) in caption.lines.iter().enumerate() {
                page.text((middle, top + (line as f64 + 0.5) * LINE), text, EM, Center)?;
            }
            let (corner, frame) = ((middle - WIDTH / 2.0, top + above), if caption.marked { MARK } else { THIN });
            page.framed(corner, (pixel, pixel), &Raster::grey(images.columns, ink), frame)?;
        }
        Ok(())
    })
}
