//! Charts: a learner's own, and the frame of those that are made here.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::Rectangle;
use plotters::style::{
    text_anchor::{HPos, Pos, VPos},
    TextStyle,
};

use crate::axis::Axis;
use crate::canvas::Canvas;
use crate::figure::{Area, GRID};
use crate::page::{grid, letters, stroke, widest, FRAME, INK, LABEL, PALE, TITLE};
use crate::{Error, Figure, Result};

const TICK: f64 = 20.0;
const TICK_LENGTH: f64 = 7.0;
const LINE: f64 = 1.5;

/// A figure of a learner's own: `draw` paints with [`plotters`] on an area of `size` CSS pixels.
///
/// Sizes of letters, margins and lines are in CSS pixels too; the picture has twice the density. The only font is
/// `"sans-serif"`, for Latin letters. [`Figure::with_text`] gives the figure words for readers who can't see it.
///
/// # Errors
/// With what `draw` returns; or if `size` is nothing or too large.
///
/// # Example
/// ```
/// use lenet_figures::{chart, plotters::prelude::*};
///
/// let figure = chart((640, 320), |area| {
///     let mut chart = ChartBuilder::on(area)
///         .caption("A parabola", ("sans-serif", 24))
///         .margin(10)
///         .x_label_area_size(30)
///         .y_label_area_size(40)
///         .build_cartesian_2d(-1.0..1.0, 0.0..1.0)?;
///     chart.configure_mesh().draw()?;
///     let points = (-50..=50).map(|i| f64::from(i) / 50.0).map(|x| (x, x * x));
///     chart.draw_series(LineSeries::new(points, &BLUE))?;
///     Ok(())
/// })?;
/// let figure = figure.with_text("The square of x, from -1 to 1.");
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn chart(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<Figure> {
    let text = format!("A chart of {} by {} pixels, without words.", size.0, size.1);
    Figure::paint(size, GRID, text, |area| {
        draw(area).map_err(|problem| match problem.to_string() {
            text if text.contains("FontUnavailable") => {
                Error::new("a font is not here; the only one is \"sans-serif\"")
            }
            text => Error::new(text),
        })
    })
}

/// plotters' chart with two axes of our own.
pub(crate) type Chart<'a> = ChartContext<'a, Canvas<'a>, Cartesian2d<Axis, Axis>>;

/// A chart that fills `area`, with its titles (above, below, at the left), `sides` pixels of free space at its right, and
/// at its left if there is no title; `x_size` is the size of the horizontal axis' labels.
///
/// With a title at the left, the chart has a frame and lines at the ticks; without, it has a line below alone.
pub(crate) fn chart_in<'a>(
    area: &Area<'a>,
    [title, x_title, y_title]: [&str; 3],
    sides: f64,
    x_size: f64,
    (x, y): (Axis, Axis),
) -> Result<Chart<'a>> {
    const EDGE: f64 = 8.0;
    let framed = !y_title.is_empty();
    let labels = widest(&y.labels(), TICK)?;
    let (left, margin) = match framed {
        true => (labels + 2.0 * TICK_LENGTH + 1.7 * LABEL, EDGE),
        false => (0.0, sides),
    };
    let line = if x_title.is_empty() { 0.0 } else { 1.3 * LABEL };
    let mut chart = ChartBuilder::on(area)
        .margin_top(grid(2.2 * TITLE))
        .margin_bottom(grid(EDGE))
        .margin_left(grid(margin))
        .margin_right(grid(sides))
        .x_label_area_size(grid(2.0 * TICK_LENGTH + 1.4 * x_size + line))
        .y_label_area_size(grid(left))
        .build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh()
        .axis_style(stroke(FRAME, LINE))
        .bold_line_style(stroke(PALE, 1.0))
        .x_label_style(letters(x_size, INK))
        .y_label_style(letters(TICK, INK))
        .axis_desc_style(letters(LABEL, INK))
        .set_all_tick_mark_size(grid(TICK_LENGTH))
        .x_desc(x_title)
        .y_desc(y_title);
    if !framed {
        mesh.disable_y_mesh().disable_y_axis();
    }
    mesh.draw()?;
    let plot = chart.plotting_area().strip_coord_spec();
    let (width, height) = plot.dim_in_pixel();
    if framed {
        let corners = [(0, 0), (width as i32, height as i32)];
        plot.draw(&Rectangle::new(corners, stroke(FRAME, LINE)))?;
    }
    let middle = plot.get_base_pixel().0 + width as i32 / 2;
    area.draw_text(title, &letters(TITLE, INK), (middle, grid(1.1 * TITLE)))?;
    Ok(chart)
}

/// Letters that stand above their point.
pub(crate) fn above(em: f64) -> TextStyle<'static> {
    letters(em, INK).pos(Pos::new(HPos::Center, VPos::Bottom))
}
