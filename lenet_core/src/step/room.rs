//! A part of a batch on its way through the network and back.

use dfdx::prelude::*;

use crate::data::batch;
use crate::error::Result;
use crate::learner::Learner;
use crate::loss::share_of_cross_entropy;
use crate::network::{Batch, Logits};
use crate::sums::Sums;
use crate::tensors::ALL;
use crate::view::values;

use super::{Lesson, PART};

/// Room for a part of a batch, used step after step.
pub(super) struct Room {
    images: Batch,
    targets: Logits,
    pub(super) gradients: Gradients<f32, Cpu>,
}

impl Room {
    /// On a device of its own: a device counts its tensors, and threads that share one wait for each other to
    /// count.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn new(network: &dyn Learner) -> Result<Self> {
        let (images, targets) = batch(&Cpu::default(), 0)?;
        let gradients = network.tensors().gradients()?;
        Ok(Self {
            images,
            targets,
            gradients,
        })
    }

    /// The gradients of what a part adds to the mean cross-entropy of the batch; its loss and hits.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        part: &[usize],
    ) -> Result<Sums> {
        let gradients = [Some(&mut self.gradients), None];
        network
            .tensors()
            .each_gradient(ALL, gradients, &mut |[gradients, _]| {
                gradients.unwrap_or_default().fill(0.0);
            })?;
        let passes = part.chunks(PART);
        passes.map(|pass| self.pass(network, lesson, pass)).sum()
    }

    /// Takes some images through the network and back.
    fn pass(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        chosen: &[usize],
    ) -> Result<Sums> {
        if self.images.shape().0 != chosen.len() {
            (self.images, self.targets) = batch(self.images.device(), chosen.len())?;
        }
        let (images, targets) = (&mut self.images, &mut self.targets);
        lesson
            .data
            .gather_with(chosen, images, targets, lesson.draw);
        let gradients = std::mem::replace(&mut self.gradients, Gradients::leaky());
        let logits = network.trace(self.images.clone().traced(gradients))?;
        let mut sums = Sums::default();
        sums.count(&values(&logits), &values(&self.targets));
        let total = lesson.chosen.len();
        let loss = share_of_cross_entropy(logits, &self.targets, total)?;
        sums.loss = f64::from(loss.array()) * total as f64;
        self.gradients = loss.try_backward()?;
        Ok(sums)
    }
}
