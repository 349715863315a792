//! What several figures share: the page, sizes of text, shares written out.

/// Width of a figure that fills a notebook's column.
pub(super) const PAGE_WIDTH: f64 = 1440.0;
pub(super) const TITLE_SIZE: f64 = 26.0;
pub(super) const LABEL_SIZE: f64 = 22.0;
pub(super) const SMALL_SIZE: f64 = 19.0;
/// Free space at the edges of the page and between parts of a figure.
pub(super) const MARGIN: f64 = 12.0;
/// Height of a line of text, as a multiple of its size.
pub(super) const LINE_HEIGHT: f64 = 1.35;

/// A share of 1 in per cent, with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
