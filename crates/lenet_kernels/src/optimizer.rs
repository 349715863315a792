//! Optimisers' updates, value by value. Each one sums the gradients of all shards while it reads them.

use std::cell::Cell;

use crate::isa::Isa;
use crate::simd::{Kernel, Simd};

/// Whether all values are finite after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finite {
    /// The parameters.
    pub parameters: bool,
    /// The running averages: means of gradients and of their squares, or velocities.
    pub averages: bool,
}

/// The values of one step of Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015), the same for all
/// parameters: `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`, `p -= step_size m / (sqrt(v) + epsilon)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The learning rate, with the bias corrections folded in.
    pub step_size: f32,
    /// How much of the mean of the gradients stays.
    pub beta_1: f32,
    /// How much of the mean of their squares stays.
    pub beta_2: f32,
    /// What is added to the root.
    pub epsilon: f32,
}

impl Adam {
    /// Step number `step` (from 1 on) as Keras takes it: `p -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)`.
    pub fn keras(rate: f32, [beta_1, beta_2]: [f32; 2], epsilon: f32, step: u64) -> Self {
        let [mean, square] = corrections([beta_1, beta_2], step);
        let step_size = (f64::from(rate) * square.sqrt() / mean) as f32;
        Self { step_size, beta_1, beta_2, epsilon }
    }

    /// Step number `step` (from 1 on) as PyTorch takes it: `p -= rate / (1 - beta_1^t) m / (sqrt(v / (1 - beta_2^t)) + epsilon)`.
    pub fn pytorch(rate: f32, betas: [f32; 2], epsilon: f32, step: u64) -> Self {
        let [_, square] = corrections(betas, step);
        Self::keras(rate, betas, (f64::from(epsilon) * square.sqrt()) as f32, step)
    }
}

/// `1 - beta^step`.
fn corrections(betas: [f32; 2], step: u64) -> [f64; 2] {
    betas.map(|beta| 1.0 - f64::from(beta).powf(step as f64))
}

/// The values of one step of gradient descent with momentum: `v = momentum v + input g`, `p += output v`, or with Nesterov's
/// look ahead `p += output (momentum v + input g)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// How much of the velocity stays.
    pub momentum: f32,
    /// What a gradient is multiplied by when it comes into the velocity.
    pub input: f32,
    /// What the velocity is multiplied by when it moves a parameter.
    pub output: f32,
    /// Whether to look ahead (Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013).
    pub nesterov: bool,
}

impl Sgd {
    /// As Keras has it: `v = momentum v - rate g`, `p += v`.
    pub fn keras(rate: f32, momentum: f32, nesterov: bool) -> Self {
        Self { momentum, input: -rate, output: 1.0, nesterov }
    }

    /// As PyTorch has it: `v = momentum v + g`, `p -= rate v`. It differs from Keras' only where the rate changes.
    pub fn pytorch(rate: f32, momentum: f32, nesterov: bool) -> Self {
        Self { momentum, input: 1.0, output: -rate, nesterov }
    }
}

/// The values of one step of RMSprop (Hinton, "Neural Networks for Machine Learning", lecture 6, 2012):
/// `v = rho v + (1 - rho) g^2`, `p -= rate g / (sqrt(v + inside) + outside)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// The learning rate.
    pub rate: f32,
    /// How much of the mean of the squares stays.
    pub rho: f32,
    /// What is added below the root.
    pub inside: f32,
    /// What is added to the root.
    pub outside: f32,
}

impl RmsProp {
    /// As Keras has it, with epsilon below the root.
    pub fn keras(rate: f32, rho: f32, epsilon: f32) -> Self {
        Self { rate, rho, inside: epsilon, outside: 0.0 }
    }

    /// As PyTorch has it (where rho is called alpha), with epsilon beside the root.
    pub fn pytorch(rate: f32, rho: f32, epsilon: f32) -> Self {
        Self { rate, rho, inside: 0.0, outside: epsilon }
    }
}

/// Moves the parameters by a step of [`Adam`] against the sum of the `gradients`.
pub fn adam(
    isa: Isa,
    rates: Adam,
    parameters: &mut [f32],
    gradients: &[&[f32]],
    [mean, square]: [&mut [f32]; 2],
) -> Finite {
    update(isa, Rule::Adam(rates), parameters, gradients, [mean, square])
}

/// Moves the parameters by a step of [`Sgd`] against the sum of the `gradients`.
pub fn sgd(isa: Isa, rates: Sgd, parameters: &mut [f32], gradients: &[&[f32]], velocity: &mut [f32]) -> Finite {
    update(isa, Rule::Sgd(rates), parameters, gradients, [velocity])
}

/// Moves the parameters by a step of [`RmsProp`] against the sum of the `gradients`.
pub fn rms_prop(isa: Isa, rates: RmsProp, parameters: &mut [f32], gradients: &[&[f32]], square: &mut [f32]) -> Finite {
    update(isa, Rule::RmsProp(rates), parameters, gradients, [square])
}

#[derive(Clone, Copy)]
enum Rule {
    Adam(Adam),
    Sgd(Sgd),
    RmsProp(RmsProp),
}

fn update<const N: usize>(
    isa: Isa,
    rule: Rule,
    parameters: &mut [f32],
    gradients: &[&[f32]],
    averages: [&mut [f32]; N],
) -> Finite {
    let (len, probes) = (parameters.len(), Cell::new([0.0; 2]));
    assert!(averages.iter().all(|average| average.len() == len), "averages for {len} parameters");
    assert!(gradients.iter().all(|gradient| gradient.len() == len), "gradients for {len} parameters");
    let averages = averages.map(|average| average.as_mut_ptr());
    // SAFETY: the kernel touches `len` values of each slice, all of which are that long.
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
        let mut probes = [S::splat(0.0); 2];
        for at in (0..self.len).step_by(S::LANES) {
            self.vector(at, S::LANES.min(self.len - at), &mut probes);
        }
        self.probes.set(probes.map(|probe| probe.sum()));
    }
}

impl<const N: usize> Update<'_, N> {
    /// Moves the parameters of the vector at `at`.
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, at: usize, count: usize, probes: &mut [S; 2]) {
        let by = |value: f32| S::splat(value);
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
            Rule::Adam(Adam { step_size, beta_1, beta_2, epsilon }) => {
                averages[0] = averages[0].fma(by(beta_1), g.mul(by(1.0 - beta_1)));
                averages[1] = averages[1].fma(by(beta_2), g.mul(g).mul(by(1.0 - beta_2)));
                p.sub(averages[0].mul(by(step_size)).div(averages[1].sqrt().add(by(epsilon))))
            }
            Rule::Sgd(Sgd { momentum, input, output, nesterov }) => {
                averages[0] = averages[0].fma(by(momentum), g.mul(by(input)));
                let ahead = averages[0].fma(by(momentum), g.mul(by(input)));
                (if nesterov { ahead } else { averages[0] }).fma(by(output), p)
            }
            Rule::RmsProp(RmsProp { rate, rho, inside, outside }) => {
                averages[0] = averages[0].fma(by(rho), g.mul(g).mul(by(1.0 - rho)));
                p.sub(g.mul(by(rate)).div(averages[0].add(by(inside)).sqrt().add(by(outside))))
            }
        };
        p.store_at_most(count, self.parameters.add(at));
        probes[0] = p.fma(by(0.0), probes[0]);
        for (average, to) in averages.into_iter().zip(self.averages) {
            average.store_at_most(count, to.add(at));
            probes[1] = average.fma(by(0.0), probes[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naive::values;

    type State = [f64; 2];
    type Formula = fn(t: i32, p: f64, g: f64, state: State) -> (f64, State);
    /// Rates, momentum and epsilon of all tests.
    const RATE: f64 = 0.01;
    const KEEP: f64 = 0.9;
    const EPSILON: f64 = 1e-3;

    /// Takes five steps with two gradients each, and compares with the formula of the manual.
    fn check(name: &str, formula: Formula, step: impl Fn(Isa, u64, &mut [f32], &[&[f32]], [&mut [f32]; 2]) -> Finite) {
        for isa in Isa::available() {
            let len = 37;
            let [mut p, mut m, mut v] = [values(len, 1), vec![0.0; len], vec![0.0; len]];
            let mut wanted = Vec::from_iter(p.iter().map(|p| (f64::from(*p), [0.0; 2])));
            for t in 1..=5 {
                let [a, b] = [values(len, 2 * t), values(len, 2 * t + 1)];
                let finite = step(isa, u64::from(t), &mut p, &[&a, &b], [&mut m, &mut v]);
                assert_eq!(finite, Finite { parameters: true, averages: true });
                for i in 0..len {
                    wanted[i] = formula(t as i32, wanted[i].0, f64::from(a[i]) + f64::from(b[i]), wanted[i].1);
                    assert!(
                        (f64::from(p[i]) - wanted[i].0).abs() < 1e-5,
                        "{isa:?} {name}: {} is not {}",
                        p[i],
                        wanted[i].0
                    );
                }
            }
        }
    }

    #[test]
    fn steps_follow_the_formulas_of_keras_and_pytorch() {
        let (rate, keep, e) = (RATE as f32, KEEP as f32, EPSILON as f32);
        fn means(g: f64, [m, v]: State) -> State {
            [KEEP * m + (1.0 - KEEP) * g, KEEP * v + (1.0 - KEEP) * g * g]
        }
        check(
            "Adam, Keras",
            |t, p, g, state| {
                let ([m, v], left) = (means(g, state), 1.0 - KEEP.powi(t));
                (p - RATE * left.sqrt() / left * m / (v.sqrt() + EPSILON), [m, v])
            },
            |isa, t, p, g, means| adam(isa, Adam::keras(rate, [keep; 2], e, t), p, g, means),
        );
        check(
            "Adam, PyTorch",
            |t, p, g, state| {
                let ([m, v], left) = (means(g, state), 1.0 - KEEP.powi(t));
                (p - RATE * (m / left) / ((v / left).sqrt() + EPSILON), [m, v])
            },
            |isa, t, p, g, means| adam(isa, Adam::pytorch(rate, [keep; 2], e, t), p, g, means),
        );
        for nesterov in [false, true] {
            let keras: Formula = if nesterov {
                |_, p, g, [v, _]| (p + KEEP * (KEEP * v - RATE * g) - RATE * g, [KEEP * v - RATE * g, 0.0])
            } else {
                |_, p, g, [v, _]| (p + KEEP * v - RATE * g, [KEEP * v - RATE * g, 0.0])
            };
            let pytorch: Formula = if nesterov {
                |_, p, g, [v, _]| (p - RATE * (g + KEEP * (KEEP * v + g)), [KEEP * v + g, 0.0])
            } else {
                |_, p, g, [v, _]| (p - RATE * (KEEP * v + g), [KEEP * v + g, 0.0])
            };
            check("SGD, Keras", keras, |isa, _, p, g, [v, _]| sgd(isa, Sgd::keras(rate, keep, nesterov), p, g, v));
            check("SGD, PyTorch", pytorch, |isa, _, p, g, [v, _]| {
                sgd(isa, Sgd::pytorch(rate, keep, nesterov), p, g, v)
            });
        }
        check(
            "RMSprop, Keras",
            |_, p, g, state| (p - RATE * g / (means(g, state)[1] + EPSILON).sqrt(), means(g, state)),
            |isa, _, p, g, [_, v]| rms_prop(isa, RmsProp::keras(rate, keep, e), p, g, v),
        );
        check(
            "RMSprop, PyTorch",
            |_, p, g, state| (p - RATE * g / (means(g, state)[1].sqrt() + EPSILON), means(g, state)),
            |isa, _, p, g, [_, v]| rms_prop(isa, RmsProp::pytorch(rate, keep, e), p, g, v),
        );
    }

    #[test]
    fn what_is_not_finite_is_told_apart() {
        for isa in Isa::available() {
            for len in [1, 20, 64] {
                let step = |p: f32, g: f32| {
                    let [mut parameters, mut m, mut v] = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
                    parameters[len - 1] = p;
                    let gradient = vec![g; len];
                    adam(isa, Adam::keras(1e-3, [0.9, 0.999], 1e-7, 1), &mut parameters, &[&gradient], [&mut m, &mut v])
                };
                assert_eq!(step(1.0, 1.0), Finite { parameters: true, averages: true });
                assert_eq!(step(f32::INFINITY, 1.0), Finite { parameters: false, averages: true });
                // The square overflows: the parameter is moved by nothing.
                assert_eq!(step(1.0, 1e20), Finite { parameters: true, averages: false });
                assert_eq!(step(1.0, f32::NAN), Finite { parameters: false, averages: false });
            }
        }
    }
}
