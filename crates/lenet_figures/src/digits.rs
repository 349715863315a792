//! Handwritten digits, or other grey pictures: one, a sheet of many, and what they are read as.

use plotters::style::RGBColor;

use crate::classes::{named, no_class};
use crate::page::{percent, widest, Page, Raster, MARGIN, ORANGE};
use crate::{Error, Figure, Result};

/// Width of a picture in a sheet, and of a large one.
const SMALL_WIDTH: f64 = 112.0;
const LARGE_WIDTH: f64 = 336.0;

/// Grey pictures of one size: ink from 0 (black) to 1 (white), picture by picture and row by row.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    ink: &'a [f32],
    columns: usize,
    pixels: usize,
}

impl<'a> Images<'a> {
    /// Pictures of `rows` by `columns` pixels.
    ///
    /// # Errors
    /// If `ink` is not one or more whole pictures, or holds NaN.
    pub fn new(ink: &'a [f32], rows: usize, columns: usize) -> Result<Self> {
        let pixels = rows * columns;
        if pixels == 0 || ink.is_empty() || !ink.len().is_multiple_of(pixels) {
            let expected = format!("whole pictures of {rows} by {columns} values");
            return Err(Error::argument(
                "images",
                expected,
                format!("{} values", ink.len()),
            ));
        }
        if ink.iter().any(|value| value.is_nan()) {
            return Err(Error::argument("images", "values from 0 to 1", "NaN"));
        }
        Ok(Self {
            ink,
            columns,
            pixels,
        })
    }

    /// How many pictures there are.
    pub fn count(&self) -> usize {
        self.ink.len() / self.pixels
    }

    /// White ink on black, as MNIST's files have it.
    fn raster(&self, index: usize) -> Raster {
        let grey = |ink: &f32| (ink.clamp(0.0, 1.0) * f32::from(u8::MAX)).round() as u8;
        let ink = &self.ink[index * self.pixels..][..self.pixels];
        let pixels = ink.iter().map(grey).map(|grey| RGBColor(grey, grey, grey));
        Raster {
            columns: self.columns,
            pixels: pixels.collect(),
        }
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
    let picture = images.raster(0);
    let pixel = LARGE_WIDTH / images.columns as f64;
    let (left, top) = (MARGIN + 2.0 * EM, MARGIN);
    let size = picture.size((pixel, pixel));
    let page = (left + size.0 + MARGIN, top + size.1 + MARGIN + 1.5 * EM);
    let (rows, columns) = (images.pixels / images.columns, images.columns);
    let inked = picture
        .pixels
        .iter()
        .filter(|&&color| color != RGBColor(0, 0, 0))
        .count();
    let words = format!("Image {index}: {rows} by {columns} pixels, {inked} of them not black.");
    Page::figure(page, words, |page| {
        let middle = |at: usize| (at as f64 + 0.5) * pixel;
        for column in (0..columns).step_by(STEP) {
            page.text(
                (left + middle(column), top + size.1 + EM),
                &column.to_string(),
                EM,
            )?;
        }
        for row in (0..rows).step_by(STEP) {
            page.text_before((left - EM / 2.0, top + middle(row)), &row.to_string(), EM)?;
        }
        page.picture((left, top), (pixel, pixel), &picture)
    })
}

/// All `images` in rows of `columns`, each under its label.
///
/// # Errors
/// If there are not as many labels as images, or a label has no name.
pub fn digits(
    images: &Images<'_>,
    labels: &[usize],
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let names = class_names(names, labels.iter().copied())?;
    let captions: Vec<_> = labels
        .iter()
        .map(|&label| (vec![names[label].clone()], false))
        .collect();
    let labels: Vec<&str> = labels.iter().map(|&label| names[label].as_str()).collect();
    let words = format!(
        "{} images with their labels, row by row: {}.",
        labels.len(),
        labels.join(" ")
    );
    sheet(images, &captions, columns, words)
}

/// The images of the first mistakes of `total`, in rows of `columns`: each under what it is and what it is read as, and how
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
        let label = reading
            .label
            .ok_or_else(|| Error::argument("readings", "mistakes, with labels", "one without"))?;
        let first = format!("{} read as {}", names[label], names[reading.class]);
        Ok((vec![first, percent(reading.probability)], false))
    };
    let captions = readings.iter().map(caption).collect::<Result<Vec<_>>>()?;
    let each: Vec<_> = captions.iter().map(|(lines, _)| lines.join(", ")).collect();
    let words = format!(
        "{} of {total} mistakes: {}.",
        captions.len(),
        each.join("; ")
    );
    sheet(images, &captions, columns, words)
}

/// All `images` in rows of `columns`, each under what it is read as and how surely. Where that is wrong, an orange frame and
/// the right class say so.
///
/// # Errors
/// If there are not as many readings as images, or a class has no name.
pub fn predictions(
    images: &Images<'_>,
    readings: &[Reading],
    names: &[&str],
    columns: usize,
) -> Result<Figure> {
    let names = class_names(names, classes(readings))?;
    let caption = |reading: &Reading| {
        let label = reading.label.filter(|&label| label != reading.class);
        let not = label.map_or(String::new(), |label| format!(", not {}", names[label]));
        let lines = vec![
            format!("{}{not}", names[reading.class]),
            percent(reading.probability),
        ];
        (lines, label.is_some())
    };
    let captions: Vec<_> = readings.iter().map(caption).collect();
    let each: Vec<_> = captions
        .iter()
        .map(|(lines, _)| lines.join(" with "))
        .collect();
    let wrong = captions.iter().filter(|(_, wrong)| *wrong).count();
    let known = readings.iter().any(|reading| reading.label.is_some());
    let wrong = if known {
        format!(" {wrong} wrong.")
    } else {
        String::new()
    };
    let words = format!(
        "{} images and what they are read as, row by row: {}.{wrong}",
        captions.len(),
        each.join("; ")
    );
    sheet(images, &captions, columns, words)
}

fn classes(readings: &[Reading]) -> impl Iterator<Item = usize> + '_ {
    readings
        .iter()
        .flat_map(|reading| [Some(reading.class), reading.label])
        .flatten()
}

/// A name for each class up to the largest of `classes`.
fn class_names(names: &[&str], classes: impl Iterator<Item = usize>) -> Result<Vec<String>> {
    let largest = classes.max().unwrap_or(0);
    if !names.is_empty() && largest >= names.len() {
        return Err(no_class("classes", largest, names.len()));
    }
    named(names, names.len().max(largest + 1))
}

/// The pictures in rows of `columns`, each below its lines of caption, and marked or not.
fn sheet(
    images: &Images<'_>,
    captions: &[(Vec<String>, bool)],
    columns: usize,
    words: String,
) -> Result<Figure> {
    const EM: f64 = 18.0;
    const LINE: f64 = 25.0;
    const MARK: f64 = 4.0;
    if captions.len() != images.count() || columns == 0 {
        let expected = format!(
            "as many as the {} images, in rows of at least one",
            images.count()
        );
        let got = format!("{} in rows of {columns}", captions.len());
        return Err(Error::argument("labels or readings", expected, got));
    }
    let pixel = SMALL_WIDTH / images.columns as f64;
    let size = images.raster(0).size((pixel, pixel));
    let lines: Vec<&String> = captions.iter().flat_map(|(lines, _)| lines).collect();
    let above = captions[0].0.len() as f64 * LINE;
    let step = (
        widest(&lines, EM)?.max(size.0) + MARGIN,
        size.1 + MARGIN + above,
    );
    let columns = columns.min(captions.len());
    let rows = captions.len().div_ceil(columns);
    let page = (
        MARGIN + columns as f64 * step.0,
        MARGIN + rows as f64 * step.1,
    );
    Page::figure(page, words, |page| {
        for (index, (lines, marked)) in captions.iter().enumerate() {
            let (row, column) = ((index / columns) as f64, (index % columns) as f64);
            let middle = MARGIN + column * step.0 + (step.0 - MARGIN) / 2.0;
            let top = MARGIN / 2.0 + row * step.1;
            for (line, caption) in lines.iter().enumerate() {
                page.text((middle, top + (line as f64 + 0.5) * LINE), caption, EM)?;
            }
            let corner = (middle - size.0 / 2.0, top + above);
            page.picture(corner, (pixel, pixel), &images.raster(index))?;
            if *marked {
                let around = (corner.0 - MARK / 2.0, corner.1 - MARK / 2.0);
                page.frame(around, (size.0 + MARK, size.1 + MARK), MARK, ORANGE)?;
            }
        }
        Ok(())
    })
}
