//! This test program, started a second time to train, so that a test can kill it or limit it.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use lenet_core::prelude::*;
use lenet_core::progress::Progress;

use crate::support::{data, distorted, fresh, plain};

const CHECKPOINT: &str = "SURVIVAL_TEST_CHECKPOINT";
const RECIPE: &str = "SURVIVAL_TEST_RECIPE";
const HANG_IN: &str = "SURVIVAL_TEST_HANG_IN";

/// The lines by which a child says where it is.
pub const BEGUN: &str = "the child trains";
pub const HANGING: &str = "the child hangs";

/// A command that trains by this recipe, goes on from the checkpoint if it is there, and, if told so,
/// hangs in the middle of an epoch.
pub fn child(checkpoint: &Path, recipe: &str, hang_in: Option<usize>) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "child::train", "--ignored", "--nocapture"])
        .env(CHECKPOINT, checkpoint)
        .env(RECIPE, recipe)
        .env(HANG_IN, hang_in.unwrap_or(0).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A recipe by its name and epochs, as in `plain 5`.
pub fn recipe(name: &str) -> Fit {
    let (name, epochs) = name.split_once(' ').unwrap();
    let epochs = epochs.parse().unwrap();
    match name {
        "plain" => plain(epochs),
        _ => distorted(epochs),
    }
}

#[test]
#[ignore = "is started by other tests"]
fn train() {
    let (Some(checkpoint), Ok(name)) = (env::var_os(CHECKPOINT), env::var(RECIPE)) else {
        return;
    };
    let how = Fit { checkpoint: Some(checkpoint.clone().into()), ..recipe(&name) };
    let mut model =
        if Path::new(&checkpoint).exists() { Model::<LeNet5>::resume(&checkpoint).unwrap() } else { fresh() };
    let mut progress = Hangs { epoch: 0, in_epoch: env::var(HANG_IN).unwrap().parse().unwrap() };
    data();
    println!("{BEGUN}");
    if let Err(problem) = model.fit_with(data().0.clone(), &how, &mut progress) {
        println!("{problem}");
        std::process::exit(1);
    }
}

/// Stands still in the middle of an epoch.
struct Hangs {
    epoch: usize,
    in_epoch: usize,
}

impl Progress for Hangs {
    fn epoch_begins(&mut self, epoch: usize, _: usize, _: usize) {
        self.epoch = epoch;
    }
    fn step_ends(&mut self, step: usize, _: f32, _: f32) {
        if self.epoch == self.in_epoch && step == 5 {
            println!("{HANGING}");
            thread::sleep(Duration::from_secs(600));
        }
    }
}
