//! What training recorded: a line of numbers for each epoch.

use std::fmt;

/// The numbers of one epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Mean cross-entropy over the epoch's training images, each taken as its batch was trained on.
    pub loss: f32,
    /// Share of the epoch's training images classified right, in 0..=1, taken the same way.
    pub accuracy: f32,
    /// Cross-entropy on the validation data after the epoch, if there is any.
    pub val_loss: Option<f32>,
    /// Accuracy on the validation data after the epoch, in 0..=1, if there is any.
    pub val_accuracy: Option<f32>,
    /// Wall-clock seconds, validation included.
    pub seconds: f64,
}

/// One [`Epoch`] for each epoch that `fit` finished, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The epochs, oldest first.
    pub epochs: Vec<Epoch>,
    /// Why there are fewer epochs than were asked for; `None` if all of them were trained.
    pub stopped: Option<Stop>,
}

/// Why a fit ended before its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Another epoch would have gone past [`Fit::time_budget`](crate::Fit::time_budget).
    TimeBudget,
    /// [`Fit::stop_file`](crate::Fit::stop_file) has appeared.
    StopFile,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeBudget => "the time budget has no room for another",
            Self::StopFile => "the stop file has appeared",
        })
    }
}
