//! A training that is stopped early keeps what it has learned.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use lenet_core::prelude::*;
use lenet_core::progress::Progress;

use crate::support::{bits, data, finish, fresh, never_stopped, plain, train, weight_bits, Scratch};

#[test]
fn a_time_budget_ends_a_fit_after_a_whole_epoch() {
    /// Makes every epoch take half a second or more.
    struct Slow(Vec<String>);
    impl Progress for Slow {
        fn step_ends(&mut self, step: usize, _: f32, _: f32) {
            if step == 1 {
                thread::sleep(Duration::from_millis(500));
            }
        }
        fn stops(&mut self, epoch: usize, epochs: usize, why: Stop) {
            self.0.push(format!("{epoch} of {epochs}: {why}"));
        }
    }
    let scratch = Scratch::new("budget");
    let checkpoint = scratch.path("run.checkpoint");
    let (budget, mut told) = (Duration::from_millis(1_800), Slow(Vec::new()));
    let how = Fit { time_budget: Some(budget), checkpoint: Some(checkpoint.clone()), ..plain(20) };
    let (mut model, start) = (fresh(), Instant::now());
    let history = model.fit_with(data().0.clone(), &how, &mut told).unwrap();
    let (trained, took) = (history.epochs.len(), start.elapsed());
    assert_eq!(history.stopped, Some(Stop::TimeBudget));
    assert!((1..=3).contains(&trained), "{trained} epochs in {took:?}");
    assert_eq!(told.0, [format!("{trained} of 20: the time budget has no room for another")]);
    // It stopped because of the budget, and not long before it was used up.
    let longest = history.epochs.iter().map(|epoch| epoch.seconds).fold(0.0, f64::max);
    assert!(took.as_secs_f64() + 2.0 * longest > budget.as_secs_f64(), "{took:?}");

    // The model is what that many epochs make of it, in this process and from the file.
    assert_eq!(bits(&model, &history), never_stopped(&plain(trained)));
    assert_eq!(finish(&checkpoint, &plain(5)), never_stopped(&plain(5)));
}

#[test]
fn no_time_at_all_is_time_for_one_epoch() {
    let how = Fit { time_budget: Some(Duration::ZERO), ..plain(3) };
    assert_eq!(train(&mut fresh(), &how).unwrap().epochs.len(), 1);
    // Nothing is left to stop, so nothing was stopped.
    let how = Fit { epochs: 1, ..how };
    assert_eq!(train(&mut fresh(), &how).unwrap().stopped, None);
    let how = Fit { time_budget: Some(Duration::MAX), ..plain(2) };
    assert_eq!(train(&mut fresh(), &how).unwrap().epochs.len(), 2);
}

#[test]
fn a_stop_file_ends_a_fit_after_the_epoch_under_way() {
    /// Makes the file in the middle of epoch 2.
    struct Maker(PathBuf, usize);
    impl Progress for Maker {
        fn epoch_begins(&mut self, epoch: usize, _: usize, _: usize) {
            self.1 = epoch;
        }
        fn step_ends(&mut self, step: usize, _: f32, _: f32) {
            if (self.1, step) == (2, 3) {
                fs::write(&self.0, "").unwrap();
            }
        }
    }
    let scratch = Scratch::new("stop");
    let path = scratch.path("stop");
    let how = Fit { stop_file: Some(path.clone()), ..plain(4) };
    let mut model = fresh();
    let maker = &mut Maker(path.clone(), 0);
    let history = model.fit_with(data().0.clone(), &how, maker).unwrap();
    assert_eq!(history.stopped, Some(Stop::StopFile));
    assert_eq!(bits(&model, &history), never_stopped(&plain(2)));

    // It is left alone, and while it is there nothing begins.
    let text = train(&mut model, &how).unwrap_err().to_string();
    assert!(text.contains("stop_file must be") && text.contains("delete it"), "{text}");
    fs::remove_file(path).unwrap();
    let rest = Fit { epochs: 2, ..how };
    train(&mut model, &rest).unwrap();
    assert_eq!(weight_bits(&model), never_stopped(&plain(4)).1);
}
