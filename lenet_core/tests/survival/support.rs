//! What the tests share: some data, scratch files, and all bits that a training decides.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;

use lenet_core::prelude::*;
use lenet_core::progress::Silent;

const IMAGES: usize = 1_000;
const VALIDATION_IMAGES: usize = 200;
/// So that the last batch of an epoch is a smaller one.
const BATCH: usize = 96;

/// Images of MNIST to train with and to validate on.
pub fn data() -> &'static (Data, Data) {
    static DATA: OnceLock<(Data, Data)> = OnceLock::new();
    DATA.get_or_init(|| {
        let (_, (images, labels)) = mnist::load_data().unwrap();
        let count = IMAGES + VALIDATION_IMAGES;
        let dev = Cpu::default();
        let bytes = images.as_vec()[..count * 784].to_vec();
        let images = dev.tensor_from_vec(bytes, (count, Const::<1>, Const::<28>, Const::<28>));
        let labels = dev.tensor_from_vec(labels.as_vec()[..count].to_vec(), (count,));
        let targets = to_categorical::<10, _>(&labels).unwrap();
        let data = Data::from((&normalize(&images), &targets));
        data.split(VALIDATION_IMAGES as f64 / count as f64).unwrap()
    })
}

/// The walkthrough's way to train.
pub fn plain(epochs: usize) -> Fit {
    Fit { epochs, batch_size: BATCH, seed: 5, validation: Some(data().1.clone()), ..Fit::default() }
}

/// Distorted images and a learning rate that changes with every step.
pub fn distorted(epochs: usize) -> Fit {
    let Fit { schedule, augment, .. } = Fit::distorted(epochs);
    Fit { schedule, augment, ..plain(epochs) }
}

pub fn fresh() -> Model<LeNet5> {
    Model::compile(LeNet5::glorot_uniform(5), Adam::default()).unwrap()
}

pub fn train(model: &mut Model<LeNet5>, how: &Fit) -> lenet_core::Result<History> {
    model.fit_with(data().0.clone(), how, &mut Silent)
}

/// What is left to train of a checkpoint's fit, and all bits of the result.
pub fn finish(checkpoint: &Path, how: &Fit) -> Bits {
    let mut model = Model::<LeNet5>::resume(checkpoint).unwrap();
    let history = train(&mut model, how).unwrap();
    bits(&model, &history)
}

/// The bits of a training that nobody stops.
pub fn never_stopped(how: &Fit) -> Bits {
    let mut model = fresh();
    let history = train(&mut model, how).unwrap();
    bits(&model, &history)
}

/// All that training decides: the history without its times, and the weights.
pub type Bits = (Vec<[u32; 4]>, Vec<u32>);

pub fn bits(model: &Model<LeNet5>, history: &History) -> Bits {
    let of_epoch = |epoch: &Epoch| {
        let Epoch { loss, accuracy, .. } = *epoch;
        let validation = [epoch.val_loss.unwrap(), epoch.val_accuracy.unwrap()];
        [loss, accuracy, validation[0], validation[1]].map(f32::to_bits)
    };
    (history.epochs.iter().map(of_epoch).collect(), weight_bits(model))
}

pub fn weight_bits(model: &Model<LeNet5>) -> Vec<u32> {
    let tensors = weights::tensors(model.network()).into_iter();
    tensors.flat_map(|tensor| tensor.values).map(f32::to_bits).collect()
}

/// A folder that goes when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("survival-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
