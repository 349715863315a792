//! The plain convolution, for any filter size and image size: a multiply-add for each tap of each
//! output.

use super::{BackwardBlock, ForwardBlock, Shape};
use crate::kernels::isa::Kernel;
use crate::kernels::simd::Simd;
use crate::kernels::tanh::tanh;

/// Filters whose weights' gradients are summed at once.
const FILTERS: usize = 4;

/// See [`super::forward`].
pub(crate) struct Forward(pub(crate) ForwardBlock);

impl Kernel for Forward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (height, width) = self.0.shape.pooled();
        let len = self.0.shape.input_len() * S::LANES;
        std::ptr::copy_nonoverlapping(self.0.x, self.0.values, len);
        for filter in 0..self.0.shape.outputs {
            for y in 0..height {
                for x in 0..width {
                    let at = (filter * height + y) * width + x;
                    self.window::<S>(filter, (2 * y, 2 * x), at);
                }
            }
        }
    }
}

impl Forward {
    /// The pooling window `at`, whose first position is (`y`, `x`).
    #[inline(always)]
    unsafe fn window<S: Simd>(&self, filter: usize, (y, x): (usize, usize), at: usize) {
        let shape = self.0.shape;
        let mut values = [S::splat(*self.0.bias.add(filter)); 4];
        let mut weight = self.0.factors.add(filter * shape.weights_per_filter());
        for channel in 0..shape.inputs {
            for tap_y in 0..shape.kernel {
                let row = (channel * shape.height + y + tap_y) * shape.width + x;
                let row = self.0.x.add(row * S::LANES);
                for tap_x in 0..shape.kernel {
                    let factor = S::splat(*weight);
                    for (i, value) in values.iter_mut().enumerate() {
                        let pixel = row.add((i / 2 * shape.width + i % 2 + tap_x) * S::LANES);
                        *value = S::load(pixel).fma(factor, *value);
                    }
                    weight = weight.add(1);
                }
            }
        }
        if shape.bending {
            values = tanh(values);
        }
        for (i, value) in values.into_iter().enumerate() {
            value.store(self.0.activations.add((4 * at + i) * S::LANES));
        }
        let [a, b, c, d] = values;
        let mean = a.add(b).add(c.add(d)).mul(S::splat(0.25));
        mean.store(self.0.pooled.add(at * S::LANES));
    }
}

/// Numbers of working memory that [`Backward`] needs for each lane.
pub(crate) fn backward_len(shape: &Shape) -> usize {
    4 * shape.output_len()
}

/// See [`super::backward`]; the scratch holds the gradient before tanh, `[filter][row][column]`.
pub(crate) struct Backward(pub(crate) BackwardBlock);

impl Kernel for Backward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for filter in 0..self.0.shape.outputs {
            self.before_tanh::<S>(filter);
        }
        let mut filter = 0;
        while filter < self.0.shape.outputs {
            filter += match self.0.shape.outputs - filter {
                FILTERS.. => self.weight_gradients::<S, FILTERS>(filter),
                _ => self.weight_gradients::<S, 1>(filter),
            };
        }
        if let Some((factors, to)) = self.0.x_gradient {
            self.input_gradient::<S>(factors, to);
        }
    }
}

impl Backward {
    /// Undoes pooling (a quarter to each of four) and tanh (times `1 - a^2`) of a filter, and sums the
    /// bias' gradient on the way.
    #[inline(always)]
    unsafe fn before_tanh<S: Simd>(&self, filter: usize) {
        let (height, width) = self.0.shape.pooled();
        let (one, quarter) = (S::splat(1.0), S::splat(0.25));
        let mut sum = S::splat(0.0);
        for y in 0..height {
            for x in 0..width {
                let at = (filter * height + y) * width + x;
                let share = S::load(self.0.pooled.add(at * S::LANES)).mul(quarter);
                for i in 0..4 {
                    let mut value = share;
                    if self.0.shape.bending {
                        let a = S::load(self.0.activations.add((4 * at + i) * S::LANES));
                        value = share.mul(a.fnma(a, one));
                    }
                    let row = (filter * height + y) * 2 + i / 2;
                    let place = (row * width + x) * 2 + i % 2;
                    value.store(self.0.scratch.add(place * S::LANES));
                    sum = sum.add(value);
                }
            }
        }
        *self.0.bias_gradient.add(filter) += sum.sum();
    }

    /// The gradients of all weights of `F` filters. Returns `F`.
    #[inline(always)]
    unsafe fn weight_gradients<S: Simd, const F: usize>(&self, filter: usize) -> usize {
        let shape = self.0.shape;
        let (height, width) = (2 * shape.pooled().0, 2 * shape.pooled().1);
        let per_filter = shape.weights_per_filter();
        let taps = shape.kernel * shape.kernel;
        for weight in 0..per_filter {
            let (channel, tap) = (weight / taps, weight % taps);
            let (tap_y, tap_x) = (tap / shape.kernel, tap % shape.kernel);
            let mut sums = [S::splat(0.0); F];
            for y in 0..height {
                let row = (channel * shape.height + y + tap_y) * shape.width + tap_x;
                for x in 0..width {
                    let pixel = S::load(self.0.values.add((row + x) * S::LANES));
                    for (f, sum) in sums.iter_mut().enumerate() {
                        let place = ((filter + f) * height + y) * width + x;
                        let gradient = S::load(self.0.scratch.add(place * S::LANES));
                        *sum = pixel.fma(gradient, *sum);
                    }
                }
            }
            for (f, sum) in sums.into_iter().enumerate() {
                let place = (filter + f) * per_filter + weight;
                *self.0.factor_gradient.add(place) += sum.sum();
            }
        }
        F
    }

    /// The input's gradient: each pixel gathers what its taps sent on.
    #[inline(always)]
    unsafe fn input_gradient<S: Simd>(&self, factors: *const f32, to: *mut f32) {
        let shape = self.0.shape;
        let kernel = shape.kernel;
        let (height, width) = (2 * shape.pooled().0, 2 * shape.pooled().1);
        // The taps through which a place of the input has reached one of `len` outputs.
        let taps =
            |place: usize, len: usize| (place + 1).saturating_sub(len)..kernel.min(place + 1);
        for at in 0..shape.input_len() {
            let (channel, y, x) = (
                at / (shape.height * shape.width),
                at / shape.width % shape.height,
                at % shape.width,
            );
            let mut sum = S::splat(0.0);
            for filter in 0..shape.outputs {
                for tap_y in taps(y, height) {
                    let weight = ((filter * shape.inputs + channel) * kernel + tap_y) * kernel;
                    let row = (filter * height + y - tap_y) * width;
                    for tap_x in taps(x, width) {
                        let factor = S::splat(*factors.add(weight + tap_x));
                        let gradient = self.0.scratch.add((row + x - tap_x) * S::LANES);
                        sum = S::load(gradient).fma(factor, sum);
                    }
                }
            }
            sum.store(to.add(at * S::LANES));
        }
    }
}
