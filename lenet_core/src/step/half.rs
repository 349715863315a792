//! One half of the work of a step.

use std::ops::Range;

use dfdx::prelude::{Cpu, Gradients};

use crate::error::Result;
use crate::kernels::buffer::Pool;
use crate::learner::Learner;
use crate::optim::Update;
use crate::sums::Sums;
use crate::tensors::ALL;
use crate::threads::both;

use super::mail::Mail;
use super::room::Room;
use super::{Lesson, Share};

/// Learns from one half of each batch, and moves one half of the weights.
pub(super) struct Half {
    /// The weights that it moves.
    own: Range<usize>,
    /// The weights that the other half moves.
    theirs: Range<usize>,
    rooms: Vec<Room>,
    /// Whether it had a part of the last batch.
    learned: bool,
    /// Its own, because threads that share one wait for each other to count.
    pub(super) pool: Pool,
}

impl Half {
    pub(super) fn new(own: Range<usize>, theirs: Range<usize>) -> Self {
        Self {
            own,
            theirs,
            rooms: Vec::new(),
            learned: false,
            pool: Pool::default(),
        }
    }

    /// Learns from a share with the weights that the other half has moved, and sends it the
    /// gradients of those.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn_and_send(
        &mut self,
        network: &mut dyn Learner,
        lesson: &Lesson<'_>,
        share: &Share<'_>,
        (weights, gradients): (&Mail, &mut Mail),
    ) -> Result<Sums> {
        self.receive(network, weights)?;
        let sums = self.learn(network, lesson, share)?;
        self.send(network, gradients)?;
        Ok(sums)
    }

    /// Puts the weights into `network` that the other half has moved, if it has.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn receive(&self, network: &mut dyn Learner, weights: &Mail) -> Result<()> {
        let Some(mut weights) = weights.read() else {
            return Ok(());
        };
        network
            .tensors_mut()
            .each_weight(self.theirs.clone(), [None, None], &mut |stretch| {
                let moved = weights.next(stretch.weights.len());
                stretch.weights.copy_from_slice(moved);
            })
    }

    /// Learns from the parts of a share, each in a room of its own, and adds their gradients up in the first
    /// one; their loss and hits.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        Share { parts, next }: &Share<'_>,
    ) -> Result<Sums> {
        lesson.data.expect(next);
        while self.rooms.len() < parts.len() {
            self.rooms.push(Room::new(network)?);
        }
        self.learned = !parts.is_empty();
        learn_and_add(network, lesson, parts, &mut self.rooms[..parts.len()])
    }

    /// Sends the gradients of the weights that the other half moves.
    fn send(&mut self, network: &dyn Learner, mail: &mut Mail) -> Result<()> {
        let theirs = self.theirs.clone();
        let Some(gradients) = self.gradients() else {
            mail.leave_empty();
            return Ok(());
        };
        let mut mail = mail.write();
        network
            .tensors()
            .each_gradient(theirs, [Some(gradients), None], &mut |[gradients, _]| {
                mail.put(gradients.unwrap_or_default());
            })
    }

    /// Moves its weights with the gradients that it has and those that it got, which the other half learned from
    /// `their_share`, and sends the weights to the other half.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn update(
        &mut self,
        network: &mut dyn Learner,
        update: &mut Update<'_>,
        their_share: &Share<'_>,
        (gradients, weights): (&Mail, &mut Mail),
    ) -> Result<()> {
        let (own, mut received) = (self.own.clone(), gradients.read());
        let pool = self.pool.clone();
        let images = their_share.parts.iter().map(|part| part.len()).sum();
        // Gradients are added in the order of the halves.
        let other = usize::from(own.start == 0);
        let mut gradients = [None, None];
        gradients[1 - other] = self.gradients();
        let mut mail = weights.write();
        network
            .tensors_mut()
            .each_weight(own, gradients, &mut |stretch| {
                let mut stretch = stretch;
                if let Some(received) = &mut received {
                    stretch.receive(other, images, |len| received.next(len));
                }
                update.apply(&mut stretch, &pool);
                mail.put(stretch.weights);
            })
    }

    /// What it has learned from the last batch, if anything.
    pub(super) fn gradients(&mut self) -> Option<&mut Gradients<f32, Cpu>> {
        let sum = self.rooms.first_mut().filter(|_| self.learned);
        sum.map(|room| &mut room.gradients)
    }
}

/// Learns from some parts of a batch, and adds their gradients up in the first one's room: in halves, so that
/// the halves can be had on two threads, and always in the same order.
fn learn_and_add(
    network: &dyn Learner,
    lesson: &Lesson<'_>,
    parts: &[&[usize]],
    rooms: &mut [Room],
) -> Result<Sums> {
    match (parts, &mut *rooms) {
        ([], _) | (_, []) => Ok(Sums::default()),
        ([part], [room, ..]) => room.learn(network, lesson, part),
        _ => {
            let middle = parts.len().div_ceil(2);
            let (left, right) = rooms.split_at_mut(middle);
            let (sums, more) = both(
                || learn_and_add(network, lesson, &parts[..middle], left),
                || learn_and_add(network, lesson, &parts[middle..], right),
            );
            let gradients = [left, right].map(|rooms| Some(&mut rooms[0].gradients));
            network
                .tensors()
                .each_gradient(ALL, gradients, &mut |[sum, more]| {
                    let (sum, more) = (sum.unwrap_or_default(), more.unwrap_or_default());
                    for (sum, more) in sum.iter_mut().zip(more) {
                        *sum += *more;
                    }
                })?;
            Ok([sums?, more?].into_iter().sum())
        }
    }
}
