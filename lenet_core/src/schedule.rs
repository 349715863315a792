//! How the learning rate changes while training goes on.

use crate::error::{Error, Result};

/// The learning rate over the steps of a training.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Schedule {
    /// The optimiser's learning rate, all the time.
    #[default]
    Constant,
    /// The optimiser's learning rate, multiplied by `factor` each time that `every` epochs are over: `rate * factor^(epoch /
    /// every)`, rounded down. PyTorch's `StepLR`.
    Step {
        /// The epochs between two changes.
        every: usize,
        /// What the learning rate is multiplied by.
        factor: f32,
    },
    /// From the optimiser's learning rate down to zero along half a cosine, step by step: `rate * (1 + cos(pi * step /
    /// steps)) / 2` (Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", without a restart).
    Cosine {
        /// The epochs that the way down spans, counted from the model's first.
        epochs: usize,
    },
    /// One cycle (Smith 2018, "A disciplined approach to neural network hyper-parameters"): from a
    /// twenty-fifth of `peak` up to `peak` in the share `warm_up` of all steps, then down to zero,
    /// both along half a cosine.
    OneCycle {
        /// The largest learning rate.
        peak: f32,
        /// The share of all steps after which it is reached, in 0..1.
        warm_up: f32,
        /// The epochs that the cycle spans, counted from the model's first.
        epochs: usize,
    },
}

/// What the peak is divided by for the first step.
const START_DIVISOR: f64 = 25.0;

impl Schedule {
    /// # Errors
    /// Where a setting makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let positive = |name: &str, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::argument(name, "a finite number above 0", value)),
        };
        let at_least_one = |name: &str, value: usize| match value {
            0 => Err(Error::argument(name, "at least 1", value)),
            _ => Ok(()),
        };
        match *self {
            Self::Constant => Ok(()),
            Self::Step { every, factor } => at_least_one("every", every).and(positive("factor", factor)),
            Self::Cosine { epochs } => at_least_one("epochs", epochs),
            Self::OneCycle { warm_up, .. } if !(0.0..1.0).contains(&warm_up) => {
                Err(Error::argument("warm_up", "at least 0 and below 1", warm_up))
            }
            Self::OneCycle { peak, epochs, .. } => positive("peak", peak).and(at_least_one("epochs", epochs)),
        }
    }

    /// The learning rate for step `step` of epoch `epoch`, both counted from 0, with `steps` steps in an epoch. `base` is the
    /// optimiser's.
    pub(crate) fn learning_rate(&self, base: f32, epoch: usize, step: usize, steps: usize) -> f32 {
        // Half a cosine from 1 to 0.
        let fall = |share: f64| 0.5 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos());
        let position = |epochs: usize| (epoch * steps + step) as f64 / (epochs * steps) as f64;
        let base = f64::from(base);
        let rate = match *self {
            Self::Constant => base,
            Self::Step { every, factor } => base * f64::from(factor).powf((epoch / every) as f64),
            Self::Cosine { epochs } => base * fall(position(epochs)),
            Self::OneCycle { peak, warm_up, epochs } => {
                let (position, peak, warm_up) = (position(epochs), f64::from(peak), f64::from(warm_up));
                if position < warm_up {
                    let start = peak / START_DIVISOR;
                    peak + (start - peak) * fall(position / warm_up)
                } else {
                    peak * fall((position - warm_up) / (1.0 - warm_up))
                }
            }
        };
        rate as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cycle_rises_to_its_peak_and_falls_to_nothing() {
        let cycle = Schedule::OneCycle { peak: 0.5, warm_up: 0.25, epochs: 4 };
        let rate = |epoch, step| cycle.learning_rate(9.0, epoch, step, 100);
        assert!((rate(0, 0) - 0.02).abs() < 1e-6);
        assert!((rate(1, 0) - 0.5).abs() < 1e-6);
        assert!((rate(2, 50) - 0.25).abs() < 1e-6);
        assert!(rate(3, 99) < 1e-4);
        assert!((0..99).all(|step| rate(0, step) < rate(0, step + 1)));
        assert!((0..99).all(|step| rate(2, step) > rate(2, step + 1)));
        assert_eq!(rate(7, 0), 0.0, "after the cycle nothing moves");
        assert_eq!(Schedule::Constant.learning_rate(9.0, 3, 1, 100), 9.0);
        assert_eq!(Schedule::Cosine { epochs: 4 }.learning_rate(9.0, 7, 0, 100), 0.0);
    }
}
