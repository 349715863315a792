//! Training: a step, an epoch, a fit.

use std::path::PathBuf;
use std::time::Instant;

use dfdx::prelude::*;
use rand::seq::SliceRandom;

use crate::augment::Distorter;
use crate::checkpoint::Resumed;
use crate::data::{batch, Data};
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::history::{Epoch, History};
use crate::learner::Learner;
use crate::loss::{cross_entropy, row_loss, softmax};
use crate::model::Score;
use crate::network::{Batch, Logits, CLASSES, PIXELS};
use crate::optim::{Adam, AdamState};
use crate::progress::Progress;
use crate::random::{generator, Purpose};
use crate::threads::in_pool;
use crate::view::{values, values_mut};

/// Images that go through the network at once where nothing is learned from them.
const INFERENCE_BATCH: usize = 512;
/// Images in a step of `evaluate`, as in Keras.
pub(crate) const EVALUATION_BATCH: usize = 32;

/// A network as a function from images to logits.
type Forward<'a> = &'a (dyn Fn(Batch) -> Result<Logits> + Sync);

/// All that training remembers beside the weights.
#[derive(Clone)]
pub(crate) struct Training {
    pub(crate) optimizer: Adam,
    pub(crate) state: AdamState,
    /// Epochs trained so far, in all fits.
    pub(crate) epochs: usize,
    /// The checkpoint that the model wrote last or comes from.
    pub(crate) own: Option<PathBuf>,
    /// The fit that the next fit goes on with.
    pub(crate) resumed: Option<Resumed>,
}

impl Training {
    /// # Errors
    /// For settings of the optimiser that make no sense.
    pub(crate) fn new(optimizer: Adam) -> Result<Self> {
        optimizer.check()?;
        Ok(Self {
            optimizer,
            state: AdamState::default(),
            epochs: 0,
            own: None,
            resumed: None,
        })
    }

    /// [`Model::fit_with`](crate::Model::fit_with).
    pub(crate) fn fit(
        &mut self,
        network: &mut dyn Learner,
        data: &Data,
        how: &Fit,
        progress: &mut dyn Progress,
    ) -> Result<History> {
        data.check()?;
        how.check()?;
        let steps = data.len().div_ceil(how.batch_size);
        in_pool(how.threads, || {
            let start = Instant::now();
            let (mut history, checkpoint) = self.begin(network, data, how)?;
            for epoch in history.epochs.len() + 1..=how.epochs {
                progress.epoch_begins(epoch, how.epochs, steps);
                let before = (self.clone(), network.weights());
                let numbers = self.epoch(network, data, how, epoch, progress);
                let numbers = numbers.inspect_err(|_| {
                    *self = before.0;
                    network.set_weights(&before.1);
                })?;
                progress.epoch_ends(epoch, steps, &numbers);
                history.epochs.push(numbers);
                if let Some(checkpoint) = &checkpoint {
                    self.keep(network, checkpoint, &history)?;
                }
                history.stopped = how.stop(start, &numbers).filter(|_| epoch < how.epochs);
                if let Some(why) = history.stopped {
                    progress.stops(epoch, how.epochs, why);
                    break;
                }
            }
            Ok(history)
        })?
    }

    /// Goes through the data once, then validates.
    fn epoch(
        &mut self,
        network: &mut dyn Learner,
        data: &Data,
        how: &Fit,
        epoch: usize,
        progress: &mut dyn Progress,
    ) -> Result<Epoch> {
        let start = Instant::now();
        let mut order: Vec<usize> = (0..data.len()).collect();
        if how.shuffle {
            order.shuffle(&mut generator(
                how.seed,
                Purpose::Shuffle,
                self.epochs as u64,
            ));
        }
        network.skip_input_gradient(true);
        let mut gradients = network.gradients()?;
        let mut sums = Sums::default();
        let steps = data.len().div_ceil(how.batch_size);
        let distorter = how.augment.map(Distorter::new);
        let (mut images, mut targets) = batch(data.device(), 0)?;
        for (step, chosen) in order.chunks(how.batch_size).enumerate() {
            if images.shape().0 != chosen.len() {
                (images, targets) = batch(data.device(), chosen.len())?;
            }
            let turn = (self.epochs * data.len()) as u64;
            match &distorter {
                None => data.gather(chosen, &mut images, &mut targets),
                Some(distorter) => {
                    data.gather_with(chosen, &mut images, &mut targets, |image, copy, index| {
                        let turn = turn + index as u64;
                        let mut random = generator(how.seed, Purpose::Distortion, turn);
                        distorter.distort(image, copy, &mut random);
                    })
                }
            }
            let constant = self.optimizer.learning_rate;
            let rate = how
                .schedule
                .learning_rate(constant, self.epochs, step, steps);
            let pair = (images.clone(), &targets);
            gradients = self.step(network, pair, gradients, rate, &mut sums)?;
            let loss = (!sums.loss.is_finite()).then_some("the loss");
            if let Some(what) = loss.or(self.state.exploded) {
                return Err(Error::NotFinite {
                    what: what.into(),
                    epoch,
                    batch: step + 1,
                });
            }
            progress.step_ends(step + 1, sums.score().loss, sums.score().accuracy);
        }
        network.skip_input_gradient(false);
        self.epochs += 1;

        let validation = how
            .validation
            .as_ref()
            .map(|data| infer(&|images| network.forward(images), data, INFERENCE_BATCH));
        let validation = validation.transpose()?;
        let Score { loss, accuracy } = sums.score();
        Ok(Epoch {
            loss,
            accuracy,
            val_loss: validation.map(|score| score.loss),
            val_accuracy: validation.map(|score| score.accuracy),
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// One step: forward, loss, backward, update. Returns the gradients' memory for the next.
    fn step(
        &mut self,
        network: &mut dyn Learner,
        (images, targets): (Batch, &Logits),
        gradients: Gradients<f32, Cpu>,
        learning_rate: f32,
        sums: &mut Sums,
    ) -> Result<Gradients<f32, Cpu>> {
        let logits = network.trace(images.traced(gradients))?;
        sums.count(&values(&logits), &values(targets));
        let loss = cross_entropy(logits, targets)?;
        sums.loss += f64::from(loss.array()) * targets.shape().0 as f64;
        let mut gradients = loss.try_backward()?;
        let optimizer = Adam {
            learning_rate,
            ..self.optimizer
        };
        network.update(&optimizer, &mut self.state, &mut gradients)?;
        Ok(gradients)
    }
}

/// [`Model::score`](crate::Model::score).
pub(crate) fn score(forward: Forward<'_>, data: &Data) -> Result<Score> {
    data.check()?;
    in_pool(None, || infer(forward, data, EVALUATION_BATCH))?
}

/// Runs `data` through the network, `batch_size` images at a time.
fn infer(forward: Forward<'_>, data: &Data, batch_size: usize) -> Result<Score> {
    let mut sums = Sums::default();
    let order: Vec<usize> = (0..data.len()).collect();
    for chosen in order.chunks(batch_size) {
        let (mut images, mut targets) = batch(data.device(), chosen.len())?;
        data.gather(chosen, &mut images, &mut targets);
        let logits = forward(images)?;
        sums.add_logits(values(&logits).into_owned(), &values(&targets));
    }
    Ok(sums.score())
}

/// [`Model::predict`](crate::Model::predict), from pixels to probabilities.
pub(crate) fn probabilities(forward: Forward<'_>, pixels: &[f32], out: &mut [f32]) -> Result<()> {
    let device = Cpu::default();
    for (pixels, out) in pixels
        .chunks(INFERENCE_BATCH * PIXELS)
        .zip(out.chunks_mut(INFERENCE_BATCH * CLASSES))
    {
        let (mut images, _) = batch(&device, pixels.len() / PIXELS)?;
        values_mut(&mut images).copy_from_slice(pixels);
        out.copy_from_slice(&values(&forward(images)?));
        for row in out.chunks_exact_mut(CLASSES) {
            softmax(row);
        }
    }
    Ok(())
}

/// Running sums over the images seen.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    loss: f64,
    correct: usize,
    images: usize,
}

impl Sums {
    /// Adds the images of a batch and how many of them are read correctly.
    fn count(&mut self, logits: &[f32], targets: &[f32]) {
        let targets = targets.chunks_exact(CLASSES);
        for (row, target) in logits.chunks_exact(CLASSES).zip(targets) {
            self.correct += usize::from(largest(row) == largest(target));
            self.images += 1;
        }
    }

    /// Adds the losses, too.
    fn add_logits(&mut self, mut logits: Vec<f32>, targets: &[f32]) {
        self.count(&logits, targets);
        let rows = logits.chunks_exact_mut(CLASSES);
        for (row, target) in rows.zip(targets.chunks_exact(CLASSES)) {
            self.loss += f64::from(row_loss(row, target));
        }
    }

    fn score(&self) -> Score {
        let images = self.images as f64;
        Score {
            loss: (self.loss / images) as f32,
            accuracy: (self.correct as f64 / images) as f32,
        }
    }
}

/// The index of the largest number, the first of them where several are equal.
pub(crate) fn largest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (index, number) in numbers.iter().enumerate() {
        if *number > numbers[best] {
            best = index;
        }
    }
    best
}
