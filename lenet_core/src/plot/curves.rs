//! Loss and accuracy over the epochs.

use super::axes::{Axes, Scale};
use super::drawing::{Color, Drawing, Point};
use super::figure::Figure;
use super::font::Font;
use super::legend::{Corner, Legend, LegendEntry, Marker, DATA_STROKE};
use crate::{Error, History, Result};

/// 20 by 8 inches at 72 pixels to the inch.
const SIZE: (f64, f64) = (1440.0, 576.0);
const LEFT: f64 = 136.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 92.0;
/// Width and height inside the axes.
const INSIDE: (f64, f64) = (SIZE.0 - LEFT - RIGHT, SIZE.1 - TOP - BOTTOM);

/// Lines with more points than this carry a marker at some of them only.
const MOST_MARKERS: usize = 40;

/// Training and validation loss over the epochs, 20 by 8 inches.
///
/// Without validation data there is one line. A value that is not finite leaves a gap, and the figure says so.
///
/// # Errors
/// [`Error::Draw`] if the history has no epochs or not one finite loss.
pub fn model_loss(history: &History) -> Result<Figure> {
    Curves {
        title: "Model Loss",
        quantity: "Loss",
        most: f64::INFINITY,
        corner: Corner::Right,
        train: history
            .epochs
            .iter()
            .map(|epoch| Some(epoch.loss))
            .collect(),
        validation: history.epochs.iter().map(|epoch| epoch.val_loss).collect(),
    }
    .figure()
}

/// Training and validation accuracy over the epochs, 20 by 8 inches.
///
/// Without validation data there is one line. A value that is not finite leaves a gap, and the figure says so.
///
/// # Errors
/// [`Error::Draw`] if the history has no epochs or not one finite accuracy.
pub fn model_accuracy(history: &History) -> Result<Figure> {
    Curves {
        title: "Model accuracy",
        quantity: "Accuracy",
        most: 1.0,
        corner: Corner::Left,
        train: history
            .epochs
            .iter()
            .map(|epoch| Some(epoch.accuracy))
            .collect(),
        validation: history
            .epochs
            .iter()
            .map(|epoch| epoch.val_accuracy)
            .collect(),
    }
    .figure()
}

/// Two lines over the epochs; `None` where there is no value.
struct Curves {
    title: &'static str,
    quantity: &'static str,
    /// The largest value that the quantity can have.
    most: f64,
    corner: Corner,
    train: Vec<Option<f32>>,
    validation: Vec<Option<f32>>,
}

/// A line's name and looks.
struct Line<'a> {
    name: &'static str,
    color: Color,
    marker: Marker,
    values: &'a [Option<f32>],
}

impl Curves {
    fn lines(&self) -> Vec<Line<'_>> {
        let train = Line {
            name: "Train",
            color: Color::BLUE,
            marker: Marker::Disc,
            values: &self.train,
        };
        let validation = Line {
            name: "Validation",
            color: Color::ORANGE,
            marker: Marker::Square,
            values: &self.validation,
        };
        let mut lines = vec![train];
        if self.validation.iter().any(Option::is_some) {
            lines.push(validation);
        }
        lines
    }

    fn figure(&self) -> Result<Figure> {
        if self.train.is_empty() {
            return Err(Error::Draw(
                "the history has no epochs; call `fit` first".into(),
            ));
        }
        let lines = self.lines();
        let finite = lines.iter().flat_map(|line| line.finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            let quantity = self.quantity.to_lowercase();
            return Err(Error::Draw(format!(
                "no {quantity} in the history is a finite number; look for NaN in the data, or lower the learning rate"
            )));
        }

        let font = Font::load()?;
        let legend = Legend {
            corner: self.corner,
            entries: lines.iter().map(Line::entry).collect(),
        };
        let x = Scale::epochs(self.train.len());
        let high = self.room_for(&legend, &font, &x, &lines, low, high);
        let axes = Axes {
            corner: (LEFT, TOP),
            size: INSIDE,
            x,
            y: Scale::values(low, high, self.most),
        };
        let mut drawing = Drawing::new(SIZE.0, SIZE.1);
        axes.draw(&mut drawing, &font, self.title, "Epoch", self.quantity);
        for line in &lines {
            draw_line(&mut drawing, &axes, line);
        }
        legend.draw(&mut drawing, &font, &axes);
        Figure::new(&drawing, self.in_words(&lines))
    }

    /// The upper end of the value axis that keeps the lines below the legend.
    fn room_for(
        &self,
        legend: &Legend,
        font: &Font,
        x: &Scale,
        lines: &[Line<'_>],
        low: f64,
        high: f64,
    ) -> f64 {
        let (width, height) = legend.reach(font);
        let (width, height) = (width / INSIDE.0, height / INSIDE.1);
        let under_legend = |epoch: f64| match self.corner {
            Corner::Left => x.share(epoch) <= width,
            Corner::Right => x.share(epoch) >= 1.0 - width,
        };
        let pairs = lines
            .iter()
            .flat_map(|line| (1..).zip(line.values.windows(2)));
        let touching = pairs.filter(|&(epoch, _)| {
            under_legend(f64::from(epoch)) || under_legend(f64::from(epoch + 1))
        });
        let highest = touching
            .flat_map(|(_, pair)| pair.iter().flatten())
            .map(|&value| f64::from(value))
            .filter(|value| value.is_finite())
            .fold(low, f64::max);
        // The share of the axis above `highest` is to be at least `height`.
        high.max((highest - low * height) / (1.0 - height))
    }

    /// Title, number of epochs, and each line's first and last value.
    fn in_words(&self, lines: &[Line<'_>]) -> String {
        let epochs = self.train.len();
        let mut words = format!(
            "{} over {epochs} epoch{}.",
            self.title,
            if epochs == 1 { "" } else { "s" }
        );
        for line in lines {
            let values: Vec<f32> = line.values.iter().flatten().copied().collect();
            let values = match values[..] {
                [] => continue,
                [only] => number(only),
                [first, .., last] => format!("from {} to {}", number(first), number(last)),
            };
            words.push_str(&format!(" {}: {values}.", line.legend()));
        }
        words
    }
}

impl Line<'_> {
    fn finite(&self) -> impl Iterator<Item = f64> + '_ {
        self.values
            .iter()
            .flatten()
            .map(|&value| f64::from(value))
            .filter(|value| value.is_finite())
    }

    fn entry(&self) -> LegendEntry {
        LegendEntry {
            name: self.legend(),
            color: self.color,
            marker: self.marker,
        }
    }

    /// The line's name, and the epochs at which there is nothing to draw.
    fn legend(&self) -> String {
        let mut bad = (1..)
            .zip(self.values)
            .filter(|(_, value)| value.is_some_and(|v| !v.is_finite()));
        match (bad.next(), bad.count()) {
            (None, _) => self.name.to_string(),
            (Some((epoch, _)), 0) => format!("{} (not finite in epoch {epoch})", self.name),
            (Some((epoch, _)), more) => format!(
                "{} (not finite in epoch {epoch} and {more} more)",
                self.name
            ),
        }
    }
}

/// Four decimals, or an exponent where they would not do.
fn number(value: f32) -> String {
    const LARGE: f32 = 1e5;
    const SMALL: f32 = 1e-3;
    if value != 0.0 && value.is_finite() && !(SMALL..LARGE).contains(&value.abs()) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}

/// Draws the runs of finite values, and a marker at each value (or at every few of very many).
fn draw_line(drawing: &mut Drawing, axes: &Axes, line: &Line<'_>) {
    let points: Vec<Option<Point>> = line
        .values
        .iter()
        .enumerate()
        .map(|(i, value)| {
            value
                .filter(|v| v.is_finite())
                .map(|v| axes.place(i as f64 + 1.0, f64::from(v)))
        })
        .collect();
    for run in points.split(Option::is_none) {
        let run: Vec<Point> = run.iter().copied().flatten().collect();
        if run.len() > 1 {
            drawing.line(&run, DATA_STROKE, line.color);
        }
    }
    let every = points.len().div_ceil(MOST_MARKERS);
    for point in points.into_iter().step_by(every).flatten() {
        line.marker.draw(drawing, point, line.color);
    }
}
