//! The optimiser.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::kernels::buffer::{Buffer, Pool};
use crate::kernels::{adam, stream, Isa};
use crate::threads::share;
use crate::view::{weights_with_gradients, Weights};

/// Parameters of a piece: they are worth a thread of their own.
const PIECE: usize = 1 << 11;

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
    /// Takes one step: moves the parameters of `network` against the sum of `gradients`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn step<M: TensorCollection<f32, Cpu>>(
        &mut self,
        settings: &Adam,
        network: &mut M,
        gradients: &mut [Summand<'_>],
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
        let (mut own, published): (Vec<_>, Vec<_>) = gradients
            .iter_mut()
            .map(|summand| (&mut *summand.own, summand.published))
            .unzip();
        self.update(rates, weights_with_gradients(network, &mut own)?, &published);
        Ok(())
    }

    /// Moves the weights against the sum of their gradients.
    fn update(
        &mut self,
        rates: adam::Rates,
        weights: Vec<Weights<'_>>,
        published: &[Option<&Published>],
    ) {
        let len = weights.iter().map(|weights| weights.values.len()).sum();
        self.mean.resize(len, 0.0);
        self.square.resize(len, 0.0);
        let (mut mean, mut square) = (&mut *self.mean, &mut *self.square);
        let mut pieces = Vec::new();
        for Weights { values, gradients } in weights {
            for (i, values) in values.chunks_mut(PIECE).enumerate() {
                let range = i * PIECE..i * PIECE + values.len();
                let gradients = gradients.iter().zip(published).map(|(own, published)| {
                    let published = published.and_then(|all| all.piece(pieces.len()));
                    published.map_or(&own[range.clone()], |piece| &piece[..range.len()])
                });
                pieces.push(Piece {
                    gradients: gradients.collect(),
                    mean: mean.split_off_mut(..values.len()).unwrap_or_default(),
                    square: square.split_off_mut(..values.len()).unwrap_or_default(),
                    values,
                });
            }
        }
        let isa = Isa::best();
        let shared = rayon::current_num_threads() > 1;
        let (weights_finite, means_finite) = (AtomicBool::new(true), AtomicBool::new(true));
        share(pieces, |piece| {
            let Piece {
                values,
                gradients,
                mean,
                square,
            } = piece;
            let finite = adam::update(isa, rates, (values, shared), &gradients, mean, square);
            weights_finite.fetch_and(finite.0, Ordering::Relaxed);
            means_finite.fetch_and(finite.1, Ordering::Relaxed);
        });
        self.exploded = match (weights_finite.into_inner(), means_finite.into_inner()) {
            (false, _) => Some("a weight"),
            (true, false) => Some("a mean of Adam"),
            (true, true) => None,
        };
    }
}

/// Some neighbouring weights, and what belongs to them.
struct Piece<'a> {
    values: &'a mut [f32],
    gradients: Vec<&'a [f32]>,
    mean: &'a mut [f32],
    square: &'a mut [f32],
}

/// Gradients of all weights, to be added to others.
pub struct Summand<'a> {
    own: &'a mut Gradients<f32, Cpu>,
    published: Option<&'a Published>,
}

impl<'a> Summand<'a> {
    /// Gradients, of which some may have been published.
    pub(crate) fn new(own: &'a mut Gradients<f32, Cpu>, published: Option<&'a Published>) -> Self {
        Self { own, published }
    }
}

impl<'a> From<&'a mut Gradients<f32, Cpu>> for Summand<'a> {
    fn from(own: &'a mut Gradients<f32, Cpu>) -> Self {
        Self::new(own, None)
    }
}

/// A half of a network's weights, in its order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Half {
    First,
    Second,
}

/// The gradients of one half of all weights, where another thread reads them best.
#[derive(Debug)]
pub(crate) struct Published {
    pieces: Range<usize>,
    values: Buffer,
}

impl Published {
    /// Publishes one half of `gradients`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn new<M: TensorCollection<f32, Cpu>>(
        network: &M,
        gradients: &mut Gradients<f32, Cpu>,
        half: Half,
        pool: &Pool,
    ) -> Result<Self> {
        let mut count = 0;
        let mut walk = |visit: &mut dyn FnMut(usize, &[f32])| {
            let mut number = 0;
            M::iter_tensors(&mut RecursiveWalker {
                m: network,
                f: &mut Each { gradients, visit: |gradient: &[f32]| {
                    for piece in gradient.chunks(PIECE) {
                        visit(number, piece);
                        number += 1;
                    }
                } },
            })
        };
        walk(&mut |number, _| count = number + 1)?;
        let pieces = match half {
            Half::First => 0..count / 2,
            Half::Second => count / 2..count,
        };
        let mut values = pool.take(pieces.len() * PIECE);
        let isa = Isa::best();
        walk(&mut |number, piece| {
            if pieces.contains(&number) {
                let to = &mut values[(number - pieces.start) * PIECE..];
                stream::copy(isa, piece, &mut to[..piece.len()]);
            }
        })?;
        Ok(Self { pieces, values })
    }

    fn piece(&self, number: usize) -> Option<&[f32]> {
        let at = self.pieces.contains(&number).then(|| number - self.pieces.start)?;
        Some(&self.values[at * PIECE..][..PIECE])
    }
}

/// Adds to the gradients of all weights of `network` those in `more`.
///
/// # Errors
/// If dfdx cannot make a tensor.
pub(crate) fn add<M: TensorCollection<f32, Cpu>>(
    network: &M,
    gradients: &mut Gradients<f32, Cpu>,
    more: &mut Gradients<f32, Cpu>,
) -> Result<()> {
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut Sum { gradients, more },
    })?;
    Ok(())
}

/// Visits the gradients of each tensor.
struct Each<'a, F> {
    gradients: &'a mut Gradients<f32, Cpu>,
    visit: F,
}

impl<F: FnMut(&[f32])> TensorVisitor<f32, Cpu> for Each<'_, F> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        (self.visit)(self.gradients.get_or_alloc_mut(tensor)?);
        Ok(None)
    }
}

struct Sum<'a> {
    gradients: &'a mut Gradients<f32, Cpu>,
    more: &'a mut Gradients<f32, Cpu>,
}

impl TensorVisitor<f32, Cpu> for Sum<'_> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let sums = self.gradients.get_or_alloc_mut(tensor)?;
        let more = self.more.get_or_alloc_mut(tensor)?;
        for (sum, more) in sums.iter_mut().zip(&**more) {
            *sum += more;
        }
        Ok(None)
    }
}
