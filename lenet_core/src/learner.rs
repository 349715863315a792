//! What training needs of a network, whatever its type.

use dfdx::prelude::{Cpu, Gradients, ZeroGrads};

use crate::error::Result;
use crate::exchange::{self, Published, Summand};
use crate::inspect::type_name;
use crate::kernels::buffer::Pool;
use crate::network::{Batch, GradientTape, Logits, Network};
use crate::optim::{Adam, AdamState};
use crate::weights::{self, NamedTensor};

/// A network whose type is forgotten. The training loops work with this, so that they are compiled
/// once, with this crate, and not again in each cell of a notebook that trains.
pub(crate) trait Learner: Send + Sync {
    /// The logits of a batch.
    fn forward(&self, images: Batch) -> Result<Logits>;
    /// The logits of a batch, and on their tape how they came about.
    fn trace(&self, images: Batch<GradientTape>) -> Result<Logits<GradientTape>>;
    /// Room for the gradients of all weights.
    fn gradients(&self) -> Result<Gradients<f32, Cpu>>;
    /// Sets the gradients of all weights to zero.
    fn zero(&self, gradients: &mut Gradients<f32, Cpu>) -> Result<()>;
    /// Adds the gradients `more` of all weights.
    fn add(
        &self,
        gradients: &mut Gradients<f32, Cpu>,
        more: &mut Gradients<f32, Cpu>,
    ) -> Result<()>;
    /// Copies the gradients of all weights for other threads.
    fn publish(&self, gradients: &mut Gradients<f32, Cpu>, pool: &Pool) -> Result<Published>;
    /// Moves the weights against the sum of the gradients.
    fn update(
        &mut self,
        optimizer: &Adam,
        state: &mut AdamState,
        gradients: &mut [Summand<'_>],
        shared: bool,
    ) -> Result<()>;
    /// A copy of the network that shares nothing with it.
    fn twin(&self) -> Result<Box<dyn Learner>>;
    /// Whether the gradient for the images is left out.
    fn skip_input_gradient(&mut self, skip: bool);
    /// Copies of all weights.
    fn weights(&self) -> Vec<NamedTensor>;
    /// Overwrites all weights.
    fn set_weights(&mut self, weights: &[NamedTensor]);
    /// The network's type in words.
    fn type_name(&self) -> String;
}

impl<N: Network> Learner for N {
    fn forward(&self, images: Batch) -> Result<Logits> {
        Ok(self.try_forward(images)?)
    }
    fn trace(&self, images: Batch<GradientTape>) -> Result<Logits<GradientTape>> {
        Ok(self.try_forward(images)?)
    }
    fn gradients(&self) -> Result<Gradients<f32, Cpu>> {
        Ok(self.try_alloc_grads()?)
    }
    fn zero(&self, gradients: &mut Gradients<f32, Cpu>) -> Result<()> {
        Ok(self.try_zero_grads(gradients)?)
    }
    fn add(
        &self,
        gradients: &mut Gradients<f32, Cpu>,
        more: &mut Gradients<f32, Cpu>,
    ) -> Result<()> {
        exchange::add(self, gradients, more)
    }
    fn publish(&self, gradients: &mut Gradients<f32, Cpu>, pool: &Pool) -> Result<Published> {
        Published::new(self, gradients, pool)
    }
    fn update(
        &mut self,
        optimizer: &Adam,
        state: &mut AdamState,
        gradients: &mut [Summand<'_>],
        shared: bool,
    ) -> Result<()> {
        state.step_with(optimizer, self, gradients, shared)
    }
    fn twin(&self) -> Result<Box<dyn Learner>> {
        let mut twin = self.clone();
        exchange::part(&mut twin)?;
        Ok(Box::new(twin))
    }
    fn skip_input_gradient(&mut self, skip: bool) {
        crate::network::Layer::skip_input_gradient(self, skip);
    }
    fn weights(&self) -> Vec<NamedTensor> {
        weights::tensors(self)
    }
    fn set_weights(&mut self, weights: &[NamedTensor]) {
        weights::set(self, weights);
    }
    fn type_name(&self) -> String {
        type_name::<N>()
    }
}
