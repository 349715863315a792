//! Between values and their values at the points.

use super::{Conv, Plan};
use crate::activation::{self, Activation};
use crate::points::{at_points, from_points, input_at_points, input_from_points, POINTS};
use crate::simd::{Kernel, Simd, MOST_LANES};

/// Evaluates an expression with `$K` for the side of the filters and `$N` for the outputs of a tile.
macro_rules! for_kernel {
    ($kernel:expr, _, $N:ident => $value:expr) => {
        for_kernel!($kernel, K, $N => $value)
    };
    ($kernel:expr, $K:ident, _ => $value:expr) => {
        for_kernel!($kernel, $K, N => $value)
    };
    ($kernel:expr, $K:ident, $N:ident => $value:expr) => {
        for_kernel!(@ $kernel, $K, $N => $value, 1 8, 2 7, 3 6, 4 5, 5 4, 6 3, 7 2)
    };
    (@ $kernel:expr, $K:ident, $N:ident => $value:expr, $($k:literal $n:literal),*) => {
        match $kernel {
            $($k => {
                #[allow(dead_code)]
                const $K: usize = $k;
                #[allow(dead_code)]
                const $N: usize = $n;
                $value
            })*
            _ => unreachable!("a filter's side is 1 to 7"),
        }
    };
}
pub(super) use for_kernel;

/// The weights at the points, `[point][channel][filter row][filter]`.
pub(super) struct WeightPoints<'a, const K: usize> {
    pub(super) plan: &'a Plan,
    pub(super) weight: *const f32,
    pub(super) to: *mut f32,
}

impl<const K: usize> Kernel for WeightPoints<'_, K> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Conv { inputs, outputs, .. } = self.plan.conv;
        let rows = inputs * K;
        for row in 0..rows {
            for filter in (0..outputs).step_by(S::LANES) {
                let count = S::LANES.min(outputs - filter);
                let mut taps = [S::splat(0.0); K];
                for (tap, value) in taps.iter_mut().enumerate() {
                    let mut lanes = [0.0; MOST_LANES];
                    for (lane, value) in lanes[..count].iter_mut().enumerate() {
                        *value = *self.weight.add(((filter + lane) * rows + row) * K + tap);
                    }
                    *value = S::load(lanes.as_ptr());
                }
                for (point, value) in at_points(taps).into_iter().enumerate() {
                    value.store_first(count, self.to.add((point * rows + row) * outputs + filter));
                }
            }
        }
    }
}

/// From sums at the points, a vector for each row of taps, to the gradient of the weights, which they are added to.
pub(super) struct WeightGradient<const K: usize> {
    pub(super) rows: usize,
    /// `[point][row]`.
    pub(super) from: *const f32,
    /// Room for the vectors of `LANES` rows of taps, whose lanes are summed in the end.
    pub(super) vectors: *mut f32,
    pub(super) to: *mut f32,
}

impl<const K: usize> Kernel for WeightGradient<K> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        for first in (0..self.rows).step_by(S::LANES) {
            let rows = S::LANES.min(self.rows - first);
            for row in 0..rows {
                let mut values = [S::splat(0.0); POINTS];
                for (p, value) in values.iter_mut().enumerate() {
                    *value = S::load(self.from.add((p * self.rows + first + row) * S::LANES));
                }
                for (tap, sum) in from_points::<S, K>(values).into_iter().enumerate() {
                    sum.store(self.vectors.add((row * K + tap) * S::LANES));
                }
            }
            for at in (0..rows * K).step_by(S::LANES) {
                let (count, to) = (S::LANES.min(rows * K - at), self.to.add(first * K + at));
                let sums = S::sums(self.vectors.add(at * S::LANES));
                sums.add(S::load_first(count, to)).store_first(count, to);
            }
        }
    }
}

/// Some rows of the input at the points, `[point][channel][row][tile]`. Columns beyond the last one count as zero.
pub(super) struct InputPoints<'a> {
    pub(super) plan: &'a Plan,
    /// The first row, and the one behind the last.
    pub(super) rows: (usize, usize),
    pub(super) x: *const f32,
    pub(super) to: *mut f32,
}

impl Kernel for InputPoints<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let plan = self.plan;
        let Conv { inputs, height, width, .. } = plan.conv;
        for channel in 0..inputs {
            for row in self.rows.0..self.rows.1 {
                let from = self.x.add((channel * height + row) * width * S::LANES);
                let to = self.to.add((channel * plan.input_rows + row) * plan.row);
                for t in 0..plan.tiles {
                    let x = load_row::<S, POINTS>(width - t * plan.tile, from.add(t * plan.tile * S::LANES));
                    for (p, value) in input_at_points(x).into_iter().enumerate() {
                        value.store(to.add(p * plan.input_point + t * S::LANES));
                    }
                }
            }
        }
    }
}

/// From the products of a stripe of a filter, `[point][row][tile]`, to its map.
pub(super) struct Outputs<'a, const N: usize> {
    pub(super) plan: &'a Plan,
    pub(super) rows: usize,
    pub(super) from: *const f32,
    /// How far it is to the next point.
    pub(super) point: usize,
    pub(super) bias: f32,
    pub(super) activation: Option<Activation>,
    pub(super) to: *mut f32,
}

impl<const N: usize> Kernel for Outputs<'_, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Plan { columns, tiles, .. } = *self.plan;
        for row in 0..self.rows {
            for t in 0..tiles {
                let from = self.from.add((row * tiles + t) * S::LANES);
                let mut values = [S::splat(0.0); POINTS];
                for (p, value) in values.iter_mut().enumerate() {
                    *value = S::load(from.add(p * self.point));
                }
                let to = self.to.add((row * columns + t * N) * S::LANES);
                let mut outputs = from_points::<S, N>(values);
                for output in &mut outputs {
                    *output = output.add(S::splat(self.bias));
                }
                store_row(activation::forward(self.activation, outputs), columns - t * N, to);
            }
        }
    }
}

/// The gradient of a stripe of a filter's convolution at the points, `[point][row][tile]`, from that of its map; adds its sum
/// to the bias' gradient.
pub(super) struct GradientPoints<'a, const N: usize> {
    pub(super) plan: &'a Plan,
    pub(super) rows: usize,
    /// The map, and its gradient, of which each row counts for `repeat` rows of the map.
    pub(super) y: *const f32,
    pub(super) dy: *const f32,
    pub(super) repeat: usize,
    pub(super) to: *mut f32,
    /// How far it is to the next point.
    pub(super) point: usize,
    pub(super) bias: *mut f32,
}

impl<const N: usize> Kernel for GradientPoints<'_, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Plan { columns, tiles, .. } = *self.plan;
        let mut sum = S::splat(0.0);
        for row in 0..self.rows {
            for t in 0..tiles {
                let y = self.y.add((row * columns + t * N) * S::LANES);
                let dy = self.dy.add((row / self.repeat * columns + t * N) * S::LANES);
                let (y, mut gradient) = (load_row::<S, N>(columns - t * N, y), load_row::<S, N>(columns - t * N, dy));
                for (gradient, y) in gradient.iter_mut().zip(y) {
                    *gradient = activation::backward(self.plan.conv.activation, y, *gradient);
                }
                let mut all = gradient[0];
                for value in gradient.into_iter().skip(1) {
                    all = all.add(value);
                }
                sum = sum.add(all);
                let to = self.to.add((row * tiles + t) * S::LANES);
                for (p, value) in at_points(gradient).into_iter().enumerate() {
                    value.store(to.add(p * self.point));
                }
            }
        }
        *self.bias += sum.sum();
    }
}

/// The input's gradient from its values at the points; neighbouring tiles overlap.
pub(super) struct InputGradient<'a, const N: usize> {
    pub(super) plan: &'a Plan,
    pub(super) from: *const f32,
    pub(super) to: *mut f32,
}

impl<const N: usize> Kernel for InputGradient<'_, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let plan = self.plan;
        let Conv { inputs, height, width, .. } = plan.conv;
        for (channel, row) in (0..inputs * height).map(|at| (at / height, at % height)) {
            let to = self.to.add((channel * height + row) * width * S::LANES);
            let tiles = if row < plan.input_rows { plan.tiles } else { 0 };
            let from = self.from.add((channel * plan.input_rows + row) * plan.row);
            let mut overlap = [S::splat(0.0); POINTS];
            for t in 0..tiles {
                let mut values = [S::splat(0.0); POINTS];
                for (p, value) in values.iter_mut().enumerate() {
                    *value = S::load(from.add(p * plan.input_point + t * S::LANES));
                }
                let gradient = input_from_points(values);
                let mut done = [S::splat(0.0); N];
                for i in 0..N {
                    done[i] = gradient[i].add(overlap[i]);
                }
                for i in 0..POINTS {
                    // Behind the overlap stand zeros, which reach into no tile.
                    overlap[i] = if i + N < POINTS { gradient[i + N].add(overlap[i + N]) } else { S::splat(0.0) };
                }
                store_row(done, width - t * N, to.add(t * N * S::LANES));
            }
            // What is left of the overlap, and columns that no output is made of.
            for column in (tiles * N).min(width)..width {
                S::splat(0.0).store(to.add(column * S::LANES));
            }
            store_row(overlap, width.saturating_sub(tiles * N), to.add(tiles * N * S::LANES));
        }
    }
}

/// The first `count` vectors of a row, zeros behind them.
#[inline(always)]
unsafe fn load_row<S: Simd, const N: usize>(count: usize, from: *const f32) -> [S; N] {
    let mut row = [S::splat(0.0); N];
    for (i, vector) in row.iter_mut().enumerate() {
        if count >= N || i < count {
            *vector = S::load(from.add(i * S::LANES));
        }
    }
    row
}

/// Writes the first `count` vectors of a row.
#[inline(always)]
unsafe fn store_row<S: Simd, const N: usize>(row: [S; N], count: usize, to: *mut f32) {
    for (i, vector) in row.into_iter().enumerate() {
        if count >= N || i < count {
            vector.store(to.add(i * S::LANES));
        }
    }
}
