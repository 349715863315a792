//! The box that names the lines of a figure.

use super::axes::{Axes, STROKE};
use super::drawing::{Align, Color, Drawing, Point, TextStyle};
use super::font::Font;

/// Stroke of a line of data.
pub(super) const DATA_STROKE: f64 = 2.5;

const SIZE: f64 = 20.0;
const ROW: f64 = 32.0;
const PAD: f64 = 12.0;
const SAMPLE: f64 = 42.0;
/// Free space between the box and what is around it.
const DISTANCE: f64 = 12.0;

/// The upper corner of the axes in which a legend stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Corner {
    Left,
    Right,
}

/// The sign at each point of a line, so that lines differ by more than their colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Marker {
    Disc,
    Square,
}

impl Marker {
    const RADIUS: f64 = 5.0;

    pub fn draw(self, drawing: &mut Drawing, (x, y): Point, color: Color) {
        let radius = Self::RADIUS;
        match self {
            Self::Disc => drawing.circle((x, y), radius, color),
            Self::Square => drawing.rect(
                (x - radius, y - radius),
                (2.0 * radius, 2.0 * radius),
                color,
            ),
        }
    }
}

/// A line's name and looks.
pub(super) struct LegendEntry {
    pub name: String,
    pub color: Color,
    pub marker: Marker,
}

/// The box, its entries one below the other.
pub(super) struct Legend {
    pub corner: Corner,
    pub entries: Vec<LegendEntry>,
}

impl Legend {
    fn size(&self, font: &Font) -> (f64, f64) {
        let widest = self
            .entries
            .iter()
            .map(|entry| font.width(&entry.name, SIZE))
            .fold(0.0, f64::max);
        (
            3.0 * PAD + SAMPLE + widest,
            PAD + ROW * self.entries.len() as f64,
        )
    }

    /// How far the box reaches into the axes from its corner, free space on both sides included.
    pub fn reach(&self, font: &Font) -> (f64, f64) {
        let (width, height) = self.size(font);
        (width + 2.0 * DISTANCE, height + 2.0 * DISTANCE)
    }

    pub fn draw(&self, drawing: &mut Drawing, font: &Font, axes: &Axes) {
        let (width, height) = self.size(font);
        let (left, top) = axes.corner;
        let x = match self.corner {
            Corner::Left => left + DISTANCE,
            Corner::Right => left + axes.size.0 - DISTANCE - width,
        };
        let y = top + DISTANCE;
        drawing.rect((x, y), (width, height), Color::WHITE);
        drawing.frame((x, y), (width, height), STROKE, Color::GRID);
        for (i, entry) in self.entries.iter().enumerate() {
            let row = y + PAD / 2.0 + ROW * (i as f64 + 0.5);
            let start = x + PAD;
            drawing.line(
                &[(start, row), (start + SAMPLE, row)],
                DATA_STROKE,
                entry.color,
            );
            entry
                .marker
                .draw(drawing, (start + SAMPLE / 2.0, row), entry.color);
            drawing.text(
                (start + SAMPLE + PAD, row),
                entry.name.as_str(),
                TextStyle::new(SIZE, Align::Start),
            );
        }
    }
}
