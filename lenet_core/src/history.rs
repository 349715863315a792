//! What training recorded: a line of numbers for each epoch.

use std::path::Path;

use lenet_figures::Table;

use crate::error::{Error, Result};

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
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// Wall-clock seconds, validation included.
    pub seconds: f64,
}

/// One [`Epoch`] for each epoch that `fit` finished, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The epochs, oldest first.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// The epochs as a table, the middle of a long one left out.
    pub(crate) fn table(&self) -> Table<7> {
        const ENDS: usize = 10;
        let mut table = Table::new("Epochs", HEADINGS);
        for (index, row) in self.rows().into_iter().enumerate() {
            match self.epochs.len() {
                len if len > 2 * ENDS + 1 && index == ENDS => table.row(["…"; 7]),
                len if len > 2 * ENDS + 1 && index > ENDS && index < len - ENDS => {}
                _ => table.row(row),
            }
        }
        table
    }

    /// Writes all epochs to `path` as a CSV table, with a line of headings: what a spreadsheet or pandas reads.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut text = HEADINGS.join(",");
        for row in self.rows() {
            text += &format!("\n{}", row.join(","));
        }
        let path = path.as_ref();
        std::fs::write(path, text + "\n").map_err(|source| Error::io("write", path, source))
    }

    fn rows(&self) -> Vec<[String; 7]> {
        let maybe = |value: Option<f32>| value.map_or(String::new(), |value| format!("{value:.4}"));
        let row = |(index, epoch): (usize, &Epoch)| {
            let Epoch { loss, accuracy, val_loss, val_accuracy, learning_rate, seconds } = epoch;
            let (loss, accuracy) = (format!("{loss:.4}"), format!("{accuracy:.4}"));
            let rest = (learning_rate.to_string(), format!("{seconds:.1}"));
            [(index + 1).to_string(), loss, accuracy, maybe(*val_loss), maybe(*val_accuracy), rest.0, rest.1]
        };
        self.epochs.iter().enumerate().map(row).collect()
    }
}

const HEADINGS: [&str; 7] = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"];

/// How well a model does on some data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f32,
    /// Share of the images that are classified right, in 0..=1.
    pub accuracy: f32,
}

impl Epoch {
    /// The line for an epoch of `steps` mini-batches that is over.
    pub(crate) fn line(&self, steps: usize) -> String {
        let mut line = line(steps, self.seconds, self.loss, self.accuracy);
        if let (Some(loss), Some(accuracy)) = (self.val_loss, self.val_accuracy) {
            line += &format!(" - val_loss: {loss:.4} - val_accuracy: {accuracy:.4}");
        }
        line
    }
}

/// The line for `steps` mini-batches that took `seconds`, much as Keras prints it with `verbose=2`.
pub(crate) fn line(steps: usize, seconds: f64, loss: f32, accuracy: f32) -> String {
    format!("{steps} steps, {seconds:.1}s - loss: {loss:.4} - accuracy: {accuracy:.4}")
}
