//! From numbers to their values at the points, and back.

use super::{Shape, POINTS, TAPS, TILE};
use crate::kernels::buffer::Pool;
use crate::kernels::isa::{Isa, Kernel};
use crate::kernels::simd::Simd;
use crate::kernels::transpose::transpose;

/// Evaluates the rows of taps at the points.
pub(crate) fn evaluate(isa: Isa, pool: &Pool, shape: Shape, weight: &[f32], factors: &mut [f32]) {
    let mut taps = pool.take(taps_len(&shape, isa.lanes()));
    let kernel = Taps {
        shape,
        weight: weight.as_ptr(),
        taps: taps.as_mut_ptr(),
        factors: factors.as_mut_ptr(),
    };
    // SAFETY: `conv::factors` has checked both lengths.
    unsafe { isa.run(kernel) }
}

/// The weights' values at the points with those of a filter side by side.
pub(crate) fn by_filter(isa: Isa, shape: Shape, factors: &[f32], to: &mut [f32]) {
    struct ByFilter(Shape, *const f32, *mut f32);
    impl Kernel for ByFilter {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let Self(shape, factors, to) = self;
            let (filters, each) = (shape.outputs, POINTS * shape.inputs * TAPS);
            transpose::<S>(factors, (each, filters, filters), to, each);
        }
    }
    // SAFETY: `conv::by_filter` has checked both lengths.
    unsafe { isa.run(ByFilter(shape, factors.as_ptr(), to.as_mut_ptr())) }
}

/// Adds to the weights' gradient what the gradients of their values at the points amount to.
pub(crate) fn add_gradient(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    sums: &[f32],
    gradient: &mut [f32],
) {
    let mut taps = pool.take(taps_len(&shape, isa.lanes()));
    let mut by_filter = pool.take(shape.weights());
    let kernel = TapsGradient {
        shape,
        sums: sums.as_ptr(),
        taps: taps.as_mut_ptr(),
        gradient: by_filter.as_mut_ptr(),
    };
    // SAFETY: `conv::add_gradient` has checked the sums' length.
    unsafe { isa.run(kernel) };
    for (to, from) in gradient.iter_mut().zip(&*by_filter) {
        *to += from;
    }
}

/// Numbers of the weights with filters side by side in whole vectors.
fn taps_len(shape: &Shape, lanes: usize) -> usize {
    shape.weights() / shape.outputs * shape.outputs.next_multiple_of(lanes)
}

/// The weights' values at the points. The weights come filter by filter, are put side by side in `taps`, and
/// so are their values.
struct Taps {
    shape: Shape,
    weight: *const f32,
    taps: *mut f32,
    factors: *mut f32,
}

impl Kernel for Taps {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (outputs, rows) = (self.shape.outputs, self.shape.inputs * TAPS);
        let stride = outputs.next_multiple_of(S::LANES);
        let size = (outputs, rows * TAPS, rows * TAPS);
        transpose::<S>(self.weight, size, self.taps, stride);
        for row in 0..rows {
            for filter in (0..outputs).step_by(S::LANES) {
                let mut taps = [S::splat(0.0); TAPS];
                for (tap, value) in taps.iter_mut().enumerate() {
                    *value = S::load(self.taps.add((row * TAPS + tap) * stride + filter));
                }
                let to = self.factors.add(row * outputs + filter);
                let count = S::LANES.min(outputs - filter);
                for (point, value) in taps_at_points(taps).into_iter().enumerate() {
                    value.store_first(count, to.add(point * rows * outputs));
                }
            }
        }
    }
}

/// [`Taps`] turned around.
struct TapsGradient {
    shape: Shape,
    sums: *const f32,
    taps: *mut f32,
    gradient: *mut f32,
}

impl Kernel for TapsGradient {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (outputs, rows) = (self.shape.outputs, self.shape.inputs * TAPS);
        let stride = outputs.next_multiple_of(S::LANES);
        for row in 0..rows {
            for filter in (0..outputs).step_by(S::LANES) {
                let from = self.sums.add(row * outputs + filter);
                let count = S::LANES.min(outputs - filter);
                let mut values = [S::splat(0.0); POINTS];
                for (point, value) in values.iter_mut().enumerate() {
                    *value = S::load_first(count, from.add(point * rows * outputs));
                }
                for (tap, value) in taps_from_points(values).into_iter().enumerate() {
                    value.store(self.taps.add((row * TAPS + tap) * stride + filter));
                }
            }
        }
        let size = (rows * TAPS, outputs, stride);
        transpose::<S>(self.taps, size, self.gradient, rows * TAPS);
    }
}

/// A row of taps at the points.
#[inline(always)]
unsafe fn taps_at_points<S: Simd>([a, b, c, d, e]: [S; TAPS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (a.add(c).add(e), b.add(d));
    let (even, odd) = (even.mul(by(1.0 / 18.0)), odd.mul(by(1.0 / 18.0)));
    let even_2 = e.fma(by(16.0), c.fma(by(4.0), a)).mul(by(1.0 / 360.0));
    let odd_2 = d.fma(by(4.0), b).mul(by(1.0 / 180.0));
    let even_half = a.fma(by(16.0), c.fma(by(4.0), e)).mul(by(1.0 / 45.0));
    let odd_half = b.fma(by(4.0), d).mul(by(2.0 / 45.0));
    [
        a.mul(by(0.25)),
        even.add(odd),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        e.mul(by(0.25)),
    ]
}

/// [`taps_at_points`] turned around, for gradients.
#[inline(always)]
unsafe fn taps_from_points<S: Simd>(v: [S; POINTS]) -> [S; TAPS] {
    let by = |value: f32| S::splat(value);
    let even = v[1].add(v[2]).mul(by(1.0 / 18.0));
    let odd = v[1].sub(v[2]).mul(by(1.0 / 18.0));
    let even_2 = v[3].add(v[4]).mul(by(1.0 / 360.0));
    let odd_2 = v[3].sub(v[4]).mul(by(1.0 / 180.0));
    let even_half = v[5].add(v[6]).mul(by(1.0 / 45.0));
    let odd_half = v[5].sub(v[6]).mul(by(2.0 / 45.0));
    [
        v[0].fma(by(0.25), even.add(even_half.fma(by(16.0), even_2))),
        odd.add(odd_half.fma(by(4.0), odd_2)),
        even_half.fma(by(4.0), even_2.fma(by(4.0), even)),
        odd.add(odd_2.fma(by(4.0), odd_half)),
        v[7].fma(by(0.25), even.add(even_2.fma(by(16.0), even_half))),
    ]
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
