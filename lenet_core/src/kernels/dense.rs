//! A dense layer, forward and backward, on a batch of images.
//!
//! Outputs are computed for a block of images side by side: then every weight is one number times one vector, and
//! lies in the order in which it is read. Few images would leave most of a block empty: they are computed one by one,
//! with inputs and weights side by side, as they lie in their tensors. The gradients of weights and input are products
//! of matrices with the inputs side by side, too.

use std::mem::MaybeUninit;

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
    let (mut x, mut room) = (x, &mut y.spare_capacity_mut()[..images * outputs]);
    while !x.is_empty() {
        let left = x.len() / inputs;
        let block = [isa, isa.short()]
            .into_iter()
            .find(|isa| enough(left, *isa));
        let images = block.map_or(left, |isa| left.min(isa.lanes()));
        let x = x.split_off(..images * inputs).unwrap_or_default();
        let y = room.split_off_mut(..images * outputs).unwrap_or_default();
        match block {
            Some(isa) => side_by_side(isa, pool, shape, x, (weight, bias), y),
            None => one_by_one(isa, pool, shape, x, (weight, bias), y),
        }
    }
    // SAFETY: the images' outputs are all of the first numbers, and each was written.
    unsafe { y.set_len(images * outputs) };
    y
}

/// Whether so many images fill a block well: more than three quarters of it, or half of a short one.
fn enough(images: usize, isa: Isa) -> bool {
    let lanes = isa.lanes();
    let few = if isa == isa.short() {
        lanes / 2
    } else {
        lanes / 4 * 3
    };
    images > few
}

/// The outputs of a block of images.
fn side_by_side(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    y: &mut [MaybeUninit<f32>],
) {
    let mut x_block = pool.take(shape.inputs * isa.lanes());
    let mut y_block = pool.take(shape.outputs * isa.lanes());
    gather(isa, x, shape.inputs, &mut x_block);
    let block = Outputs {
        shape,
        x: x_block.as_ptr(),
        weight: weight.as_ptr(),
        bias: bias.as_ptr(),
        y: y_block.as_mut_ptr(),
    };
    // SAFETY: `forward` has checked the weights' and biases' lengths; the blocks have those of their buffers.
    unsafe { isa.run(block) };
    scatter(isa, &y_block, shape.outputs, y);
}

/// The outputs of a few images, as they lie in their tensor.
fn one_by_one(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    y: &mut [MaybeUninit<f32>],
) {
    let lanes = isa.lanes();
    let mut sums = pool.take(shape.outputs.next_multiple_of(lanes) * lanes);
    for (x, y) in x
        .chunks_exact(shape.inputs)
        .zip(y.chunks_exact_mut(shape.outputs))
    {
        let image = Image {
            shape,
            x: x.as_ptr(),
            weight: weight.as_ptr(),
            bias: bias.as_ptr(),
            sums: sums.as_mut_ptr(),
            y: y.as_mut_ptr().cast(),
        };
        // SAFETY: `forward` has checked the lengths; `sums` has a vector for each output, and whole vectors of them.
        unsafe { isa.run(image) };
    }
}

/// What [`backward`] adds a batch's gradients to.
pub(crate) struct BatchGradients<'a> {
    pub(crate) weight: WeightGradient<'a>,
    pub(crate) bias: &'a mut [f32],
    pub(crate) x: &'a mut [f32],
}

/// Where the weights' gradient goes.
pub(crate) enum WeightGradient<'a> {
    /// It is added to what is there.
    Sum(&'a mut [f32]),
    /// Its [`Factors`] take the place of what is there.
    Factors(&'a mut Vec<f32>),
}

/// The gradient of a layer's weights, `dz^T x`, before the product is taken: `[image][output]`, the gradient before
/// the activation, and behind it `[image][input]`. Of few images they are fewer numbers than the layer has weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors<'a> {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) numbers: &'a [f32],
}

impl Factors<'_> {
    /// Numbers of the factors for so many images.
    pub(crate) fn len(&self, images: usize) -> usize {
        images * (self.inputs + self.outputs)
    }

    /// The factors for these images and then the `other` ones.
    pub(crate) fn join(&self, other: &Self, pool: &Pool) -> Buffer {
        let mut joined = pool.take(self.numbers.len() + other.numbers.len());
        let parts = [self.parts(), other.parts()];
        let [dz, x] = [parts.map(|(dz, _)| dz), parts.map(|(_, x)| x)];
        let mut left = &mut joined[..];
        for part in dz.into_iter().chain(x) {
            let here = left.split_off_mut(..part.len());
            here.unwrap_or_default().copy_from_slice(part);
        }
        joined
    }

    /// Both factors.
    fn parts(&self) -> (&[f32], &[f32]) {
        let images = self.numbers.len() / self.len(1);
        assert_eq!(self.numbers.len(), self.len(images));
        self.numbers.split_at(images * self.outputs)
    }

    /// Writes the product's rows from that of the output `first` on, as many as there is room for.
    pub(crate) fn multiply(&self, isa: Isa, pool: &Pool, first: usize, to: &mut [f32]) {
        let size = (self.inputs, self.outputs);
        multiply(isa, pool, size, self.parts(), first, (to, Start::Zero));
    }
}

/// Rows of `dz^T x` from that of the output `first` on, as many as there is room for.
fn multiply(
    isa: Isa,
    pool: &Pool,
    (inputs, outputs): (usize, usize),
    (dz, x): (&[f32], &[f32]),
    first: usize,
    (to, start): (&mut [f32], Start),
) {
    let (images, rows) = (x.len() / inputs, to.len() / inputs);
    assert!(x.len() == images * inputs && dz.len() == images * outputs);
    assert!(to.len() == rows * inputs && first + rows <= outputs);
    let mut rest = pool.take(images * MOST_LANES);
    let product = Product {
        terms: images,
        a: (dz.as_ptr().wrapping_add(first), outputs, 1),
        rows,
        b: x.as_ptr(),
        columns: inputs,
        rest: rest.as_mut_ptr(),
        start,
        to: to.as_mut_ptr(),
    };
    // SAFETY: all have the lengths just checked; `rest` has a vector for each term.
    unsafe { isa.run(product) };
}

impl Shape {
    /// Whether the [`Factors`] of so many images are fewer numbers than the weights.
    pub(crate) fn factors_are_fewer(&self, images: usize) -> bool {
        images * (self.inputs + self.outputs) < self.inputs * self.outputs
    }
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
    assert!(gradients.bias.len() == outputs && gradients.x.len() == x.len());
    let dz = before_activation(pool, shape, y, dy, gradients.bias);
    match gradients.weight {
        WeightGradient::Factors(to) => {
            to.clear();
            to.extend_from_slice(&dz);
            to.extend_from_slice(x);
        }
        WeightGradient::Sum(to) => {
            assert_eq!(to.len(), weight.len());
            let size = (inputs, outputs);
            multiply(isa, pool, size, (&dz, x), 0, (to, Start::There));
        }
    }
    let mut rest = pool.take(outputs * MOST_LANES);
    let product = Product {
        terms: outputs,
        a: (dz.as_ptr(), 1, outputs),
        rows: images,
        b: weight.as_ptr(),
        columns: inputs,
        rest: rest.as_mut_ptr(),
        start: Start::There,
        to: gradients.x.as_mut_ptr(),
    };
    // SAFETY: all have the lengths checked above; `rest` has a vector for each term.
    unsafe { isa.run(product) };
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
    let mut sums = vec![0.0; shape.outputs];
    for row in dz.chunks_exact(shape.outputs) {
        for (sum, dz) in sums.iter_mut().zip(row) {
            *sum += dz;
        }
    }
    for (bias, sum) in bias.iter_mut().zip(sums) {
        *bias += sum;
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

/// The outputs of one image, whose inputs lie side by side, as each output's weights do.
struct Image {
    shape: Shape,
    x: *const f32,
    weight: *const f32,
    bias: *const f32,
    /// A vector for each output, whose lanes are summed in the end.
    sums: *mut f32,
    y: *mut f32,
}

impl Kernel for Image {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let outputs = self.shape.outputs;
        let mut output = 0;
        while output < outputs {
            output += match outputs - output {
                8.. if S::REGISTERS >= 16 => self.products::<S, 8>(output),
                4.. => self.products::<S, 4>(output),
                _ => self.products::<S, 1>(output),
            };
        }
        for output in (0..outputs).step_by(S::LANES) {
            let count = S::LANES.min(outputs - output);
            let sum = S::sums(self.sums.add(output * S::LANES));
            let mut y = [sum.add(S::load_first(count, self.bias.add(output)))];
            if self.shape.bending {
                y = tanh(y);
            }
            y[0].store_first(count, self.y.add(output));
        }
    }
}

impl Image {
    /// The products of the inputs with the weights of `R` outputs, summed lane by lane. Returns `R`.
    #[inline(always)]
    unsafe fn products<S: Simd, const R: usize>(&self, output: usize) -> usize {
        let inputs = self.shape.inputs;
        let weight = self.weight.add(output * inputs);
        let whole = inputs - inputs % S::LANES;
        let mut sums = [S::splat(0.0); R];
        for input in (0..whole).step_by(S::LANES) {
            let x = S::load(self.x.add(input));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = x.fma(S::load(weight.add(r * inputs + input)), *sum);
            }
        }
        if whole < inputs {
            let count = inputs - whole;
            let x = S::load_first(count, self.x.add(whole));
            for (r, sum) in sums.iter_mut().enumerate() {
                let weight = S::load_first(count, weight.add(r * inputs + whole));
                *sum = x.fma(weight, *sum);
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            sum.store(self.sums.add((output + r) * S::LANES));
        }
        R
    }
}

/// With what the sums of a product begin.
#[derive(Clone, Copy)]
enum Start {
    Zero,
    /// What stands where they go.
    There,
}

/// A product of matrices: `to[r, c]` is the sum over `t` of `a[t, r] * b[t, c]`, or is increased by it. The columns lie side
/// by side in `b` and `to`, row by row.
struct Product {
    terms: usize,
    /// Where the first is, how far it is from there to the next term's, and to the next row's.
    a: (*const f32, usize, usize),
    rows: usize,
    b: *const f32,
    columns: usize,
    /// Room for a vector of each term.
    rest: *mut f32,
    start: Start,
    to: *mut f32,
}

/// How rows are cut into tiles of nearly the same height: few sums would wait for themselves.
#[derive(Clone, Copy)]
struct Heights {
    tiles: usize,
    /// Rows of a tile, and how many tiles, the first ones, have one more.
    least: usize,
    higher: usize,
}

impl Heights {
    fn of(rows: usize, most: usize) -> Self {
        let tiles = rows.div_ceil(most);
        Self {
            tiles,
            least: rows / tiles.max(1),
            higher: rows % tiles.max(1),
        }
    }
}

impl Kernel for Product {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let most = match S::REGISTERS {
            32.. => 8,
            16.. => 6,
            _ => 2,
        };
        let heights = Heights::of(self.rows, most);
        let columns = self.columns;
        let mut column = 0;
        while column < columns {
            let left = columns - column;
            let b = (self.b.add(column), columns);
            column += if left >= 2 * S::LANES {
                self.columns::<S, 2>(heights, column, b, 2 * S::LANES)
            } else if left >= S::LANES {
                self.columns::<S, 1>(heights, column, b, S::LANES)
            } else {
                // Fewer than a vector's: copied to vectors with zeros behind them.
                for t in 0..self.terms {
                    let b = S::load_first(left, b.0.add(t * columns));
                    b.store(self.rest.add(t * S::LANES));
                }
                self.columns::<S, 1>(heights, column, (self.rest, S::LANES), left)
            };
        }
    }
}

impl Product {
    /// All rows of the `count` columns from `column` on, in `C` vectors; those of neighbouring terms lie
    /// `b.1` apart. Returns `count`.
    #[inline(always)]
    unsafe fn columns<S: Simd, const C: usize>(
        &self,
        heights: Heights,
        column: usize,
        b: (*const f32, usize),
        count: usize,
    ) -> usize {
        let mut row = 0;
        for tile in 0..heights.tiles {
            let place = (row, column);
            row += match heights.least + usize::from(tile < heights.higher) {
                8 if S::REGISTERS >= 32 => self.tile::<S, 8, C>(place, b, count),
                7 if S::REGISTERS >= 32 => self.tile::<S, 7, C>(place, b, count),
                6 if S::REGISTERS >= 16 => self.tile::<S, 6, C>(place, b, count),
                5 if S::REGISTERS >= 16 => self.tile::<S, 5, C>(place, b, count),
                4 if S::REGISTERS >= 16 => self.tile::<S, 4, C>(place, b, count),
                3 if S::REGISTERS >= 16 => self.tile::<S, 3, C>(place, b, count),
                2 => self.tile::<S, 2, C>(place, b, count),
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
                let sum = match self.start {
                    Start::Zero => sum,
                    Start::There => S::load_first(count, to).add(sum),
                };
                sum.store_first(count, to);
            }
        }
        R
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::numbers;

    #[test]
    fn factors_give_the_same_gradient_row_by_row() {
        let pool = Pool::default();
        for isa in Isa::available() {
            for (inputs, outputs, images) in [(256, 120, 9), (120, 84, 1), (5, 7, 3), (84, 10, 20)]
            {
                let shape = Shape {
                    inputs,
                    outputs,
                    bending: true,
                };
                let (x, weight) = (numbers(images * inputs), numbers(outputs * inputs));
                let (y, dy) = (numbers(images * outputs), numbers(2 * images * outputs));
                let backward = |to: WeightGradient<'_>| {
                    let (mut bias, mut dx) = (vec![0.0; outputs], vec![0.0; x.len()]);
                    let gradients = BatchGradients {
                        weight: to,
                        bias: &mut bias,
                        x: &mut dx,
                    };
                    let dy = &dy[images * outputs..];
                    backward(isa, &pool, shape, (&x, &weight, &y), dy, gradients);
                    (bias, dx)
                };
                let mut sum = vec![0.0; weight.len()];
                let mut left = vec![1.0; weight.len()];
                let others = backward(WeightGradient::Sum(&mut sum));
                assert_eq!(backward(WeightGradient::Factors(&mut left)), others);
                assert_eq!(left.len(), images * (inputs + outputs));
                let factors = Factors {
                    inputs,
                    outputs,
                    numbers: &left,
                };
                // What stands there before is not to count.
                let mut product = vec![f32::NAN; weight.len()];
                for (block, rows) in product.chunks_mut(3 * inputs).enumerate() {
                    factors.multiply(isa, &pool, 3 * block, rows);
                }
                assert_eq!(product, sum, "{isa:?} {inputs} {outputs} {images}");
            }
        }
    }

    #[test]
    fn joined_factors_are_those_of_all_images() {
        let (inputs, outputs) = (5, 3);
        // Image n has its gradients n.0, n.1, n.2 and its inputs 10 + n.
        let factors_of = |images: std::ops::Range<usize>| {
            let dz = images
                .clone()
                .flat_map(|n| (0..outputs).map(move |o| n as f32 + o as f32 / 10.0));
            let x = images.flat_map(|n| vec![10.0 + n as f32; inputs]);
            Vec::from_iter(dz.chain(x))
        };
        let parts = [factors_of(0..4), factors_of(4..9)];
        let [left, right] = parts.each_ref().map(|numbers| Factors {
            inputs,
            outputs,
            numbers,
        });
        assert_eq!(*left.join(&right, &Pool::default()), factors_of(0..9));
    }
}
