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

/// What eight neighbouring inputs are at the points, the same for all filters.
#[inline(always)]
pub(crate) unsafe fn input_at_points<S: Simd>([a, b, c, d, e, f, g, h]: [S; POINTS]) -> [S; POINTS] {
    let by = |numerator: f32, denominator: f32| S::splat(numerator / denominator);
    let (even, odd) = (c.add(g).mul(by(-2.0, 9.0)), b.add(f).mul(by(-2.0, 9.0)));
    let (even, odd) = (e.fma(by(17.0, 18.0), even), d.fma(by(17.0, 18.0), odd));
    let even_2 = g.fma(by(1.0, 90.0), e.fma(by(-1.0, 72.0), c.mul(by(1.0, 360.0))));
    let odd_2 = f.fma(by(1.0, 45.0), d.fma(by(-1.0, 36.0), b.mul(by(1.0, 180.0))));
    let even_half = c.fma(by(128.0, 45.0), e.fma(by(-32.0, 9.0), g.mul(by(32.0, 45.0))));
    let odd_half = b.fma(by(64.0, 45.0), d.fma(by(-16.0, 9.0), f.mul(by(16.0, 45.0))));
    [
        e.sub(c).fma(by(21.0, 4.0), a.sub(g)),
        odd.add(even),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        d.sub(f).fma(by(21.0, 4.0), h.sub(b)),
    ]
}

/// [`input_at_points`] turned around, for gradients.
#[inline(always)]
pub(crate) unsafe fn input_from_points<S: Simd>(v: [S; POINTS]) -> [S; POINTS] {
    let by = |numerator: f32, denominator: f32| S::splat(numerator / denominator);
    let (even, odd) = (v[1].add(v[2]), v[1].sub(v[2]));
    let (even_2, odd_2) = (v[3].add(v[4]), v[3].sub(v[4]));
    let (even_half, odd_half) = (v[5].add(v[6]), v[5].sub(v[6]));
    let (first, last) = (v[0].mul(by(21.0, 4.0)), v[7].mul(by(21.0, 4.0)));
    let b = odd_half.fma(by(64.0, 45.0), odd_2.fma(by(1.0, 180.0), odd.mul(by(-2.0, 9.0))));
    let c = even_half.fma(by(128.0, 45.0), even_2.fma(by(1.0, 360.0), even.mul(by(-2.0, 9.0))));
    let d = odd_half.fma(by(-16.0, 9.0), odd_2.fma(by(-1.0, 36.0), odd.fma(by(17.0, 18.0), last)));
    let e = even_half.fma(by(-32.0, 9.0), even_2.fma(by(-1.0, 72.0), even.fma(by(17.0, 18.0), first)));
    let f = odd_half.fma(by(16.0, 45.0), odd_2.fma(by(1.0, 45.0), odd.mul(by(-2.0, 9.0))));
    let g = even_half.fma(by(32.0, 45.0), even_2.fma(by(1.0, 90.0), even.mul(by(-2.0, 9.0))));
    [v[0], b.sub(v[7]), c.sub(first), d, e, f.sub(last), g.sub(v[0]), v[7]]
}
