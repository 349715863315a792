//! What training recorded: a line of numbers for each epoch.

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
}
