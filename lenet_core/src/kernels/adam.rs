//! Adam's update, element by element.

use super::isa::{Isa, Kernel};
use super::simd::Simd;
use crate::gradient::Halves;

/// The numbers of one step that are the same for all parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    /// The learning rate, with both bias corrections folded in.
    pub(crate) step_size: f32,
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    pub(crate) epsilon: f32,
}

/// Updates the running means and moves the parameters against the sum of their `gradients`;
/// [`crate::optim::Adam`] has the formulas. Tells whether the parameters are all finite, and whether the
/// means are.
pub(crate) fn update(
    isa: Isa,
    rates: Rates,
    parameters: &mut [f32],
    gradients: Halves<&[f32]>,
    [mean, square]: [&mut [f32]; 2],
) -> (bool, bool) {
    let mut probes = [0.0; 2];
    let len = parameters.len();
    assert!(mean.len() == len && square.len() == len);
    let gradients = gradients.map(|half| {
        half.map_or(std::ptr::null(), |half| {
            assert_eq!(half.len(), len);
            half.as_ptr()
        })
    });
    // SAFETY: the kernel touches `len` numbers of each slice, all of which are that long.
    unsafe {
        isa.run(Update {
            rates,
            len,
            parameters: parameters.as_mut_ptr(),
            gradients,
            mean: mean.as_mut_ptr(),
            square: square.as_mut_ptr(),
            probes: &mut probes,
        });
    }
    (probes[0] == 0.0, probes[1] == 0.0)
}

struct Update<'a> {
    rates: Rates,
    len: usize,
    parameters: *mut f32,
    /// Null where a half has none.
    gradients: [*const f32; 2],
    mean: *mut f32,
    square: *mut f32,
    /// The sums of all parameters and of all means, each times zero: NaN if one of them is not finite.
    probes: &'a mut [f32; 2],
}

impl Kernel for Update<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut probes = [S::splat(0.0); 2];
        // Vectors that the compiler knows to be whole need no masks.
        let whole = self.len - self.len % S::LANES;
        for at in (0..whole).step_by(S::LANES) {
            self.vector::<S>(at, S::LANES, &mut probes);
        }
        if whole < self.len {
            self.vector::<S>(whole, self.len - whole, &mut probes);
        }
        *self.probes = probes.map(|probe| probe.sum());
    }
}

impl Update<'_> {
    /// Moves the `count` parameters from `at` on.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, at: usize, count: usize, probes: &mut [S; 2]) {
        let Rates {
            step_size,
            beta_1,
            beta_2,
            epsilon,
        } = self.rates;
        let zero = S::splat(0.0);
        let mut gradient = zero;
        for half in self.gradients {
            if !half.is_null() {
                gradient = gradient.add(S::load_first(count, half.add(at)));
            }
        }
        let fresh = gradient.mul(S::splat(1.0 - beta_1));
        let mean = S::load_first(count, self.mean.add(at)).fma(S::splat(beta_1), fresh);
        let fresh = gradient.mul(gradient).mul(S::splat(1.0 - beta_2));
        let square = S::load_first(count, self.square.add(at)).fma(S::splat(beta_2), fresh);
        mean.store_first(count, self.mean.add(at));
        square.store_first(count, self.square.add(at));
        let step = mean
            .mul(S::splat(step_size))
            .div(square.sqrt().add(S::splat(epsilon)));
        let parameter = S::load_first(count, self.parameters.add(at));
        let parameter = step.fnma(S::splat(1.0), parameter);
        parameter.store_first(count, self.parameters.add(at));
        probes[0] = parameter.fma(zero, probes[0]);
        probes[1] = mean.fma(zero, square.fma(zero, probes[1]));
    }
}
