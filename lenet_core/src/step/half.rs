//! One half of the work of a step.

use std::ops::Range;

use dfdx::prelude::{Cpu, Gradients};

use crate::error::Result;
use crate::kernels::buffer::Pool;
use crate::learner::Learner;
use crate::optim::Update;
use crate::sums::Sums;
use crate::threads::{both, on_each};

use super::mail::Mail;
use super::parts::{Aside, Parts};
use super::room::Room;
use super::{Lesson, Share};

/// Learns from one half of each batch, and moves one half of the weights.
pub(super) struct Half {
    /// 0 for the left one, 1 for the right one.
    number: usize,
    /// The weights that it moves.
    own: Range<usize>,
    /// The weights that the other half moves.
    theirs: Range<usize>,
    /// Where the gradients of its parts are added up.
    room: Option<Room>,
    /// Whether it had a part of the last batch.
    learned: bool,
    /// The loss and hits of its parts.
    pub(super) sums: Sums,
    /// Its own, because threads that share one wait for each other to count.
    pub(super) pool: Pool,
}

impl Half {
    pub(super) fn new(number: usize, own: Range<usize>, theirs: Range<usize>) -> Self {
        Self {
            number,
            own,
            theirs,
            room: None,
            learned: false,
            sums: Sums::default(),
            pool: Pool::default(),
        }
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

    /// Learns from its parts that nobody else takes.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn(
        &mut self,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        parts: &[Parts<'_>; 2],
    ) -> Result<()> {
        let own = &parts[self.number];
        self.learned = !own.is_empty();
        self.sums = Sums::default();
        let room = Room::in_slot(&mut self.room, network)?;
        while let Some(part) = own.first() {
            if part == 0 {
                room.clear(network)?;
            } else if !network.adds_once() {
                // Other bits would come out here than where someone else takes the part.
                own.learn_aside(self.number, network, lesson, part);
                continue;
            }
            self.sums += room.learn(network, lesson, own.images(part))?;
        }
        Ok(())
    }

    /// Learns from its parts while so many helpers do, too, and then helps the other half.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn learn_with(
        &mut self,
        helpers: usize,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        parts: &[Parts<'_>; 2],
    ) -> Result<()> {
        let number = self.number;
        let help = |half: usize| parts[half].help(number, network, lesson);
        let (outcome, ()) = both(
            || self.learn(network, lesson, parts),
            || on_each(helpers, &|| [number, 1 - number].into_iter().for_each(help)),
        );
        help(1 - number);
        outcome
    }

    /// Adds what was put aside for it.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn add(
        &mut self,
        networks: [&dyn Learner; 2],
        parts: &[Parts<'_>; 2],
    ) -> Result<()> {
        let network = networks[self.number];
        for (part, mut aside) in parts[self.number].asides().enumerate() {
            let Aside { rooms, learned } = &mut *aside;
            let Some((half, sums)) = learned.take() else {
                continue;
            };
            self.sums += sums?;
            let Some(more) = &mut rooms[half] else {
                continue;
            };
            let room = Room::in_slot(&mut self.room, network)?;
            let more = (&networks[half].tensors(), &mut more.gradients);
            network
                .tensors()
                .each_pair(&mut room.gradients, more, &mut |sum, more| {
                    if part == 0 {
                        // There is nothing to add to, and these may be factors.
                        std::mem::swap(sum, more);
                    } else {
                        for (sum, more) in sum.iter_mut().zip(more) {
                            *sum += *more;
                        }
                    }
                })?;
        }
        Ok(())
    }

    /// Sends the gradients of the weights that the other half moves, unless there is yet something to be added.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn send_whole(
        &mut self,
        network: &dyn Learner,
        parts: &[Parts<'_>; 2],
        mail: &mut Mail,
    ) -> Result<()> {
        match parts[self.number].any_aside() {
            true => Ok(()),
            false => self.send(network, mail),
        }
    }

    /// Adds what was put aside for it, if anything, and sends what [`Half::send_whole`] has not.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn add_and_send(
        &mut self,
        networks: [&dyn Learner; 2],
        parts: &[Parts<'_>; 2],
        mail: &mut Mail,
    ) -> Result<()> {
        if parts[self.number].any_aside() {
            self.add(networks, parts)?;
            self.send(networks[self.number], mail)?;
        }
        Ok(())
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
        let (images, number) = (their_share.images.len(), self.number);
        // Gradients are added in the order of the halves.
        let mut gradients = [None, None];
        gradients[number] = self.gradients();
        let mut mail = weights.write();
        network
            .tensors_mut()
            .each_weight(own, gradients, &mut |stretch| {
                let mut stretch = stretch;
                if let Some(received) = &mut received {
                    stretch.receive(1 - number, images, |len| received.next(len));
                }
                update.apply(&mut stretch, &pool);
                mail.put(stretch.weights);
            })
    }

    /// What it has learned from the last batch, if anything.
    pub(super) fn gradients(&mut self) -> Option<&mut Gradients<f32, Cpu>> {
        let room = self.room.as_mut().filter(|_| self.learned);
        room.map(|room| &mut room.gradients)
    }
}
