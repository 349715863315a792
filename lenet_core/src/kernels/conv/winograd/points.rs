//! From numbers to their values at the points, and back.

use super::{Shape, POINTS, TAPS, TILE};
use crate::kernels::isa::Kernel;
use crate::kernels::simd::Simd;

/// Evaluates the rows of taps at the points.
pub(crate) fn evaluate(shape: &Shape, weight: &[f32], factors: &mut [f32]) {
    let step = factors.len() / POINTS;
    for (at, taps) in weight.chunks_exact(TAPS).enumerate() {
        let place = factor_place(shape, at);
        let [a, b, c, d, e] = [taps[0], taps[1], taps[2], taps[3], taps[4]];
        let (even, odd) = ((a + c + e) / 18.0, (b + d) / 18.0);
        let (even_2, odd_2) = ((a + 4.0 * c + 16.0 * e) / 360.0, (b + 4.0 * d) / 180.0);
        let (even_half, odd_half) = ((16.0 * a + 4.0 * c + e) / 45.0, (8.0 * b + 2.0 * d) / 45.0);
        let values = [
            a / 4.0,
            even + odd,
            even - odd,
            even_2 + odd_2,
            even_2 - odd_2,
            even_half + odd_half,
            even_half - odd_half,
            e / 4.0,
        ];
        for (point, value) in values.into_iter().enumerate() {
            factors[point * step + place] = value;
        }
    }
}

/// Adds to the weights' gradient what the gradients of their values at the points amount to.
pub(crate) fn add_gradient(shape: &Shape, sums: &[f32], gradient: &mut [f32]) {
    let step = sums.len() / POINTS;
    for (at, taps) in gradient.chunks_exact_mut(TAPS).enumerate() {
        let place = factor_place(shape, at);
        let value = |point: usize| sums[point * step + place];
        let pair = |point: usize| {
            let (plus, minus) = (value(point), value(point + 1));
            (plus + minus, plus - minus)
        };
        let ((even, odd), (even_2, odd_2), (even_half, odd_half)) = (pair(1), pair(3), pair(5));
        let (even, odd) = (even / 18.0, odd / 18.0);
        let (even_2, odd_2) = (even_2 / 360.0, odd_2 / 180.0);
        let (even_half, odd_half) = (even_half / 45.0, odd_half / 45.0);
        taps[0] += value(0) / 4.0 + even + even_2 + 16.0 * even_half;
        taps[1] += odd + odd_2 + 8.0 * odd_half;
        taps[2] += even + 4.0 * even_2 + 4.0 * even_half;
        taps[3] += odd + 4.0 * odd_2 + 2.0 * odd_half;
        taps[4] += even + 16.0 * even_2 + even_half + value(7) / 4.0;
    }
}

/// Where the values of a row of taps are, at each point: rows of taps come filter by filter, their
/// values lie filters side by side.
fn factor_place(shape: &Shape, row_of_taps: usize) -> usize {
    let per_filter = shape.inputs * TAPS;
    row_of_taps % per_filter * shape.outputs + row_of_taps / per_filter
}

/// The input's values at the points.
pub(crate) struct Points {
    pub(crate) shape: Shape,
    pub(crate) x: *const f32,
    pub(crate) points: *mut f32,
}

impl Kernel for Points {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (height, width, tiles) = (self.shape.height, self.shape.width, self.shape.tiles());
        let step = tiles * height * S::LANES;
        for channel in 0..self.shape.inputs {
            for t in 0..tiles {
                let mut to = self
                    .points
                    .add(((channel * POINTS * tiles + t) * height) * S::LANES);
                let mut from = self.x.add((channel * height * width + t * TILE) * S::LANES);
                for _ in 0..height {
                    let mut x = [S::splat(0.0); POINTS];
                    for (i, x) in x.iter_mut().enumerate() {
                        *x = S::load(from.add(i * S::LANES));
                    }
                    for (p, value) in input_at_points(x).into_iter().enumerate() {
                        value.store(to.add(p * step));
                    }
                    from = from.add(width * S::LANES);
                    to = to.add(S::LANES);
                }
            }
        }
    }
}

/// The input transform of eight neighbouring pixels.
#[inline(always)]
pub(crate) unsafe fn input_at_points<S: Simd>(x: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let [a, b, c, d, e, f, g, h] = x;
    let first = e.sub(c).fma(by(21.0), a.sub(g).mul(by(4.0)));
    let last = d.sub(f).fma(by(21.0), h.sub(b).mul(by(4.0)));
    let even = e.fma(by(17.0), c.add(g).mul(by(-4.0)));
    let odd = d.fma(by(17.0), b.add(f).mul(by(-4.0)));
    let even_2 = g.fma(by(4.0), e.fma(by(-5.0), c));
    let odd_2 = f.fma(by(8.0), d.fma(by(-10.0), b.add(b)));
    let even_half = c.fma(by(8.0), e.fma(by(-10.0), g.add(g)));
    let odd_half = b.fma(by(4.0), d.fma(by(-5.0), f));
    [
        first,
        odd.add(even),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        last,
    ]
}

/// The way back for gradients: [`input_at_points`] turned around.
#[inline(always)]
pub(crate) unsafe fn gradient_from_points<S: Simd>(v: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (v[1].add(v[2]), v[1].sub(v[2]));
    let (even_2, odd_2) = (v[3].add(v[4]), v[3].sub(v[4]));
    let (even_half, odd_half) = (v[5].add(v[6]), v[5].sub(v[6]));
    let c = even_half.fma(by(8.0), v[0].fma(by(-21.0), even_2));
    let e = v[0].mul(by(21.0));
    let e = even_half.fma(by(-10.0), even_2.fma(by(-5.0), e));
    let g = even_half.fma(by(2.0), even_2.mul(by(4.0)));
    let b = odd_half.fma(by(4.0), odd_2.fma(by(2.0), v[7].mul(by(-4.0))));
    let d = v[7].mul(by(21.0));
    let d = odd_half.fma(by(-5.0), odd_2.fma(by(-10.0), d));
    let f = odd_2.fma(by(8.0), v[7].fma(by(-21.0), odd_half));
    [
        v[0].mul(by(4.0)),
        odd.fma(by(-4.0), b),
        even.fma(by(-4.0), c),
        odd.fma(by(17.0), d),
        even.fma(by(17.0), e),
        odd.fma(by(-4.0), f),
        even.add(v[0]).fma(by(-4.0), g),
        v[7].mul(by(4.0)),
    ]
}

/// The outputs of a tile from their values at the points, which start `step` apart.
#[inline(always)]
pub(crate) unsafe fn outputs_from_points<S: Simd>(from: *const f32, step: usize) -> [S; TILE] {
    let m = |p: usize| S::load(from.add(p * step));
    let pair = |p: usize| {
        let (plus, minus) = (m(p), m(p + 1));
        (plus.add(minus), plus.sub(minus))
    };
    let by = |value: f32| S::splat(value);
    let ((even, odd), (even_2, odd_2), (even_half, odd_half)) = (pair(1), pair(3), pair(5));
    [
        m(0).add(even).add(even_2.add(even_half)),
        odd_2.fma(by(2.0), odd_half.fma(by(0.5), odd)),
        even_2.fma(by(4.0), even_half.fma(by(0.25), even)),
        odd_2.fma(by(8.0), odd_half.fma(by(0.125), odd.add(m(7)))),
    ]
}

/// [`outputs_from_points`] turned around, for gradients.
#[inline(always)]
pub(crate) unsafe fn gradient_at_points<S: Simd>([a, b, c, d]: [S; TILE]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (a.add(c), b.add(d));
    let (even_2, odd_2) = (c.fma(by(4.0), a), d.fma(by(8.0), b.add(b)));
    let even_half = c.fma(by(0.25), a);
    let odd_half = d.fma(by(0.125), b.mul(by(0.5)));
    [
        a,
        even.add(odd),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        d,
    ]
}
