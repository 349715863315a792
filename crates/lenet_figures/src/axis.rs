//! An axis for plotters' charts: linear, logarithmic, counted or named, with round ticks only.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// Share of the data's span that is left free on each side of it.
const FREE: f64 = 0.05;
const MOST_TICKS: usize = 8;
const MOST_COUNTED_TICKS: usize = 20;
/// Ticks at or beyond this value, and such of more decimals, are written with an exponent.
const LARGE: f64 = 1e6;
const MOST_DECIMALS: i32 = 6;
/// Larger than rounding errors, smaller than any digit of a tick.
const ROUNDING: f64 = 1e-6;

/// From `low`, at the left or the lower end, to `high`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From `low` to `high`, without ticks.
    pub fn plain(low: f64, high: f64) -> Self {
        Self { low, high, logarithmic: false, ticks: Vec::new() }
    }

    /// Around values from `low` to `high`, both finite, with no tick above `most`.
    pub fn values(low: f64, high: f64, most: f64) -> Self {
        // A flat line gets a range around it.
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        let (low, high) = (low - FREE * span, high + FREE * span);
        let ticks = round_ticks(low, high.min(most));
        Self { ticks, ..Self::plain(low, high) }
    }

    /// Around values from `low` to `high`, both above 0, each decade as wide as the others.
    pub fn decades(low: f64, high: f64) -> Self {
        let free = (high / low).max(1.1).powf(FREE);
        let (low, high) = (low / free, high * free);
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let factors: &[f64] = if high / low < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let ticks: Vec<_> = decades
            .flat_map(|decade| factors.iter().map(move |factor| factor * 10_f64.powi(decade)))
            .filter(|tick| (low..=high).contains(tick))
            .map(|tick| (tick, tick_text(tick, tick)))
            .collect();
        let few = ticks.len() < 3;
        Self { low, high, logarithmic: true, ticks: if few { round_ticks(low, high) } else { ticks } }
    }

    /// Counted from 1 to `count`, with ticks at whole values only.
    pub fn counted(count: usize) -> Self {
        let step = (0..)
            .map(|n| [1, 2, 5][n % 3] * 10_usize.pow(n as u32 / 3))
            .find(|step| count / step <= MOST_COUNTED_TICKS)
            .unwrap_or(count);
        let ticks = (step..=count).step_by(step);
        let free = (FREE * (count as f64 - 1.0)).max(0.5);
        Self {
            ticks: ticks.map(|tick| (tick as f64, tick.to_string())).collect(),
            ..Self::plain(1.0 - free, count as f64 + free)
        }
    }

    /// A place of width 1 for each name, the first around 0.
    pub fn named(names: &[String]) -> Self {
        let ticks = names.iter().enumerate();
        Self {
            ticks: ticks.map(|(i, name)| (i as f64, name.clone())).collect(),
            ..Self::plain(-0.5, names.len() as f64 - 0.5)
        }
    }

    /// The same from its other end.
    pub fn reversed(self) -> Self {
        let (low, high) = (self.high, self.low);
        Self { low, high, ..self }
    }

    pub fn labels(&self) -> Vec<&str> {
        self.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let share = match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        start + (share * f64::from(end - start)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        // plotters asks for the lines between the ticks, too: there are none.
        let ticks = self.ticks.iter().filter(|_| !hint.weight().allow_light_points());
        ticks.map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick == value);
        tick.map_or_else(String::new, |(_, text)| text.clone())
    }
}

/// The multiples of 1, 2, 2.5 or 5 times a power of ten from `low` to `high`.
fn round_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let least = (high - low) / MOST_TICKS as f64;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|&step| step >= least);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step - ROUNDING).ceil();
    let count = ((high / step + ROUNDING).floor() - first).max(0.0) as usize;
    let ticks = (0..=count).map(|i| (first + i as f64) * step);
    ticks.map(|tick| (tick, tick_text(tick, step))).collect()
}

/// `value` with as many digits as tell it from ticks `step` beside it.
fn tick_text(value: f64, step: f64) -> String {
    // Zero has no sign.
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let power = -step.log10().floor() as i32;
    let leading = step * 10_f64.powi(power);
    // 2.5 has a digit more than 1, 2 and 5.
    let decimals = power + i32::from((leading - leading.round()).abs() > ROUNDING);
    if decimals > MOST_DECIMALS || value.abs() >= LARGE {
        let digits = value.abs().max(step).log10().floor() as i32 + decimals;
        return format!("{value:.*e}", digits.max(0) as usize);
    }
    format!("{value:.*}", decimals.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_written_alike() {
        let labels = |axis: Axis| axis.labels().join(" ");
        let loss = Axis::values(0.0201, 0.355, f64::INFINITY);
        assert_eq!(labels(loss), "0.05 0.10 0.15 0.20 0.25 0.30 0.35");
        let accuracy = Axis::values(0.91, 0.999, 1.0);
        assert!(labels(accuracy).ends_with("0.98 1.00"));
        assert_eq!(labels(Axis::counted(3)), "1 2 3");
        assert_eq!(labels(Axis::counted(100)), "5 10 15 20 25 30 35 40 45 50 55 60 65 70 75 80 85 90 95 100");
        assert_eq!(labels(Axis::decades(0.03, 2.0)), "0.05 0.1 0.2 0.5 1 2");
        assert_eq!(labels(Axis::decades(1e-7, 1.0)), "1e-7 0.000001 0.00001 0.0001 0.001 0.01 0.1 1");
        assert_eq!(labels(Axis::decades(3.0, 3.1)).split(' ').next(), Some("3.00"));
    }
}
