//! Activations, value by value.

use crate::isa::Isa;
use crate::simd::{Kernel, Simd};

/// A function that is applied to each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// The hyperbolic tangent, within 6 units in the last place; NaN for NaN.
    Tanh,
    /// `max(x, 0)`; NaN for NaN.
    Relu,
    /// `1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2`; NaN for NaN.
    Sigmoid,
}

impl Activation {
    /// Replaces each value by what the function makes of it.
    ///
    /// ```
    /// use lenet_kernels::{Activation, Isa};
    /// let mut values = [-1.0, 0.0, 2.0];
    /// Activation::Relu.forward(Isa::best(), &mut values);
    /// assert_eq!(values, [0.0, 0.0, 2.0]);
    /// ```
    pub fn forward(self, isa: Isa, values: &mut [f32]) {
        let (to, len) = (values.as_mut_ptr(), values.len());
        // SAFETY: the kernel touches `len` values.
        unsafe { isa.run(&Each { activation: self, y: None, to, len }) };
    }

    /// From the gradient of the outputs `y` to that of the inputs, in place: multiplies `dy` by the derivative, which is
    /// `1 - y^2` for tanh, `y (1 - y)` for sigmoid, and for ReLU 1 where `y > 0`, else 0.
    pub fn backward(self, isa: Isa, y: &[f32], dy: &mut [f32]) {
        assert_eq!(y.len(), dy.len());
        let (y, to, len) = (Some(y.as_ptr()), dy.as_mut_ptr(), dy.len());
        // SAFETY: the kernel touches `len` values of each slice.
        unsafe { isa.run(&Each { activation: self, y, to, len }) };
    }
}

/// Beyond this, tanh rounds to 1 in `f32`.
const LIMIT: f32 = 9.02;

// tanh(x) = x * P(x^2) / Q(x^2) on |x| <= LIMIT, with a relative error of 1.4e-9 before rounding: least squares on the
// relative error, reweighted towards the minimax solution. `tanh_fit.py` beside this file makes the values.
const P: [f32; 6] = [1.0, 0.136_799_53, 0.003_868_375_2, 2.800_837_7e-5, 3.058_707_4e-8, -1.220_484_8e-11];
const Q: [f32; 5] = [1.0, 0.470_132_86, 0.027_246_013, 0.000_393_871_33, 1.287_428_7e-6];

/// tanh of each lane: odd, at most 1 in absolute value, NaN for NaN. Several vectors are taken step by step together: while
/// one waits for a sum, the CPU works on the others.
#[inline(always)]
unsafe fn tanh<S: Simd, const N: usize>(mut x: [S; N]) -> [S; N] {
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

/// Replaces values by what the function makes of them, or with outputs `y` gradients by what the derivative makes of them.
struct Each {
    activation: Activation,
    y: Option<*const f32>,
    to: *mut f32,
    len: usize,
}

impl Kernel for Each {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        for at in (0..self.len).step_by(S::LANES) {
            let (count, to) = (S::LANES.min(self.len - at), self.to.add(at));
            let value = S::load_at_most(count, to);
            let value = match self.y {
                None => forward(Some(self.activation), [value])[0],
                Some(y) => backward(Some(self.activation), S::load_at_most(count, y.add(at)), value),
            };
            value.store_at_most(count, to);
        }
    }
}

/// Applies the function, if there is one.
#[inline(always)]
pub(crate) unsafe fn forward<S: Simd, const N: usize>(activation: Option<Activation>, mut x: [S; N]) -> [S; N] {
    let half = S::splat(0.5);
    match activation {
        None => x,
        Some(Activation::Tanh) => tanh(x),
        Some(Activation::Relu) => {
            for x in &mut x {
                *x = S::splat(0.0).max(*x);
            }
            x
        }
        Some(Activation::Sigmoid) => {
            for x in &mut x {
                *x = x.mul(half);
            }
            x = tanh(x);
            for y in &mut x {
                *y = y.fma(half, half);
            }
            x
        }
    }
}

/// The gradient before the function, if there is one, from its output `y` and the gradient `dy` of that.
#[inline(always)]
pub(crate) unsafe fn backward<S: Simd>(activation: Option<Activation>, y: S, dy: S) -> S {
    let (zero, one) = (S::splat(0.0), S::splat(1.0));
    match activation {
        None => dy,
        Some(Activation::Tanh) => dy.mul(y.fnma(y, one)),
        Some(Activation::Relu) => zero.if_at_least(y, zero, dy),
        Some(Activation::Sigmoid) => dy.mul(y.fnma(y, y)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naive::values;

    #[test]
    fn tanh_is_within_a_few_units_in_the_last_place_over_its_whole_range() {
        for isa in Isa::available() {
            let mut inputs: Vec<f32> = (-2_000_000..=2_000_000).map(|i| i as f32 * 6e-6).collect();
            inputs.extend((-126..4).flat_map(|e| [2f32.powi(e), -1.3 * 2f32.powi(e)]));
            let mut outputs = inputs.clone();
            Activation::Tanh.forward(isa, &mut outputs);
            let mut worst = 0f64;
            for (&x, &y) in inputs.iter().zip(&outputs) {
                let truth = f64::from(x).tanh();
                let size = (truth as f32).abs();
                let unit = f64::from(size.next_up()) - f64::from(size);
                worst = worst.max((f64::from(y) - truth).abs() / unit);
                assert!(y.abs() <= 1.0, "{isa:?}: tanh({x}) = {y}");
            }
            assert!(worst < 6.0, "{isa:?}: off by {worst} units in the last place");
        }
    }

    #[test]
    fn special_values() {
        for isa in Isa::available() {
            let all = |activation: Activation| {
                let mut values = [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-40, -1e-40, f32::NAN];
                activation.forward(isa, &mut values);
                assert!(values[6].is_nan(), "{isa:?} {activation:?}");
                values
            };
            let tanh = all(Activation::Tanh);
            assert_eq!(tanh[..6], [0.0, -0.0, 1.0, -1.0, 1e-40, -1e-40]);
            assert!(tanh[0].is_sign_positive() && tanh[1].is_sign_negative());
            assert_eq!(all(Activation::Relu)[..6], [0.0, 0.0, f32::INFINITY, 0.0, 1e-40, 0.0]);
            assert_eq!(all(Activation::Sigmoid)[..6], [0.5, 0.5, 1.0, 0.0, 0.5, 0.5]);
        }
    }

    #[test]
    fn functions_and_derivatives_are_those_of_the_formulas() {
        for isa in Isa::available() {
            for len in [1, 5, 64, 97] {
                let (x, dy) = (values(len, 1), values(len, 2));
                for activation in [Activation::Tanh, Activation::Relu, Activation::Sigmoid] {
                    let (mut y, mut dx) = (x.clone(), dy.clone());
                    activation.forward(isa, &mut y);
                    activation.backward(isa, &y, &mut dx);
                    for i in 0..len {
                        let sigmoid = 1.0 / (1.0 + (-x[i]).exp());
                        let (wanted, slope) = match activation {
                            Activation::Tanh => (x[i].tanh(), 1.0 - x[i].tanh().powi(2)),
                            Activation::Relu => (x[i].max(0.0), f32::from(x[i] > 0.0)),
                            Activation::Sigmoid => (sigmoid, sigmoid * (1.0 - sigmoid)),
                        };
                        assert!((y[i] - wanted).abs() < 1e-6, "{isa:?} {activation:?}");
                        assert!((dx[i] - dy[i] * slope).abs() < 1e-6, "{isa:?} {activation:?}");
                    }
                }
            }
        }
    }
}
