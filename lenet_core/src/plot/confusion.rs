//! Which digit is taken for which.

use super::drawing::{Align, Color, Drawing, TextStyle};
use super::figure::Figure;
use super::page::{percent, LABEL_SIZE, MARGIN, SMALL_SIZE, TITLE_SIZE};
use crate::display::thousands;
use crate::network::CLASSES;
use crate::{Error, Result};

const CELL: (f64, f64) = (84.0, 52.0);
const LEFT: f64 = 90.0;
const TOP: f64 = 124.0;
const GAP: f64 = 24.0;
const STROKE: f64 = 1.0;
/// Strength of the diagonal's colour, and of the most frequent mistake's.
const RIGHT_TINT: f64 = 0.25;
const WRONG_TINT: f64 = 0.9;

/// How many images of each digit (rows) the network reads as which digit (columns), and the share of each row that
/// is right.
///
/// Blue is right. Orange is wrong, the stronger the more frequent; the rest of the cells are 0 and empty.
///
/// # Errors
/// [`Error::Argument`] if all counts are 0.
pub fn confusion(counts: &[[usize; CLASSES]; CLASSES]) -> Result<Figure> {
    let total: usize = counts.iter().flatten().sum();
    if total == 0 {
        let expected = "counts of at least one image";
        return Err(Error::argument("counts", expected, "only zeros"));
    }
    let right: usize = counts
        .iter()
        .enumerate()
        .map(|(digit, row)| row[digit])
        .sum();
    let mistakes = || {
        cells()
            .filter(|(label, read)| label != read)
            .map(|(label, read)| (counts[label][read], label, read))
    };
    // Of equally frequent mistakes, the first.
    let worst = mistakes()
        .rev()
        .max_by_key(|&(count, ..)| count)
        .filter(|&(count, ..)| count > 0);
    let most = worst.map_or(1, |(count, ..)| count);

    let grid = (CELL.0 * CLASSES as f64, CELL.1 * CLASSES as f64);
    let shares_left = LEFT + grid.0 + GAP;
    let mut drawing = Drawing::new(shares_left + CELL.0 + MARGIN, TOP + grid.1 + MARGIN);
    let page_middle = LEFT + grid.0 / 2.0;
    drawing.text(
        (page_middle, TITLE_SIZE),
        "Confusion matrix",
        TextStyle::new(TITLE_SIZE, Align::Middle),
    );
    let heading = TextStyle::new(LABEL_SIZE, Align::Middle);
    drawing.text((page_middle, TOP - 2.6 * LABEL_SIZE), "Read as", heading);
    drawing.text(
        (LEFT - 2.6 * LABEL_SIZE, TOP + grid.1 / 2.0),
        "Label",
        heading.upwards(),
    );
    drawing.text(
        (shares_left + CELL.0 / 2.0, TOP - LABEL_SIZE),
        "Right",
        heading,
    );
    for (digit, row) in counts.iter().enumerate() {
        let (x, y) = (
            LEFT + (digit as f64 + 0.5) * CELL.0,
            TOP + (digit as f64 + 0.5) * CELL.1,
        );
        drawing.text((x, TOP - LABEL_SIZE), digit.to_string(), heading);
        drawing.text((LEFT - LABEL_SIZE, y), digit.to_string(), heading);
        let all: usize = row.iter().sum();
        let share = if all == 0 {
            "–".to_string()
        } else {
            percent(row[digit] as f64 / all as f64)
        };
        drawing.text(
            (shares_left + CELL.0 / 2.0, y),
            share,
            TextStyle::new(SMALL_SIZE, Align::Middle),
        );
    }
    for (label, read) in cells() {
        let count = counts[label][read];
        if count == 0 {
            continue;
        }
        let corner = (LEFT + read as f64 * CELL.0, TOP + label as f64 * CELL.1);
        let color = if label == read {
            Color::BLUE.tint(RIGHT_TINT)
        } else {
            Color::ORANGE.tint(WRONG_TINT * (count as f64 / most as f64).sqrt())
        };
        drawing.rect(corner, CELL, color);
        let middle = (corner.0 + CELL.0 / 2.0, corner.1 + CELL.1 / 2.0);
        drawing.text(
            middle,
            thousands(count),
            TextStyle::new(SMALL_SIZE, Align::Middle),
        );
    }
    for line in 0..=CLASSES {
        let (x, y) = (LEFT + line as f64 * CELL.0, TOP + line as f64 * CELL.1);
        drawing.line(&[(x, TOP), (x, TOP + grid.1)], STROKE, Color::GRID);
        drawing.line(&[(LEFT, y), (LEFT + grid.0, y)], STROKE, Color::GRID);
    }
    drawing.frame((LEFT, TOP), grid, STROKE, Color::FRAME);

    let mut words = format!(
        "Confusion matrix of {} images: {} ({}) are read right.",
        thousands(total),
        thousands(right),
        percent(right as f64 / total as f64)
    );
    if let Some((count, label, read)) = worst {
        let times = if count == 1 {
            "once".to_string()
        } else {
            format!("{} times", thousands(count))
        };
        words.push_str(&format!(
            " The most frequent mistake: a {label} read as {read}, {times}."
        ));
    }
    Figure::new(&drawing, words)
}

/// All pairs of label and digit read, row by row.
fn cells() -> impl DoubleEndedIterator<Item = (usize, usize)> {
    (0..CLASSES * CLASSES).map(|cell| (cell / CLASSES, cell % CLASSES))
}
