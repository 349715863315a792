//! A training whose process is killed goes on as if nothing had been.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::thread;
use std::time::Duration;

use lenet_core::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::child::{child, recipe, BEGUN, HANGING};
use crate::support::{finish, fresh, never_stopped, train, weight_bits, Scratch};

/// Waits until a child has printed this line.
fn wait_for(child: &mut Child, line: &str) {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed: Vec<String> = Vec::new();
    for next in lines {
        let next = next.unwrap();
        if next.contains(line) {
            return;
        }
        printed.push(next);
    }
    panic!("the child ended early: {printed:?}");
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn killed_in_epoch_3(name: &str, recipe_name: &str) {
    let scratch = Scratch::new(name);
    let checkpoint = scratch.path("run.checkpoint");
    let mut process = child(&checkpoint, recipe_name, Some(3)).spawn().unwrap();
    wait_for(&mut process, HANGING);
    kill(process);

    let how = recipe(recipe_name);
    assert_eq!(finish(&checkpoint, &how), never_stopped(&how));
    // Two epochs were kept, so three of five were trained after the kill.
    let two = Model::<LeNet5>::resume(&checkpoint).unwrap();
    assert!(format!("{two:?}").ends_with("trained: 2 epochs"));
}

#[test]
fn killed_in_epoch_3_of_the_plain_recipe() {
    killed_in_epoch_3("plain", "plain 5");
}

#[test]
fn killed_in_epoch_3_of_the_distorted_recipe() {
    killed_in_epoch_3("distorted", "distorted 5");
}

/// Kills of one training, and the longest time between them.
const KILLS: usize = 20;
const LONGEST: Duration = Duration::from_millis(250);

#[test]
fn killed_at_random_moments_again_and_again() {
    const RECIPE: &str = "distorted 40";
    let scratch = Scratch::new("moments");
    let checkpoint = scratch.path("run.checkpoint");
    let mut random = StdRng::seed_from_u64(1);
    let mut kept = Vec::new();
    for _ in 0..KILLS {
        let mut process = child(&checkpoint, RECIPE, None).spawn().unwrap();
        wait_for(&mut process, BEGUN);
        thread::sleep(LONGEST.mul_f64(random.gen_range(0.0..1.0)));
        kill(process);
        if checkpoint.exists() {
            let model = Model::<LeNet5>::resume(&checkpoint).unwrap();
            kept.push(format!("{model:?}").lines().last().unwrap().to_owned());
        }
    }
    println!("after each kill: {kept:?}");
    assert!(!kept.is_empty());
    let how = recipe(RECIPE);
    assert_eq!(finish(&checkpoint, &how), never_stopped(&how));
}

#[cfg(unix)]
#[test]
fn full_disk_keeps_the_last_checkpoint() {
    use std::process::Command;

    let scratch = Scratch::new("disk");
    let path = scratch.path("run.checkpoint");
    let how = Fit { checkpoint: Some(path.clone()), ..recipe("plain 1") };
    train(&mut fresh(), &how).unwrap();
    let before = fs::read(&path).unwrap();

    // Files of more than 100 blocks cannot be written any more.
    let program = child(&path, "plain 3", None);
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 100; exec "$0" "$@""#]);
    limited.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        limited.env(name, value.unwrap());
    }
    let output = limited.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success(), "{text}");
    assert!(text.contains(&format!("cannot write {}", path.display())), "{text}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(scratch.entries(), ["run.checkpoint"]);
    let how = recipe("plain 3");
    assert_eq!(finish(&path, &how), never_stopped(&how));
}

#[test]
fn checkpoint_that_cannot_be_written_is_refused_before_anything_is_trained() {
    let scratch = Scratch::new("nowhere");
    let how = Fit { checkpoint: Some(scratch.path("no").join("folder")), ..recipe("plain 2") };
    let mut model = fresh();
    let text = train(&mut model, &how).unwrap_err().to_string();
    assert!(text.contains("cannot write") && text.contains("folder"), "{text}");
    assert_eq!(weight_bits(&model), weight_bits(&fresh()));
}
