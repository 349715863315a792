//! A value for each class: as bars, or as points.
//!
//! Everywhere `names` are the classes' names; without any, the classes are numbers from 0.

use plotters::element::{Circle, EmptyElement, Rectangle, Text};
use plotters::style::text_anchor::HPos::Right;
use plotters::style::{Color as _, RGBColor};

use crate::axis::Axis;
use crate::chart::{above, chart_in};
use crate::page::{fitting, grid, percent, tint, widest, Page, Point};
use crate::page::{BLUE, FRAME, LABEL, MARGIN, ORANGE, PAGE_WIDTH, SMALL, TITLE};
use crate::{thousands, Error, Figure, Result, Table};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Shares from 0 to 1, in per cent.
    Percent,
    /// Values that are not negative, as they are.
    Number,
}

impl Unit {
    /// The values in words, if they are what the unit says.
    fn written(self, name: &str, values: &[f32]) -> Result<Vec<String>> {
        let (most, expected) = match self {
            Self::Percent => (1.0, "between 0 and 1"),
            Self::Number => (f32::MAX, "finite and not below 0"),
        };
        if values.is_empty() {
            return Err(Error::argument(name, expected, "none"));
        }
        let outside = |value: &f32| !(0.0..=most).contains(value);
        if let Some(class) = values.iter().position(outside) {
            let got = format!("{} for {class}", values[class]);
            return Err(Error::argument(name, expected, got));
        }
        let write = |&value: &f32| match self {
            Self::Percent => percent(value),
            Self::Number if value.fract() == 0.0 => thousands(value as usize),
            Self::Number => value.to_string(),
        };
        Ok(values.iter().map(write).collect())
    }
}

/// The names of `count` classes.
pub(crate) fn named(names: &[&str], count: usize) -> Result<Vec<String>> {
    match names.len() {
        0 => Ok((0..count).map(|class| class.to_string()).collect()),
        given if given == count => Ok(names.iter().map(|name| name.to_string()).collect()),
        given => Err(Error::argument("the number of names", format!("{count}, or none"), given)),
    }
}

/// The name of a class, or its number where no class has a name.
pub(crate) fn name(names: &[&str], class: usize) -> Result<String> {
    match names.get(class) {
        Some(name) => Ok(name.to_string()),
        None if names.is_empty() => Ok(class.to_string()),
        None => Err(no_class("each class", class, names.len())),
    }
}

/// The class that an image is read as, and its label where that is known and another class.
pub(crate) fn answer(names: &[&str], class: usize, label: Option<usize>) -> Result<String> {
    let read = name(names, class)?;
    match label {
        Some(label) if label != class => Ok(format!("{read}, not {}", name(names, label)?)),
        _ => Ok(read),
    }
}

/// The error of a class beyond the last.
fn no_class(name: &str, class: usize, classes: usize) -> Error {
    let expected = format!("below {classes}, the number of classes");
    Error::argument(name, expected, class)
}

/// The first of the largest values.
pub(crate) fn best(values: &[f32]) -> usize {
    let better = |&a: &usize, &b: &usize| values[a].total_cmp(&values[b]);
    (0..values.len()).rev().max_by(better).unwrap_or(0)
}

/// The title, the one that stands out, and each name with its value.
fn in_words(title: &str, which: &str, one: usize, names: &[String], written: &[String]) -> String {
    let pair = |class: usize| format!("{}: {}", names[class], written[class]);
    let each: Vec<_> = (0..names.len()).map(pair).collect();
    let (name, value, each) = (&names[one], &written[one], each.join(", "));
    format!("{title}; {which}: {name} with {value}. {each}.")
}

/// A class's width on the page, and the sizes of names and values that fit into it.
fn sizes(names: &[String], written: &[String], least: f64, room: f64) -> Result<(f64, f64, f64)> {
    let wide = (widest(names, LABEL)? + MARGIN).max(least);
    let step = wide.min(room / names.len() as f64);
    let names = fitting(names, LABEL, step - 6.0)?;
    Ok((step, names, fitting(written, SMALL, step - 4.0)?))
}

/// A bar for each class, with its value above it; the largest stands out.
///
/// # Errors
/// If a value is not finite or not of the `unit`'s range, or there are none.
///
/// # Example
/// ```
/// use lenet_figures::{bars, Unit};
///
/// let figure = bars("What it may be", &["cat", "dog", "hat"], &[0.2, 0.7, 0.1], Unit::Percent)?;
/// assert!(figure.text().contains("largest: dog with 70.0 %"));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn bars(title: &str, names: &[&str], values: &[f32], unit: Unit) -> Result<Figure> {
    const SIDES: f64 = 60.0;
    const STEP: f64 = 84.0;
    const HALF: f64 = 0.33;
    const FAINT: f64 = 0.55;
    /// Height of the highest bar, of the room above it, and of what stands around.
    const BAR: f64 = 240.0;
    const ABOVE: f64 = 40.0;
    const AROUND: f64 = 118.0;
    let (names, written) = (named(names, values.len())?, unit.written("values", values)?);
    let room = PAGE_WIDTH - 2.0 * SIDES;
    let (step, name_size, value_size) = sizes(&names, &written, STEP, room)?;
    let (largest, wide) = (best(values), step * names.len() as f64);
    let page = (wide + 2.0 * SIDES).max(widest(&[title], TITLE)? + 2.0 * MARGIN);
    let size = (page.ceil() as u32, (BAR + ABOVE + AROUND) as u32);
    let words = in_words(title, "largest", largest, &names, &written);
    let full = match unit {
        Unit::Percent => 1.0,
        Unit::Number => f64::from(values[largest]).max(f64::MIN_POSITIVE),
    };
    Figure::paint(size, 1, words, |area| {
        let y = Axis::plain(0.0, full * (BAR + ABOVE) / BAR);
        let axes = (Axis::named(&names), y);
        let mut chart = chart_in(area, [title, "", ""], (page - wide) / 2.0, name_size, axes)?;
        for (class, &value) in values.iter().enumerate() {
            let (x, y) = (class as f64, f64::from(value));
            let color = tint(BLUE, if class == largest { 1.0 } else { FAINT });
            let bar = Rectangle::new([(x - HALF, y), (x + HALF, 0.0)], color.filled());
            chart.draw_series([bar])?;
            let text = Text::new(written[class].clone(), (0, grid(-8.0)), above(value_size));
            chart.draw_series([EmptyElement::at((x, y)) + text])?;
        }
        Ok(())
    })
}

/// How many `labels` there are of each of `classes` classes, as bars.
///
/// # Errors
/// If a label is no class.
pub fn histogram(title: &str, names: &[&str], labels: &[usize], classes: usize) -> Result<Figure> {
    let mut counts = vec![0.0; classes];
    for &label in labels {
        let count = counts.get_mut(label);
        *count.ok_or_else(|| no_class("each label", label, classes))? += 1.0;
    }
    bars(title, names, &counts, Unit::Number)
}

/// The share of each class's images that is read right, as points on a scale that begins where the shares do. The lowest
/// stands out.
///
/// # Errors
/// If a share is not between 0 and 1, or there are none.
pub fn accuracy_by_class(names: &[&str], shares: &[f32]) -> Result<Figure> {
    const TITLE: &str = "Accuracy by class";
    const HEIGHT: u32 = 420;
    const STEP: f64 = 87.0;
    const AROUND: f64 = 130.0;
    const RADIUS: f64 = 8.0;
    /// Free space above and below the points, as a share of their span, and the least span in per cent.
    const FREE: f64 = 0.25;
    const LEAST_SPAN: f64 = 1.0;
    let written = Unit::Percent.written("shares", shares)?;
    let x = if names.is_empty() { "Digit" } else { "Class" };
    let names = named(names, shares.len())?;
    let (step, name_size, value_size) = sizes(&names, &written, STEP, PAGE_WIDTH - AROUND)?;
    let below: Vec<f32> = shares.iter().map(|share| -share).collect();
    let (lowest, highest) = (best(&below), best(shares));
    let per_cent = |class: usize| 100.0 * f64::from(shares[class]);
    let (low, high) = (per_cent(lowest), per_cent(highest));
    let free = FREE * (high - low).max(LEAST_SPAN);
    let words = in_words(TITLE, "lowest", lowest, &names, &written);
    let page = (AROUND + step * names.len() as f64).max(400.0);
    Figure::paint((page as u32, HEIGHT), 1, words, |area| {
        let y = Axis::values(low - free, high + free, 100.0);
        let axes = (Axis::named(&names), y);
        let mut chart = chart_in(area, [TITLE, x, "Accuracy (%)"], MARGIN, name_size.min(20.0), axes)?;
        for (class, text) in written.iter().enumerate() {
            let color = if class == lowest { ORANGE } else { BLUE };
            let disc = Circle::new((0, 0), grid(RADIUS), color.filled());
            let text = Text::new(text.clone(), (0, grid(-RADIUS - 6.0)), above(value_size));
            let place = (class as f64, per_cent(class));
            chart.draw_series([EmptyElement::at(place) + disc + text])?;
        }
        Ok(())
    })
}

/// A row for each class: its name, its images, and precision, recall and F1 in per cent.
///
/// # Errors
/// If there is not one name for each class.
pub fn class_table(names: &[&str], images: &[usize], scores: [Vec<f32>; 3]) -> Result<Table<5>> {
    let mut table = Table::new("The classes", ["class", "images", "precision", "recall", "F1"]);
    for (class, name) in named(names, images.len())?.into_iter().enumerate() {
        let [precision, recall, f1] = [0, 1, 2].map(|score| percent(scores[score][class]));
        table.row([name, thousands(images[class]), precision, recall, f1]);
    }
    Ok(table)
}

/// A bar for each class, from `start` down and to the right, `step` high and `full` wide for a share of 1, with the class's name
/// on its left and the share on its right.
pub(crate) fn share_bars(
    page: &Page<'_, '_>,
    start: Point,
    (full, step): Point,
    names: &[String],
    shares: &[f32],
    color: RGBColor,
    em: f64,
) -> Result<()> {
    /// Room on the left and on the right.
    const NAMES: f64 = 76.0;
    const SHARES: f64 = 80.0;
    let (em, largest) = (em.min(step), best(shares));
    let of_names = fitting(names, em, NAMES)?;
    for (class, (name, &share)) in names.iter().zip(shares).enumerate() {
        let y = start.1 + (class as f64 + 0.5) * step;
        let color = tint(color, if class == largest { 1.0 } else { 0.55 });
        page.text((start.0 - 10.0, y), name, of_names, Right)?;
        page.rect((start.0, y - 0.32 * step), (full * f64::from(share), 0.64 * step), color)?;
        page.text((start.0 + full + SHARES, y), &percent(share), em, Right)?;
    }
    page.line(&[start, (start.0, start.1 + step * names.len() as f64)], 1.0, FRAME)
}
