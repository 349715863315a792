//! Series of values over the epochs, or over anything else that is counted.

use std::f64::consts::TAU;

use plotters::chart::SeriesLabelPosition;
use plotters::element::{EmptyElement, PathElement, Polygon};
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, RGBColor, WHITE};

use crate::axis::Axis;
use crate::chart::{chart_in, Chart};
use crate::page::{grid, letters, stroke, widest, Point, BLUE, INK, MARGIN, ORANGE, PALE};
use crate::{Error, Figure, Result};

/// 20 by 8 inches of 72 pixels.
const SIZE: (u32, u32) = (1440, 576);
/// The lines' colours, matplotlib's first six.
const COLORS: [RGBColor; 6] = [
    BLUE,
    ORANGE,
    RGBColor(0x2c, 0xa0, 0x2c),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x94, 0x67, 0xbd),
    RGBColor(0x8c, 0x56, 0x4b),
];
const STROKE: f64 = 2.5;
/// Lines with more points carry a marker at some of them only.
const MOST_MARKERS: usize = 40;
/// The legend: letters, a line's sample, free space around them, and a row's height.
const NAME: f64 = 20.0;
const SAMPLE: f64 = 42.0;
const PAD: f64 = 12.0;
const ROW: f64 = 1.25 * 1.164 * NAME;
/// How many places of a line between two values are held against the legend's.
const PLACES: usize = 10;

/// A named series of values; where there is none, the line has a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    name: String,
    values: Vec<Option<f32>>,
}

impl Line {
    /// A line of `values`, each an `f32` or an `Option<f32>`.
    pub fn new<V: Into<Option<f32>>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

/// What stands around the lines of [`curves`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axes<'a> {
    /// Above the chart.
    pub title: &'a str,
    /// What is counted, from 1, on the horizontal axis.
    pub x: &'a str,
    /// What the values are.
    pub y: &'a str,
    /// The largest value there can be: no tick stands above it.
    pub most: f64,
    /// Whether each decade of values is as high as the others.
    pub logarithmic: bool,
}

impl Default for Axes<'_> {
    fn default() -> Self {
        Self { title: "", x: "Epoch", y: "", most: f64::INFINITY, logarithmic: false }
    }
}

/// One or more lines over the epochs, 20 by 8 inches.
///
/// A value that is not finite leaves a gap, and the legend says so.
///
/// # Errors
/// If no value is finite, or one is not above 0 on a logarithmic axis.
///
/// # Example
/// ```
/// use lenet_figures::{curves, Axes, Line};
///
/// let axes = Axes { title: "Model Loss", y: "Loss", ..Axes::default() };
/// let figure = curves(&axes, &[Line::new("Train", [0.36, 0.12]), Line::new("Validation", [0.16, 0.09])])?;
/// assert!(figure.text().contains("Train: from 0.3600 to 0.1200."));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn curves(axes: &Axes<'_>, lines: &[Line]) -> Result<Figure> {
    let values = || lines.iter().flat_map(Line::points).map(|(_, value)| value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Err(Error::new("lines must hold a finite value, none does"));
    }
    let y = match axes.logarithmic {
        true if low <= 0.0 => return Err(Error::argument("values on a log axis", "above 0", low)),
        true => Axis::decades(low, high),
        false => Axis::values(low, high, axes.most),
    };
    let count = lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let (title, counted, s) = (axes.title, axes.x.to_lowercase(), if count == 1 { "" } else { "s" });
    let each: String = lines.iter().map(Line::in_words).collect();
    let words = format!("{title} over {count} {counted}{s}.{each}");
    Figure::paint(SIZE, 1, words, |area| {
        let mut chart = chart_in(area, [title, axes.x, axes.y], 2.0 * MARGIN, NAME, (Axis::counted(count), y))?;
        for (index, line) in lines.iter().enumerate() {
            let color = COLORS[index % COLORS.len()];
            let points: Vec<_> = line.points().collect();
            for run in points.chunk_by(|before, after| after.0 - before.0 == 1.0) {
                chart.draw_series(LineSeries::new(run.iter().copied(), stroke(color, STROKE)))?;
            }
            let every = points.len().div_ceil(MOST_MARKERS).max(1);
            let shown = points.into_iter().step_by(every);
            let series = chart.draw_series(shown.map(|point| EmptyElement::at(point) + marker(index, 0)))?;
            series.label(line.legend()).legend(move |start| {
                let sample = PathElement::new([(0, 0), (grid(SAMPLE), 0)], stroke(color, STROKE));
                EmptyElement::at(start) + sample + marker(index, grid(SAMPLE / 2.0))
            });
        }
        let (left, top) = legend_corner(&chart, lines)?;
        let mut legend = chart.configure_series_labels();
        legend
            .position(SeriesLabelPosition::Coordinate(left, top))
            .margin(grid(PAD))
            .legend_area_size(grid(SAMPLE + PAD))
            .label_font(letters(NAME, INK).pos(Pos::new(HPos::Left, VPos::Top)))
            .background_style(WHITE)
            .border_style(stroke(PALE, 1.5));
        Ok(legend.draw()?)
    })
}

/// The sign at each point of a line, `x` beside it, so that lines differ by more than their colour: a disc, a square, a
/// triangle, …
fn marker(index: usize, x: i32) -> Polygon<(i32, i32)> {
    let (corners, radius) = [(32, 5.0), (4, 7.0), (3, 7.0), (5, 6.0)][index % 4];
    // The square stands on a side.
    let turn = if corners == 4 { 0.5 } else { 0.0 };
    let corner = |i: usize| {
        let (sine, cosine) = ((i as f64 + turn) / corners as f64 * TAU).sin_cos();
        (x + grid(radius * sine), -grid(radius * cosine))
    };
    let corners: Vec<_> = (0..corners).map(corner).collect();
    Polygon::new(corners, COLORS[index % COLORS.len()].filled())
}

/// The upper left corner of a legend in that corner of the chart where it hides least of the lines.
fn legend_corner(chart: &Chart<'_>, lines: &[Line]) -> Result<(i32, i32)> {
    let (names, pad): (Vec<_>, _) = (lines.iter().map(Line::legend).collect(), grid(PAD));
    let width = grid(widest(&names, NAME)? + SAMPLE) + 3 * pad;
    let height = grid(ROW * lines.len() as f64) + 2 * pad;
    let (across, down) = chart.plotting_area().get_pixel_range();
    let hidden = |&(left, top): &(i32, i32)| {
        let hides = |place: &Point| {
            let (x, y) = chart.backend_coord(place);
            let (x, y) = (x - across.start - left, y - down.start - top);
            (-pad..width + pad).contains(&x) && (-pad..height + pad).contains(&y)
        };
        lines.iter().flat_map(Line::places).filter(hides).count()
    };
    let (right, bottom) = (across.len() as i32 - width - pad, down.len() as i32 - height - pad);
    let corners = [(right, pad), (pad, pad), (right, bottom), (pad, bottom)];
    Ok(corners.into_iter().min_by_key(hidden).unwrap_or_default())
}

impl Line {
    /// The finite values, each with its number from 1.
    fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let numbered = self.values.iter().enumerate();
        let points = numbered.filter_map(|(i, value)| Some((i as f64 + 1.0, f64::from((*value)?))));
        points.filter(|(_, value)| value.is_finite())
    }

    /// Places along the line, between each two of its values.
    fn places(&self) -> impl Iterator<Item = Point> + '_ {
        self.points().zip(self.points().skip(1)).flat_map(|(from, to)| {
            let shares = (0..=PLACES).map(|step| step as f64 / PLACES as f64);
            shares.map(move |share| (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)))
        })
    }

    /// The name, and where there is a value that can't be drawn.
    fn legend(&self) -> String {
        let bad = |value: &Option<f32>| value.is_some_and(|value| !value.is_finite());
        let mut bad = (1..).zip(&self.values).filter(|(_, value)| bad(value));
        let name = &self.name;
        match (bad.next(), bad.count()) {
            (None, _) => name.clone(),
            (Some((at, _)), 0) => format!("{name} (not finite at {at})"),
            (Some((at, _)), more) => format!("{name} (not finite at {at} and {more} more)"),
        }
    }

    /// The legend with the first and the last value.
    fn in_words(&self) -> String {
        let (name, values) = (self.legend(), self.values.iter().flatten());
        let values: Vec<_> = values.map(|&value| written(value)).collect();
        match &values[..] {
            [] => String::new(),
            [only] => format!(" {name}: {only}."),
            [first, .., last] => format!(" {name}: from {first} to {last}."),
        }
    }
}

/// Four decimals, or an exponent where they would not do.
fn written(value: f32) -> String {
    if value != 0.0 && value.is_finite() && !(1e-3..1e5).contains(&value.abs()) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}
