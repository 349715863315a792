//! What the tests share: data, fixtures, files that go again, and all bits that a training decides.
#![allow(dead_code)] // each test program needs a part of it

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lenet_core::network::Network;
use lenet_core::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::SafeTensors;

/// The first 3,000 training images of MNIST and the first 1,000 test images, normalised, with one-hot targets.
pub fn data() -> &'static (Data, Data) {
    static DATA: OnceLock<(Data, Data)> = OnceLock::new();
    DATA.get_or_init(|| {
        let ((x_train, y_train), (x_test, y_test)) = mnist::load_data().unwrap();
        let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
        let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
        let train = Data::from((&x_train, &to_categorical::<10, _>(&y_train).unwrap()));
        let test = Data::from((&x_test, &to_categorical::<10, _>(&y_test).unwrap()));
        (train.first(3_000).unwrap(), test.first(1_000).unwrap())
    })
}

/// Training on the first `images` images.
pub fn images(images: usize) -> Data {
    data().0.first(images).unwrap()
}

/// The walkthrough's way to train, validated, without a word.
pub fn how(epochs: usize) -> Fit {
    Fit { epochs, seed: 5, validation: Some(data().1.clone()), verbose: false, ..Fit::default() }
}

/// A model that has learned nothing.
pub fn fresh<N: Network>(optimizer: impl Into<Optimizer>) -> Model<N> {
    Model::compile(N::glorot_uniform(5), optimizer).unwrap()
}

/// Every optimiser, with settings that learn.
pub fn optimizers() -> [Optimizer; 5] {
    let sgd = |momentum, nesterov| Sgd { learning_rate: 0.05, momentum, nesterov }.into();
    [Adam::default().into(), sgd(0.0, false), sgd(0.9, false), sgd(0.9, true), RmsProp::default().into()]
}

/// All parameters of a model.
pub fn flat<N: Network>(model: &Model<N>) -> Vec<f32> {
    weights::tensors(model.network()).into_iter().flat_map(|tensor| tensor.values).collect()
}

/// All that training decides: the history without its times, and the parameters.
pub type Bits = (Vec<[Option<u32>; 5]>, Vec<u32>);

pub fn bits<N: Network>(model: &Model<N>, epochs: &[Epoch]) -> Bits {
    let of_epoch = |epoch: &Epoch| {
        let Epoch { loss, accuracy, val_loss, val_accuracy, learning_rate, .. } = *epoch;
        [Some(loss), Some(accuracy), val_loss, val_accuracy, Some(learning_rate)].map(|value| value.map(f32::to_bits))
    };
    (epochs.iter().map(of_epoch).collect(), flat(model).into_iter().map(f32::to_bits).collect())
}

/// The largest difference, relative to the largest expected value.
#[track_caller]
pub fn max_deviation(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0, |max: f64, x| max.max(f64::from(*x).abs()));
    let off = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).abs();
    let worst =
        got.iter().zip(expected).map(off).fold(0.0, |max: f64, off| if off.is_nan() { off } else { max.max(off) });
    worst / scale.max(f64::MIN_POSITIVE)
}

#[track_caller]
pub fn assert_close(name: &str, got: &[f32], expected: &[f32], tolerance: f64) {
    let off = max_deviation(got, expected);
    assert!(off <= tolerance, "{name} is off by {off:.1e}");
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/fixtures").join(name)
}

/// All tensors of a fixture, as values in the order of memory.
pub fn load(name: &str) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(fixture(&format!("{name}.safetensors"))).unwrap();
    let values = |view: TensorView<'_>| match view.dtype() {
        Dtype::F32 => view.data().chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect(),
        Dtype::U8 => view.data().iter().copied().map(f32::from).collect(),
        other => panic!("{other:?} in a fixture"),
    };
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.tensors().into_iter().map(|(name, view)| (name, values(view))).collect()
}

/// A folder that goes when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of the files that are there.
    pub fn entries(&self) -> Vec<String> {
        std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
