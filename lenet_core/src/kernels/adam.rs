//! Adam's update, element by element.

use super::buffer::LINE;
use super::isa::{Isa, Kernel};
use super::simd::Simd;

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
///
/// Writes the parameters to `copy`, too, if another core wants them; it begins on a cache line.
pub(crate) fn update(
    isa: Isa,
    rates: Rates,
    parameters: &mut [f32],
    gradients: &[&[f32]],
    [mean, square]: [&mut [f32]; 2],
    copy: Option<&mut [f32]>,
) -> (bool, bool) {
    let mut probes = [0.0; 2];
    let len = parameters.len();
    assert!(mean.len() == len && square.len() == len);
    assert!(gradients.iter().all(|gradient| gradient.len() == len));
    let copy = copy.map(|copy| {
        assert_eq!(copy.len(), len);
        assert!(copy.as_ptr().addr().is_multiple_of(LINE * size_of::<f32>()));
        copy.as_mut_ptr()
    });
    // SAFETY: the kernel touches `len` numbers of each slice, all of which are that long, and `copy` lies as it
    // wants.
    unsafe {
        isa.run(Update {
            rates,
            len,
            parameters: parameters.as_mut_ptr(),
            gradients,
            mean: mean.as_mut_ptr(),
            square: square.as_mut_ptr(),
            copy,
            probes: &mut probes,
        });
    }
    (probes[0] == 0.0, probes[1] == 0.0)
}

struct Update<'a> {
    rates: Rates,
    len: usize,
    parameters: *mut f32,
    gradients: &'a [&'a [f32]],
    mean: *mut f32,
    square: *mut f32,
    copy: Option<*mut f32>,
    /// The sums of all parameters and of all means, each times zero: NaN if one of them is not finite.
    probes: &'a mut [f32; 2],
}

impl Kernel for Update<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut probes = [S::splat(0.0); 2];
        for at in (0..self.len).step_by(S::LANES) {
            self.vector::<S>(at, S::LANES.min(self.len - at), &mut probes);
        }
        S::streamed();
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
        for summand in self.gradients {
            gradient = gradient.add(S::load_first(count, summand.as_ptr().add(at)));
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
        if let Some(copy) = self.copy {
            if count == S::LANES {
                parameter.stream(copy.add(at));
            } else {
                parameter.store_first(count, copy.add(at));
            }
        }
        probes[0] = parameter.fma(zero, probes[0]);
        probes[1] = mean.fma(zero, square.fma(zero, probes[1]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::buffer::Pool;

    #[test]
    fn another_core_gets_the_parameters_as_they_are_now() {
        let rates = Rates {
            step_size: 0.1,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        };
        for isa in Isa::available() {
            for len in [0, 1, 8, 16, 17, 50] {
                let numbers = |factor: f32| (0..len).map(|i| factor * i as f32).collect::<Vec<_>>();
                let (mut parameters, gradient) = (numbers(0.5), numbers(-2.0));
                let (mut mean, mut square) = (numbers(0.0), numbers(0.0));
                let mut copy = Pool::default().take(len);
                copy.fill(f32::NAN);
                let moments = [&mut *mean, &mut *square];
                let gradients = [&*gradient, &gradient];
                update(
                    isa,
                    rates,
                    &mut parameters,
                    &gradients,
                    moments,
                    Some(&mut copy),
                );
                assert_eq!(*copy, parameters);
                // The first step of each is about `step_size / sqrt(0.1)` long, but where the gradient is zero.
                assert!((1..len).all(|i| parameters[i] > 0.5 * i as f32 + 0.1));
            }
        }
    }
}
