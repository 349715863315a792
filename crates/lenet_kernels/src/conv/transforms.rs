//! Between values and their values at the points.

use super::{Conv, Plan};
use crate::activation::{self, Activation};
use crate::points::{
    at_points, from_points, input_at_points, input_from_points, taps_at_points, taps_from_points, POINTS,
};
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
                for (point, value) in taps_at_points(taps).into_iter().enumerate() {
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
    /// Room for the sums of the weights, `[row][tap]`, in whole vectors of vectors.
    pub(super) sums: *mut f32,
    pub(super) to: *mut f32,
}

impl<const K: usize> Kernel for WeightGradient<K> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        for row in 0..self.rows {
            let mut values = [S::splat(0.0); POINTS];
            for (p, value) in values.iter_mut().enumerate() {
                *value = S::load(self.from.add((p * self.rows + row) * S::LANES));
            }
            for (tap, sum) in taps_from_points::<S, K>(values).into_iter().enumerate() {
                sum.store(self.sums.add((row * K + tap) * S::LANES));
            }
        }
        for at in (0..self.rows * K).step_by(S::LANES) {
            let (count, to) = (S::LANES.min(self.rows * K - at), self.to.add(at));
            let sums = S::sums(self.sums.add(at * S::LANES));
            sums.add(S::load_first(count, to)).store_first(count, to);
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
                    let from = from.add(t * plan.tile * S::LANES);
                    let mut x = [S::splat(0.0); POINTS];
                    if t * plan.tile + POINTS <= width {
                        for (i, x) in x.iter_mut().enumerate() {
                            *x = S::load(from.add(i * S::LANES));
                        }
                    } else {
                        for (i, x) in x.iter_mut().enumerate().take(width - t * plan.tile) {
                            *x = S::load(from.add(i * S::LANES));
                        }
                    }
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
                let outputs = activation::forward(self.activation, outputs);
                if (t + 1) * N <= columns {
                    for (i, output) in outputs.into_iter().enumerate() {
                        output.store(to.add(i * S::LANES));
                    }
                } else {
                    for (i, output) in outputs.into_iter().enumerate().take(columns - t * N) {
                        output.store(to.add(i * S::LANES));
                    }
                }
            }
        }
    }
}

/// The gradient of a stripe of a filter's map at the points, `[point][row][tile]`; adds its sum to the bias' gradient.
pub(super) struct GradientPoints<'a, const N: usize> {
    pub(super) plan: &'a Plan,
    pub(super) rows: usize,
    pub(super) from: *const f32,
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
                let from = self.from.add((row * columns + t * N) * S::LANES);
                let mut gradient = [S::splat(0.0); N];
                if (t + 1) * N <= columns {
                    for (i, value) in gradient.iter_mut().enumerate() {
                        *value = S::load(from.add(i * S::LANES));
                    }
                } else {
                    for (i, value) in gradient.iter_mut().enumerate().take(columns - t * N) {
                        *value = S::load(from.add(i * S::LANES));
                    }
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
pub(super) struct InputGradient<'a> {
    pub(super) plan: &'a Plan,
    pub(super) from: *const f32,
    pub(super) to: *mut f32,
}

impl Kernel for InputGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let plan = self.plan;
        let Conv { inputs, height, width, .. } = plan.conv;
        for channel in 0..inputs {
            for row in 0..height {
                let to = self.to.add((channel * height + row) * width * S::LANES);
                for column in 0..width {
                    S::splat(0.0).store(to.add(column * S::LANES));
                }
                if row >= plan.input_rows {
                    continue;
                }
                for t in 0..plan.tiles {
                    let from = self.from.add((channel * plan.input_rows + row) * plan.row + t * S::LANES);
                    let mut values = [S::splat(0.0); POINTS];
                    for (p, value) in values.iter_mut().enumerate() {
                        *value = S::load(from.add(p * plan.input_point));
                    }
                    let count = width - t * plan.tile;
                    for (i, value) in input_from_points(values).into_iter().enumerate().take(count) {
                        let to = to.add((t * plan.tile + i) * S::LANES);
                        S::load(to).add(value).store(to);
                    }
                }
            }
        }
    }
}
