//! Optimisers' updates, value by value. Each one sums the gradients of all shards while it reads them.

use std::cell::Cell;

use crate::isa::Isa;
use crate::simd::{Kernel, Simd};

/// How one step moves a parameter `p` against its gradient `g`, as Keras has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`, `p -= decay p + step_size m / (sqrt(v) + epsilon)`,
    /// where `step_size` is the learning rate with the bias corrections folded in (Kingma and Ba, "Adam: a method for
    /// stochastic optimization", 2015), and `decay` the learning rate times the weight decay. Averages: `m` and `v`.
    #[allow(missing_docs)]
    Adam { step_size: f32, decay: f32, beta_1: f32, beta_2: f32, epsilon: f32 },
    /// `v = momentum v - rate g`, `p += v`, or with Nesterov's look ahead `p += momentum v - rate g` (Sutskever et al., "On the
    /// importance of initialization and momentum in deep learning", 2013). Average: `v`.
    #[allow(missing_docs)]
    Sgd { rate: f32, momentum: f32, nesterov: bool },
    /// `v = rho v + (1 - rho) g^2`, `p -= rate g / sqrt(v + epsilon)` (Hinton, "Neural networks for machine learning",
    /// lecture 6, 2012). Average: `v`.
    #[allow(missing_docs)]
    RmsProp { rate: f32, rho: f32, epsilon: f32 },
}

/// Whether all values are finite after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finite {
    /// The parameters.
    pub parameters: bool,
    /// The running averages.
    pub averages: bool,
}

/// Moves the parameters by a step of the rule against the sum of the `gradients`. There are as many averages as the rule
/// names, in its order.
pub fn update(
    isa: Isa,
    rule: Rule,
    parameters: &mut [f32],
    gradients: &[&[f32]],
    averages: &mut [&mut [f32]],
) -> Finite {
    match averages {
        [mean, square] => run(isa, rule, parameters, gradients, [mean, square]),
        [average] => run(isa, rule, parameters, gradients, [average]),
        _ => panic!("{rule:?} does not keep {} averages", averages.len()),
    }
}

fn run<const N: usize>(
    isa: Isa,
    rule: Rule,
    parameters: &mut [f32],
    gradients: &[&[f32]],
    averages: [&mut [f32]; N],
) -> Finite {
    let (len, probes) = (parameters.len(), Cell::new([0.0; 2]));
    assert_eq!(N == 2, matches!(rule, Rule::Adam { .. }), "averages of {rule:?}");
    assert!(averages.iter().all(|average| average.len() == len), "averages for {len} parameters");
    assert!(gradients.iter().all(|gradient| gradient.len() == len), "gradients for {len} parameters");
    let averages = averages.map(|average| average.as_mut_ptr());
    // SAFETY: the kernel touches `len` values of each slice, all of which are that long, and as many averages as the rule has.
    unsafe {
        isa.run(&Update { rule, len, parameters: parameters.as_mut_ptr(), gradients, averages, probes: &probes })
    };
    let probes = probes.get();
    Finite { parameters: probes[0] == 0.0, averages: probes[1] == 0.0 }
}

struct Update<'a, const N: usize> {
    rule: Rule,
    len: usize,
    parameters: *mut f32,
    gradients: &'a [&'a [f32]],
    averages: [*mut f32; N],
    /// The sums of all parameters and of all averages, each times zero: NaN if one of them is not finite.
    probes: &'a Cell<[f32; 2]>,
}

impl<const N: usize> Kernel for Update<'_, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let by = |value: f32| S::splat(value);
        let mut probes = [by(0.0); 2];
        for at in (0..self.len).step_by(S::LANES) {
            let count = S::LANES.min(self.len - at);
            let mut g = by(0.0);
            for gradient in self.gradients {
                g = g.add(S::load_at_most(count, gradient.as_ptr().add(at)));
            }
            let mut averages = [by(0.0); N];
            for (average, from) in averages.iter_mut().zip(self.averages) {
                *average = S::load_at_most(count, from.add(at));
            }
            let p = S::load_at_most(count, self.parameters.add(at));
            let p = match self.rule {
                Rule::Adam { step_size, decay, beta_1, beta_2, epsilon } => {
                    averages[0] = averages[0].fma(by(beta_1), g.mul(by(1.0 - beta_1)));
                    averages[1] = averages[1].fma(by(beta_2), g.mul(g).mul(by(1.0 - beta_2)));
                    let step = averages[0].mul(by(step_size)).div(averages[1].sqrt().add(by(epsilon)));
                    p.mul(by(1.0 - decay)).sub(step)
                }
                Rule::Sgd { rate, momentum, nesterov } => {
                    let slope = g.mul(by(-rate));
                    averages[0] = averages[0].fma(by(momentum), slope);
                    p.add(if nesterov { averages[0].fma(by(momentum), slope) } else { averages[0] })
                }
                Rule::RmsProp { rate, rho, epsilon } => {
                    averages[0] = averages[0].fma(by(rho), g.mul(g).mul(by(1.0 - rho)));
                    p.sub(g.mul(by(rate)).div(averages[0].add(by(epsilon)).sqrt()))
                }
            };
            p.store_at_most(count, self.parameters.add(at));
            probes[0] = p.fma(by(0.0), probes[0]);
            for (average, to) in averages.into_iter().zip(self.averages) {
                average.store_at_most(count, to.add(at));
                probes[1] = average.fma(by(0.0), probes[1]);
            }
        }
        self.probes.set(probes.map(|probe| probe.sum()));
    }
}
