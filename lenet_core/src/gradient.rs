//! Gradients of neighbouring weights of a tensor: a number for each, or the factors of a product.

use std::ops::Range;

use crate::kernels::buffer::Pool;
use crate::kernels::dense::Factors;
use crate::kernels::Isa;

/// Numbers of a product that are taken at once, about so many: they stay in the nearest caches until they are used.
const AT_ONCE: usize = 6144;

/// Something from each half of a batch, the left one first, if it has it.
pub(crate) type Halves<T> = [Option<T>; 2];

/// The gradients of some neighbouring weights.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gradient<'a> {
    /// A number for each.
    Numbers(&'a [f32]),
    /// The rows of a product from this one on.
    Factors(Factors<'a>, usize),
}

impl<'a> Gradient<'a> {
    /// Of the weights `here` in a tensor of such `[rows, columns]`, all of whose gradients lie in `all`, or their factors.
    pub(crate) fn of(all: &'a [f32], [rows, columns]: [usize; 2], here: Range<usize>) -> Self {
        if all.len() == rows * columns {
            return Self::Numbers(&all[here]);
        }
        let factors = Factors {
            inputs: columns,
            outputs: rows,
            numbers: all,
        };
        Self::Factors(factors, here.start / columns)
    }
}

/// Neighbouring weights of a tensor: whole rows of it.
pub(crate) struct Stretch<'a> {
    /// The number of the first, among all weights of the network.
    pub(crate) at: usize,
    /// The tensor's axes, and the numbers of a row, its last axis.
    pub(crate) axes: usize,
    pub(crate) row: usize,
    pub(crate) weights: &'a mut [f32],
    /// Their gradients, if they are wanted: the sum of those.
    pub(crate) gradients: Halves<Gradient<'a>>,
}

impl<'a> Stretch<'a> {
    /// Has the gradients of the other half of the batch come, with so many images: those of `half`, which are of the same
    /// kind as those that are there. `next` gives the next numbers that came.
    pub(crate) fn receive(
        &mut self,
        half: usize,
        images: usize,
        next: impl FnOnce(usize) -> &'a [f32],
    ) {
        self.gradients[half] = Some(match self.gradients[1 - half] {
            Some(Gradient::Factors(factors, first)) => {
                let numbers = next(factors.len(images));
                Gradient::Factors(Factors { numbers, ..factors }, first)
            }
            _ => Gradient::Numbers(next(self.weights.len())),
        });
    }

    /// Visits the weights, with numbers whose sums are their gradients. The first argument is the number of the first one.
    pub(crate) fn each_in_numbers(
        &mut self,
        isa: Isa,
        pool: &Pool,
        mut visit: impl FnMut(usize, &mut [f32], Halves<&[f32]>),
    ) {
        let joined;
        let (factors, first) = match self.gradients {
            [Some(Gradient::Factors(left, first)), Some(Gradient::Factors(right, _))] => {
                joined = left.join(&right, pool);
                let numbers = &*joined;
                (Factors { numbers, ..left }, first)
            }
            [Some(Gradient::Factors(factors, first)), None]
            | [None, Some(Gradient::Factors(factors, first))] => (factors, first),
            halves => {
                let numbers = halves.map(|half| match half {
                    Some(Gradient::Numbers(numbers)) => Some(numbers),
                    _ => None,
                });
                return visit(self.at, self.weights, numbers);
            }
        };
        let rows = (AT_ONCE / self.row).max(1);
        let mut sums = pool.take(rows * self.row);
        let blocks = self.weights.chunks_mut(rows * self.row);
        for (block, weights) in blocks.enumerate() {
            let sums = &mut sums[..weights.len()];
            factors.multiply(isa, pool, first + block * rows, sums);
            visit(
                self.at + block * rows * self.row,
                weights,
                [Some(sums), None],
            );
        }
    }
}
