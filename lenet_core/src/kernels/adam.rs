//! Adam's update, element by element.

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

/// Updates the running means and moves the parameters; [`crate::optim::Adam`] has the formulas.
/// Tells whether the parameters are all finite, and whether the means are.
pub(crate) fn update(
    isa: Isa,
    rates: Rates,
    parameters: &mut [f32],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
) -> (bool, bool) {
    let mut probes = [0.0; 2];
    let len = parameters.len();
    assert!(gradient.len() == len && mean.len() == len && square.len() == len);
    // SAFETY: the kernel touches `len` numbers of each slice, all of which are that long.
    unsafe {
        isa.run(Update {
            rates,
            len,
            parameters: parameters.as_mut_ptr(),
            gradient: gradient.as_ptr(),
            mean: mean.as_mut_ptr(),
            square: square.as_mut_ptr(),
            probes: &mut probes,
        });
    }
    (probes[0] == 0.0, probes[1] == 0.0)
}

struct Update {
    rates: Rates,
    len: usize,
    parameters: *mut f32,
    gradient: *const f32,
    mean: *mut f32,
    square: *mut f32,
    /// The sums of all parameters and of all means, each times zero: NaN if one of them is not finite.
    probes: *mut [f32; 2],
}

impl Kernel for Update {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let whole = self.len - self.len % S::LANES;
        let mut at = 0;
        let mut probes = [S::splat(0.0); 2];
        while at < whole {
            self.vector::<S>(at, &mut probes);
            at += S::LANES;
        }
        // The last few go through buffers of a vector's length.
        let rest = self.len - whole;
        let mut buffers = [[0.0; 16]; 4];
        let sources = [
            self.parameters.cast_const(),
            self.gradient,
            self.mean.cast_const(),
            self.square,
        ];
        for (buffer, source) in buffers.iter_mut().zip(sources) {
            std::ptr::copy_nonoverlapping(source.add(whole), buffer.as_mut_ptr(), rest);
        }
        let [parameters, gradient, mean, square] = &mut buffers;
        let padded = Self {
            parameters: parameters.as_mut_ptr(),
            gradient: gradient.as_ptr(),
            mean: mean.as_mut_ptr(),
            square: square.as_mut_ptr(),
            ..self
        };
        padded.vector::<S>(0, &mut probes);
        *self.probes = probes.map(|probe| probe.sum());
        let targets = [self.parameters, self.mean, self.square];
        for (target, buffer) in targets.into_iter().zip([parameters, mean, square]) {
            std::ptr::copy_nonoverlapping(buffer.as_ptr(), target.add(whole), rest);
        }
    }
}

impl Update {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, at: usize, probes: &mut [S; 2]) {
        let Rates {
            step_size,
            beta_1,
            beta_2,
            epsilon,
        } = self.rates;
        let gradient = S::load(self.gradient.add(at));
        let fresh = gradient.mul(S::splat(1.0 - beta_1));
        let mean = S::load(self.mean.add(at)).fma(S::splat(beta_1), fresh);
        let fresh = gradient.mul(gradient).mul(S::splat(1.0 - beta_2));
        let square = S::load(self.square.add(at)).fma(S::splat(beta_2), fresh);
        mean.store(self.mean.add(at));
        square.store(self.square.add(at));
        let step = mean
            .mul(S::splat(step_size))
            .div(square.sqrt().add(S::splat(epsilon)));
        let parameter = S::load(self.parameters.add(at));
        let parameter = step.fnma(S::splat(1.0), parameter);
        parameter.store(self.parameters.add(at));
        let zero = S::splat(0.0);
        probes[0] = parameter.fma(zero, probes[0]);
        probes[1] = mean.fma(zero, square.fma(zero, probes[1]));
    }
}
