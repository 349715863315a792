//! What survives: the model where values explode, a training whose process is killed, the file of another.

mod common;

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{bits, flat, fresh, how, images, Bits, Scratch};
use lenet_core::prelude::*;

const CHECKPOINT: &str = "SURVIVAL_TEST_CHECKPOINT";
const EPOCHS: &str = "SURVIVAL_TEST_EPOCHS";
/// The line by which a child says that it trains.
const BEGUN: &str = "the child trains";
/// Kills of one training, and the longest time between them.
const KILLS: u32 = 20;
const LONGEST: Duration = Duration::from_millis(250);

/// Distorted images, and a learning rate that changes with every step; the last mini-batch is a smaller one.
fn recipe(epochs: usize) -> Fit {
    let Fit { schedule, augment, .. } = Fit::distorted(40);
    Fit { schedule, augment, batch_size: 96, ..how(epochs) }
}

/// What is left of `epochs` epochs, with a checkpoint after each.
fn finish(checkpoint: &Path, epochs: usize) -> Result<(Model<LeNet5>, History)> {
    let mut model = if checkpoint.exists() { Model::load(checkpoint)? } else { fresh(Adam::default()) };
    let how = Fit { checkpoint: Some(checkpoint.into()), ..recipe(epochs - model.epochs()) };
    let history = model.fit(images(1_000), &how)?;
    Ok((model, history))
}

/// The parameters' bits after a training that nobody stops.
fn never_stopped(epochs: usize) -> Bits {
    let mut model = fresh::<LeNet5>(Adam::default());
    model.fit(images(1_000), &recipe(epochs)).unwrap();
    bits(&model, &[])
}

/// This program, started a second time to train, so that a test can kill it or limit it.
fn child(checkpoint: &Path, epochs: usize) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "train", "--ignored", "--nocapture"]);
    command.env(CHECKPOINT, checkpoint).env(EPOCHS, epochs.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
#[ignore = "is started by other tests"]
fn train() {
    let (Some(checkpoint), Ok(epochs)) = (env::var_os(CHECKPOINT), env::var(EPOCHS)) else { return };
    images(1);
    println!("{BEGUN}");
    if let Err(problem) = finish(checkpoint.as_ref(), epochs.parse().unwrap()) {
        println!("{problem}");
        std::process::exit(1);
    }
}

#[test]
fn killed_at_random_moments_again_and_again() {
    let scratch = Scratch::new("kills");
    let (checkpoint, mut kept) = (scratch.path("run.safetensors"), Vec::new());
    for kill in 0..KILLS {
        let mut process = child(&checkpoint, 40).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(BEGUN)), "the child ended early");
        std::thread::sleep(LONGEST * (kill * 7 % KILLS) / KILLS);
        process.kill().unwrap();
        process.wait().unwrap();
        if checkpoint.exists() {
            kept.push(Model::<LeNet5>::load(&checkpoint).unwrap().epochs());
        }
    }
    assert!(kept.is_sorted() && kept.first() < kept.last(), "epochs after each kill: {kept:?}");
    let (model, _) = finish(&checkpoint, 40).unwrap();
    assert!(bits(&model, &[]) == never_stopped(40), "after kills at {kept:?}");
    assert_eq!(flat(&Model::<LeNet5>::load(&checkpoint).unwrap()), flat(&model), "the file is the model");
}

#[cfg(unix)]
#[test]
fn full_disk_keeps_the_last_checkpoint() {
    let scratch = Scratch::new("disk");
    let path = scratch.path("run.safetensors");
    finish(&path, 1).unwrap();
    let before = std::fs::read(&path).unwrap();
    // Files of more than 100 blocks cannot be written any more.
    let program = child(&path, 3);
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 100; exec "$0" "$@""#]);
    limited.arg(program.get_program()).args(program.get_args());
    limited.envs(program.get_envs().map(|(name, value)| (name, value.unwrap())));
    let output = limited.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success() && text.contains(&format!("cannot write {}", path.display())), "{text}");
    assert_eq!((std::fs::read(&path).unwrap(), scratch.entries()), (before, vec!["run.safetensors".into()]));
    assert!(bits(&finish(&path, 3).unwrap().0, &[]) == never_stopped(3));
}

#[test]
fn a_checkpoint_never_replaces_the_file_of_another() {
    let scratch = Scratch::new("stranger");
    let path = scratch.path("run.safetensors");
    let checkpoint = Fit { checkpoint: Some(path.clone()), ..recipe(1) };
    let refused = |model: &mut Model<LeNet5>, there: &[u8]| {
        std::fs::write(&path, there).unwrap();
        let before = flat(model);
        let text = model.fit(images(100), &checkpoint).unwrap_err().to_string();
        assert!(text.starts_with("checkpoint must be ") && text.contains(path.to_str().unwrap()), "{text}");
        assert_eq!((flat(model), std::fs::read(&path).unwrap()), (before, there.to_vec()));
    };
    refused(&mut fresh(Adam::default()), b"notes");
    let mut other = fresh::<LeNet5>(Sgd::default());
    other.save(scratch.path("other")).unwrap();
    refused(&mut fresh(Adam::default()), &std::fs::read(scratch.path("other")).unwrap());
    // The one that wrote it, or was loaded from it, may.
    other.save(&path).unwrap();
    other.fit(images(100), &checkpoint).unwrap();
    Model::<LeNet5>::load(&path).unwrap().fit(images(100), &checkpoint).unwrap();
    assert_eq!(Model::<LeNet5>::load(&path).unwrap().epochs(), 2);
}

#[test]
fn a_weight_that_explodes_in_the_last_step_is_found_there() {
    // F6 says zero, so the loss is that of a guess. What flows back to F6 is the sum of ten values of up to 0.9 * 3e38,
    // more than an f32 holds.
    const HUGE: f32 = 3e38;
    let (dev, mut network) = (Cpu::default(), LeNet5::glorot_uniform(5));
    network.4 .0.weight = dev.zeros();
    let rows = (0..10).flat_map(|class| [if class == 3 { -HUGE } else { HUGE }; 84]).collect();
    network.5.weight = dev.tensor_from_vec(rows, (Const, Const));
    let images = dev.tensor_from_vec(vec![1.0; 784], (Const::<1>, Const::<1>, Const::<28>, Const::<28>));
    let targets = to_categorical::<10, _>(&dev.tensor([3u8])).unwrap();
    let mut model = Model::compile(network, Adam::default()).unwrap();
    let before = flat(&model);
    let text = model.fit((&images, &targets), &Fit { validation: None, ..how(1) }).unwrap_err().to_string();
    assert!(text.starts_with("a weight is not finite in epoch 1, batch 1"), "{text}");
    assert_eq!(flat(&model), before);
}

#[test]
fn epochs_before_the_one_that_explodes_are_kept() {
    for optimizer in common::optimizers() {
        let (mut model, mut other) = (fresh::<LeNet5>(optimizer), fresh::<LeNet5>(optimizer));
        for model in [&mut model, &mut other] {
            model.fit(images(500), &how(2)).unwrap();
        }
        // The rate rises from harmless to 1e38 within the third epoch.
        let schedule = Schedule::OneCycle { peak: 1e38, warm_up: 0.9, epochs: 3 };
        let error = model.fit(images(500), &Fit { schedule, ..how(1) }).unwrap_err();
        assert!(matches!(error, Error::NotFinite { epoch: 1, .. }), "{error}");
        assert_eq!((flat(&model), format!("{model:?}")), (flat(&other), format!("{other:?}")));
        // The model is good for more, and its optimiser has forgotten nothing.
        let [got, expected] = [&mut model, &mut other].map(|model| {
            let history = model.fit(images(500), &how(1)).unwrap();
            bits(model, &history.epochs)
        });
        assert!(got == expected, "{optimizer:?}");
    }
}

#[test]
fn nan_is_named_before_anything_is_trained() {
    let dev = Cpu::default();
    for value in [f32::NAN, f32::INFINITY] {
        let good = (dev.zeros::<Rank4<4, 1, 28, 28>>(), dev.zeros::<Rank2<4, 10>>());
        let (mut images, mut targets) = good.clone();
        images[[2, 0, 27, 27]] = value;
        targets[[2, 9]] = value;
        let validation = Fit { validation: Some((&images, &good.1).into()), ..how(1) };
        for (data, how) in [
            (Data::from((&images, &good.1)), &how(1)),
            (Data::from((&good.0, &targets)), &how(1)),
            (Data::from((&good.0, &good.1)), &validation),
        ] {
            let text = fresh::<LeNet5>(Adam::default()).fit(data, how).unwrap_err().to_string();
            assert!(text.contains("finite") && text.contains("image 2"), "{text}");
        }
    }
    let mut network = LeNet5::glorot_uniform(5);
    network.0 .0.bias[[3]] = f32::NAN;
    let text = Model::compile(network, Adam::default()).unwrap().fit(images(50), &how(1)).unwrap_err().to_string();
    assert!(text.contains("is not finite in epoch 1, batch 1"), "{text}");
}
