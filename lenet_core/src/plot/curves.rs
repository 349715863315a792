//! Loss and accuracy over the epochs.

use super::axes::{draw_legend, Axes, Corner, LegendEntry, Marker, Scale, DATA_STROKE};
use super::drawing::{Align, Color, Drawing, Point, TextStyle};
use super::figure::Figure;
use super::font::Font;
use crate::{Epoch, Error, History, Result};

/// 20 by 8 inches at 72 pixels to the inch.
const SIZE: (f64, f64) = (1440.0, 576.0);
const LEFT: f64 = 130.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 88.0;

/// Lines with more points than this carry a marker at some of them only.
const MOST_MARKERS: usize = 40;
const NOTE_SIZE: f64 = 16.0;
const NOTE_COLOR: Color = Color::new(176, 0, 32);

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
        legend: Corner::UpperRight,
        train: history
            .epochs
            .iter()
            .map(|epoch: &Epoch| Some(epoch.loss))
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
        legend: Corner::UpperLeft,
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
    legend: Corner,
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
        let finite = || {
            lines
                .iter()
                .flat_map(|line| line.values)
                .flatten()
                .copied()
                .filter(|value| value.is_finite())
        };
        let (low, high) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low > high {
            let quantity = self.quantity.to_lowercase();
            return Err(Error::Draw(format!(
                "no {quantity} in the history is a finite number; look for NaN in the data, or lower the learning rate"
            )));
        }

        let font = Font::load()?;
        let mut drawing = Drawing::new(SIZE.0, SIZE.1);
        let axes = Axes {
            corner: (LEFT, TOP),
            size: (SIZE.0 - LEFT - RIGHT, SIZE.1 - TOP - BOTTOM),
            x: Scale::epochs(self.train.len()),
            y: Scale::values(f64::from(low), f64::from(high)),
        };
        axes.draw(&mut drawing, &font, self.title, "Epoch", self.quantity);
        for line in &lines {
            draw_line(&mut drawing, &axes, line);
        }
        let entries: Vec<_> = lines
            .iter()
            .map(
                |&Line {
                     name,
                     color,
                     marker,
                     ..
                 }| LegendEntry {
                    name,
                    color,
                    marker,
                },
            )
            .collect();
        draw_legend(&mut drawing, &font, &axes, self.legend, &entries)?;
        if let Some(note) = missing_note(&lines) {
            drawing.text(
                (SIZE.0 - RIGHT, TOP / 2.0),
                note,
                TextStyle::new(NOTE_SIZE, Align::End).color(NOTE_COLOR),
            );
        }
        Figure::new(&drawing, self.in_words(&lines))
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
            match values[..] {
                [] => {}
                [only] => words.push_str(&format!(" {}: {only:.4}.", line.name)),
                [first, .., last] => {
                    words.push_str(&format!(" {}: from {first:.4} to {last:.4}.", line.name))
                }
            }
        }
        if let Some(note) = missing_note(lines) {
            words.push_str(&format!(" {note}."));
        }
        words
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

/// Says which epochs have a value that is not finite.
fn missing_note(lines: &[Line<'_>]) -> Option<String> {
    let notes: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let mut bad = (1..)
                .zip(line.values)
                .filter(|(_, value)| value.is_some_and(|v| !v.is_finite()));
            let (first, _) = bad.next()?;
            let more = bad.count();
            let others = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more")
            };
            Some(format!(
                "{}: not a finite number in epoch {first}{others}",
                line.name
            ))
        })
        .collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}
