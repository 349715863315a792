//! What several figures share: the page, sizes of text, words set in a column, numbers written out.

use super::drawing::{Align, Drawing, Point, TextStyle};
use super::font::Font;

/// Width of a figure that fills a notebook's column.
pub(super) const PAGE_WIDTH: f64 = 1440.0;
pub(super) const TITLE_SIZE: f64 = 24.0;
pub(super) const LABEL_SIZE: f64 = 20.0;
pub(super) const SMALL_SIZE: f64 = 16.0;
/// Free space at the edges of the page and between parts of a figure.
pub(super) const MARGIN: f64 = 12.0;
/// Height of a line of text, as a multiple of its size.
pub(super) const LINE_HEIGHT: f64 = 1.35;

/// Writes `text` centred below `top`, broken between words where it is wider than `width`; gives the lower end.
pub(super) fn paragraph(
    drawing: &mut Drawing,
    font: &Font,
    (middle, top): Point,
    width: f64,
    text: &str,
    style: TextStyle,
) -> f64 {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer {
            Some(longer) if font.width(&longer, style.size) <= width => {
                lines.pop();
                lines.push(longer);
            }
            _ => lines.push(word.to_string()),
        }
    }
    let style = TextStyle {
        align: Align::Middle,
        ..style
    };
    let height = style.size * LINE_HEIGHT;
    let mut y = top;
    for line in lines {
        drawing.text((middle, y + height / 2.0), line, style);
        y += height;
    }
    y
}

/// A share of 1 in per cent, with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
