//! How to train.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::augment::Augment;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::history::{Epoch, Stop};
use crate::schedule::Schedule;

/// How to train; the defaults are those of the walkthrough.
#[derive(Debug, Clone)]
pub struct Fit {
    /// How often to go through the training data.
    pub epochs: usize,
    /// Images in a step. A last, smaller batch is trained on too.
    pub batch_size: usize,
    /// Whether the images are put into a new order for each epoch.
    pub shuffle: bool,
    /// What the orders are drawn from. The same seed gives the same bits, whatever the threads.
    pub seed: u64,
    /// Threads to train with; `None` takes all that the machine has.
    pub threads: Option<usize>,
    /// Data to validate on after each epoch.
    pub validation: Option<Data>,
    /// The learning rate over the steps.
    pub schedule: Schedule,
    /// Distortions of the training images.
    pub augment: Option<Augment>,
    /// A file that keeps the state of the training: written before the first epoch and replaced as a
    /// whole after each. If the process is killed, [`Model::resume`](crate::Model::resume) goes on
    /// from it. A file that is there already is only replaced if the model comes from it.
    pub checkpoint: Option<PathBuf>,
    /// Time for this call of `fit`: it ends after an epoch if another one, as long as that one, would
    /// go past it. At least one epoch is trained.
    pub time_budget: Option<Duration>,
    /// A file that must not be there yet. Once it is, `fit` ends after the epoch that is under way, and
    /// leaves the file to whoever made it.
    pub stop_file: Option<PathBuf>,
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 128,
            shuffle: true,
            seed: 0,
            threads: None,
            validation: None,
            schedule: Schedule::Constant,
            augment: None,
            checkpoint: None,
            time_budget: None,
            stop_file: None,
        }
    }
}

impl Fit {
    /// The recipe that goes past the paper's 99.2 % with the same weights: distorted images and a
    /// learning rate that rises once and falls to zero.
    ///
    /// `epochs` may be [`Fit::SHORT`] or [`Fit::LONG`], or any other number. Trainings longer than
    /// the short one see [`Augment::strong`] distortions, others those of `Augment::default()`.
    pub fn distorted(epochs: usize) -> Self {
        let augment = if epochs > Self::SHORT {
            Augment::strong()
        } else {
            Augment::default()
        };
        Self {
            epochs,
            schedule: Schedule::OneCycle {
                peak: 3e-3,
                warm_up: 0.15,
                epochs,
            },
            augment: Some(augment),
            ..Self::default()
        }
    }

    /// Epochs of the short recipe.
    pub const SHORT: usize = 20;
    /// Epochs of the long recipe.
    pub const LONG: usize = 60;

    /// # Errors
    /// Where a setting makes no sense.
    pub(crate) fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::argument("batch_size", "at least 1", "0"));
        }
        match &self.stop_file {
            Some(path) if path.exists() => {
                let got = format!("{}, which is there: delete it", path.display());
                return Err(Error::argument(
                    "stop_file",
                    "a file that is not there yet",
                    got,
                ));
            }
            _ => {}
        }
        self.schedule.check()?;
        self.validation.as_ref().map_or(Ok(()), Data::check)
    }

    /// Whether to end a fit that began at `start`, after the epoch `last`.
    pub(crate) fn stop(&self, start: Instant, last: &Epoch) -> Option<Stop> {
        if self.stop_file.as_ref().is_some_and(|path| path.exists()) {
            return Some(Stop::StopFile);
        }
        let next = start.elapsed().as_secs_f64() + last.seconds;
        let over = |budget: Duration| next > budget.as_secs_f64();
        self.time_budget
            .is_some_and(over)
            .then_some(Stop::TimeBudget)
    }
}
