use crate::naive::values;
use lenet_kernels::*;

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
