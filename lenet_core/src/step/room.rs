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

use super::Lesson;

/// Room for parts of a batch and the sum of their gradients, used step after step.
pub(super) struct Room {
    device: Cpu,
    /// For each number of images that a part had so far.
    batches: Vec<(Batch, Logits)>,
    pub(super) gradients: Gradients<f32, Cpu>,
}

impl Room {
    /// On a device of its own: a device counts its tensors, and threads that share one wait for each other to
    /// count.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn new(network: &dyn Learner) -> Result<Self> {
        Ok(Self {
            device: Cpu::default(),
            batches: Vec::new(),
            gradients: network.tensors().gradients()?,
        })
    }

    /// The one in `slot`, where one is put if there is none.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn in_slot<'a>(
        slot: &'a mut Option<Self>,
        network: &dyn Learner,
    ) -> Result<&'a mut Self> {
        let room = match slot.take() {
            Some(room) => room,
            None => Self::new(network)?,
        };
        Ok(slot.insert(room))
    }

    /// Makes all gradients zero.
    ///
    /// # Errors
    /// If dfdx cannot make room for a gradient.
    pub(super) fn clear(&mut self, network: &dyn Learner) -> Result<()> {
        let gradients = [Some(&mut self.gradients), None];
        network
            .tensors()
            .each_gradient(ALL, gradients, &mut |[gradients, _]| {
                gradients.unwrap_or_default().fill(0.0);
            })
    }

    /// Adds the gradients of what a part adds to the mean cross-entropy of the batch; its loss and hits.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        part: &[usize],
    ) -> Result<Sums> {
        let fits = |(images, _): &(Batch, Logits)| images.shape().0 == part.len();
        let place = self.batches.iter().position(fits);
        let place = place.unwrap_or(self.batches.len());
        if place == self.batches.len() {
            self.batches.push(batch(&self.device, part.len())?);
        }
        let (images, targets) = &mut self.batches[place];
        lesson.data.gather_with(part, images, targets, lesson.draw);
        let gradients = std::mem::replace(&mut self.gradients, Gradients::leaky());
        let logits = network.trace(images.clone().traced(gradients))?;
        let mut sums = Sums::default();
        sums.count(&values(&logits), &values(targets));
        let total = lesson.chosen.len();
        let loss = share_of_cross_entropy(logits, targets, total)?;
        sums.loss = f64::from(loss.array()) * total as f64;
        self.gradients = loss.try_backward()?;
        Ok(sums)
    }
}
