//! Who is told how training goes.

use crate::history::{Epoch, Stop};

/// Is told how training goes, while it goes.
///
/// `fit` prints by [`Lines`]; `fit_with` takes any other.
pub trait Progress: Send {
    /// Epoch `epoch` of `epochs`, counted from 1, begins; it has `steps` batches.
    fn epoch_begins(&mut self, epoch: usize, epochs: usize, steps: usize) {
        let _ = (epoch, epochs, steps);
    }
    /// Batch `step` of the epoch is done, counted from 1, with the running means so far.
    fn step_ends(&mut self, step: usize, loss: f32, accuracy: f32) {
        let _ = (step, loss, accuracy);
    }
    /// The epoch is over, validation included.
    fn epoch_ends(&mut self, epoch: usize, steps: usize, numbers: &Epoch) {
        let _ = (epoch, steps, numbers);
    }
    /// Training ends after epoch `epoch` of `epochs`, before it was to.
    fn stops(&mut self, epoch: usize, epochs: usize, why: Stop) {
        let _ = (epoch, epochs, why);
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

/// Prints whole lines, as Keras does: one when an epoch begins, one when it ends. A notebook shows
/// each as it comes. Where this crate was compiled with a debug build's checks, it first says how to do without.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Progress for Lines {
    fn epoch_begins(&mut self, epoch: usize, epochs: usize, _: usize) {
        if epoch == 1 && cfg!(debug_assertions) {
            println!("{CHECKED}");
        }
        println!("Epoch {epoch}/{epochs}");
    }
    fn epoch_ends(&mut self, _: usize, steps: usize, numbers: &Epoch) {
        println!("{}", epoch_line(steps, numbers));
    }
    fn stops(&mut self, epoch: usize, epochs: usize, why: Stop) {
        println!("{}", stop_line(epoch, epochs, why));
    }
}

const CHECKED: &str = "lenet_core is compiled with the checks of a debug build, which make training slower. \
    In a notebook, restart the kernel and begin with the :build_env lines of lenet5.ipynb; with cargo, add --release.";

/// The line for an epoch that is over.
pub fn epoch_line(steps: usize, epoch: &Epoch) -> String {
    let mut line = step_line(steps, epoch.seconds, epoch.loss, epoch.accuracy);
    if let (Some(loss), Some(accuracy)) = (epoch.val_loss, epoch.val_accuracy) {
        line += &format!(" - val_loss: {loss:.4} - val_accuracy: {accuracy:.4}");
    }
    line
}

/// The line for a training that ends after epoch `epoch` of `epochs`.
pub fn stop_line(epoch: usize, epochs: usize, why: Stop) -> String {
    format!("Stopped after epoch {epoch} of {epochs}: {why}; the model keeps what it has learned")
}

/// The line for `steps` batches that took `seconds`, much as Keras prints it with `verbose=2`: a bar that is always full
/// says nothing, and without it the line fits beside JupyterLab's list of files.
pub(crate) fn step_line(steps: usize, seconds: f64, loss: f32, accuracy: f32) -> String {
    let per_step = 1e3 * seconds / steps as f64;
    format!(
        "{steps}/{steps} - {seconds:.1}s {per_step:.1}ms/step - loss: {loss:.4} - accuracy: {accuracy:.4}"
    )
}
