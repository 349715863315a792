//! What training needs of a network, whatever its type.

use std::ops::Range;

use dfdx::prelude::{Cpu, Gradients, ZeroGrads};

use crate::error::Result;
use crate::inspect::type_name;
use crate::network::{Batch, GradientTape, Logits, Network};
use crate::walk::{
    each_gradient, each_weight, to_own_device, BothGradients, VisitGradients, VisitWeights,
};
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
    /// Visits the weights in `range`, with their gradients in each of `gradients`.
    fn each_weight(
        &mut self,
        range: Range<usize>,
        gradients: BothGradients<'_>,
        visit: VisitWeights<'_>,
    ) -> Result<()>;
    /// Visits the gradients, in each of `gradients`, of the weights in `range`.
    fn each_gradient(
        &self,
        range: Range<usize>,
        gradients: BothGradients<'_>,
        visit: VisitGradients<'_>,
    ) -> Result<()>;
    /// A copy of the network that shares nothing with it.
    fn twin(&self) -> Result<Box<dyn Learner>>;
    /// Whether the gradient for the images is left out.
    fn skip_input_gradient(&mut self, skip: bool);
    /// Whether dense layers leave factors in place of their weights' gradients where those are fewer numbers for so many
    /// images.
    fn leave_factors(&mut self, images: Option<usize>);
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
    fn each_weight(
        &mut self,
        range: Range<usize>,
        gradients: BothGradients<'_>,
        visit: VisitWeights<'_>,
    ) -> Result<()> {
        each_weight(self, range, gradients, visit)
    }
    fn each_gradient(
        &self,
        range: Range<usize>,
        gradients: BothGradients<'_>,
        visit: VisitGradients<'_>,
    ) -> Result<()> {
        each_gradient(self, range, gradients, visit)
    }
    fn twin(&self) -> Result<Box<dyn Learner>> {
        let mut twin = self.clone();
        to_own_device(&mut twin)?;
        Ok(Box::new(twin))
    }
    fn skip_input_gradient(&mut self, skip: bool) {
        crate::network::Layer::skip_input_gradient(self, skip);
    }
    fn leave_factors(&mut self, images: Option<usize>) {
        crate::network::Layer::leave_factors(self, images);
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
