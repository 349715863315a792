//! Training: an epoch, a fit.

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
use crate::loss::softmax;
use crate::model::Score;
use crate::network::{CLASSES, PIXELS};
use crate::optim::{Adam, AdamState};
use crate::progress::Progress;
use crate::random::{generator, Purpose};
use crate::step::{Lesson, Stepper};
use crate::sums::Sums;
use crate::threads::{in_pool, share};
use crate::view::{values, values_mut};
use crate::weights::{named, set};

/// Images that go through the network at once where nothing is learned from them.
const AT_ONCE: usize = 32;
/// Images in a step of `evaluate`, as Keras counts them.
pub(crate) const EVALUATION_BATCH: usize = 32;

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
                let before = (self.clone(), named(network.outline(), network.tensors()));
                network.skip_input_gradient(true);
                let numbers = self.epoch(network, data, how, epoch, progress);
                network.skip_input_gradient(false);
                network.leave_factors(None);
                let numbers = numbers.inspect_err(|_| {
                    *self = before.0;
                    set(network.tensors_mut(), &before.1);
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
        let mut stepper = Stepper::new(network)?;
        let mut sums = Sums::default();
        let steps = data.len().div_ceil(how.batch_size);
        let distorter = how.augment.map(Distorter::new);
        let turn = (self.epochs * data.len()) as u64;
        let draw = |image: &[f32], copy: &mut [f32], index: usize| match &distorter {
            None => copy.copy_from_slice(image),
            Some(distorter) => {
                let turn = turn + index as u64;
                let mut random = generator(how.seed, Purpose::Distortion, turn);
                distorter.distort(image, copy, &mut random);
            }
        };
        let mut batches = order.chunks(how.batch_size).enumerate().peekable();
        while let Some((step, chosen)) = batches.next() {
            let constant = self.optimizer.learning_rate;
            let learning_rate = how
                .schedule
                .learning_rate(constant, self.epochs, step, steps);
            let lesson = Lesson {
                data,
                chosen,
                next: batches.peek().map_or(&[], |(_, next)| next),
                draw: &draw,
            };
            let optimizer = Adam {
                learning_rate,
                ..self.optimizer
            };
            let more = stepper.step(network, (&optimizer, &mut self.state), &lesson)?;
            sums = [sums, more].into_iter().sum();
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
        stepper.end(network)?;
        self.epochs += 1;

        let validation = how.validation.as_ref().map(|data| infer(network, data));
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
}

/// [`Model::score`](crate::Model::score).
pub(crate) fn score(network: &dyn Learner, data: &Data) -> Result<Score> {
    data.check()?;
    in_pool(None, || infer(network, data))?
}

/// Runs `data` through the network.
fn infer(network: &dyn Learner, data: &Data) -> Result<Score> {
    let order: Vec<usize> = (0..data.len()).collect();
    let mut outcomes: Vec<Result<Sums>> = Vec::new();
    outcomes.resize_with(order.len().div_ceil(AT_ONCE), || Ok(Sums::default()));
    share(
        order.chunks(AT_ONCE).zip(&mut outcomes),
        |(chosen, outcome)| {
            *outcome = batch(data.device(), chosen.len()).and_then(|(mut images, mut targets)| {
                data.gather(chosen, &mut images, &mut targets);
                let logits = network.forward(images)?;
                let mut sums = Sums::default();
                sums.add_logits(values(&logits).into_owned(), &values(&targets));
                Ok(sums)
            });
        },
    );
    let sums: Sums = outcomes.into_iter().sum::<Result<_>>()?;
    Ok(sums.score())
}

/// [`Model::predict`](crate::Model::predict), from pixels to probabilities.
pub(crate) fn probabilities(network: &dyn Learner, pixels: &[f32], out: &mut [f32]) -> Result<()> {
    let device = Cpu::default();
    let mut outcomes: Vec<Result<()>> = Vec::new();
    outcomes.resize_with(out.len().div_ceil(AT_ONCE * CLASSES), || Ok(()));
    let parts = pixels
        .chunks(AT_ONCE * PIXELS)
        .zip(out.chunks_mut(AT_ONCE * CLASSES));
    share(parts.zip(&mut outcomes), |((pixels, out), outcome)| {
        *outcome = batch(&device, pixels.len() / PIXELS).and_then(|(mut images, _)| {
            values_mut(&mut images).copy_from_slice(pixels);
            out.copy_from_slice(&values(&network.forward(images)?));
            out.chunks_exact_mut(CLASSES).for_each(|row| {
                softmax(row);
            });
            Ok(())
        });
    });
    outcomes.into_iter().collect()
}
