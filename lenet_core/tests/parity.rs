//! The same numbers as PyTorch and Keras, from their own runs. `reference/README.md` tells how the
//! fixtures were made and argues the tolerances.

mod common;

use std::path::Path;

use common::{fixture, load, max_deviation, Scratch};
use lenet_core::dfdx::prelude::Gradients;
use lenet_core::prelude::*;
use lenet_core::weights::tensors;

/// A pass, forward or backward: float32 rounding in sums of some hundred terms.
const PASS: f64 = 1e-5;
/// What an Adam step adds: tiny gradients carry their rounding into a step of full size.
const STEPS: f64 = 4e-5;
/// One element through ten steps with given gradients, absolute.
const ALONE: f64 = 5e-7;
/// Units in the last place of tanh.
const TANH: f64 = 5.0;
/// An epoch's end, after 469 steps that spread the rounding.
const EPOCH: f64 = 1e-3;
/// A learning rate: one rounding to float32.
const RATE: f64 = 1e-7;

const FRAMEWORKS: [&str; 2] = ["pytorch", "keras"];

/// The length of the difference, relative to the length of what is expected.
fn l2_deviation(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |sum: f64, x: f64| sum + x * x;
    let length = expected.iter().copied().fold(0.0, square);
    let difference = got.iter().zip(expected).map(|(a, b)| a - b).fold(0.0, square);
    (difference / length).sqrt()
}

fn network() -> LeNet5 {
    let mut network = LeNet5::glorot_uniform(0);
    weights::load(&mut network, fixture("weights.safetensors")).unwrap();
    network
}

fn quiet(epochs: usize) -> Fit {
    Fit { epochs, shuffle: false, verbose: false, ..Fit::default() }
}

type Images = Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, Cpu>;
type Targets = Tensor<(usize, Const<10>), f32, Cpu>;

/// The batch of the fixtures: 37 images, which fill no whole number of vectors.
fn batch() -> (Images, Targets) {
    let (dev, batch) = (Cpu::default(), load("batch"));
    let bytes = |name: &str| batch[name].iter().map(|&x| x as u8).collect::<Vec<_>>();
    let count = batch["labels"].len();
    let images = dev.tensor_from_vec(bytes("images"), (count, Const, Const, Const));
    let labels = dev.tensor_from_vec(bytes("labels"), (count,));
    (normalize(&images), to_categorical(&labels).unwrap())
}

#[test]
fn logits_loss_and_every_gradient() {
    let network = network();
    let (images, targets) = batch();
    let logits = network.forward(images.leaky_trace());
    let got_logits = logits.as_vec();
    let loss = cross_entropy(logits, &targets).unwrap();
    let got_loss = loss.array();
    let got_gradients = gradient_values(&network, &loss.backward());

    for (framework, slack) in [("truth", 1.0), ("pytorch", 2.0), ("keras", 2.0)] {
        // Against a framework, its rounding error and ours add up.
        let reference = load(framework);
        let check = |name: &str, got: &[f32]| {
            let off = max_deviation(got, &reference[name]);
            assert!(off <= slack * PASS, "{framework}: {name} is off by {off:.1e}");
        };
        check("logits", &got_logits);
        check("loss", &[got_loss]);
        for (name, gradient) in &got_gradients {
            check(&format!("grad.{name}"), gradient);
        }
    }
    assert_eq!(load("truth").len(), 12, "logits, loss and ten gradients were compared");
}

fn gradient_values(network: &LeNet5, gradients: &Gradients<f32, Cpu>) -> Vec<(String, Vec<f32>)> {
    let names = tensors(network).into_iter().map(|tensor| tensor.name);
    let values = [
        gradients.get(&network.0 .0.weight).as_vec(),
        gradients.get(&network.0 .0.bias).as_vec(),
        gradients.get(&network.1 .0.weight).as_vec(),
        gradients.get(&network.1 .0.bias).as_vec(),
        gradients.get(&network.3 .0.weight).as_vec(),
        gradients.get(&network.3 .0.bias).as_vec(),
        gradients.get(&network.4 .0.weight).as_vec(),
        gradients.get(&network.4 .0.bias).as_vec(),
        gradients.get(&network.5.weight).as_vec(),
        gradients.get(&network.5.bias).as_vec(),
    ];
    names.zip(values).collect()
}

#[test]
fn one_and_ten_steps_of_adam() {
    let start = load("weights");
    for steps in [1, 10] {
        let (images, targets) = batch();
        let mut model = Model::compile(network(), Adam::default()).unwrap();
        model.fit((&images, &targets), &quiet(steps)).unwrap();
        for framework in FRAMEWORKS {
            let reference = load(framework);
            for tensor in tensors(model.network()) {
                let name = &tensor.name;
                let added = |values: &[f32]| -> Vec<f64> {
                    let pairs = values.iter().zip(&start[name]);
                    pairs.map(|(&after, &before)| f64::from(after) - f64::from(before)).collect()
                };
                let expected = added(&reference[&format!("step{steps}.{name}")]);
                let off = l2_deviation(&added(&tensor.values), &expected);
                assert!(off <= STEPS, "{framework}, {steps} steps: {name} is off by {off:.1e}");
            }
        }
    }
}

#[test]
fn every_optimizer_alone_with_gradients_of_all_sizes() {
    let sgd = |momentum, nesterov| Optimizer::from(Sgd { momentum, nesterov, ..Sgd::default() });
    let (adam, others) = (load("adam"), load("optimisers"));
    for (name, optimizer, references) in [
        ("adam", Adam::default().into(), 3),
        ("adam_decay", Adam { weight_decay: 10.0, ..Adam::default() }.into(), 3),
        ("sgd", sgd(0.0, false), 3),
        ("momentum", sgd(0.9, false), 3),
        ("nesterov", sgd(0.9, true), 3),
        ("rms_prop", RmsProp::default().into(), 1), // PyTorch's adds its epsilon to the root
    ] {
        let (dev, mut stepper) = (Cpu::default(), Stepper::new(optimizer).unwrap());
        let mut layer = Linear::<47, 1>::glorot_uniform(0);
        layer.weight = dev.tensor_from_vec(adam["start"][..47].to_vec(), (Const, Const));
        layer.bias = dev.tensor_from_vec(adam["start"][47..].to_vec(), (Const,));
        for step in 0..10 {
            let now = step * 48..(step + 1) * 48;
            let (of_weight, of_bias) = adam["gradients"][now.clone()].split_at(47);
            let mut gradients = Gradients::leaky();
            gradients.get_or_alloc_mut(&layer.weight).unwrap().copy_from_slice(of_weight);
            gradients.get_or_alloc_mut(&layer.bias).unwrap().copy_from_slice(of_bias);
            stepper.step(&mut layer, gradients).unwrap();
            let got = [layer.weight.as_vec(), layer.bias.as_vec()].concat();
            let found = ["truth", "pytorch", "keras"].into_iter().filter_map(|reference| {
                let other = others.get(&format!("{reference}.{name}"));
                let expected = if name == "adam" { &adam[reference] } else { other? };
                let pairs = got.iter().zip(&expected[now.clone()]);
                let off = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(0.0, f64::max);
                assert!(off <= ALONE, "{name}, {reference}, step {}: off by {off:.1e}", step + 1);
                Some(reference)
            });
            assert_eq!(found.count(), references, "{name}");
        }
    }
}

#[test]
fn the_learning_rate_of_every_schedule() {
    for (name, schedule) in [
        ("constant", Schedule::Constant),
        ("step", Schedule::Step { every: 7, factor: 0.3 }),
        ("cosine", Schedule::Cosine { epochs: 40 }),
        ("one_cycle", Schedule::OneCycle { peak: 3e-3, warm_up: 0.15, epochs: 40 }),
    ] {
        let sgd = Sgd { learning_rate: 0.05, ..Sgd::default() };
        let mut model = Model::compile(<(Flatten, Linear<784, 10>)>::glorot_uniform(0), sgd).unwrap();
        // A step in each epoch.
        let history = model.fit(common::images(8), &Fit { schedule, ..quiet(40) }).unwrap();
        let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
        let off = max_deviation(&rates, &load("optimisers")[&format!("truth.{name}")]);
        assert!(off <= RATE, "{name} is off by {off:.1e}: {rates:?}");
    }
}

#[test]
fn tanh_over_its_whole_range() {
    let (dev, fixture) = (Cpu::default(), load("tanh"));
    let x = &fixture["x"];
    let y = Tanh.forward(dev.tensor_from_vec(x.clone(), (x.len(), Const::<1>))).as_vec();
    for ((x, got), truth) in x.iter().zip(y).zip(&fixture["truth"]) {
        let unit = f64::from(truth.abs().next_up()) - f64::from(truth.abs());
        let off = (f64::from(got) - f64::from(*truth)).abs() / unit;
        assert!(off <= TANH, "tanh({x}) = {got}, off by {off:.1} units");
    }
}

#[test]
fn an_epoch_of_the_whole_data_set_in_its_own_order() {
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data().unwrap();
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical::<10, _>(&y_train).unwrap();
    let y_test = to_categorical::<10, _>(&y_test).unwrap();
    let mut model = Model::compile(network(), Adam::default()).unwrap();
    let how = Fit { validation: Some((&x_test, &y_test).into()), ..quiet(1) };
    let epoch = model.fit((&x_train, &y_train), &how).unwrap().epochs[0];

    let text = std::fs::read_to_string(fixture("trajectory.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    for framework in FRAMEWORKS {
        let expected = |name: &str| reference[framework][name].as_f64().unwrap();
        let check = |name: &str, got: f32| {
            let off = (f64::from(got) / expected(name) - 1.0).abs();
            assert!(off <= EPOCH, "{framework}: {name} is {got}, off by {off:.1e}");
        };
        check("loss", epoch.loss);
        check("accuracy", epoch.accuracy);
        check("test_loss", epoch.val_loss.unwrap());
        check("test_accuracy", epoch.val_accuracy.unwrap());
    }
}

/// `LENET_TORCH_PYTHON` names a Python with torch and safetensors; where it is not set, there is
/// nothing to run.
#[test]
fn pytorch_loads_what_is_saved_and_predicts_the_same() {
    let Some(python) = std::env::var_os("LENET_TORCH_PYTHON") else {
        eprintln!("skipped: LENET_TORCH_PYTHON names no Python with torch and safetensors");
        return;
    };
    let scratch = Scratch::new("pytorch");
    let network = LeNet5::glorot_uniform(11);
    weights::save(&network, scratch.path("saved.safetensors")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/load_in_pytorch.py");
    let mut command = std::process::Command::new(python);
    command.arg(script).arg(scratch.path("saved.safetensors")).arg(fixture("batch.safetensors"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let rows = printed.lines().map(|line| serde_json::from_str::<Vec<f32>>(line).unwrap());
    let expected: Vec<f32> = rows.flatten().collect();
    let got = network.forward(batch().0).as_vec();
    assert!(max_deviation(&got, &expected) <= 2.0 * PASS);
}
