//! What training needs of a network, whatever its type.

use crate::error::Result;
use crate::inspect::type_name;
use crate::network::{Batch, GradientTape, Logits, Network, Outline};
use crate::tensors::{Tensors, TensorsMut};

/// A network whose type is forgotten. The training loops work with this, so that they are compiled
/// once, with this crate, and not again in each cell of a notebook that trains.
pub(crate) trait Learner: Send + Sync {
    /// The logits of a batch.
    fn forward(&self, images: Batch) -> Result<Logits>;
    /// The logits of a batch, and on their tape how they came about.
    fn trace(&self, images: Batch<GradientTape>) -> Result<Logits<GradientTape>>;
    /// All weights.
    fn tensors(&self) -> Tensors<'_>;
    /// All weights, to be changed.
    fn tensors_mut(&mut self) -> TensorsMut<'_>;
    /// A copy of the network that shares nothing with it.
    fn twin(&self) -> Result<Box<dyn Learner>>;
    /// Whether the gradient for the images is left out.
    fn skip_input_gradient(&mut self, skip: bool);
    /// Whether dense layers leave factors in place of their weights' gradients where those are fewer numbers for so many
    /// images.
    fn leave_factors(&mut self, images: Option<usize>);
    /// Whether what a pass adds to the gradients is summed up before it is added.
    fn adds_once(&self) -> bool;
    /// The network's layers.
    fn outline(&self) -> Outline;
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
    fn tensors(&self) -> Tensors<'_> {
        Tensors::of(self)
    }
    fn tensors_mut(&mut self) -> TensorsMut<'_> {
        TensorsMut::of(self)
    }
    fn twin(&self) -> Result<Box<dyn Learner>> {
        let mut twin = self.clone();
        TensorsMut::of(&mut twin).move_to_own_device()?;
        Ok(Box::new(twin))
    }
    fn skip_input_gradient(&mut self, skip: bool) {
        crate::network::Layer::skip_input_gradient(self, skip);
    }
    fn leave_factors(&mut self, images: Option<usize>) {
        crate::network::Layer::leave_factors(self, images);
    }
    fn adds_once(&self) -> bool {
        crate::network::Layer::adds_once(self)
    }
    fn outline(&self) -> Outline {
        Outline::of::<N>()
    }
    fn type_name(&self) -> String {
        type_name::<N>()
    }
}
