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
