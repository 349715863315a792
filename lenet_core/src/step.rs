//! One step of training.
//!
//! A batch is cut into parts. A part goes through the network and back on a tape of its own, on one thread, so
//! it stays in the caches of one core. How a batch is cut depends on its size alone, and the parts' gradients are
//! added in a fixed order: no bit depends on the number of threads, or on which of them is fast.
//!
//! The gradient of a dense layer's weights is a product of two matrices, which are small where images are few. In a
//! small batch the layers leave these factors ([`Factors`](crate::kernels::dense::Factors)), and the product is taken
//! when the weights are moved, some rows at a time: it never goes to memory.
//!
//! With more than one thread there are two halves. Each learns from one half of the parts with a network of its own,
//! and moves one half of the weights; what the other half needs of that it gets by mail. Halves that wrote to the
//! same network and gradients would have to take each cache line from each other, which costs a step more than all
//! that is sent here. Cores are not equally fast, and some are busy with other programs: who is done with the parts of one
//! half takes what nobody has begun of the other's.

mod half;
mod mail;
mod parts;
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
use parts::{Asides, Parts};

/// Images of a part, at most. A core's cache holds what they need.
const PART: usize = 32;
/// The last part of a half goes into it about so many times: it is small, so that a thread that is early finds something
/// to take, and nobody waits long for what was taken last.
const LAST: usize = 8;
/// Parts and halves are multiples of so many images where they can be: those fill vectors.
const FULL: usize = 8;
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
    images: &'a [usize],
    /// Its images of the next batch.
    next: &'a [usize],
}

impl<'a> Share<'a> {
    fn parts(&self) -> Vec<&'a [usize]> {
        let len = self.images.len();
        let last = if len > PART {
            (len / LAST).next_multiple_of(FULL).min(PART)
        } else {
            0
        };
        let (first, last) = self.images.split_at(len - last);
        first.chunks(PART).chain(last.chunks(PART)).collect()
    }
}

impl<'a> Lesson<'a> {
    fn shares(&self) -> [Share<'a>; 2] {
        let (left, right) = halves(self.chosen);
        let (left_next, right_next) = halves(self.next);
        [(left, left_next), (right, right_next)].map(|(images, next)| Share { images, next })
    }

    /// How many images a half has at most, if there are two and each is a single part: only then may the gradients of dense
    /// layers be left as factors, which cannot be added up.
    fn factors(&self) -> Option<usize> {
        let (left, right) = halves(self.chosen);
        let most = left.len().max(right.len());
        (!right.is_empty() && most <= PART).then_some(most)
    }
}

/// Cuts a batch in two: a small one in the middle, a large one nearby, so that vectors are full.
fn halves(batch: &[usize]) -> (&[usize], &[usize]) {
    let middle = batch.len().div_ceil(2);
    let left = if middle > PART {
        (middle + FULL / 2) / FULL * FULL
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
    /// For the parts of each half.
    asides: [Asides; 2],
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
                Half::new(0, 0..middle, middle..len),
                Half::new(1, middle..len, 0..middle),
            ],
            asides: Default::default(),
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
        let [left_asides, right_asides] = &mut self.asides;
        let parts = &[
            Parts::new(left_share.parts(), left_asides),
            Parts::new(right_share.parts(), right_asides),
        ];
        let factors = lesson.factors();
        network.leave_factors(factors);
        let finite = match &mut self.twin {
            None => {
                lesson.data.expect(lesson.next);
                for half in [&mut *left, &mut *right] {
                    half.learn(network, lesson, parts)?;
                    half.add([network; 2], parts)?;
                }
                let (mut update, pool) = (state.begin(optimizer, self.len), left.pool.clone());
                let gradients = [left.gradients(), right.gradients()];
                network
                    .tensors_mut()
                    .each_weight(ALL, gradients, &mut |mut stretch| {
                        update.apply(&mut stretch, &pool);
                    })?;
                [update.finite; 2]
            }
            Some(twin) => {
                let theirs = &mut *twin.network;
                theirs.leave_factors(factors);
                let [to_right, to_left] = &mut twin.gradients;
                let [from_left, from_right] = &twin.weights;
                let helpers = rayon::current_num_threads().saturating_sub(2);
                let outcomes = both(
                    || {
                        left.receive(network, from_right)?;
                        lesson.data.expect(left_share.next);
                        left.learn_with(helpers.div_ceil(2), network, lesson, parts)?;
                        left.send_whole(network, parts, to_right)
                    },
                    || {
                        right.receive(theirs, from_left)?;
                        lesson.data.expect(right_share.next);
                        right.learn_with(helpers / 2, theirs, lesson, parts)?;
                        right.send_whole(theirs, parts, to_left)
                    },
                );
                outcomes.0.and(outcomes.1)?;
                if parts.iter().any(Parts::any_aside) {
                    let networks = [&*network, &*theirs];
                    let outcomes = both(
                        || left.add_and_send(networks, parts, to_right),
                        || right.add_and_send(networks, parts, to_left),
                    );
                    outcomes.0.and(outcomes.1)?;
                }
                let [mut ours, mut others] = state.begin(optimizer, self.len).split_at(twin.middle);
                let [from_left, from_right] = &twin.gradients;
                let [to_right, to_left] = &mut twin.weights;
                let outcomes = both(
                    || left.update(network, &mut ours, right_share, (from_right, to_right)),
                    || right.update(theirs, &mut others, left_share, (from_left, to_left)),
                );
                outcomes.0.and(outcomes.1)?;
                [ours.finite, others.finite]
            }
        };
        state.end(finite);
        Ok([left.sums, right.sums].into_iter().sum())
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
    use dfdx::prelude::{Const, Cpu, TensorFromVec};

    use super::*;
    use crate::init::GlorotUniform;
    use crate::kernels::Isa;
    use crate::layers::{Flatten, Linear};
    use crate::network::{Network, CLASSES, PIXELS};
    use crate::LeNet5;

    #[test]
    fn the_network_is_cut_where_a_row_begins() {
        let tensor = |range, row, work| Tensor { range, row, work };
        // 100 + 3 * 900 are 2,800 in all. Of the half, 1,300 are left for the second tensor: 433 numbers, or 14 rows.
        let tensors = [tensor(0..100, 5, 1), tensor(100..1000, 30, 3)];
        assert_eq!(middle(&tensors), 520);
        assert_eq!(middle(&tensors[..1]), 50);
        assert_eq!(middle(&[]), 0);
    }

    /// The bits of the gradients of a batch's left half, its loss and hits, where another thread is so early that it
    /// takes so many parts.
    fn left_half<N: Network>(
        mut network: N,
        batch: usize,
        taken: usize,
    ) -> (Vec<Vec<u32>>, f64, f32) {
        let numbers = |len: usize, at: usize| (at * 37 % len) as f32 / len as f32;
        let pixels = Vec::from_iter((0..batch * PIXELS).map(|at| numbers(251, at)));
        let targets = Vec::from_iter((0..batch * CLASSES).map(|at| numbers(CLASSES, at)));
        let dev = Cpu::default();
        let data = Data::from((
            &dev.tensor_from_vec(pixels, (batch, Const::<1>, Const::<28>, Const::<28>)),
            &dev.tensor_from_vec(targets, (batch, Const::<10>)),
        ));
        let lesson = Lesson {
            data: &data,
            chosen: &Vec::from_iter(0..batch),
            next: &[],
            draw: &|image, copy, _| copy.copy_from_slice(image),
        };
        let network: &mut dyn Learner = &mut network;
        network.leave_factors(lesson.factors());
        let mut twin = network.twin().expect("a twin");
        twin.leave_factors(lesson.factors());

        let mut asides = [Asides::new(), Asides::new()];
        let [left_asides, right_asides] = &mut asides;
        let [left, right] = lesson.shares();
        let parts = [
            Parts::new(left.parts(), left_asides),
            Parts::new(right.parts(), right_asides),
        ];
        for _ in 0..taken {
            assert!(parts[0].help_with_last(1, &*twin, &lesson));
        }
        let mut half = Half::new(0, 0..0, 0..0);
        half.learn(network, &lesson, &parts).expect("to learn");
        half.add([network, &*twin], &parts).expect("to add");
        let mut bits = Vec::new();
        let gradients = [half.gradients(), None];
        network
            .tensors()
            .each_gradient(ALL, gradients, &mut |[gradients, _]| {
                let gradients = gradients.expect("gradients");
                bits.push(gradients.iter().map(|number| number.to_bits()).collect());
            })
            .expect("gradients");
        (bits, half.sums.loss, half.sums.score().accuracy)
    }

    #[test]
    fn whoever_learns_from_a_part_no_bit_changes() {
        fn check(network: impl Network, batch: usize, parts: usize) {
            let alone = left_half(network.clone(), batch, 0);
            assert!(alone.0.iter().flatten().any(|bits| *bits != 0));
            for taken in 1..=parts {
                let helped = left_half(network.clone(), batch, taken);
                assert!(alone == helped, "{batch} images, {taken} parts taken");
            }
        }
        for (batch, parts) in [(17, 1), (100, 3), (128, 3), (600, 10)] {
            // One that does not sum up what a part adds, and one that does.
            check(
                <(Flatten, Linear<784, 10>)>::glorot_uniform(1),
                batch,
                parts,
            );
            for isa in Isa::available() {
                let mut network = LeNet5::glorot_uniform(1);
                network.0.set_isa(isa);
                network.1.set_isa(isa);
                network.3.set_isa(isa);
                network.4.set_isa(isa);
                network.5.set_isa(isa);
                check(network, batch, parts);
            }
        }
    }

    #[test]
    fn the_last_part_of_a_half_is_small() {
        for len in 0..3000 {
            let images = Vec::from_iter(0..len);
            let share = Share {
                images: &images,
                next: &[],
            };
            let parts = share.parts();
            assert_eq!(parts.concat(), images);
            assert!(parts.iter().all(|part| (1..=PART).contains(&part.len())));
            let last = parts.last().map_or(0, |part| part.len());
            assert!(
                last <= (len / LAST + FULL).min(PART) || len <= PART,
                "{len}"
            );
        }
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
                // Half a vector from the middle, and one image more on one side of it where the number is odd.
                assert!(left.len().abs_diff(right.len()) <= FULL + 1, "{len}");
            }
        }
    }
}
