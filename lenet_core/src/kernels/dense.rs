//! A dense layer, forward and backward, on a batch of images.
//!
//! Outputs are computed for a block of images side by side: then every weight is one number times one vector, and
//! lies in the order in which it is read. The gradients of weights and input are products of matrices with the inputs
//! side by side, as they lie in their tensors.

use super::buffer::{Buffer, Pool};
use super::isa::{Isa, Kernel};
use super::simd::{Simd, MOST_LANES};
use super::tanh::tanh;
use super::transpose::{gather, scatter};

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
    let mut y = Vec::with_capacity(images * outputs);
    let room = y.spare_capacity_mut()[..images * outputs].chunks_mut(outputs * isa.lanes());
    for (x, y) in x.chunks(inputs * isa.lanes()).zip(room) {
        let few = x.len() <= inputs * isa.short().lanes();
        let isa = if few { isa.short() } else { isa };
        let mut x_block = pool.take(inputs * isa.lanes());
        let mut y_block = pool.take(outputs * isa.lanes());
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
    let mut rest = pool.take(images.max(outputs) * MOST_LANES);
    let products = [
        AddProduct {
            terms: images,
            a: (dz.as_ptr(), outputs, 1),
            rows: outputs,
            b: x.as_ptr(),
            columns: inputs,
            rest: rest.as_mut_ptr(),
            to: gradients.weight.as_mut_ptr(),
        },
        AddProduct {
            terms: outputs,
            a: (dz.as_ptr(), 1, outputs),
            rows: images,
            b: weight.as_ptr(),
            columns: inputs,
            rest: rest.as_mut_ptr(),
            to: gradients.x.as_mut_ptr(),
        },
    ];
    for product in products {
        // SAFETY: all have the lengths just checked; `rest` has a vector for each term.
        unsafe { isa.run(product) };
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
        for (r, sum) in sums.iter_mut().enumerate() {
            *sum = sum.add(S::splat(*self.bias.add(output + r)));
        }
        if self.shape.bending {
            sums = tanh(sums);
        }
        for (r, y) in sums.into_iter().enumerate() {
            y.store(self.y.add((output + r) * S::LANES));
        }
        R
    }
}

/// Adds a product of matrices: `to[r, c] += sum over t of a[t, r] * b[t, c]`. The columns lie side by side in `b` and
/// `to`, row by row.
struct AddProduct {
    terms: usize,
    /// Where the first is, how far it is from there to the next term's, and to the next row's.
    a: (*const f32, usize, usize),
    rows: usize,
    b: *const f32,
    columns: usize,
    /// Room for a vector of each term.
    rest: *mut f32,
    to: *mut f32,
}

impl Kernel for AddProduct {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let columns = self.columns;
        let mut column = 0;
        while column < columns {
            let left = columns - column;
            let b = (self.b.add(column), columns);
            column += if left >= 2 * S::LANES {
                self.columns::<S, 2>(column, b, 2 * S::LANES)
            } else if left >= S::LANES {
                self.columns::<S, 1>(column, b, S::LANES)
            } else {
                // Fewer than a vector's: copied to vectors with zeros behind them.
                for t in 0..self.terms {
                    let b = S::load_first(left, b.0.add(t * columns));
                    b.store(self.rest.add(t * S::LANES));
                }
                self.columns::<S, 1>(column, (self.rest, S::LANES), left)
            };
        }
    }
}

impl AddProduct {
    /// All rows of the `count` columns from `column` on, in `C` vectors; those of neighbouring terms lie
    /// `b.1` apart. Returns `count`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const C: usize>(
        &self,
        column: usize,
        b: (*const f32, usize),
        count: usize,
    ) -> usize {
        let mut row = 0;
        while row < self.rows {
            let place = (row, column);
            row += match self.rows - row {
                8.. if S::REGISTERS >= 32 => self.tile::<S, 8, C>(place, b, count),
                6.. if S::REGISTERS >= 16 => self.tile::<S, 6, C>(place, b, count),
                4.. if S::REGISTERS >= 16 => self.tile::<S, 4, C>(place, b, count),
                2.. => self.tile::<S, 2, C>(place, b, count),
                _ => self.tile::<S, 1, C>(place, b, count),
            };
        }
        count
    }

    /// `count` columns of `R` rows. Returns `R`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(
        &self,
        (row, column): (usize, usize),
        (mut b, step): (*const f32, usize),
        count: usize,
    ) -> usize {
        let (a, next_term, next_row) = self.a;
        let mut a = a.add(row * next_row);
        let mut sums = [[S::splat(0.0); C]; R];
        for _ in 0..self.terms {
            let mut values = [S::splat(0.0); C];
            for (c, value) in values.iter_mut().enumerate() {
                *value = S::load(b.add(c * S::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = S::splat(*a.add(r * next_row));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = value.fma(factor, *sum);
                }
            }
            a = a.wrapping_add(next_term);
            b = b.wrapping_add(step);
        }
        for (r, sums) in sums.into_iter().enumerate() {
            let to = self.to.add((row + r) * self.columns + column);
            for (c, sum) in sums.into_iter().enumerate() {
                let (to, count) = (to.add(c * S::LANES), count - c * S::LANES);
                let count = count.min(S::LANES);
                S::load_first(count, to).add(sum).store_first(count, to);
            }
        }
        R
    }
}
