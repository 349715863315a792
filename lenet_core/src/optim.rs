//! The optimiser.

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::gradient::{Halves, Stretch};
use crate::kernels::buffer::Pool;
use crate::kernels::{adam, Isa};
use crate::tensors::{TensorsMut, ALL};

/// Adam's settings; the defaults are Keras'.
///
/// With the gradient `g` at step `t = 1, 2, …`, element by element:
///
/// ```text
/// m = beta_1 * m + (1 - beta_1) * g
/// v = beta_2 * v + (1 - beta_2) * g^2
/// w = w - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)
/// ```
///
/// (Kingma and Ba 2015, "Adam: a method for stochastic optimization", the form before section 2.1,
/// which Keras uses. PyTorch adds `epsilon` after the correction of `v`; its
/// `eps = epsilon / sqrt(1 - beta_2^t)` gives the same.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The step size.
    pub learning_rate: f32,
    /// How much of the mean of past gradients a step keeps.
    pub beta_1: f32,
    /// How much of the mean of past squared gradients a step keeps.
    pub beta_2: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

impl Adam {
    /// # Errors
    /// Where a setting makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        let Self {
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
        } = *self;
        if !(learning_rate.is_finite() && learning_rate >= 0.0) {
            let expected = "a finite number of at least 0";
            return Err(Error::argument(
                "learning_rate",
                expected,
                learning_rate.to_string(),
            ));
        }
        for (name, beta) in [("beta_1", beta_1), ("beta_2", beta_2)] {
            if !(0.0..1.0).contains(&beta) {
                let expected = "at least 0 and below 1";
                return Err(Error::argument(name, expected, beta.to_string()));
            }
        }
        if !(epsilon.is_finite() && epsilon > 0.0) {
            let expected = "a finite number above 0";
            return Err(Error::argument("epsilon", expected, epsilon.to_string()));
        }
        Ok(())
    }
}

/// What Adam remembers between steps: a mean and a mean square for each parameter, in the order in
/// which the network lists its tensors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AdamState {
    /// Steps taken.
    pub(crate) step: u64,
    /// Running means of the gradients.
    pub(crate) mean: Vec<f32>,
    /// Running means of the squared gradients.
    pub(crate) square: Vec<f32>,
    /// What the last step made infinite or NaN, if anything.
    pub(crate) exploded: Option<&'static str>,
}

impl AdamState {
    /// Takes one step: moves `parameters` against their `gradients`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn step(
        &mut self,
        settings: &Adam,
        mut parameters: TensorsMut<'_>,
        gradients: &mut Gradients<f32, Cpu>,
    ) -> Result<()> {
        let mut len = 0;
        parameters.each_weight(ALL, [None, None], &mut |stretch| {
            len += stretch.weights.len()
        })?;
        let (mut update, pool) = (self.begin(settings, len), Pool::default());
        parameters.each_weight(ALL, [Some(gradients), None], &mut |mut stretch| {
            update.apply(&mut stretch, &pool)
        })?;
        let finite = update.finite;
        self.end([finite]);
        Ok(())
    }

    /// Begins a step that is to move `len` parameters.
    pub(crate) fn begin(&mut self, settings: &Adam, len: usize) -> Update<'_> {
        self.step += 1;
        let time = self.step as f64;
        let correction_1 = 1.0 - f64::from(settings.beta_1).powf(time);
        let correction_2 = 1.0 - f64::from(settings.beta_2).powf(time);
        let rate = f64::from(settings.learning_rate) * correction_2.sqrt() / correction_1;
        self.mean.resize(len, 0.0);
        self.square.resize(len, 0.0);
        Update {
            isa: Isa::best(),
            rates: adam::Rates {
                step_size: rate as f32,
                beta_1: settings.beta_1,
                beta_2: settings.beta_2,
                epsilon: settings.epsilon,
            },
            start: 0,
            mean: &mut self.mean,
            square: &mut self.square,
            finite: (true, true),
        }
    }

    /// Ends a step whose updates left finite numbers, or did not.
    pub(crate) fn end(&mut self, finite: impl IntoIterator<Item = (bool, bool)>) {
        let all = |a: (bool, bool), b: (bool, bool)| (a.0 && b.0, a.1 && b.1);
        self.exploded = match finite.into_iter().fold((true, true), all) {
            (false, _) => Some("a weight"),
            (true, false) => Some("a mean of Adam"),
            (true, true) => None,
        };
    }
}

/// A step of Adam that is being taken.
pub(crate) struct Update<'a> {
    isa: Isa,
    rates: adam::Rates,
    /// The first parameter that is to be moved.
    start: usize,
    mean: &'a mut [f32],
    square: &'a mut [f32],
    /// Whether all parameters are finite so far, and all means.
    pub(crate) finite: (bool, bool),
}

impl<'a> Update<'a> {
    /// The update of the parameters before `at`, and that of those from there on.
    pub(crate) fn split_at(self, at: usize) -> [Update<'a>; 2] {
        let Self {
            isa, rates, finite, ..
        } = self;
        let (left_mean, right_mean) = self.mean.split_at_mut(at);
        let (left_square, right_square) = self.square.split_at_mut(at);
        let half = |start, mean, square| Self {
            isa,
            rates,
            start,
            mean,
            square,
            finite,
        };
        [
            half(0, left_mean, left_square),
            half(at, right_mean, right_square),
        ]
    }

    /// Moves parameters against the sum of their gradients.
    pub(crate) fn apply(&mut self, stretch: &mut Stretch<'_>, pool: &Pool) {
        stretch.each_in_numbers(self.isa, pool, |at, weights, gradients| {
            self.apply_numbers(at, weights, gradients);
        });
    }

    fn apply_numbers(&mut self, at: usize, weights: &mut [f32], gradients: Halves<&[f32]>) {
        let here = at - self.start..at - self.start + weights.len();
        let moments = [&mut self.mean[here.clone()], &mut self.square[here]];
        let finite = adam::update(self.isa, self.rates, weights, gradients, moments);
        self.finite = (self.finite.0 && finite.0, self.finite.1 && finite.1);
    }
}
