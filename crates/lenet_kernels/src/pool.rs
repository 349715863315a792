//! Pooling: each window of a map becomes one value.

use crate::isa::Isa;
use crate::simd::{Kernel, Simd};

/// What a window becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The mean of its values.
    Average,
    /// The largest of its values; the first one where several are equal. NaN if one of them is.
    Max,
}

/// A pooling layer on blocks of images: windows that touch each other and do not overlap. Rows and columns that fill no
/// window are left out.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// The instruction set, which decides how many images a block has.
    pub isa: Isa,
    /// What a window becomes.
    pub kind: Pooling,
    /// Side of a window, 2 to 4.
    pub window: usize,
    /// Maps.
    pub channels: usize,
    /// Height of a map going in.
    pub height: usize,
    /// Width of a map going in.
    pub width: usize,
}

impl Pool {
    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        self.channels * (self.height / self.window) * (self.width / self.window)
    }

    /// Writes the pooled maps `y` of the blocks `x`.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        let maps = self.maps(x.len(), y.len());
        let (x, to) = (x.as_ptr(), y.as_mut_ptr());
        // SAFETY: both slices have whole maps, as many of them.
        unsafe { self.isa.run(&Maps { pool: *self, maps, x, dy: None, to }) };
    }

    /// Writes the gradient of the input, `dx`, from that of the output: a mean hands each value of its window an equal
    /// part, a maximum all to the value that it is.
    pub fn backward(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let maps = self.maps(dx.len(), dy.len());
        assert_eq!(x.len(), dx.len(), "values of the maps");
        dx.fill(0.0);
        let (x, dy, to) = (x.as_ptr(), Some(dy.as_ptr()), dx.as_mut_ptr());
        // SAFETY: all slices have whole maps, as many of them.
        unsafe { self.isa.run(&Maps { pool: *self, maps, x, dy, to }) };
    }

    fn maps(&self, input: usize, output: usize) -> usize {
        let [input_len, output_len] = [self.input_len(), self.output_len()].map(|len| len * self.isa.lanes());
        assert!((2..=4).contains(&self.window) && output_len > 0, "no layer has the shape of {self:?}");
        assert!(input.is_multiple_of(input_len), "whole blocks of {input_len} values, not {input} values");
        assert_eq!(output, input / input_len * output_len, "values of the pooled maps");
        input / input_len * self.channels
    }
}

/// Pools some maps, or with a gradient `dy` of what was pooled goes back.
struct Maps {
    pool: Pool,
    maps: usize,
    x: *const f32,
    dy: Option<*const f32>,
    to: *mut f32,
}

impl Kernel for Maps {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Pool { kind, window, height, width, .. } = self.pool;
        let (rows, columns) = (height / window, width / window);
        for row in 0..self.maps * rows {
            let wide = (row / rows * height + row % rows * window) * width * S::LANES;
            let (x, narrow) = ((self.x.add(wide), width), row * columns * S::LANES);
            match self.dy {
                None => forward_row::<S>((kind, window), columns, x, self.to.add(narrow)),
                Some(dy) => backward_row::<S>((kind, window), columns, x, dy.add(narrow), (self.to.add(wide), window)),
            }
        }
    }
}

/// Pools a row of `count` windows; `x` comes with the vectors of a row of its map.
#[inline(always)]
pub(crate) unsafe fn forward_row<S: Simd>(
    (kind, window): (Pooling, usize),
    count: usize,
    (x, width): (*const f32, usize),
    y: *mut f32,
) {
    for at in 0..count {
        let (x, y) = (x.add(at * window * S::LANES), y.add(at * S::LANES));
        match (kind, window) {
            (Pooling::Average, 2) => average::<S, 2>(x, width).store(y),
            (Pooling::Average, 3) => average::<S, 3>(x, width).store(y),
            (Pooling::Average, _) => average::<S, 4>(x, width).store(y),
            (Pooling::Max, _) => max::<S>(x, width, window).store(y),
        }
    }
}

#[inline(always)]
unsafe fn average<S: Simd, const W: usize>(x: *const f32, width: usize) -> S {
    let mut sum = S::splat(0.0);
    for row in 0..W {
        for column in 0..W {
            sum = sum.add(S::load(x.add((row * width + column) * S::LANES)));
        }
    }
    sum.mul(S::splat(1.0 / (W * W) as f32))
}

#[inline(always)]
unsafe fn max<S: Simd>(x: *const f32, width: usize, window: usize) -> S {
    let mut most = S::load(x);
    for row in 0..window {
        for column in 0..window {
            let value = S::load(x.add((row * width + column) * S::LANES));
            // Where `most` is NaN it stays, and where `value` is NaN it is taken.
            most = value.if_at_least(most, value, most);
            most = value.if_at_least(S::splat(f32::NEG_INFINITY), most, value);
        }
    }
    most
}

/// The gradient of a row of windows. Before a mean all rows of a window have the same: only `rows` of them are written.
#[inline(always)]
pub(crate) unsafe fn backward_row<S: Simd>(
    (kind, window): (Pooling, usize),
    count: usize,
    (x, width): (*const f32, usize),
    dy: *const f32,
    (dx, rows): (*mut f32, usize),
) {
    for at in 0..count {
        let (x, dx) = (x.add(at * window * S::LANES), dx.add(at * window * S::LANES));
        let dy = S::load(dy.add(at * S::LANES));
        match (kind, window) {
            (Pooling::Average, 2) => average_backward::<S, 2>(dy, rows, dx, width),
            (Pooling::Average, 3) => average_backward::<S, 3>(dy, rows, dx, width),
            (Pooling::Average, _) => average_backward::<S, 4>(dy, rows, dx, width),
            (Pooling::Max, _) => max_backward::<S>(x, dy, dx, width, window),
        }
    }
}

#[inline(always)]
unsafe fn average_backward<S: Simd, const W: usize>(dy: S, rows: usize, dx: *mut f32, width: usize) {
    let part = dy.mul(S::splat(1.0 / (W * W) as f32));
    for row in 0..rows {
        for column in 0..W {
            part.store(dx.add((row * width + column) * S::LANES));
        }
    }
}

#[inline(always)]
unsafe fn max_backward<S: Simd>(x: *const f32, dy: S, dx: *mut f32, width: usize, window: usize) {
    let (most, mut left) = (max::<S>(x, width, window), dy);
    for row in 0..window {
        for column in 0..window {
            let at = (row * width + column) * S::LANES;
            // The first value that is the largest takes all that is left.
            let gradient = S::load(x.add(at)).if_at_least(most, left, S::splat(0.0));
            gradient.store(dx.add(at));
            left = left.sub(gradient);
        }
    }
}
