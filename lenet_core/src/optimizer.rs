//! The optimisers: how a step moves the parameters against their gradient.

use lenet_kernels::optimizer::Rule;

use crate::error::{Error, Result};

/// Adam's settings; the defaults are Keras'.
///
/// With the gradient `g` at step `t = 1, 2, …`, element by element:
///
/// ```text
/// m = beta_1 * m + (1 - beta_1) * g
/// v = beta_2 * v + (1 - beta_2) * g^2
/// w = (1 - learning_rate * weight_decay) * w
///     - learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)
/// ```
///
/// (Kingma and Ba 2015, "Adam: a method for stochastic optimization", the form before section 2.1,
/// which Keras uses. PyTorch adds `epsilon` after the correction of `v`; its
/// `eps = epsilon / sqrt(1 - beta_2^t)` gives the same. Weight decay beside the gradient instead of in it: Loshchilov and
/// Hutter 2019, "Decoupled weight decay regularization"; PyTorch calls it `AdamW`.)
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
    /// How much every parameter shrinks in a step, weights and biases alike, as a multiple of the learning rate.
    pub weight_decay: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 }
    }
}

/// Settings of stochastic gradient descent; the defaults are Keras'.
///
/// With the gradient `g`, element by element, as Keras has it:
///
/// ```text
/// v = momentum * v - learning_rate * g
/// w = w + v                                       (plain)
/// w = w + momentum * v - learning_rate * g        (Nesterov)
/// ```
///
/// (Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning". PyTorch's `SGD` gives the
/// same while the learning rate stays as it is: its `v` lacks the factor `-learning_rate`.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// The step size.
    pub learning_rate: f32,
    /// How much of the last step the next one keeps.
    pub momentum: f32,
    /// Whether the gradient counts as if it were taken where the momentum leads.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 1e-2, momentum: 0.0, nesterov: false }
    }
}

/// RMSprop's settings; the defaults are Keras'.
///
/// With the gradient `g`, element by element, as Keras has it:
///
/// ```text
/// v = rho * v + (1 - rho) * g^2
/// w = w - learning_rate * g / sqrt(v + epsilon)
/// ```
///
/// (Hinton 2012, "Neural networks for machine learning", lecture 6. PyTorch's `RMSprop` divides by `sqrt(v) + eps`.)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// The step size.
    pub learning_rate: f32,
    /// How much of the mean of past squared gradients a step keeps.
    pub rho: f32,
    /// Keeps the division finite.
    pub epsilon: f32,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { learning_rate: 1e-3, rho: 0.9, epsilon: 1e-7 }
    }
}

/// One of the optimisers; `into` makes it of each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// [`Adam`].
    Adam(Adam),
    /// [`Sgd`].
    Sgd(Sgd),
    /// [`RmsProp`].
    RmsProp(RmsProp),
}

impl From<Adam> for Optimizer {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

impl From<Sgd> for Optimizer {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

impl From<RmsProp> for Optimizer {
    fn from(rms_prop: RmsProp) -> Self {
        Self::RmsProp(rms_prop)
    }
}

impl Optimizer {
    /// The optimiser's settings by name, in the order of its fields; `nesterov` as 0 or 1.
    pub(crate) fn settings(&self) -> Vec<(&'static str, f32)> {
        match *self {
            Self::Adam(Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay }) => vec![
                ("learning_rate", learning_rate),
                ("beta_1", beta_1),
                ("beta_2", beta_2),
                ("epsilon", epsilon),
                ("weight_decay", weight_decay),
            ],
            Self::Sgd(Sgd { learning_rate, momentum, nesterov }) => vec![
                ("learning_rate", learning_rate),
                ("momentum", momentum),
                ("nesterov", f32::from(u8::from(nesterov))),
            ],
            Self::RmsProp(RmsProp { learning_rate, rho, epsilon }) => {
                vec![("learning_rate", learning_rate), ("rho", rho), ("epsilon", epsilon)]
            }
        }
    }

    /// The optimiser of this name with these settings, in the order of its fields. Files from before weight decay lack it.
    pub(crate) fn from_settings(name: &str, settings: &[f32]) -> Option<Self> {
        match (name, settings) {
            ("Adam", &[learning_rate, beta_1, beta_2, epsilon]) => {
                Some(Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.0 }.into())
            }
            ("Adam", &[learning_rate, beta_1, beta_2, epsilon, weight_decay]) => {
                Some(Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay }.into())
            }
            ("Sgd", &[learning_rate, momentum, nesterov]) => {
                Some(Sgd { learning_rate, momentum, nesterov: nesterov != 0.0 }.into())
            }
            ("RmsProp", &[learning_rate, rho, epsilon]) => Some(RmsProp { learning_rate, rho, epsilon }.into()),
            _ => None,
        }
    }

    /// Its name, as in `Adam`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adam(_) => "Adam",
            Self::Sgd(_) => "Sgd",
            Self::RmsProp(_) => "RmsProp",
        }
    }

    /// The step size.
    pub fn learning_rate(&self) -> f32 {
        self.settings()[0].1
    }

    /// The same with another step size.
    pub(crate) fn with_learning_rate(self, learning_rate: f32) -> Self {
        match self {
            Self::Adam(adam) => Adam { learning_rate, ..adam }.into(),
            Self::Sgd(sgd) => Sgd { learning_rate, ..sgd }.into(),
            Self::RmsProp(rms_prop) => RmsProp { learning_rate, ..rms_prop }.into(),
        }
    }

    /// What it remembers for each parameter, by name.
    pub(crate) fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Adam(_) => &["mean", "square"],
            Self::Sgd(_) => &["velocity"],
            Self::RmsProp(_) => &["square"],
        }
    }

    /// The rule of step `step`, counted from 1.
    pub(crate) fn rule(&self, step: u64) -> Rule {
        match *self {
            Self::Adam(Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay }) => {
                let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
                let step_size = f64::from(learning_rate) * correction(beta_2).sqrt() / correction(beta_1);
                let decay = learning_rate * weight_decay;
                Rule::Adam { step_size: step_size as f32, decay, beta_1, beta_2, epsilon }
            }
            Self::Sgd(Sgd { learning_rate: rate, momentum, nesterov }) => Rule::Sgd { rate, momentum, nesterov },
            Self::RmsProp(RmsProp { learning_rate: rate, rho, epsilon }) => Rule::RmsProp { rate, rho, epsilon },
        }
    }

    /// # Errors
    /// Where a setting is out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in self.settings() {
            let (fits, expected) = match name {
                "learning_rate" | "weight_decay" => {
                    (value.is_finite() && value >= 0.0, "a finite number of at least 0")
                }
                "epsilon" => (value.is_finite() && value > 0.0, "a finite number above 0"),
                "nesterov" => (true, ""),
                _ => ((0.0..1.0).contains(&value), "at least 0 and below 1"),
            };
            if !fits {
                return Err(Error::argument(name, expected, value.to_string()));
            }
        }
        Ok(())
    }
}
