//! The optimiser of a training loop by hand.

use dfdx::tensor::{Cpu, Gradients};

use crate::error::{Error, Result};
use crate::network::{flat, flat_gradient, set_flat, Layer};
use crate::optimizer::Optimizer;
use crate::update::State;

/// An optimiser for a training loop of one's own.
///
/// ```
/// use lenet_core::prelude::*;
/// let mut network = LeNet5::glorot_uniform(0);
/// let mut optimizer = Stepper::new(Adam::default())?;
/// let images = Cpu::default().ones::<Rank4<2, 1, 28, 28>>();
/// let targets = to_categorical::<10, _>(&Cpu::default().tensor([3u8, 3]))?;
/// let mut losses = Vec::new();
/// for _ in 0..3 {
///     let logits = network.forward(images.leaky_trace());
///     let loss = cross_entropy(logits, &targets)?;
///     losses.push(loss.array());
///     optimizer.step(&mut network, loss.backward())?;
/// }
/// assert!(losses[2] < losses[0]);
/// # use lenet_core::dfdx::prelude::OnesTensor;
/// # Ok::<(), lenet_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stepper {
    optimizer: Optimizer,
    state: State,
}

impl Stepper {
    /// An optimiser that has taken no step.
    ///
    /// # Errors
    /// [`Error::Argument`] for a setting out of its range.
    pub fn new(optimizer: impl Into<Optimizer>) -> Result<Self> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        Ok(Self { optimizer, state: State::default() })
    }

    /// Moves all parameters of `network` against their `gradients`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a parameter would become infinite or NaN; the network stays as it was.
    pub fn step<N: Layer>(&mut self, network: &mut N, mut gradients: Gradients<f32, Cpu>) -> Result<()> {
        let gradient = flat_gradient(network, &mut gradients)?;
        let mut parameters = flat(network);
        let finite = self.state.update(&self.optimizer, &mut parameters, &[&gradient]);
        let batch = self.state.steps as usize;
        finite.map_err(|what| Error::NotFinite { what, epoch: 1, batch })?;
        set_flat(network, &parameters);
        Ok(())
    }
}
