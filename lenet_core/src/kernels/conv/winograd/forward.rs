//! From a block of images to activations and pooled maps.

use super::points::{outputs_from_points, Points};
use super::{Shape, POINTS, ROWS, TAPS, TILE};
use crate::kernels::conv::ForwardBlock;
use crate::kernels::isa::Kernel;
use crate::kernels::simd::Simd;
use crate::kernels::tanh::tanh;

/// Filters that the forward pass computes at once, at most.
const FILTERS: usize = 6;

/// Numbers of working memory that [`Forward`] needs for each lane.
pub(crate) fn forward_len(_: &Shape) -> usize {
    FILTERS * POINTS * ROWS
}

/// See [`forward`](crate::kernels::conv::forward).
pub(crate) struct Forward(pub(crate) ForwardBlock);

impl Kernel for Forward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        S::call(Points {
            shape: self.0.shape,
            x: self.0.x,
            points: self.0.values,
        });
        let mut filter = 0;
        while filter < self.0.shape.outputs {
            let left = self.0.shape.outputs - filter;
            filter += if S::REGISTERS >= 32 {
                match left {
                    6.. => self.filters::<S, 6, 4>(filter),
                    4.. => self.filters::<S, 4, 4>(filter),
                    2.. => self.filters::<S, 2, 4>(filter),
                    _ => self.filters::<S, 1, 4>(filter),
                }
            } else {
                match left {
                    6.. if S::FILTERS >= 6 => self.filters::<S, 6, 2>(filter),
                    4.. if S::FILTERS >= 4 => self.filters::<S, 4, 2>(filter),
                    2.. => self.filters::<S, 2, 2>(filter),
                    _ => self.filters::<S, 1, 2>(filter),
                }
            };
        }
    }
}

impl Forward {
    /// `F` filters over the whole image, `R` rows of a tile of columns at a time: first the products,
    /// then sums, tanh and pooling. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize, const R: usize>(&self, filter: usize) -> usize {
        for t in 0..self.0.shape.tiles() {
            for y in (0..self.0.shape.rows()).step_by(R) {
                let place = (filter, t, y);
                S::call(Products::<F, R>(self, place));
                S::call(Bend::<F, R>(self, place));
            }
        }
        F
    }
}

/// The outputs' values at the points: `[filter][p][row]` for `F` filters and `R` rows of a tile.
struct Products<'a, const F: usize, const R: usize>(&'a Forward, (usize, usize, usize));

impl<const F: usize, const R: usize> Kernel for Products<'_, F, R> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self(forward, (filter, t, y)) = self;
        let shape = forward.0.shape;
        let (height, tiles) = (shape.height, shape.tiles());
        let to = forward.0.scratch;
        let mut factors = forward.0.factors.add(filter);
        for p in 0..POINTS {
            let mut sums = [[S::splat(0.0); R]; F];
            for channel in 0..shape.inputs {
                let column = (channel * POINTS + p) * tiles + t;
                let column = forward.0.values.add((column * height + y) * S::LANES);
                for tap in 0..TAPS {
                    let mut values = [S::splat(0.0); R];
                    for (r, value) in values.iter_mut().enumerate() {
                        *value = S::load(column.add((tap + r) * S::LANES));
                    }
                    for (f, sums) in sums.iter_mut().enumerate() {
                        let factor = S::splat(*factors.add(f));
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum = value.fma(factor, *sum);
                        }
                    }
                    factors = factors.add(shape.outputs);
                }
            }
            for (f, sums) in sums.into_iter().enumerate() {
                for (r, sum) in sums.into_iter().enumerate() {
                    sum.store(to.add(((f * POINTS + p) * R + r) * S::LANES));
                }
            }
        }
    }
}

/// From the products to activations and pooled output, for `F` filters and `R` rows of a tile.
struct Bend<'a, const F: usize, const R: usize>(&'a Forward, (usize, usize, usize));

impl<const F: usize, const R: usize> Kernel for Bend<'_, F, R> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self(forward, (filter, t, y)) = self;
        let shape = forward.0.shape;
        let (height, width) = shape.pooled();
        let products = forward.0.scratch.cast_const();
        for f in 0..F {
            let bias = S::splat(*forward.0.bias.add(filter + f));
            for r in (0..R).step_by(2) {
                let from = products.add((f * POINTS * R + r) * S::LANES);
                let top = outputs_from_points::<S>(from, R * S::LANES);
                let bottom = outputs_from_points::<S>(from.add(S::LANES), R * S::LANES);
                let window = ((filter + f) * height + (y + r) / 2) * width + t * TILE / 2;
                for i in 0..TILE / 2 {
                    let mut values = [top[2 * i], top[2 * i + 1], bottom[2 * i], bottom[2 * i + 1]];
                    for value in &mut values {
                        *value = value.add(bias);
                    }
                    if shape.bending {
                        values = tanh(values);
                    }
                    let place = forward.0.shape.window(filter + f, t, (y + r) / 2) + i;
                    let to = forward.0.activations.add(4 * place * S::LANES);
                    for (j, value) in values.into_iter().enumerate() {
                        value.store(to.add(j * S::LANES));
                    }
                    let [a, b, c, d] = values;
                    let mean = a.add(b).add(c.add(d)).mul(S::splat(0.25));
                    mean.store(forward.0.pooled.add((window + i) * S::LANES));
                }
            }
        }
    }
}
