//! The optimiser.

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::exchange::{Published, Summand};
use crate::kernels::{adam, Isa};
use crate::view::values_mut;

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
    /// Takes one step: moves the parameters of `network` against their `gradients`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn step<M: TensorCollection<f32, Cpu>>(
        &mut self,
        settings: &Adam,
        network: &mut M,
        gradients: &mut Gradients<f32, Cpu>,
    ) -> Result<()> {
        self.step_with(settings, network, &mut [Summand::Own(gradients)], false)
    }

    /// Takes one step against the sum of `gradients`. If the parameters are `shared`, threads on other cores
    /// will read them.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn step_with<M: TensorCollection<f32, Cpu>>(
        &mut self,
        settings: &Adam,
        network: &mut M,
        gradients: &mut [Summand<'_>],
        shared: bool,
    ) -> Result<()> {
        self.step += 1;
        let time = self.step as f64;
        let correction_1 = 1.0 - f64::from(settings.beta_1).powf(time);
        let correction_2 = 1.0 - f64::from(settings.beta_2).powf(time);
        let rates = adam::Rates {
            step_size: (f64::from(settings.learning_rate) * correction_2.sqrt() / correction_1)
                as f32,
            beta_1: settings.beta_1,
            beta_2: settings.beta_2,
            epsilon: settings.epsilon,
        };
        let mut update = Update {
            rates,
            shared,
            gradients,
            published: 0,
            mean: &mut self.mean,
            square: &mut self.square,
            done: 0,
            finite: (true, true),
        };
        M::iter_tensors(&mut RecursiveWalker {
            m: network,
            f: &mut update,
        })?;
        self.exploded = match update.finite {
            (false, _) => Some("a weight"),
            (true, false) => Some("a mean of Adam"),
            (true, true) => None,
        };
        Ok(())
    }
}

/// Moves each tensor that is visited.
struct Update<'a, 'b> {
    rates: adam::Rates,
    shared: bool,
    gradients: &'a mut [Summand<'b>],
    /// Where the tensor's gradient begins in what was published.
    published: usize,
    mean: &'a mut Vec<f32>,
    square: &'a mut Vec<f32>,
    /// Parameters in the tensors before.
    done: usize,
    /// Whether all weights are finite so far, and all means.
    finite: (bool, bool),
}

impl TensorVisitor<f32, Cpu> for Update<'_, '_> {
    type Viewer = ViewTensorMut;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &mut Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let len = tensor.shape().num_elements();
        let (here, next) = (
            self.done..self.done + len,
            Published::next(self.published, len),
        );
        let mut gradients: Vec<&[f32]> = Vec::with_capacity(self.gradients.len());
        for summand in &mut *self.gradients {
            gradients.push(match summand {
                Summand::Own(own) => own.get_or_alloc_mut(tensor)?,
                Summand::Published(all) => all.tensor(self.published, len),
            });
        }
        for moments in [&mut *self.mean, self.square] {
            moments.resize(moments.len().max(here.end), 0.0);
        }
        let finite = adam::update(
            Isa::best(),
            self.rates,
            (values_mut(tensor), self.shared),
            &gradients,
            &mut self.mean[here.clone()],
            &mut self.square[here],
        );
        self.finite = (self.finite.0 && finite.0, self.finite.1 && finite.1);
        (self.done, self.published) = (self.done + len, next);
        Ok(None)
    }
}
