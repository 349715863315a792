//! The same numbers as PyTorch and Keras, from their own runs. `reference/README.md` tells how the
//! fixtures were made and argues the tolerances.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lenet_core::dfdx::prelude::{Gradients, Trace, ZeroGrads as _};
use lenet_core::loss::cross_entropy;
use lenet_core::network::TensorsMut;
use lenet_core::optim::AdamState;
use lenet_core::prelude::*;
use lenet_core::progress::Silent;
use lenet_core::weights::tensors;
use safetensors::tensor::Dtype;
use safetensors::SafeTensors;

/// A pass, forward or backward: float32 rounding in sums of some hundred terms.
const PASS: f64 = 1e-5;
/// What an Adam step adds: tiny gradients carry their rounding into a step of full size.
const STEPS: f64 = 4e-5;
/// One element through ten Adam steps with given gradients, absolute.
const ADAM: f64 = 5e-7;
/// Units in the last place of tanh.
const TANH: f64 = 5.0;
/// An epoch's end, after 469 steps that spread the rounding.
const EPOCH: f64 = 1e-3;

const FRAMEWORKS: [&str; 2] = ["pytorch", "keras"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/fixtures").join(name)
}

/// All tensors of a fixture, as numbers in the order of memory.
fn load(name: &str) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(fixture(&format!("{name}.safetensors"))).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |view: safetensors::tensor::TensorView<'_>| match view.dtype() {
        Dtype::F32 => {
            let four = |four: &[u8]| f32::from_le_bytes(four.try_into().unwrap());
            view.data().chunks_exact(4).map(four).collect()
        }
        Dtype::U8 => view.data().iter().copied().map(f32::from).collect(),
        other => panic!("{other:?} in a fixture"),
    };
    file.tensors().into_iter().map(|(name, view)| (name, numbers(view))).collect()
}

/// The largest difference, relative to the largest expected value.
fn max_deviation(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0f64, |max, &x| max.max(f64::from(x).abs()));
    let pairs = got.iter().zip(expected);
    pairs.fold(0f64, |max, (&a, &b)| max.max((f64::from(a) - f64::from(b)).abs())) / scale
}

/// The length of the difference, relative to the length of what is expected.
fn l2_deviation(got: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |sum: f64, x: f64| sum + x * x;
    let length = expected.iter().copied().fold(0.0, square);
    let difference = got.iter().zip(expected).map(|(a, b)| a - b).fold(0.0, square);
    (difference / length).sqrt()
}

fn network(isa: Isa) -> LeNet5 {
    let mut network = LeNet5::glorot_uniform(0);
    weights::load(&mut network, fixture("weights.safetensors")).unwrap();
    network.0.set_isa(isa);
    network.1.set_isa(isa);
    network.3.set_isa(isa);
    network.4.set_isa(isa);
    network.5.set_isa(isa);
    network
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
    for isa in Isa::available() {
        let network = network(isa);
        let (images, targets) = batch();
        let logits = network.forward(images.trace(network.alloc_grads()));
        let got_logits = logits.as_vec();
        let loss = cross_entropy(logits, &targets).unwrap();
        let got_loss = loss.array();
        let gradients = lenet_core::dfdx::prelude::Backward::backward(loss);
        let got_gradients = gradient_values(&network, &gradients);

        let truth = load("truth");
        for (framework, slack) in [("truth", 1.0), ("pytorch", 2.0), ("keras", 2.0)] {
            // Against a framework, its rounding error and ours add up.
            let reference = load(framework);
            let check = |name: &str, got: &[f32]| {
                let off = max_deviation(got, &reference[name]);
                assert!(off <= slack * PASS, "{isa:?}, {framework}: {name} is off by {off:.1e}");
            };
            check("logits", &got_logits);
            check("loss", &[got_loss]);
            for (name, gradient) in &got_gradients {
                check(&format!("grad.{name}"), gradient);
            }
        }
        assert_eq!(truth.len(), 12, "logits, loss and ten gradients were compared");
    }
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
    for isa in Isa::available() {
        for steps in [1, 10] {
            let (images, targets) = batch();
            let mut model = Model::compile(network(isa), Adam::default()).unwrap();
            let how = Fit { epochs: steps, shuffle: false, ..Fit::default() };
            model.fit_with((&images, &targets), &how, &mut Silent).unwrap();
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
                    let place = format!("{isa:?}, {framework}, {steps} steps");
                    assert!(off <= STEPS, "{place}: {name} is off by {off:.1e}");
                }
            }
        }
    }
}

#[test]
fn adam_alone_with_gradients_of_all_sizes() {
    let (dev, fixture) = (Cpu::default(), load("adam"));
    let mut parameters = dev.tensor_from_vec(fixture["start"].clone(), (Const::<48>,));
    let mut gradients = Gradients::leaky();
    let mut state = AdamState::default();
    for step in 0..10 {
        let now = step * 48..(step + 1) * 48;
        let memory = gradients.get_or_alloc_mut(&parameters).unwrap();
        memory.copy_from_slice(&fixture["gradients"][now.clone()]);
        let mut all = TensorsMut::default();
        all.push(&mut parameters);
        state.step(&Adam::default(), all, &mut gradients).unwrap();
        for reference in ["truth", "pytorch", "keras"] {
            for (got, expected) in parameters.as_vec().iter().zip(&fixture[reference][now.clone()]) {
                let off = (f64::from(*got) - f64::from(*expected)).abs();
                assert!(off <= ADAM, "{reference}, step {}: off by {off:.1e}", step + 1);
            }
        }
    }
}

#[test]
fn tanh_over_its_whole_range() {
    let (dev, fixture) = (Cpu::default(), load("tanh"));
    let x = &fixture["x"];
    for isa in Isa::available() {
        let mut layer = Fused::<(Linear<1, 1>, Tanh)>::build(&dev);
        layer.0.weight = dev.tensor([[1.0]]);
        layer.0.bias = dev.tensor([0.0]);
        layer.set_isa(isa);
        let y = layer.forward(dev.tensor_from_vec(x.clone(), (x.len(), Const::<1>))).as_vec();
        for ((x, got), truth) in x.iter().zip(y).zip(&fixture["truth"]) {
            let unit = f64::from(truth.abs().next_up()) - f64::from(truth.abs());
            let off = (f64::from(got) - f64::from(*truth)).abs() / unit;
            assert!(off <= TANH, "{isa:?}: tanh({x}) = {got}, off by {off:.1} units");
        }
    }
}

#[test]
fn an_epoch_of_the_whole_data_set_in_its_own_order() {
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data().unwrap();
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical(&y_train).unwrap();
    let y_test = to_categorical(&y_test).unwrap();
    let mut model = Model::compile(network(Isa::best()), Adam::default()).unwrap();
    let how = Fit { epochs: 1, shuffle: false, validation: Some((&x_test, &y_test).into()), ..Fit::default() };
    let history = model.fit_with((&x_train, &y_train), &how, &mut Silent).unwrap();
    let epoch = history.epochs[0];

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
    let name = format!("{}-for-pytorch.safetensors", std::process::id());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let network = LeNet5::glorot_uniform(11);
    weights::save(&network, &path).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/load_in_pytorch.py");
    let output =
        std::process::Command::new(python).arg(script).arg(&path).arg(fixture("batch.safetensors")).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let expected: Vec<f32> = printed.lines().flat_map(|line| serde_json::from_str::<Vec<f32>>(line).unwrap()).collect();
    let got = network.forward(batch().0).as_vec();
    assert!(max_deviation(&got, &expected) <= 2.0 * PASS);
}
