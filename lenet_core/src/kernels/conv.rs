//! A convolution layer with tanh and 2 x 2 average pooling, forward and backward, on one block of
//! images that lie side by side: `x[((channel * height + y) * width + x) * LANES + image]`.
//!
//! With the images in the lanes of a vector, every tap of a convolution is one weight times one
//! contiguous vector, at every image size and without a remainder.

// Tiles of registers are clearer by index than by iterators over their rows and columns.
#![allow(clippy::needless_range_loop)]

use super::isa::{Isa, Kernel};
use super::simd::Simd;
use super::tanh::tanh;

/// Columns of a tile of the input gradient, chosen so that the tile and its operands fit the registers,
/// and that a 5 x 5 kernel's borders are whole tiles.
const COLUMNS: usize = 4;
/// Kernel width for which tiles are unrolled; other widths take slower, plain loops.
const UNROLLED: usize = 5;
/// Bytes of gradients that are worked on at once, so that they stay in the nearest cache (32 KiB and
/// more) beside the input's rows.
const AT_ONCE: usize = 24 * 1024;

/// One layer. The convolution is valid (no padding) with stride 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Channels of the input.
    pub(crate) inputs: usize,
    /// Filters.
    pub(crate) outputs: usize,
    /// Side of a filter.
    pub(crate) kernel: usize,
    /// Height of the input.
    pub(crate) height: usize,
    /// Width of the input.
    pub(crate) width: usize,
    /// Whether tanh and pooling follow; only a benchmark of the convolution alone leaves them out.
    pub(crate) bending: bool,
}

impl Shape {
    /// Numbers of one image going in.
    pub(crate) fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }
    fn weights_per_filter(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }
    /// Weights of the layer, without biases.
    pub(crate) fn weights(&self) -> usize {
        self.outputs * self.weights_per_filter()
    }
    /// Height and width of the pooled output.
    pub(crate) fn pooled(&self) -> (usize, usize) {
        (
            (self.height + 1 - self.kernel) / 2,
            (self.width + 1 - self.kernel) / 2,
        )
    }
    /// Numbers of one image coming out.
    pub(crate) fn output_len(&self) -> usize {
        let (height, width) = self.pooled();
        self.outputs * height * width
    }
    /// Activations of one image between tanh and pooling, less the odd row or column that pooling
    /// drops.
    pub(crate) fn activations(&self) -> usize {
        4 * self.output_len()
    }
    /// Row length of the gradient before tanh. The zeros before each row stand for the taps that fall
    /// off the image where the input gradient is wanted; those after it are the next row's.
    fn gradient_stride(&self) -> usize {
        self.width.max(2 * self.pooled().1 + self.kernel - 1)
    }
    /// Numbers of one image's gradient before tanh, padding included.
    fn gradient_len(&self) -> usize {
        self.outputs * 2 * self.pooled().0 * self.gradient_stride() + self.kernel
    }
    /// Numbers of working memory that [`backward`] needs for each lane: the gradient before tanh,
    /// and sums for each weight.
    pub(crate) fn scratch_len(&self) -> usize {
        self.gradient_len() + self.weights()
    }
}

/// Computes the activations and the pooled output of a block. [`backward`] needs the activations; where
/// nothing is learned they are working memory.
pub(crate) fn forward(
    isa: Isa,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    activations: &mut [f32],
    pooled: &mut [f32],
) {
    let lanes = isa.lanes();
    assert_eq!(x.len(), shape.input_len() * lanes);
    assert_eq!((weight.len(), bias.len()), (shape.weights(), shape.outputs));
    assert_eq!(activations.len(), shape.activations() * lanes);
    assert_eq!(pooled.len(), shape.output_len() * lanes);
    // SAFETY: the lengths just checked are those that the kernel reads and writes.
    unsafe {
        isa.run(Forward {
            shape,
            x: x.as_ptr(),
            weight: weight.as_ptr(),
            bias: bias.as_ptr(),
            activations: activations.as_mut_ptr(),
            pooled: pooled.as_mut_ptr(),
        });
    }
}

struct Forward {
    shape: Shape,
    x: *const f32,
    weight: *const f32,
    bias: *const f32,
    /// The four activations of each pooling window, one after the other.
    activations: *mut f32,
    pooled: *mut f32,
}

impl Kernel for Forward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut filter = 0;
        while filter < self.shape.outputs {
            filter += match self.shape.outputs - filter {
                6.. if S::FILTERS >= 6 => self.filters::<S, 6>(filter),
                4.. if S::FILTERS >= 4 => self.filters::<S, 4>(filter),
                2.. => self.filters::<S, 2>(filter),
                _ => self.filters::<S, 1>(filter),
            };
        }
    }
}

impl Forward {
    /// `F` filters over the whole image, a row of pooling windows at a time: first the sums, then
    /// tanh and pooling. Apart, each keeps the CPU busier than both in turns. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize>(&self, filter: usize) -> usize {
        let (height, width) = self.shape.pooled();
        for y in 0..height {
            S::call(SumRow::<F> {
                forward: self,
                filter,
                y,
            });
            for f in 0..F * usize::from(self.shape.bending) {
                S::call(BendRow {
                    forward: self,
                    first: ((filter + f) * height + y) * width,
                    count: width,
                });
            }
        }
        F
    }

    /// The sums before tanh of `F` filters for a row of pooling windows.
    #[inline(always)]
    unsafe fn sums<S: Simd, const F: usize>(&self, filter: usize, y: usize) {
        let (height, width) = self.shape.pooled();
        for x in 0..width {
            let at = ((filter * height + y) * width + x) * 4;
            if S::MANY_REGISTERS {
                self.positions::<S, F, 4>(filter, 2 * y, 2 * x, at);
            } else {
                self.positions::<S, F, 2>(filter, 2 * y, 2 * x, at);
                self.positions::<S, F, 2>(filter, 2 * y + 1, 2 * x, at + 2);
            }
        }
    }

    /// Takes tanh of the sums of `count` pooling windows from `first` on, and pools them.
    #[inline(always)]
    unsafe fn bend_and_pool<S: Simd>(&self, first: usize, count: usize) {
        for at in first..first + count {
            let place = self.activations.add(4 * at * S::LANES);
            let a = tanh(S::load(place));
            let b = tanh(S::load(place.add(S::LANES)));
            let c = tanh(S::load(place.add(2 * S::LANES)));
            let d = tanh(S::load(place.add(3 * S::LANES)));
            a.store(place);
            b.store(place.add(S::LANES));
            c.store(place.add(2 * S::LANES));
            d.store(place.add(3 * S::LANES));
            let mean = a.add(b).add(c.add(d)).mul(S::splat(0.25));
            mean.store(self.pooled.add(at * S::LANES));
        }
    }

    /// The sums before tanh of `F` filters at a position and its right neighbour, and with `P` = 4 at
    /// the two below them; written from the vector `at` on.
    #[inline(always)]
    unsafe fn positions<S: Simd, const F: usize, const P: usize>(
        &self,
        filter: usize,
        y: usize,
        x: usize,
        at: usize,
    ) {
        let shape = self.shape;
        let per_filter = shape.weights_per_filter();
        let mut sums = [[S::splat(0.0); P]; F];
        for (f, sums) in sums.iter_mut().enumerate() {
            *sums = [S::splat(*self.bias.add(filter + f)); P];
        }
        let mut weight = self.weight.add(filter * per_filter);
        for channel in 0..shape.inputs {
            for tap_y in 0..shape.kernel {
                let row = (channel * shape.height + y + tap_y) * shape.width + x;
                let rows = (self.x.add(row * S::LANES), shape.width);
                // With a constant count the compiler writes the taps out one after the other.
                if shape.kernel == UNROLLED {
                    add_taps::<S, F, P>(rows, (weight, per_filter), UNROLLED, &mut sums);
                } else {
                    add_taps::<S, F, P>(rows, (weight, per_filter), shape.kernel, &mut sums);
                }
                weight = weight.add(shape.kernel);
            }
        }
        let (height, width) = shape.pooled();
        for (f, sums) in sums.into_iter().enumerate() {
            for (p, sum) in sums.into_iter().enumerate() {
                let at = at + 4 * f * height * width + p;
                sum.store(self.activations.add(at * S::LANES));
            }
        }
    }
}

/// [`Forward::sums`], to be called as a function of its own.
struct SumRow<'a, const F: usize> {
    forward: &'a Forward,
    filter: usize,
    y: usize,
}

impl<const F: usize> Kernel for SumRow<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        self.forward.sums::<S, F>(self.filter, self.y);
    }
}

/// [`Forward::bend_and_pool`], to be called as a function of its own.
struct BendRow<'a> {
    forward: &'a Forward,
    first: usize,
    count: usize,
}

impl Kernel for BendRow<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        self.forward.bend_and_pool::<S>(self.first, self.count);
    }
}

/// Adds a row of `count` taps of `F` filters to the sums of `P` positions: two neighbours, whose pixels
/// start at `row`, then the two below them, a `width` further on.
#[inline(always)]
unsafe fn add_taps<S: Simd, const F: usize, const P: usize>(
    (row, width): (*const f32, usize),
    (weight, per_filter): (*const f32, usize),
    count: usize,
    sums: &mut [[S; P]; F],
) {
    for tap in 0..count {
        let mut pixels = [S::splat(0.0); P];
        for (p, pixel) in pixels.iter_mut().enumerate() {
            *pixel = S::load(row.add((p / 2 * width + p % 2 + tap) * S::LANES));
        }
        for (f, sums) in sums.iter_mut().enumerate() {
            let factor = S::splat(*weight.add(f * per_filter + tap));
            for (sum, pixel) in sums.iter_mut().zip(pixels) {
                *sum = pixel.fma(factor, *sum);
            }
        }
    }
}

/// What [`backward`] adds to or writes.
pub(crate) struct Gradients<'a> {
    /// The weights' gradient, to which the block's is added.
    pub(crate) weight: &'a mut [f32],
    /// The biases' gradient, to which the block's is added.
    pub(crate) bias: &'a mut [f32],
    /// The input's gradient, overwritten; the first layer wants none.
    pub(crate) x: Option<&'a mut [f32]>,
    /// Working memory of `Shape::scratch_len` vectors.
    pub(crate) scratch: &'a mut [f32],
}

/// From the gradient of a block's pooled output to those of weights, biases and, if wanted, input.
pub(crate) fn backward(
    isa: Isa,
    shape: Shape,
    x: &[f32],
    weight: &[f32],
    activations: &[f32],
    pooled: &[f32],
    gradients: Gradients<'_>,
) {
    let lanes = isa.lanes();
    assert_eq!(x.len(), shape.input_len() * lanes);
    assert_eq!(weight.len(), shape.weights());
    assert_eq!(activations.len(), shape.activations() * lanes);
    assert_eq!(pooled.len(), shape.output_len() * lanes);
    assert_eq!(gradients.weight.len(), shape.weights());
    assert_eq!(gradients.bias.len(), shape.outputs);
    assert_eq!(gradients.scratch.len(), shape.scratch_len() * lanes);
    let (before, sums) = gradients.scratch.split_at_mut(shape.gradient_len() * lanes);
    let x_gradient = gradients.x.map(|gradient| {
        assert_eq!(gradient.len(), shape.input_len() * lanes);
        gradient.as_mut_ptr()
    });
    // SAFETY: the lengths just checked are those that the kernel reads and writes.
    unsafe {
        isa.run(Backward {
            shape,
            x: x.as_ptr(),
            weight: weight.as_ptr(),
            activations: activations.as_ptr(),
            pooled: pooled.as_ptr(),
            weight_gradient: gradients.weight.as_mut_ptr(),
            bias_gradient: gradients.bias.as_mut_ptr(),
            x_gradient,
            before: before.as_mut_ptr(),
            sums: sums.as_mut_ptr(),
        });
    }
}

struct Backward {
    shape: Shape,
    x: *const f32,
    weight: *const f32,
    activations: *const f32,
    pooled: *const f32,
    weight_gradient: *mut f32,
    bias_gradient: *mut f32,
    x_gradient: Option<*mut f32>,
    /// The gradient before tanh: `[outputs][2 * pooled height][gradient_stride]` vectors, each row
    /// preceded by `kernel - 1` zeros.
    before: *mut f32,
    /// A vector for each weight, whose lanes are still to be summed.
    sums: *mut f32,
}

/// Where a tile of the input gradient lies: at a border half of the taps meet padding and are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Border {
    None,
    Left,
    Right,
}

impl Kernel for Backward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut filter = 0;
        while filter < self.shape.outputs {
            filter += match self.shape.outputs - filter {
                3 | 6 if S::MANY_REGISTERS => self.filters::<S, 3>(filter),
                4.. if S::MANY_REGISTERS => self.filters::<S, 4>(filter),
                2.. => self.filters::<S, 2>(filter),
                _ => self.filters::<S, 1>(filter),
            };
        }
        if let Some(gradient) = self.x_gradient {
            self.input_gradient::<S>(gradient);
        }
    }
}

impl Backward {
    /// The gradients before tanh, of the biases and of the weights of `F` filters. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize>(&self, filter: usize) -> usize {
        let shape = self.shape;
        let (height, _) = shape.pooled();
        let row = F * 2 * shape.gradient_stride() * S::LANES * size_of::<f32>();
        let rows = (AT_ONCE / row).max(1);
        if self.x_gradient.is_some() {
            self.padding::<S>(filter, F);
        }
        let mut y = 0;
        while y < height {
            let end = height.min(y + rows);
            for f in 0..F * usize::from(shape.bending) {
                S::call(BeforeTanh {
                    backward: self,
                    filter: filter + f,
                    rows: (y, end),
                });
            }
            self.weight_gradients::<S, F>(filter, (2 * y, 2 * end));
            y = end;
        }
        let per_filter = shape.weights_per_filter();
        for weight in filter * per_filter..(filter + F) * per_filter {
            *self.weight_gradient.add(weight) += S::load(self.sums.add(weight * S::LANES)).sum();
        }
        F
    }

    /// Writes the zeros beside the rows of `count` filters.
    #[inline(always)]
    unsafe fn padding<S: Simd>(&self, filter: usize, count: usize) {
        let shape = self.shape;
        let (height, width) = (2 * shape.pooled().0, 2 * shape.pooled().1);
        let stride = shape.gradient_stride();
        for row in filter * height..(filter + count) * height {
            for x in (0..shape.kernel - 1).chain(shape.kernel - 1 + width..stride) {
                S::splat(0.0).store(self.before.add((row * stride + x) * S::LANES));
            }
        }
        for x in 0..shape.kernel {
            let end = shape.outputs * height * stride + x;
            S::splat(0.0).store(self.before.add(end * S::LANES));
        }
    }

    /// Undoes pooling (a quarter to each of four) and tanh (times `1 - a^2`) in some rows of pooling
    /// windows of a filter, and sums the bias' gradient on the way.
    #[inline(always)]
    unsafe fn before_tanh<S: Simd>(&self, filter: usize, (first, end): (usize, usize)) {
        let shape = self.shape;
        let (height, width) = shape.pooled();
        let stride = shape.gradient_stride();
        let (one, quarter) = (S::splat(1.0), S::splat(0.25));
        let mut sum = S::splat(0.0);
        for y in first..end {
            let row = (filter * height + y) * 2 * stride + shape.kernel - 1;
            let top = self.before.add(row * S::LANES);
            let bottom = top.add(stride * S::LANES);
            for x in 0..width {
                let at = (filter * height + y) * width + x;
                let share = S::load(self.pooled.add(at * S::LANES)).mul(quarter);
                let left = 2 * x * S::LANES;
                let right = left + S::LANES;
                let places = [
                    top.add(left),
                    top.add(right),
                    bottom.add(left),
                    bottom.add(right),
                ];
                let mut shares = [share; 4];
                for (i, place) in places.into_iter().enumerate() {
                    let a = S::load(self.activations.add((4 * at + i) * S::LANES));
                    shares[i] = share.mul(a.fnma(a, one));
                    shares[i].store(place);
                }
                let [a, b, c, d] = shares;
                sum = sum.add(a.add(b).add(c.add(d)));
            }
        }
        *self.bias_gradient.add(filter) += sum.sum();
    }

    /// Adds some rows of the gradient before tanh to the sums of all weights of `F` filters.
    #[inline(always)]
    unsafe fn weight_gradients<S: Simd, const F: usize>(
        &self,
        filter: usize,
        rows: (usize, usize),
    ) {
        let kernel = self.shape.kernel;
        for channel in 0..self.shape.inputs {
            for tap_y in 0..kernel {
                let mut tap_x = 0;
                while tap_x < kernel {
                    let (backward, tap) = (self, (tap_y, tap_x));
                    if kernel - tap_x >= UNROLLED {
                        S::call(WeightRow::<F, UNROLLED> {
                            backward,
                            filter,
                            channel,
                            tap,
                            rows,
                        });
                        tap_x += UNROLLED;
                    } else {
                        S::call(WeightRow::<F, 1> {
                            backward,
                            filter,
                            channel,
                            tap,
                            rows,
                        });
                        tap_x += 1;
                    }
                }
            }
        }
    }

    /// `T` taps in a row of `F` filters, over some rows of positions; the first rows begin the sums.
    #[inline(always)]
    unsafe fn weight_row<S: Simd, const F: usize, const T: usize>(
        &self,
        filter: usize,
        channel: usize,
        (tap_y, tap_x): (usize, usize),
        (first, end): (usize, usize),
    ) {
        let shape = self.shape;
        let (height, width) = (2 * shape.pooled().0, 2 * shape.pooled().1);
        let stride = shape.gradient_stride();
        let place = |f: usize, tap: usize| {
            let row = ((filter + f) * shape.inputs + channel) * shape.kernel + tap_y;
            self.sums.add((row * shape.kernel + tap_x + tap) * S::LANES)
        };
        let mut sums = [[S::splat(0.0); T]; F];
        if first > 0 {
            for (f, sums) in sums.iter_mut().enumerate() {
                for (tap, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(place(f, tap));
                }
            }
        }
        for y in first..end {
            let mut x = self
                .x
                .add(((channel * shape.height + y + tap_y) * shape.width + tap_x) * S::LANES);
            let row = (filter * height + y) * stride + shape.kernel - 1;
            let mut gradient = self.before.add(row * S::LANES).cast_const();
            for _ in 0..width {
                let mut gradients = [S::splat(0.0); F];
                for (f, value) in gradients.iter_mut().enumerate() {
                    *value = S::load(gradient.add(f * height * stride * S::LANES));
                }
                for tap in 0..T {
                    let pixel = S::load(x.add(tap * S::LANES));
                    for f in 0..F {
                        sums[f][tap] = pixel.fma(gradients[f], sums[f][tap]);
                    }
                }
                x = x.add(S::LANES);
                gradient = gradient.add(S::LANES);
            }
        }
        for (f, sums) in sums.into_iter().enumerate() {
            for (tap, sum) in sums.into_iter().enumerate() {
                sum.store(place(f, tap));
            }
        }
    }

    /// The input's gradient: each pixel gathers what its taps sent on.
    #[inline(always)]
    unsafe fn input_gradient<S: Simd>(&self, to: *mut f32) {
        let shape = self.shape;
        let mut channel = 0;
        while channel < shape.inputs {
            channel += match shape.inputs - channel {
                3.. if S::MANY_REGISTERS => self.input_rows::<S, 3>(channel, to),
                2.. => self.input_rows::<S, 2>(channel, to),
                _ => self.input_rows::<S, 1>(channel, to),
            };
        }
    }

    /// All rows of `C` channels. Returns `C`.
    #[inline(always)]
    unsafe fn input_rows<S: Simd, const C: usize>(&self, channel: usize, to: *mut f32) -> usize {
        for y in 0..self.shape.height {
            S::call(InputRow::<C> {
                backward: self,
                channel,
                y,
                to,
            });
        }
        C
    }

    /// A row of `C` channels.
    #[inline(always)]
    unsafe fn input_row<S: Simd, const C: usize>(&self, channel: usize, y: usize, to: *mut f32) {
        let shape = self.shape;
        let unrolled = shape.kernel == UNROLLED && shape.width >= COLUMNS;
        // Where all taps of a tile's columns that lie right of the image are exactly those that
        // `Border::Right` leaves out.
        let right = 2 * shape.pooled().1;
        let mut x = 0;
        while x < shape.width {
            if unrolled {
                // The last tile may overlap its neighbour, whose numbers it computes again.
                let at = x.min(shape.width - COLUMNS);
                if at == 0 {
                    self.input_tile::<S, C, COLUMNS>((channel, y, at), Border::Left, to);
                } else if at == right {
                    self.input_tile::<S, C, COLUMNS>((channel, y, at), Border::Right, to);
                } else {
                    self.input_tile::<S, C, COLUMNS>((channel, y, at), Border::None, to);
                }
                x += COLUMNS;
            } else {
                self.input_tile::<S, C, 1>((channel, y, x), Border::None, to);
                x += 1;
            }
        }
    }

    /// `C` channels by `X` columns of one row.
    #[inline(always)]
    unsafe fn input_tile<S: Simd, const C: usize, const X: usize>(
        &self,
        (channel, y, x): (usize, usize, usize),
        border: Border,
        to: *mut f32,
    ) {
        let shape = self.shape;
        let (kernel, stride) = (shape.kernel, shape.gradient_stride());
        let height = 2 * shape.pooled().0;
        let taps_y = (y + 1).saturating_sub(height)..kernel.min(y + 1);
        let mut sums = [[S::splat(0.0); X]; C];
        for filter in 0..shape.outputs {
            for tap_y in taps_y.clone() {
                let row = (filter * height + y - tap_y) * stride + kernel - 1 + x;
                let row = self.before.add(row * S::LANES).cast_const();
                let index = ((filter * shape.inputs + channel) * kernel + tap_y) * kernel;
                let weight = self.weight.add(index);
                let next = kernel * kernel;
                if X == COLUMNS {
                    tap::<S, C, X, 0>(row, (weight, next), border, &mut sums);
                    tap::<S, C, X, 1>(row, (weight, next), border, &mut sums);
                    tap::<S, C, X, 2>(row, (weight, next), border, &mut sums);
                    tap::<S, C, X, 3>(row, (weight, next), border, &mut sums);
                    tap::<S, C, X, 4>(row, (weight, next), border, &mut sums);
                } else {
                    for tap_x in 0..kernel {
                        let row = row.sub(tap_x * S::LANES);
                        tap::<S, C, X, 0>(row, (weight.add(tap_x), next), Border::None, &mut sums);
                    }
                }
            }
        }
        for (c, sums) in sums.into_iter().enumerate() {
            let at = ((channel + c) * shape.height + y) * shape.width + x;
            for (i, sum) in sums.into_iter().enumerate() {
                sum.store(to.add((at + i) * S::LANES));
            }
        }
    }
}

/// [`Backward::before_tanh`], to be called as a function of its own.
struct BeforeTanh<'a> {
    backward: &'a Backward,
    filter: usize,
    rows: (usize, usize),
}

impl Kernel for BeforeTanh<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        self.backward.before_tanh::<S>(self.filter, self.rows);
    }
}

/// [`Backward::weight_row`], to be called as a function of its own.
struct WeightRow<'a, const F: usize, const T: usize> {
    backward: &'a Backward,
    filter: usize,
    channel: usize,
    tap: (usize, usize),
    rows: (usize, usize),
}

impl<const F: usize, const T: usize> Kernel for WeightRow<'_, F, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let backward = self.backward;
        backward.weight_row::<S, F, T>(self.filter, self.channel, self.tap, self.rows);
    }
}

/// [`Backward::input_row`], to be called as a function of its own.
struct InputRow<'a, const C: usize> {
    backward: &'a Backward,
    channel: usize,
    y: usize,
    to: *mut f32,
}

impl<const C: usize> Kernel for InputRow<'_, C> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let backward = self.backward;
        backward.input_row::<S, C>(self.channel, self.y, self.to);
    }
}

/// Adds what tap `T` of a row of taps sends to a tile. At a border, the columns for which the tap
/// meets padding are left out.
#[inline(always)]
unsafe fn tap<S: Simd, const C: usize, const X: usize, const T: usize>(
    row: *const f32,
    (weight, next): (*const f32, usize),
    border: Border,
    sums: &mut [[S; X]; C],
) {
    let mut factors = [S::splat(0.0); C];
    for (c, factor) in factors.iter_mut().enumerate() {
        *factor = S::splat(*weight.add(c * next + T));
    }
    for x in 0..X {
        let inside = match border {
            Border::None => true,
            Border::Left => x >= T,
            Border::Right => x < T,
        };
        if inside {
            let gradient = S::load(row.add(x * S::LANES).sub(T * S::LANES));
            for c in 0..C {
                sums[c][x] = gradient.fma(factors[c], sums[c][x]);
            }
        }
    }
}
