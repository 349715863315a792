//! The hyperbolic tangent of a vector.

use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Beyond this, tanh rounds to 1 in `f32`.
const LIMIT: f32 = 9.02;

// tanh(x) = x * P(x^2) / Q(x^2) on |x| <= LIMIT, with a relative error of 1.4e-9 before rounding:
// least squares on the relative error, reweighted towards the minimax solution. `tanh_fit.py`
// beside this file makes the numbers.
const P: [f32; 6] = [
    1.0,
    0.136_799_53,
    0.003_868_375_2,
    2.800_837_7e-5,
    3.058_707_4e-8,
    -1.220_484_8e-11,
];
const Q: [f32; 5] = [
    1.0,
    0.470_132_86,
    0.027_246_013,
    0.000_393_871_33,
    1.287_428_7e-6,
];

/// tanh of each lane, within 5 units in the last place; odd, at most 1 in absolute value, NaN for NaN. Several
/// vectors are taken step by step together: while one waits for a sum, the CPU works on the others.
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd, const N: usize>(mut x: [S; N]) -> [S; N] {
    let [mut square, mut numerator, mut denominator] = [[S::splat(0.0); N]; 3];
    for i in 0..N {
        // `min` and `max` return their second operand where one is NaN: the constant stands first.
        x[i] = S::splat(-LIMIT).max(S::splat(LIMIT).min(x[i]));
        square[i] = x[i].mul(x[i]);
        numerator[i] = S::splat(P[5]);
        denominator[i] = S::splat(Q[4]);
    }
    for coefficient in [P[4], P[3], P[2], P[1], P[0]] {
        for i in 0..N {
            numerator[i] = numerator[i].fma(square[i], S::splat(coefficient));
        }
    }
    for coefficient in [Q[3], Q[2], Q[1], Q[0]] {
        for i in 0..N {
            denominator[i] = denominator[i].fma(square[i], S::splat(coefficient));
        }
    }
    for i in 0..N {
        let y = x[i].mul(numerator[i]).div(denominator[i]);
        x[i] = S::splat(-1.0).max(S::splat(1.0).min(y));
    }
    x
}

/// Replaces each number of `values` by its tanh.
pub(crate) fn in_place(isa: Isa, values: &mut [f32]) {
    struct InPlace<'a>(&'a mut [f32]);
    impl Kernel for InPlace<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let mut chunks = self.0.chunks_exact_mut(S::LANES);
            for chunk in &mut chunks {
                let [y] = tanh([S::load(chunk.as_ptr())]);
                y.store(chunk.as_mut_ptr());
            }
            let rest = chunks.into_remainder();
            let mut buffer = [0.0; 64];
            buffer[..rest.len()].copy_from_slice(rest);
            let [y] = tanh([S::load(buffer.as_ptr())]);
            y.store(buffer.as_mut_ptr());
            rest.copy_from_slice(&buffer[..rest.len()]);
        }
    }
    // SAFETY: loads and stores stay inside chunks of `LANES` numbers, and a buffer longer than that.
    unsafe { isa.run(InPlace(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_within_a_few_units_in_the_last_place_over_its_whole_range() {
        for isa in Isa::available() {
            let mut inputs: Vec<f32> = (-2_000_000..=2_000_000).map(|i| i as f32 * 6e-6).collect();
            inputs.extend((-126..4).flat_map(|e| [2f32.powi(e), -1.3 * 2f32.powi(e)]));
            let mut outputs = inputs.clone();
            in_place(isa, &mut outputs);
            let mut worst = 0f64;
            for (&x, &y) in inputs.iter().zip(&outputs) {
                let truth = f64::from(x).tanh();
                let unit =
                    f64::from((truth as f32).abs().next_up()) - f64::from((truth as f32).abs());
                worst = worst.max((f64::from(y) - truth).abs() / unit);
                assert!(y.abs() <= 1.0, "{isa:?}: tanh({x}) = {y}");
            }
            assert!(
                worst < 6.0,
                "{isa:?}: off by {worst} units in the last place"
            );
        }
    }

    #[test]
    fn tanh_of_special_numbers() {
        for isa in Isa::available() {
            let mut values = [
                0.0,
                -0.0,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NAN,
                1e-40,
                -1e-40,
            ];
            in_place(isa, &mut values);
            assert_eq!(values[..4], [0.0, -0.0, 1.0, -1.0]);
            assert!(values[0].is_sign_positive() && values[1].is_sign_negative());
            assert!(values[4].is_nan());
            assert_eq!(values[5..], [1e-40, -1e-40]);
        }
    }
}
