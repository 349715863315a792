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
use crate::page::{grid, letters, stroke, width, FRAME, INK, LABEL, PALE, TITLE};
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
/// [`Error::Draw`] with what `draw` returns; If `size` is nothing or too large.
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
    let text = format!(
        "A chart of {} by {} pixels, without a description.",
        size.0, size.1
    );
    let painted = Figure::paint(size, GRID, text, |area| draw(area));
    painted.map_err(|problem| match problem.downcast::<Error>() {
        Ok(error) => *error,
        Err(problem) if problem.to_string().contains("FontUnavailable") => {
            Error::new("a font is not here; the only one is \"sans-serif\"")
        }
        Err(problem) => Error::new(problem),
    })
}

/// plotters' chart with two axes of our own.
pub(crate) type Chart<'a> = ChartContext<'a, Canvas<'a>, Cartesian2d<Axis, Axis>>;

/// What stands around a chart.
pub(crate) struct Around<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// Free space on the right and, if there is no label, at the left.
    pub sides: f64,
    /// The size of the horizontal axis' labels.
    pub x_size: f64,
    /// Whether the plotting area has grid and frame, or a line below alone.
    pub framed: bool,
}

impl Around<'_> {
    /// A chart that fills `area`, with all that stands around it.
    pub fn chart<'a>(&self, area: &Area<'a>, x: Axis, y: Axis) -> Result<Chart<'a>> {
        let ticks = y.labels().into_iter().map(|label| width(label, TICK));
        let widest = ticks
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .fold(0.0, f64::max);
        let left = match (self.y, widest > 0.0) {
            ("", false) => 0.0,
            _ => widest + 2.0 * TICK_LENGTH + 1.7 * LABEL,
        };
        let below = 2.0 * TICK_LENGTH
            + 1.4 * self.x_size
            + if self.x.is_empty() { 0.0 } else { 1.3 * LABEL };
        let mut chart = ChartBuilder::on(area)
            .margin_top(grid(2.2 * TITLE))
            .margin_bottom(grid(8.0))
            .margin_right(grid(self.sides))
            .margin_left(grid(if left > 0.0 { 8.0 } else { self.sides }))
            .x_label_area_size(grid(below))
            .y_label_area_size(grid(left))
            .build_cartesian_2d(x, y)?;
        let plot = chart.plotting_area().strip_coord_spec();
        let (middle, title) = (
            plot.get_base_pixel().0 + plot.dim_in_pixel().0 as i32 / 2,
            letters(TITLE, INK),
        );
        area.draw_text(self.title, &title, (middle, grid(1.1 * TITLE)))?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh()
            .axis_style(stroke(FRAME, LINE))
            .bold_line_style(stroke(PALE, 1.0))
            .x_label_style(letters(self.x_size, INK))
            .y_label_style(letters(TICK, INK))
            .axis_desc_style(letters(LABEL, INK))
            .set_all_tick_mark_size(grid(TICK_LENGTH))
            .x_desc(self.x)
            .y_desc(self.y);
        if !self.framed {
            mesh.disable_y_mesh().disable_y_axis();
        }
        mesh.draw()?;
        if self.framed {
            let (width, height) = plot.dim_in_pixel();
            let corners = [(0, 0), (width as i32, height as i32)];
            let frame = Rectangle::new(corners, stroke(FRAME, LINE));
            plot.draw(&frame)?;
        }
        Ok(chart)
    }
}

/// Letters that stand above their point.
pub(crate) fn above(em: f64) -> TextStyle<'static> {
    letters(em, INK).pos(Pos::new(HPos::Center, VPos::Bottom))
}
