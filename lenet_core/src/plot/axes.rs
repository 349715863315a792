//! A pair of axes: from data to places on the drawing, with frame, ticks, labels and legend.

use super::drawing::{Align, Color, Drawing, Point, TextStyle};
use super::font::Font;
use super::page::{LABEL_SIZE, TITLE_SIZE};

const TICK_SIZE: f64 = 20.0;
const TICK_LENGTH: f64 = 7.0;
const TICK_GAP: f64 = 6.0;
pub(super) const STROKE: f64 = 1.5;
const GRID_STROKE: f64 = 1.0;

/// Share of the data's span that is left free on each side of it.
const FREE_SHARE: f64 = 0.05;
/// At most so many ticks stand on the value axis.
const MOST_VALUE_TICKS: usize = 8;
/// At most so many ticks stand on the epoch axis.
const MOST_EPOCH_TICKS: usize = 20;
/// Ticks at or beyond this value are written with an exponent.
const LARGE: f64 = 1e6;
/// Ticks that need more decimals than this are written with an exponent.
const MOST_DECIMALS: i32 = 6;
/// Larger than rounding errors, smaller than any digit of a tick.
const ROUNDING: f64 = 1e-6;

/// A range of data and the ticks on it.
pub(super) struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Scale {
    /// For values from `low` to `high`, both finite, with no tick above `most`.
    pub fn values(low: f64, high: f64, most: f64) -> Self {
        // A flat line gets a range around it.
        let span = if high > low {
            high - low
        } else {
            low.abs().max(1.0)
        };
        let (low, high) = (low - FREE_SHARE * span, high + FREE_SHARE * span);
        let step = round_step((high - low) / MOST_VALUE_TICKS as f64);
        let first = (low / step).ceil();
        let count = ((high.min(most) / step + ROUNDING).floor() - first).max(0.0) as usize;
        let ticks = (0..=count).map(|i| (first + i as f64) * step);
        Self {
            low,
            high,
            ticks: ticks.map(|value| (value, tick_text(value, step))).collect(),
        }
    }

    /// For epochs 1 to `count`, with ticks at whole epochs only.
    pub fn epochs(count: usize) -> Self {
        let step = (1..)
            .map(nth_whole_step)
            .find(|step| count / step <= MOST_EPOCH_TICKS)
            .unwrap_or(count);
        let ticks = (step..=count)
            .step_by(step)
            .map(|epoch| (epoch as f64, epoch.to_string()));
        let free = (FREE_SHARE * (count as f64 - 1.0)).max(0.5);
        Self {
            low: 1.0 - free,
            high: count as f64 + free,
            ticks: ticks.collect(),
        }
    }

    /// For classes 0 to `count - 1`, each with a tick.
    pub fn classes(count: usize) -> Self {
        Self {
            low: -0.5,
            high: count as f64 - 0.5,
            ticks: (0..count)
                .map(|class| (class as f64, class.to_string()))
                .collect(),
        }
    }

    /// Where `value` lies between the ends of the range, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn nth_whole_step(n: usize) -> usize {
    [1, 2, 5][(n - 1) % 3] * 10_usize.pow((n as u32 - 1) / 3)
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= least)
        .unwrap_or(10.0 * power)
}

/// `value` with as many digits as tell it from the ticks beside it.
fn tick_text(value: f64, step: f64) -> String {
    // Zero has no sign.
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let decimals = decimals(step);
    if decimals > MOST_DECIMALS || value.abs() >= LARGE {
        let digits = value.abs().max(step).log10().floor() as i32 + decimals;
        return format!("{value:.*e}", digits.max(0) as usize);
    }
    format!("{value:.*}", decimals.max(0) as usize)
}

/// Decimals of a round step; negative if it ends in zeros.
fn decimals(step: f64) -> i32 {
    let decimals = -step.log10().floor() as i32;
    let leading = step * 10_f64.powi(decimals);
    // 2.5 has a digit more than 1, 2 and 5.
    decimals + i32::from((leading - leading.round()).abs() > ROUNDING)
}

/// A rectangle of the drawing with a scale along its lower and its left edge.
pub(super) struct Axes {
    pub corner: Point,
    pub size: (f64, f64),
    pub x: Scale,
    pub y: Scale,
}

impl Axes {
    /// The place of the point (`x`, `y`) of the data.
    pub fn place(&self, x: f64, y: f64) -> Point {
        let (left, top) = self.corner;
        (
            left + self.size.0 * self.x.share(x),
            top + self.size.1 * (1.0 - self.y.share(y)),
        )
    }

    /// Grid, frame, ticks, axis labels and title.
    pub fn draw(
        &self,
        drawing: &mut Drawing,
        font: &Font,
        title: &str,
        x_label: &str,
        y_label: &str,
    ) {
        let ((left, top), (width, height)) = (self.corner, self.size);
        let (right, bottom) = (left + width, top + height);
        let mut widest = 0.0_f64;
        for (value, text) in &self.y.ticks {
            let y = self.place(0.0, *value).1;
            drawing.line(&[(left, y), (right, y)], GRID_STROKE, Color::GRID);
            drawing.line(&[(left - TICK_LENGTH, y), (left, y)], STROKE, Color::FRAME);
            drawing.text(
                (left - TICK_LENGTH - TICK_GAP, y),
                text.as_str(),
                TextStyle::new(TICK_SIZE, Align::End),
            );
            widest = widest.max(font.width(text, TICK_SIZE));
        }
        for (value, text) in &self.x.ticks {
            let x = self.place(*value, 0.0).0;
            drawing.line(
                &[(x, bottom), (x, bottom + TICK_LENGTH)],
                STROKE,
                Color::FRAME,
            );
            let y = bottom + TICK_LENGTH + TICK_GAP + TICK_SIZE / 2.0;
            drawing.text(
                (x, y),
                text.as_str(),
                TextStyle::new(TICK_SIZE, Align::Middle),
            );
        }
        drawing.frame(self.corner, self.size, STROKE, Color::FRAME);
        let (middle_x, middle_y) = (left + width / 2.0, top + height / 2.0);
        let label = TextStyle::new(LABEL_SIZE, Align::Middle);
        drawing.text(
            (middle_x, top - TITLE_SIZE),
            title,
            TextStyle::new(TITLE_SIZE, Align::Middle),
        );
        drawing.text(
            (
                middle_x,
                bottom + TICK_LENGTH + 2.0 * TICK_GAP + TICK_SIZE + LABEL_SIZE / 2.0,
            ),
            x_label,
            label,
        );
        let label_x = left - TICK_LENGTH - 3.0 * TICK_GAP - widest - LABEL_SIZE / 2.0;
        drawing.text((label_x, middle_y), y_label, label.upwards());
    }
}
