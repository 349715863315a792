//! One step of training: a batch is cut into parts, and one thread learns from each.
//!
//! A part goes through the network and back on a tape of its own, so it stays in the caches of one
//! core. How a batch is cut depends on its size alone, and the parts' gradients are added in a fixed
//! order: no bit depends on the number of threads.

use dfdx::prelude::*;

use crate::data::{batch, Data};
use crate::error::Result;
use crate::kernels::buffer::Pool;
use crate::learner::Learner;
use crate::optim::{Half, Published, Summand};
use crate::loss::share_of_cross_entropy;
use crate::network::{Batch, Logits};
use crate::sums::Sums;
use crate::threads::both;
use crate::view::values;

/// Images of a part, unless a batch is so small that it would be the only one, or so large that there would be
/// more than [`PARTS`]. A core's cache holds what they need, and adding up a part's gradients is little work
/// beside them.
const PART: usize = 32;
/// Parts of a batch, at most.
const PARTS: usize = 8;
/// Images that are worth a thread of their own.
const SMALLEST: usize = 8;

/// Images of each part of a batch.
fn part_len(batch: usize) -> usize {
    let half = batch.div_ceil(2).next_power_of_two();
    let largest = batch.div_ceil(PARTS).next_multiple_of(PART);
    half.clamp(SMALLEST, largest)
}

/// Makes an image from that in the data, whose number is the last argument.
pub(crate) type Draw<'a> = &'a (dyn Fn(&[f32], &mut [f32], usize) + Sync);

/// Room for the parts of a batch, used step after step.
#[derive(Default)]
pub(crate) struct Parts(Vec<Room>, Pool);

struct Room {
    images: Batch,
    targets: Logits,
    gradients: Gradients<f32, Cpu>,
    published: Option<Published>,
    outcome: Result<Sums>,
}

/// A batch, and what learns from it.
pub(crate) struct Lesson<'a> {
    pub(crate) network: &'a dyn Learner,
    pub(crate) data: &'a Data,
    /// The images of the batch.
    pub(crate) chosen: &'a [usize],
    pub(crate) draw: Draw<'a>,
}

impl Parts {
    /// The gradients of the mean cross-entropy of a batch, in one or two summands, and its loss and hits.
    pub(crate) fn learn(
        &mut self,
        lesson: &Lesson<'_>,
    ) -> Result<(Vec<Summand<'_>>, Sums)> {
        let parts: Vec<_> = lesson
            .chosen
            .chunks(part_len(lesson.chosen.len()))
            .collect();
        while self.0.len() < parts.len() {
            self.0.push(Room::new(lesson)?);
        }
        let rooms = &mut self.0[..parts.len()];
        let middle = parts.len().div_ceil(2);
        let (left, right) = rooms.split_at_mut(middle);
        both(
            || {
                lesson.learn_and_add(&parts[..middle], left);
                lesson.publish(left, Half::Second, &self.1);
            },
            || {
                lesson.learn_and_add(&parts[middle..], right);
                lesson.publish(right, Half::First, &self.1);
            },
        );
        let outcomes = left.iter_mut().chain(&mut *right);
        let sums = outcomes
            .map(|room| std::mem::replace(&mut room.outcome, Ok(Sums::default())))
            .sum::<Result<Sums>>()?;
        let summands = left.iter_mut().take(1).chain(right.iter_mut().take(1));
        Ok((summands.map(|room| Summand::new(&mut room.gradients, room.published.as_ref())).collect(), sums))
    }
}

impl Lesson<'_> {
    /// Learns from some parts of the batch, and adds their gradients up in the first one's room: in
    /// halves, so that the halves can be had on two threads, and always in the same order.
    fn learn_and_add(&self, parts: &[&[usize]], rooms: &mut [Room]) {
        if parts.len() <= 1 {
            for (part, room) in parts.iter().zip(rooms) {
                room.outcome = room.learn(self, part);
            }
            return;
        }
        let middle = parts.len().div_ceil(2);
        let (left, right) = rooms.split_at_mut(middle);
        both(
            || self.learn_and_add(&parts[..middle], left),
            || self.learn_and_add(&parts[middle..], right),
        );
        let (sum, more) = (&mut left[0], &mut right[0]);
        if let Err(problem) = self.network.add(&mut sum.gradients, &mut more.gradients) {
            sum.outcome = Err(problem);
        }
    }
}

impl Lesson<'_> {
    fn publish(&self, rooms: &mut [Room], half: Half, pool: &Pool) {
        let Some(room) = rooms.first_mut() else { return };
        room.published = None;
        if rayon::current_num_threads() > 1 {
            match self.network.publish(&mut room.gradients, half, pool) {
                Ok(published) => room.published = Some(published),
                Err(problem) => room.outcome = Err(problem),
            }
        }
    }
}

impl Room {
    fn new(lesson: &Lesson<'_>) -> Result<Self> {
        let (images, targets) = batch(lesson.data.device(), 0)?;
        Ok(Self {
            images,
            targets,
            gradients: lesson.network.gradients()?,
            published: None,
            outcome: Ok(Sums::default()),
        })
    }

    /// The gradients of what a part adds to the mean cross-entropy of the batch; its loss and hits.
    fn learn(&mut self, lesson: &Lesson<'_>, part: &[usize]) -> Result<Sums> {
        lesson.network.zero(&mut self.gradients)?;
        let passes = part.chunks(PART);
        passes.map(|pass| self.pass(lesson, pass)).sum()
    }

    /// Takes some images through the network and back.
    fn pass(&mut self, lesson: &Lesson<'_>, chosen: &[usize]) -> Result<Sums> {
        let Lesson { network, data, .. } = *lesson;
        if self.images.shape().0 != chosen.len() {
            (self.images, self.targets) = batch(data.device(), chosen.len())?;
        }
        data.gather_with(chosen, &mut self.images, &mut self.targets, lesson.draw);
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
