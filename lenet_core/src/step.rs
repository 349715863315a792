//! One step of training: a batch is cut into parts, and one thread learns from each.
//!
//! A part goes through the network and back on a tape of its own, so it stays in the caches of one
//! core. How a batch is cut depends on its size alone, and the parts' gradients are added in a fixed
//! order: no bit depends on the number of threads.

use dfdx::prelude::*;

use crate::data::{batch, Data};
use crate::error::Result;
use crate::exchange::{Published, Summand};
use crate::kernels::buffer::Pool;
use crate::learner::Learner;
use crate::loss::share_of_cross_entropy;
use crate::network::{Batch, Logits};
use crate::optim::{Adam, AdamState};
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

/// Steps of training, one after the other.
pub(crate) struct Steps {
    /// For the parts of each half of a batch.
    rooms: [Vec<Room>; 2],
    twin: Option<Twin>,
}

/// A second network, with an optimiser of its own, for the second half of a batch.
///
/// Both networks take the same steps and keep the same weights, bit for bit. To take a step twice is less work
/// than to have weights travel from one core to another.
struct Twin {
    network: Box<dyn Learner>,
    state: AdamState,
}

/// Room for a part of a batch, used step after step.
struct Room {
    images: Batch,
    targets: Logits,
    gradients: Gradients<f32, Cpu>,
    pool: Pool,
    published: Option<Published>,
    outcome: Result<Sums>,
}

/// A batch to learn from.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) data: &'a Data,
    /// The images of the batch.
    pub(crate) chosen: &'a [usize],
    pub(crate) draw: Draw<'a>,
}

impl Steps {
    /// Gets ready for steps that begin with this network, and with what its optimiser remembers.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn new(network: &dyn Learner, state: &AdamState) -> Result<Self> {
        let twin = (rayon::current_num_threads() > 1).then(|| {
            network.twin().map(|network| Twin {
                network,
                state: state.clone(),
            })
        });
        Ok(Self {
            rooms: Default::default(),
            twin: twin.transpose()?,
        })
    }

    /// Moves the weights against the gradients of the mean cross-entropy of a batch; its loss and hits.
    pub(crate) fn take(
        &mut self,
        network: &mut dyn Learner,
        optimizer: &Adam,
        state: &mut AdamState,
        lesson: &Lesson<'_>,
    ) -> Result<Sums> {
        let parts: Vec<_> = lesson
            .chosen
            .chunks(part_len(lesson.chosen.len()))
            .collect();
        let (left_parts, right_parts) = parts.split_at(parts.len().div_ceil(2));
        let ours = &*network;
        let theirs = self.twin.as_ref().map_or(ours, |twin| &*twin.network);
        let [left, right] = &mut self.rooms;
        let left = make_rooms(left, left_parts.len(), ours)?;
        let right = make_rooms(right, right_parts.len(), theirs)?;
        let half = |network: &dyn Learner, parts: &[&[usize]], rooms: &mut [Room]| {
            lesson.learn_and_add(network, parts, rooms);
            if self.twin.is_some() {
                let sum = rooms.iter_mut().take(1);
                sum.for_each(|sum| sum.publish(network));
            }
        };
        both(
            || half(ours, left_parts, left),
            || half(theirs, right_parts, right),
        );
        let outcomes = left.iter_mut().chain(&mut *right);
        let sums = outcomes
            .map(|room| std::mem::replace(&mut room.outcome, Ok(Sums::default())))
            .sum::<Result<Sums>>()?;
        let (left, right) = (left.first_mut(), right.first_mut());
        match &mut self.twin {
            None => {
                let halves = left.into_iter().chain(right);
                let mut gradients: Vec<_> =
                    halves.map(|sum| Summand::Own(&mut sum.gradients)).collect();
                network.update(optimizer, state, &mut gradients, false)?;
            }
            Some(twin) => {
                // With more than one thread for a half, there are others that read its weights.
                let shared = rayon::current_num_threads() > 2;
                let (mut outcome, mut same) = (Ok(()), Ok(()));
                let (left, from_left) = left.map(Room::summands).unzip();
                let (right, from_right) = right.map(Room::summands).unzip();
                let mut ours: Vec<_> = left.into_iter().chain(from_right.flatten()).collect();
                let mut theirs: Vec<_> = from_left.flatten().into_iter().chain(right).collect();
                both(
                    || outcome = network.update(optimizer, state, &mut ours, shared),
                    || {
                        same = twin
                            .network
                            .update(optimizer, &mut twin.state, &mut theirs, shared)
                    },
                );
                outcome.and(same)?;
            }
        }
        Ok(sums)
    }
}

impl Lesson<'_> {
    /// Learns from some parts of the batch, and adds their gradients up in the first one's room: in
    /// halves, so that the halves can be had on two threads, and always in the same order.
    fn learn_and_add(&self, network: &dyn Learner, parts: &[&[usize]], rooms: &mut [Room]) {
        if parts.len() <= 1 {
            for (part, room) in parts.iter().zip(rooms) {
                room.outcome = room.learn(network, self, part);
            }
            return;
        }
        let middle = parts.len().div_ceil(2);
        let (left, right) = rooms.split_at_mut(middle);
        both(
            || self.learn_and_add(network, &parts[..middle], left),
            || self.learn_and_add(network, &parts[middle..], right),
        );
        let (sum, more) = (&mut left[0], &mut right[0]);
        if let Err(problem) = network.add(&mut sum.gradients, &mut more.gradients) {
            sum.outcome = Err(problem);
        }
    }
}

/// The first `count` rooms, made where there are fewer.
fn make_rooms<'a>(
    rooms: &'a mut Vec<Room>,
    count: usize,
    network: &dyn Learner,
) -> Result<&'a mut [Room]> {
    while rooms.len() < count {
        rooms.push(Room::new(network)?);
    }
    Ok(&mut rooms[..count])
}

impl Room {
    /// On a device of its own: a device counts its tensors, and threads that share one wait for each other to count.
    fn new(network: &dyn Learner) -> Result<Self> {
        let (images, targets) = batch(&Cpu::default(), 0)?;
        Ok(Self {
            images,
            targets,
            gradients: network.gradients()?,
            pool: Pool::default(),
            published: None,
            outcome: Ok(Sums::default()),
        })
    }

    /// The gradients of what a part adds to the mean cross-entropy of the batch; its loss and hits.
    fn learn(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        part: &[usize],
    ) -> Result<Sums> {
        network.zero(&mut self.gradients)?;
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
        let data = lesson.data;
        if self.images.shape().0 != chosen.len() {
            (self.images, self.targets) = batch(self.images.device(), chosen.len())?;
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

    /// Copies the gradients for the other half's thread.
    fn publish(&mut self, network: &dyn Learner) {
        self.published = None;
        match network.publish(&mut self.gradients, &self.pool) {
            Ok(published) => self.published = Some(published),
            Err(problem) => self.outcome = Err(problem),
        }
    }

    /// The gradients for this half's thread, and for the other's.
    fn summands(&mut self) -> (Summand<'_>, Option<Summand<'_>>) {
        let published = self.published.as_ref().map(Summand::Published);
        (Summand::Own(&mut self.gradients), published)
    }
}
