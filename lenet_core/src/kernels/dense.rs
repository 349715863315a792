//! A dense layer, forward and backward, on a batch of images.
//!
//! Outputs and input gradients are computed for a block of images side by side: then every weight is one
//! number times one vector, and lies in the order in which it is read. The weights' gradient is a sum
//! over images, computed from the batch as it lies in its tensors.

use super::buffer::{Buffer, Pool};
use super::isa::{Isa, Kernel};
use super::simd::{Simd, MOST_LANES};
use super::tanh::tanh;
use super::transpose::{gather, scatter, scatter_add};

/// One layer: `y = x W^T + b`, or its tanh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Whether tanh follows.
    pub(crate) bending: bool,
}

/// The outputs of the batch `x`.
pub(crate) fn forward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
) -> Vec<f32> {
    let Shape {
        inputs, outputs, ..
    } = shape;
    assert!(x.len().is_multiple_of(inputs) && weight.len() == inputs * outputs);
    assert_eq!(bias.len(), outputs);
    let images = x.len() / inputs;
    let isa = isa.for_images(images);
    let lanes = isa.lanes();
    let mut x_block = pool.take(inputs * lanes);
    let mut y_block = pool.take(outputs * lanes);
    let mut y = Vec::with_capacity(images * outputs);
    let room = y.spare_capacity_mut()[..images * outputs].chunks_mut(outputs * lanes);
    for (x, y) in x.chunks(inputs * lanes).zip(room) {
        gather(isa, x, inputs, &mut x_block);
        let block = Outputs {
            shape,
            x: x_block.as_ptr(),
            weight: weight.as_ptr(),
            bias: bias.as_ptr(),
            y: y_block.as_mut_ptr(),
        };
        // SAFETY: weights and biases have the lengths just checked, the blocks those of their buffers.
        unsafe { isa.run(block) };
        scatter(isa, &y_block, outputs, y);
    }
    // SAFETY: the blocks are all of the first numbers, and `scatter` has written each.
    unsafe { y.set_len(images * outputs) };
    y
}

/// What [`backward`] adds a batch's gradients to.
pub(crate) struct BatchGradients<'a> {
    pub(crate) weight: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
    pub(crate) x: &'a mut [f32],
}

/// The gradients of [`forward`], which gave `y`, from that of its output, `dy`.
pub(crate) fn backward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    (x, weight, y): (&[f32], &[f32], &[f32]),
    dy: &[f32],
    gradients: BatchGradients<'_>,
) {
    let Shape {
        inputs, outputs, ..
    } = shape;
    assert!(x.len().is_multiple_of(inputs) && weight.len() == inputs * outputs);
    let images = x.len() / inputs;
    assert!(y.len() == images * outputs && dy.len() == y.len());
    assert!(gradients.weight.len() == weight.len() && gradients.bias.len() == outputs);
    assert_eq!(gradients.x.len(), x.len());
    let dz = before_activation(pool, shape, y, dy, gradients.bias);
    let isa = isa.for_images(images);
    let mut rest = pool.take(images * MOST_LANES);
    let sums = WeightGradient {
        shape,
        images,
        x: x.as_ptr(),
        dz: dz.as_ptr(),
        rest: rest.as_mut_ptr(),
        to: gradients.weight.as_mut_ptr(),
    };
    // SAFETY: all have the lengths just checked; `rest` has a vector for each image.
    unsafe { isa.run(sums) };

    let lanes = isa.lanes();
    let mut dz_block = pool.take(outputs * lanes);
    let mut dx_block = pool.take(inputs * lanes);
    let dx = gradients.x.chunks_mut(inputs * lanes);
    for (dz, dx) in dz.chunks(outputs * lanes).zip(dx) {
        gather(isa, dz, outputs, &mut dz_block);
        let block = InputGradient {
            shape,
            dz: dz_block.as_ptr(),
            weight: weight.as_ptr(),
            dx: dx_block.as_mut_ptr(),
        };
        // SAFETY: the weights have the length just checked, the blocks those of their buffers.
        unsafe { isa.run(block) };
        scatter_add(isa, pool, &dx_block, inputs, dx);
    }
}

/// The gradient before the activation: `dy (1 - y^2)` for tanh, else `dy`. Adds its sums over the
/// batch to the biases' gradient.
fn before_activation(pool: &Pool, shape: Shape, y: &[f32], dy: &[f32], bias: &mut [f32]) -> Buffer {
    let mut dz = pool.take(dy.len());
    dz.copy_from_slice(dy);
    if shape.bending {
        for (dz, y) in dz.iter_mut().zip(y) {
            *dz *= 1.0 - y * y;
        }
    }
    for row in dz.chunks_exact(shape.outputs) {
        for (sum, dz) in bias.iter_mut().zip(row) {
            *sum += dz;
        }
    }
    dz
}

/// The outputs of a block of images side by side.
struct Outputs {
    shape: Shape,
    x: *const f32,
    weight: *const f32,
    bias: *const f32,
    y: *mut f32,
}

impl Kernel for Outputs {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut output = 0;
        while output < self.shape.outputs {
            output += match self.shape.outputs - output {
                8.. if S::REGISTERS >= 16 => self.outputs::<S, 8>(output),
                4.. if S::REGISTERS >= 16 => self.outputs::<S, 4>(output),
                2.. => self.outputs::<S, 2>(output),
                _ => self.outputs::<S, 1>(output),
            };
        }
    }
}

impl Outputs {
    /// `R` outputs of all images. Returns `R`.
    #[inline(always)]
    unsafe fn outputs<S: Simd, const R: usize>(&self, output: usize) -> usize {
        let inputs = self.shape.inputs;
        let weight = self.weight.add(output * inputs);
        let mut sums = [S::splat(0.0); R];
        for input in 0..inputs {
            let x = S::load(self.x.add(input * S::LANES));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = x.fma(S::splat(*weight.add(r * inputs + input)), *sum);
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            let mut y = sum.add(S::splat(*self.bias.add(output + r)));
            if self.shape.bending {
                y = tanh(y);
            }
            y.store(self.y.add((output + r) * S::LANES));
        }
        R
    }
}

/// The input gradient of a block of images side by side.
struct InputGradient {
    shape: Shape,
    dz: *const f32,
    weight: *const f32,
    dx: *mut f32,
}

impl Kernel for InputGradient {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut input = 0;
        while input < self.shape.inputs {
            input += match self.shape.inputs - input {
                8.. if S::REGISTERS >= 16 => self.inputs::<S, 8>(input),
                4.. if S::REGISTERS >= 16 => self.inputs::<S, 4>(input),
                2.. => self.inputs::<S, 2>(input),
                _ => self.inputs::<S, 1>(input),
            };
        }
    }
}

impl InputGradient {
    /// The gradient for `R` inputs of all images. Returns `R`.
    #[inline(always)]
    unsafe fn inputs<S: Simd, const R: usize>(&self, input: usize) -> usize {
        let mut weight = self.weight.add(input);
        let mut sums = [S::splat(0.0); R];
        for output in 0..self.shape.outputs {
            let dz = S::load(self.dz.add(output * S::LANES));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = dz.fma(S::splat(*weight.add(r)), *sum);
            }
            weight = weight.wrapping_add(self.shape.inputs);
        }
        for (r, sum) in sums.into_iter().enumerate() {
            sum.store(self.dx.add((input + r) * S::LANES));
        }
        R
    }
}

/// Adds to the weights' gradient: `to[o, i] += sum over n of dz[n, o] * x[n, i]`.
struct WeightGradient {
    shape: Shape,
    images: usize,
    x: *const f32,
    dz: *const f32,
    /// Room for a vector of each image.
    rest: *mut f32,
    to: *mut f32,
}

impl Kernel for WeightGradient {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let inputs = self.shape.inputs;
        let mut input = 0;
        while input < inputs {
            let left = inputs - input;
            input += if left >= 2 * S::LANES {
                self.columns::<S, 2>(input, (self.x.add(input), inputs), 2 * S::LANES)
            } else if left >= S::LANES {
                self.columns::<S, 1>(input, (self.x.add(input), inputs), S::LANES)
            } else {
                // Fewer than a vector's: copied to vectors with zeros behind them.
                for n in 0..self.images {
                    let x = S::load_first(left, self.x.add(n * inputs + input));
                    x.store(self.rest.add(n * S::LANES));
                }
                self.columns::<S, 1>(input, (self.rest, S::LANES), left)
            };
        }
    }
}

impl WeightGradient {
    /// The gradient of all weights of the `count` inputs from `input` on, in `C` vectors; those of
    /// neighbouring images lie `x.1` apart. Returns `count`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const C: usize>(
        &self,
        input: usize,
        x: (*const f32, usize),
        count: usize,
    ) -> usize {
        let mut output = 0;
        while output < self.shape.outputs {
            let place = (output, input);
            output += match self.shape.outputs - output {
                8.. if S::REGISTERS >= 32 => self.tile::<S, 8, C>(place, x, count),
                6.. if S::REGISTERS >= 16 => self.tile::<S, 6, C>(place, x, count),
                4.. if S::REGISTERS >= 16 => self.tile::<S, 4, C>(place, x, count),
                2.. => self.tile::<S, 2, C>(place, x, count),
                _ => self.tile::<S, 1, C>(place, x, count),
            };
        }
        count
    }

    /// The gradient of the weights from `count` inputs to `R` outputs. Returns `R`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(
        &self,
        (output, input): (usize, usize),
        (mut x, step): (*const f32, usize),
        count: usize,
    ) -> usize {
        let Shape {
            inputs, outputs, ..
        } = self.shape;
        let mut dz = self.dz.add(output);
        let mut sums = [[S::splat(0.0); C]; R];
        for _ in 0..self.images {
            let mut values = [S::splat(0.0); C];
            for (c, value) in values.iter_mut().enumerate() {
                *value = S::load(x.add(c * S::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let dz = S::splat(*dz.add(r));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = value.fma(dz, *sum);
                }
            }
            x = x.wrapping_add(step);
            dz = dz.wrapping_add(outputs);
        }
        for (r, sums) in sums.into_iter().enumerate() {
            let to = self.to.add((output + r) * inputs + input);
            for (c, sum) in sums.into_iter().enumerate() {
                let (to, count) = (to.add(c * S::LANES), count - c * S::LANES);
                let count = count.min(S::LANES);
                S::load_first(count, to).add(sum).store_first(count, to);
            }
        }
        R
    }
}
