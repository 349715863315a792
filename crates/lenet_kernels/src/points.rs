//! Rows of values as polynomials, at eight points.
//!
//! A row of `N` outputs of a filter of `K` taps is made of `N + K - 1` inputs. If that is eight, it costs eight products
//! instead of `N K`: take the polynomials whose coefficients are the taps and the outputs' gradient; their product has eight
//! coefficients, so its values at eight points determine it, and there they are just products of values. The convolution is
//! this map turned around (transposed). Winograd, "Arithmetic Complexity of Computations", 1980; for convolutional networks
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, where it is called F(N, K).
//!
//! The points are 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, where the highest coefficient alone counts. `points.py` beside this
//! file makes the constants and checks the identity for all `K`.

use crate::simd::Simd;

/// Points, and inputs of a tile of outputs.
pub(crate) const POINTS: usize = 8;

/// What the values of the taps are multiplied by, so that the constants of [`input_at_points`] are integers.
const SCALE: [f32; POINTS] =
    [1.0 / 4.0, 1.0 / 18.0, 1.0 / 18.0, 1.0 / 360.0, 1.0 / 360.0, 16.0 / 45.0, 16.0 / 45.0, 1.0 / 4.0];

/// The points whose values come in pairs, with the negative one.
const PAIRS: [f32; 3] = [1.0, 2.0, 0.5];

/// The values of the polynomial with `N` coefficients.
#[inline(always)]
pub(crate) unsafe fn at_points<S: Simd, const N: usize>(coefficients: [S; N]) -> [S; POINTS] {
    let mut values = [coefficients[0]; POINTS];
    values[POINTS - 1] = coefficients[N - 1];
    for (i, point) in PAIRS.into_iter().enumerate() {
        let (mut even, mut odd, mut power) = (coefficients[0], S::splat(0.0), point);
        for (n, coefficient) in coefficients.into_iter().enumerate().skip(1) {
            let sum = if n % 2 == 0 { &mut even } else { &mut odd };
            *sum = match (n, point) {
                (1, 1.0) => coefficient,
                (1, _) => coefficient.mul(S::splat(power)),
                (_, 1.0) => sum.add(coefficient),
                _ => coefficient.fma(S::splat(power), *sum),
            };
            power *= point;
        }
        values[1 + 2 * i] = even.add(odd);
        values[2 + 2 * i] = even.sub(odd);
    }
    values
}

/// [`at_points`] turned around.
#[inline(always)]
pub(crate) unsafe fn from_points<S: Simd, const N: usize>(values: [S; POINTS]) -> [S; N] {
    let mut coefficients = [S::splat(0.0); N];
    let mut pairs = [[S::splat(0.0); 2]; 3];
    for (i, pair) in pairs.iter_mut().enumerate() {
        let (plus, minus) = (values[1 + 2 * i], values[2 + 2 * i]);
        *pair = [plus.add(minus), plus.sub(minus)];
    }
    for (n, coefficient) in coefficients.iter_mut().enumerate() {
        let [one, two, half] = pairs.map(|pair| pair[n % 2]);
        let two_to_n = (1 << n) as f32;
        *coefficient = half.fma(S::splat(1.0 / two_to_n), two.fma(S::splat(two_to_n), one));
    }
    coefficients[0] = coefficients[0].add(values[0]);
    coefficients[N - 1] = coefficients[N - 1].add(values[POINTS - 1]);
    coefficients
}

/// A row of `K` taps at the points, scaled.
#[inline(always)]
pub(crate) unsafe fn taps_at_points<S: Simd, const K: usize>(taps: [S; K]) -> [S; POINTS] {
    scaled(at_points(taps))
}

/// [`taps_at_points`] turned around.
#[inline(always)]
pub(crate) unsafe fn taps_from_points<S: Simd, const K: usize>(values: [S; POINTS]) -> [S; K] {
    from_points(scaled(values))
}

#[inline(always)]
unsafe fn scaled<S: Simd>(mut values: [S; POINTS]) -> [S; POINTS] {
    for (value, scale) in values.iter_mut().zip(SCALE) {
        *value = value.mul(S::splat(scale));
    }
    values
}

/// What the products of eight neighbouring inputs with filters are made of, the same for all filters.
#[inline(always)]
pub(crate) unsafe fn input_at_points<S: Simd>([a, b, c, d, e, f, g, h]: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
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

/// [`input_at_points`] turned around, for gradients.
#[inline(always)]
pub(crate) unsafe fn input_from_points<S: Simd>(v: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (v[1].add(v[2]), v[1].sub(v[2]));
    let (even_2, odd_2) = (v[3].add(v[4]), v[3].sub(v[4]));
    let (even_half, odd_half) = (v[5].add(v[6]), v[5].sub(v[6]));
    let c = even_half.fma(by(8.0), v[0].fma(by(-21.0), even_2));
    let e = even_half.fma(by(-10.0), even_2.fma(by(-5.0), v[0].mul(by(21.0))));
    let g = even_half.fma(by(2.0), even_2.mul(by(4.0)));
    let b = odd_half.fma(by(4.0), odd_2.fma(by(2.0), v[7].mul(by(-4.0))));
    let d = odd_half.fma(by(-5.0), odd_2.fma(by(-10.0), v[7].mul(by(21.0))));
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
