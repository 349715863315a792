//! How to train.

use std::path::PathBuf;

use crate::augment::Augment;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::schedule::Schedule;

/// How to train; the defaults are those of the walkthrough.
#[derive(Clone)]
pub struct Fit {
    /// How often to go through the training data.
    pub epochs: usize,
    /// Images in a step. A last, smaller mini-batch is trained on too.
    pub batch_size: usize,
    /// Whether the images are put into a new order for each epoch.
    pub shuffle: bool,
    /// What all random choices are drawn from. The same seed gives the same bits, whatever the threads.
    pub seed: u64,
    /// Threads to train with; `None` takes all that the machine has.
    pub threads: Option<usize>,
    /// Data to validate on after each epoch.
    pub validation: Option<Data>,
    /// The learning rate over the steps.
    pub schedule: Schedule,
    /// Distortions of the training images.
    pub augment: Option<Augment>,
    /// Ends training early once the validation loss (without validation the loss) has not improved for this many epochs.
    /// Whatever ends it, the model is then as the best epoch left it.
    pub patience: Option<usize>,
    /// A file to save the model to after each epoch; in the end it holds the model as `fit` leaves it.
    /// [`Model::load`](crate::Model::load) reads it: to go on after a break, load it and fit the epochs that are left, with
    /// the same bits as without the break. A file that is there already is only replaced if the model was loaded from it or
    /// saved to it.
    pub checkpoint: Option<PathBuf>,
    /// Whether to print a line when an epoch ends.
    pub verbose: bool,
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
            patience: None,
            checkpoint: None,
            verbose: true,
        }
    }
}

impl Fit {
    /// Distorted images and a learning rate that rises once and falls to zero. Eight epochs bring LeNet-5 close to the paper's 99.2 %.
    pub fn distorted(epochs: usize) -> Self {
        let schedule = Schedule::OneCycle { peak: 3e-3, warm_up: 0.15, epochs };
        Self { epochs, schedule, augment: Some(Augment::default()), ..Self::default() }
    }

    /// The best way to train LeNet-5 for 20 epochs that was found, with `Adam { beta_2: 0.98, weight_decay: 0.03,
    /// ..Adam::default() }`: small mini-batches, strong distortions, and none in the last two epochs. RESULTS.md has what else
    /// was tried.
    pub fn short() -> Self {
        let schedule = Schedule::OneCycle { peak: 1.5e-3, warm_up: 0.15, epochs: 20 };
        let augment = Some(Augment { epochs: 18, ..Augment::strong() });
        Self { schedule, augment, batch_size: 32, ..Self::distorted(20) }
    }

    /// The best way to train LeNet-5 for 100 epochs that was found, with `Adam { weight_decay: 0.03, ..Adam::default() }`: a
    /// lower learning rate, strong distortions, and none in the last eight epochs.
    pub fn long() -> Self {
        let schedule = Schedule::OneCycle { peak: 2e-3, warm_up: 0.15, epochs: 100 };
        let augment = Some(Augment { epochs: 92, ..Augment::strong() });
        Self { schedule, augment, ..Self::distorted(100) }
    }

    /// # Errors
    /// [`Error::Argument`] for a setting out of its range.
    pub(crate) fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::argument("batch_size", "at least 1", "0"));
        }
        if self.patience == Some(0) {
            return Err(Error::argument("patience", "at least 1", "0"));
        }
        self.schedule.check()
    }
}
