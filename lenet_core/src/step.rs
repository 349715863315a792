//! One step of training.
//!
//! A batch is cut into parts. A part goes through the network and back on a tape of its own, on one thread, so
//! it stays in the caches of one core. How a batch is cut depends on its size alone, and the parts' gradients are
//! added in a fixed order: no bit depends on the number of threads.
//!
//! The gradient of a dense layer's weights is a product of two matrices, which are small where images are few. In a
//! small batch the layers leave these factors ([`Factors`](crate::kernels::dense::Factors)), and the product is taken
//! when the weights are moved, some rows at a time: it never goes to memory.
//!
//! With more than one thread there are two halves. Each learns from one half of the parts with a network of its own,
//! and moves one half of the weights; what the other half needs of that it gets by mail. Halves that wrote to the
//! same network and gradients would have to take each cache line from each other, which costs a step more than all
//! that is sent here.

mod half;
mod mail;
mod room;

use std::ops::Range;

use crate::data::Data;
use crate::error::Result;
use crate::learner::Learner;
use crate::optim::{Adam, AdamState};
use crate::sums::Sums;
use crate::tensors::ALL;
use crate::threads::both;
use half::Half;
use mail::Mail;

/// Images of a part, at most, unless a batch is so large that there would be more than [`PARTS`]. A core's cache holds
/// what they need, and adding up a part's gradients is little work beside them.
const PART: usize = 32;
/// Parts of a batch, at most.
const PARTS: usize = 8;
/// Images that are worth a thread of their own.
const SMALLEST: usize = 8;

/// Makes an image from that in the data, whose number is the last argument.
pub(crate) type Draw<'a> = &'a (dyn Fn(&[f32], &mut [f32], usize) + Sync);

/// A batch to learn from.
pub(crate) struct Lesson<'a> {
    pub(crate) data: &'a Data,
    /// The images of the batch.
    pub(crate) chosen: &'a [usize],
    /// Those of the next batch, if there is one.
    pub(crate) next: &'a [usize],
    pub(crate) draw: Draw<'a>,
}

/// What one half has of a lesson.
struct Share<'a> {
    parts: Vec<&'a [usize]>,
    /// Its images of the next batch.
    next: &'a [usize],
}

impl<'a> Lesson<'a> {
    fn shares(&self) -> [Share<'a>; 2] {
        let size = self.chosen.len().div_ceil(PARTS).max(1);
        let size = size.next_multiple_of(PART);
        let (left, right) = halves(self.chosen);
        let (left_next, right_next) = halves(self.next);
        [(left, left_next), (right, right_next)].map(|(images, next)| Share {
            parts: images.chunks(size).collect(),
            next,
        })
    }

    /// How many images a half has at most, if there are two and each is a single pass: only then may the gradients of dense
    /// layers be left as factors, which cannot be added up.
    fn factors(&self) -> Option<usize> {
        let (left, right) = halves(self.chosen);
        let most = left.len().max(right.len());
        (!right.is_empty() && most <= PART).then_some(most)
    }
}

/// Cuts a batch in two: a small one in the middle, a large one nearby, so that few parts are not whole.
fn halves(batch: &[usize]) -> (&[usize], &[usize]) {
    let middle = batch.len().div_ceil(2);
    let left = if middle > PART {
        (middle + PART / 2) / PART * PART
    } else {
        middle.max(SMALLEST)
    };
    batch.split_at(left.min(batch.len()))
}

/// Takes the steps of training, one after the other.
pub(crate) struct Stepper {
    /// All weights.
    len: usize,
    halves: [Half; 2],
    twin: Option<Twin>,
}

/// What the second half needs to work at the same time as the first. After a step each network has the weights that
/// its half has moved; the others are in the mail, and come before the next step.
struct Twin {
    /// The second half's network.
    network: Box<dyn Learner>,
    /// The weights before this are the first half's to move.
    middle: usize,
    /// From each half, for the other's weights.
    gradients: [Mail; 2],
    /// From each half, its own weights.
    weights: [Mail; 2],
}

impl Stepper {
    /// Gets ready for steps that begin with this network.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn new(network: &mut dyn Learner) -> Result<Self> {
        let mut tensors = Vec::new();
        network
            .tensors_mut()
            .each_weight(ALL, [None, None], &mut |stretch| {
                tensors.push(Tensor {
                    range: stretch.at..stretch.at + stretch.weights.len(),
                    row: stretch.row,
                    work: if stretch.axes == 2 { MATRIX_WORK } else { 1 },
                });
            })?;
        let len = tensors.last().map_or(0, |last| last.range.end);
        let threads = rayon::current_num_threads();
        let twin = (threads > 1).then(|| Twin::new(network, middle(&tensors)));
        let twin = twin.transpose()?;
        let middle = twin.as_ref().map_or(len, |twin| twin.middle);
        Ok(Self {
            len,
            halves: [
                Half::new(0..middle, middle..len),
                Half::new(middle..len, 0..middle),
            ],
            twin,
        })
    }

    /// Moves the weights against the gradients of the mean cross-entropy of a batch; its loss and hits.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn step(
        &mut self,
        network: &mut dyn Learner,
        (optimizer, state): (&Adam, &mut AdamState),
        lesson: &Lesson<'_>,
    ) -> Result<Sums> {
        let [left_share, right_share] = &lesson.shares();
        let [left, right] = &mut self.halves;
        let factors = lesson.factors();
        let (sums, finite) = match &mut self.twin {
            None => {
                network.leave_factors(factors);
                let sums = [
                    left.learn(network, lesson, left_share)?,
                    right.learn(network, lesson, right_share)?,
                ];
                let (mut update, pool) = (state.begin(optimizer, self.len), left.pool.clone());
                let gradients = [left.gradients(), right.gradients()];
                network
                    .tensors_mut()
                    .each_weight(ALL, gradients, &mut |mut stretch| {
                        update.apply(&mut stretch, &pool);
                    })?;
                (sums, [update.finite; 2])
            }
            Some(twin) => {
                let [to_right, to_left] = &mut twin.gradients;
                let [from_left, from_right] = &twin.weights;
                let theirs = &mut *twin.network;
                network.leave_factors(factors);
                theirs.leave_factors(factors);
                let (sums, more) = both(
                    || left.learn_and_send(network, lesson, left_share, (from_right, to_right)),
                    || right.learn_and_send(theirs, lesson, right_share, (from_left, to_left)),
                );
                let sums = [sums?, more?];
                let [mut ours, mut theirs] = state.begin(optimizer, self.len).split_at(twin.middle);
                let [from_left, from_right] = &twin.gradients;
                let [to_right, to_left] = &mut twin.weights;
                let outcomes = both(
                    || left.update(network, &mut ours, right_share, (from_right, to_right)),
                    || {
                        right.update(
                            &mut *twin.network,
                            &mut theirs,
                            left_share,
                            (from_left, to_left),
                        )
                    },
                );
                outcomes.0.and(outcomes.1)?;
                (sums, [ours.finite, theirs.finite])
            }
        };
        state.end(finite);
        Ok(sums.into_iter().sum())
    }

    /// Brings the network up to date, after the last step.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn end(self, network: &mut dyn Learner) -> Result<()> {
        let Some(twin) = self.twin else { return Ok(()) };
        let [_, from_right] = &twin.weights;
        self.halves[0].receive(network, from_right)
    }
}

impl Twin {
    /// # Errors
    /// If dfdx cannot make a tensor.
    fn new(network: &mut dyn Learner, middle: usize) -> Result<Self> {
        let mut mail = || Mail::new(network);
        let (gradients, weights) = ([mail()?, mail()?], [mail()?, mail()?]);
        Ok(Self {
            network: network.twin()?,
            middle,
            gradients,
            weights,
        })
    }
}

/// A tensor of weights.
struct Tensor {
    range: Range<usize>,
    /// Numbers of a row.
    row: usize,
    /// What it takes to move one of its weights.
    work: usize,
}

/// What it takes to move a weight of a matrix, where another takes 1: in small batches its gradient is yet to be made
/// from factors. Measured with 16 images, where this is 2.6.
const MATRIX_WORK: usize = 3;

/// Where a network of these tensors is cut in halves of about the same work: where a row begins.
fn middle(tensors: &[Tensor]) -> usize {
    let work = |tensor: &Tensor| tensor.range.len() * tensor.work;
    let mut left = tensors.iter().map(work).sum::<usize>() / 2;
    for tensor in tensors {
        if left < work(tensor) {
            return tensor.range.start + left / (tensor.work * tensor.row) * tensor.row;
        }
        left -= work(tensor);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_cut_where_a_row_begins() {
        let tensor = |range, row, work| Tensor { range, row, work };
        // 100 + 3 * 900 are 2,800 in all. Of the half, 1,300 are left for the second tensor: 433 numbers, or 14 rows.
        let tensors = [tensor(0..100, 5, 1), tensor(100..1000, 30, 3)];
        assert_eq!(middle(&tensors), 520);
        assert_eq!(middle(&tensors[..1]), 50);
        assert_eq!(middle(&[]), 0);
    }

    #[test]
    fn no_half_waits_long_for_the_other() {
        for len in 0..3000 {
            let batch = Vec::from_iter(0..len);
            let (left, right) = halves(&batch);
            assert_eq!([left, right].concat(), batch);
            if len <= 2 * SMALLEST {
                assert_eq!(left.len(), len.min(SMALLEST));
            } else {
                // Half a part from the middle, and one image more on one side of it where the number is odd.
                assert!(left.len().abs_diff(right.len()) <= PART + 1, "{len}");
            }
        }
    }
}
