//! Between rows of vectors and their values at the points.
//!
//! Each function works on one map or channel. `from` and `to` are where its first value lies; at the points they are where it
//! lies at the first point, and `point` tells how far it is to the next one.

use super::{Conv, Plan};
use crate::activation::{self, Activation};
use crate::points::{at_points, from_points, input_at_points, input_from_points, POINTS};
use crate::simd::{Kernel, Simd, MOST_LANES};

/// All weights to the points.
pub(super) struct WeightsToPoints<'a, const K: usize> {
    pub(super) conv: &'a Conv,
    pub(super) weight: *const f32,
    pub(super) to: *mut f32,
}

impl<const K: usize> Kernel for WeightsToPoints<'_, K> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let (outputs, rows) = (self.conv.outputs, self.conv.inputs * K);
        for (row, filter) in (0..rows).flat_map(|row| (0..outputs).step_by(S::LANES).map(move |filter| (row, filter))) {
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

/// From sums at the points, a vector for each of some rows of taps, to the gradient of the weights, which they are added to.
/// There are `vectors` as working memory for `LANES` rows.
#[inline(always)]
pub(super) unsafe fn add_weight_gradient<S: Simd, const K: usize>(
    rows: usize,
    from: *const f32,
    vectors: *mut f32,
    to: *mut f32,
) {
    for first in (0..rows).step_by(S::LANES) {
        let count = S::LANES.min(rows - first);
        for row in 0..count {
            let values = load_points(from.add((first + row) * S::LANES), rows * S::LANES);
            store_row::<S, K>(from_points(values), K, vectors.add(row * K * S::LANES));
        }
        for at in (0..count * K).step_by(S::LANES) {
            let (count, to) = (S::LANES.min(count * K - at), to.add(first * K + at));
            let sums = S::sums(vectors.add(at * S::LANES));
            sums.add(S::load_first(count, to)).store_first(count, to);
        }
    }
}

/// A row of the input to the points. Columns beyond the last one count as zero.
#[inline(always)]
pub(super) unsafe fn input_to_points<S: Simd, const N: usize>(plan: &Plan, from: *const f32, to: *mut f32) {
    for t in 0..plan.tiles {
        let inputs = load_row(plan.conv.width - t * N, from.add(t * N * S::LANES));
        store_points::<S>(input_at_points(inputs), to.add(t * S::LANES), plan.input_point);
    }
}

/// A row of a map from the products at the points, with its bias and activation.
#[inline(always)]
pub(super) unsafe fn outputs_from_points<S: Simd, const N: usize>(
    plan: &Plan,
    (from, point): (*const f32, usize),
    (bias, activation): (S, Option<Activation>),
    to: *mut f32,
) {
    for t in 0..plan.tiles {
        let mut outputs = from_points::<S, N>(load_points(from.add(t * S::LANES), point));
        for output in &mut outputs {
            *output = output.add(bias);
        }
        store_row(activation::forward(activation, outputs), plan.columns - t * N, to.add(t * N * S::LANES));
    }
}

/// The gradient of a row of a convolution to the points, from that of the map `y` that an activation made of it. Returns the
/// sum of the row.
#[inline(always)]
pub(super) unsafe fn gradient_to_points<S: Simd, const N: usize>(
    plan: &Plan,
    (y, dy): (*const f32, *const f32),
    (to, point): (*mut f32, usize),
) -> S {
    let mut sum = S::splat(0.0);
    for t in 0..plan.tiles {
        let y: [S; N] = load_row(plan.columns - t * N, y.add(t * N * S::LANES));
        let mut gradient: [S; N] = load_row(plan.columns - t * N, dy.add(t * N * S::LANES));
        let mut all = S::splat(0.0);
        for (gradient, y) in gradient.iter_mut().zip(y) {
            *gradient = activation::backward(plan.conv.activation, y, *gradient);
            all = all.add(*gradient);
        }
        sum = sum.add(all);
        store_points(at_points(gradient), to.add(t * S::LANES), point);
    }
    sum
}

/// A row of the input's gradient from the points; neighbouring tiles overlap.
#[inline(always)]
pub(super) unsafe fn input_gradient_from_points<S: Simd, const N: usize>(plan: &Plan, from: *const f32, to: *mut f32) {
    let (width, zero) = (plan.conv.width, S::splat(0.0));
    let mut overlap = [zero; POINTS];
    for t in 0..plan.tiles {
        let gradient = input_from_points::<S>(load_points(from.add(t * S::LANES), plan.input_point));
        let mut done = [zero; N];
        for i in 0..POINTS {
            let sum = gradient[i].add(overlap[i]);
            if i < N {
                done[i] = sum;
            } else {
                overlap[i - N] = sum;
            }
        }
        // Behind the overlap stand zeros.
        overlap[POINTS - N..].fill(zero);
        store_row(done, width - t * N, to.add(t * N * S::LANES));
    }
    let done = (plan.tiles * N).min(width);
    store_zeros::<S>(width - done, to.add(done * S::LANES));
    store_row(overlap, width - done, to.add(done * S::LANES));
}

/// `count` vectors of zeros.
#[inline(always)]
pub(super) unsafe fn store_zeros<S: Simd>(count: usize, to: *mut f32) {
    std::ptr::write_bytes(to, 0, count * S::LANES);
}

#[inline(always)]
unsafe fn load_points<S: Simd>(from: *const f32, point: usize) -> [S; POINTS] {
    let mut values = [S::splat(0.0); POINTS];
    for (p, value) in values.iter_mut().enumerate() {
        *value = S::load(from.add(p * point));
    }
    values
}

#[inline(always)]
unsafe fn store_points<S: Simd>(values: [S; POINTS], to: *mut f32, point: usize) {
    for (p, value) in values.into_iter().enumerate() {
        value.store(to.add(p * point));
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
