//! What a checkpoint holds, and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use lenet_core::prelude::*;
use lenet_core::weights;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::support::{bits, data, distorted, finish, fresh, never_stopped, plain, train, weight_bits, Scratch};

/// A checkpoint after two epochs of `how`, and the model that wrote it.
fn two_epochs(path: PathBuf, how: &Fit) -> Model<LeNet5> {
    let how = Fit { epochs: 2, checkpoint: Some(path), ..how.clone() };
    let mut model = fresh();
    train(&mut model, &how).unwrap();
    model
}

#[test]
fn other_settings_and_other_data_are_refused_by_name() {
    let scratch = Scratch::new("settings");
    let path = scratch.path("run.checkpoint");
    let good = distorted(4);
    two_epochs(path.clone(), &good);
    let mut model = Model::<LeNet5>::resume(&path).unwrap();
    let before = weight_bits(&model);

    let base = || good.clone();
    let one_cycle = Fit::distorted(9).schedule;
    let augment = Augment { rotation: 7.0, ..Augment::default() };
    for (name, how) in [
        ("batch_size", Fit { batch_size: 97, ..base() }),
        ("shuffle", Fit { shuffle: false, ..base() }),
        ("seed", Fit { seed: 6, ..base() }),
        ("schedule", Fit { schedule: Schedule::Constant, ..base() }),
        ("schedule", Fit { schedule: one_cycle, ..base() }),
        ("augment", Fit { augment: None, ..base() }),
        ("augment", Fit { augment: Some(augment), ..base() }),
        ("validation", Fit { validation: None, ..base() }),
        ("validation", Fit { validation: Some(data().0.clone()), ..base() }),
    ] {
        let text = train(&mut model, &how).unwrap_err().to_string();
        assert!(text.starts_with(&format!("{name} must be ")), "{text}");
        assert!(text.contains(path.to_str().unwrap()), "{text}");
    }
    let text = model.fit(data().1.clone(), &good).unwrap_err().to_string();
    assert!(text.starts_with("data must be 1000 images with CRC-32 "), "{text}");

    // None of that did any harm.
    assert_eq!(weight_bits(&model), before);
    let history = train(&mut model, &good).unwrap();
    assert_eq!(bits(&model, &history), never_stopped(&good));
}

#[test]
fn epochs_and_threads_are_free() {
    let scratch = Scratch::new("free");
    let path = scratch.path("run.checkpoint");
    two_epochs(path.clone(), &plain(2));
    let how = Fit { threads: Some(3), ..plain(5) };
    assert_eq!(finish(&path, &how), never_stopped(&plain(5)));
}

#[test]
fn a_fit_that_was_finished_is_not_trained_again() {
    let scratch = Scratch::new("finished");
    let path = scratch.path("run.checkpoint");
    let model = two_epochs(path.clone(), &plain(2));
    let bits_before = never_stopped(&plain(2));
    assert_eq!(weight_bits(&model), bits_before.1);
    assert_eq!(finish(&path, &plain(2)), bits_before);
    // The fit after that one is a new one.
    let mut resumed = Model::<LeNet5>::resume(&path).unwrap();
    train(&mut resumed, &plain(2)).unwrap();
    let history = train(&mut resumed, &plain(1)).unwrap();
    assert_eq!(history.epochs.len(), 1);
    assert_eq!(weight_bits(&resumed), never_stopped(&plain(3)).1);
}

#[test]
fn adam_goes_on_with_its_own_settings() {
    let scratch = Scratch::new("adam");
    let path = scratch.path("run.checkpoint");
    let adam = Adam { learning_rate: 3.3e-3, beta_1: 0.8, beta_2: 0.99, epsilon: 1.7e-6 };
    let mut whole = Model::compile(LeNet5::glorot_uniform(5), adam).unwrap();
    let history = train(&mut whole, &plain(3)).unwrap();
    let mut part = Model::compile(LeNet5::glorot_uniform(5), adam).unwrap();
    let how = Fit { epochs: 1, checkpoint: Some(path.clone()), ..plain(1) };
    train(&mut part, &how).unwrap();
    assert_eq!(finish(&path, &plain(3)), bits(&whole, &history));
}

#[test]
fn a_checkpoint_of_another_training_is_not_overwritten() {
    let scratch = Scratch::new("other");
    let path = scratch.path("run.checkpoint");
    let mut writer = two_epochs(path.clone(), &plain(2));
    let before = fs::read(&path).unwrap();
    let how = Fit { checkpoint: Some(path.clone()), ..plain(1) };
    let mut stranger = fresh();
    let text = train(&mut stranger, &how).unwrap_err().to_string();
    assert!(text.contains("which is there") && text.contains("resume"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(weight_bits(&stranger), weight_bits(&fresh()));
    // The model that wrote it may go on.
    train(&mut writer, &how).unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
}

#[test]
fn another_network_is_refused() {
    type Other = (
        Fused<(Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>)>,
        Fused<(Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>)>,
        Flatten,
        Fused<(Linear<256, 120>, Tanh)>,
        Fused<Linear<120, 84>>, // without a bend
        Fused<Linear<84, 10>>,
    );
    let scratch = Scratch::new("network");
    let path = scratch.path("run.checkpoint");
    two_epochs(path.clone(), &plain(2));
    let text = Model::<Other>::resume(&path).unwrap_err().to_string();
    assert!(text.contains("`network` must be ("), "{text}");
    assert!(text.contains("Fused<Linear<120, 84, f32, Cpu>>"), "{text}");
}

#[test]
fn a_checkpoint_is_a_weights_file_for_us_and_for_others() {
    let scratch = Scratch::new("weights");
    let path = scratch.path("run.checkpoint");
    let model = two_epochs(path.clone(), &plain(2));
    let mut network = LeNet5::glorot_uniform(9);
    weights::load(&mut network, &path).unwrap();
    assert_eq!(weights::tensors(&network), weights::tensors(model.network()));

    let bytes = fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 30);
    assert_eq!(file.tensor("adam.square.c3.weight").unwrap().shape(), [16, 6, 5, 5]);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let texts = header.metadata().as_ref().unwrap();
    assert_eq!(texts["epochs"], "2");
    assert_eq!(texts["fit.seed"], "5");
}

fn refused(path: &Path, bytes: &[u8]) -> String {
    fs::write(path, bytes).unwrap();
    let text = Model::<LeNet5>::resume(path).expect_err("a refusal").to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    text
}

#[test]
fn a_thousand_damaged_checkpoints_are_refused() {
    let scratch = Scratch::new("damaged");
    let path = scratch.path("run.checkpoint");
    two_epochs(path.clone(), &plain(2));
    let good = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    let mut random = StdRng::seed_from_u64(1);
    for round in 0..1_000 {
        let mut bad = good.clone();
        // Every second one in the header, which is small.
        let end = if round % 2 == 0 { header } else { good.len() };
        let at = random.gen_range(0..end);
        match round % 5 {
            0 => bad.truncate(at),
            1 => drop(bad.remove(at)),
            2 => bad.insert(at, random.gen()),
            _ => bad[at] ^= 1 << random.gen_range(0..8),
        }
        refused(&path, &bad);
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let scratch = Scratch::new("none");
    let path = scratch.path("a file");
    assert!(refused(&path, b"").contains("too short"));
    assert!(refused(&path, &[0xff; 99]).contains("longer than the file"));
    let brackets = "[".repeat(500_000);
    let hostile = [&500_000_u64.to_le_bytes(), brackets.as_bytes()].concat();
    assert!(refused(&path, &hostile).contains("nested too deep"));
    assert!(refused(&path, &vec![b' '; 100 << 20]).contains("too long"));
    weights::save(&LeNet5::glorot_uniform(0), &path).unwrap();
    let weights_only = fs::read(&path).unwrap();
    assert!(refused(&path, &weights_only).contains("this is no checkpoint"));
    let missing = scratch.path("missing");
    let text = Model::<LeNet5>::resume(missing).unwrap_err().to_string();
    assert!(text.contains("cannot read"), "{text}");
}
