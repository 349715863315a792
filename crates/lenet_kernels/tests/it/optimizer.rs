use crate::naive::values;
use lenet_kernels::optimizer::*;
use lenet_kernels::*;

type State = [f64; 2];
type Formula = fn(t: i32, p: f64, g: f64, state: State) -> (f64, State);
/// Rates, momentum, epsilon and weight decay of all tests.
const RATE: f64 = 0.01;
const KEEP: f64 = 0.9;
const EPSILON: f64 = 1e-3;
const DECAY: f64 = 0.1;

/// Takes five steps with two gradients each, and compares with the formula of the manual.
fn check(name: &str, formula: Formula, rule: impl Fn(i32) -> Rule) {
    for isa in Isa::available() {
        let len = 37;
        let [mut p, mut m, mut v] = [values(len, 1), vec![0.0; len], vec![0.0; len]];
        let mut wanted = Vec::from_iter(p.iter().map(|p| (f64::from(*p), [0.0; 2])));
        for t in 1..=5 {
            let [a, b] = [values(len, 2 * t), values(len, 2 * t + 1)];
            let rule = rule(t as i32);
            let averages: &mut [&mut [f32]] = match rule {
                Rule::Adam { .. } => &mut [&mut m, &mut v],
                Rule::Sgd { .. } => &mut [&mut m],
                Rule::RmsProp { .. } => &mut [&mut v],
            };
            let finite = update(isa, rule, &mut p, &[&a, &b], averages);
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
fn steps_follow_the_formulas_of_keras() {
    let (rate, keep, epsilon) = (RATE as f32, KEEP as f32, EPSILON as f32);
    fn means(g: f64, [m, v]: State) -> State {
        [KEEP * m + (1.0 - KEEP) * g, KEEP * v + (1.0 - KEEP) * g * g]
    }
    let left = |t: i32| 1.0 - KEEP.powi(t);
    check(
        "Adam",
        |t, p, g, state| {
            let ([m, v], left) = (means(g, state), 1.0 - KEEP.powi(t));
            (p - RATE * DECAY * p - RATE * left.sqrt() / left * m / (v.sqrt() + EPSILON), [m, v])
        },
        |t| {
            let step_size = (RATE * left(t).sqrt() / left(t)) as f32;
            Rule::Adam { step_size, decay: (RATE * DECAY) as f32, beta_1: keep, beta_2: keep, epsilon }
        },
    );
    let plain: Formula = |_, p, g, [v, _]| (p + KEEP * v - RATE * g, [KEEP * v - RATE * g, 0.0]);
    check("SGD", plain, |_| Rule::Sgd { rate, momentum: keep, nesterov: false });
    let ahead: Formula = |_, p, g, [v, _]| (p + KEEP * (KEEP * v - RATE * g) - RATE * g, [KEEP * v - RATE * g, 0.0]);
    check("Nesterov", ahead, |_| Rule::Sgd { rate, momentum: keep, nesterov: true });
    let root: Formula = |_, p, g, state| (p - RATE * g / (means(g, state)[1] + EPSILON).sqrt(), means(g, state));
    check("RMSprop", root, |_| Rule::RmsProp { rate, rho: keep, epsilon });
}

#[test]
fn what_is_not_finite_is_told_apart() {
    for isa in Isa::available() {
        for len in [1, 20, 64] {
            let step = |p: f32, g: f32| {
                let [mut parameters, mut m, mut v] = [vec![0.0; len], vec![0.0; len], vec![0.0; len]];
                parameters[len - 1] = p;
                let gradient = vec![g; len];
                let rule = Rule::Adam { step_size: 3e-4, decay: 0.0, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
                update(isa, rule, &mut parameters, &[&gradient], &mut [&mut m, &mut v])
            };
            assert_eq!(step(1.0, 1.0), Finite { parameters: true, averages: true });
            assert_eq!(step(f32::INFINITY, 1.0), Finite { parameters: false, averages: true });
            // The square overflows: the parameter is moved by nothing.
            assert_eq!(step(1.0, 1e20), Finite { parameters: true, averages: false });
            assert_eq!(step(1.0, f32::NAN), Finite { parameters: false, averages: false });
        }
    }
}
