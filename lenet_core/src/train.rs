//! Training: a step, an epoch, a fit.

use std::time::Instant;

use dfdx::prelude::*;
use rand::seq::SliceRandom;

use crate::augment::{Augment, Distorter};
use crate::data::{batch, Data};
use crate::error::{Error, Result};
use crate::history::{Epoch, History};
use crate::loss::{cross_entropy, row_loss, softmax};
use crate::network::{Batch, Logits, Network, CLASSES, SIDE};
use crate::optim::{Adam, AdamState};
use crate::progress::{step_line, Lines, Progress};
use crate::random::{generator, Purpose};
use crate::schedule::Schedule;
use crate::threads::in_pool;
use crate::view::{values, values_mut};

/// Images that go through the network at once where nothing is learned from them.
const INFERENCE_BATCH: usize = 512;
/// Images in a step of `evaluate`, as in Keras.
const EVALUATION_BATCH: usize = 32;

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
        }
    }
}

impl Fit {
    /// The recipe that goes past the paper's 99.2 % with the same weights: distorted images and a
    /// learning rate that rises once and falls to zero.
    ///
    /// `epochs` may be [`Fit::SHORT`] or [`Fit::LONG`], or any other number.
    pub fn distorted(epochs: usize) -> Self {
        Self {
            epochs,
            schedule: Schedule::OneCycle {
                peak: 3e-3,
                warm_up: 0.15,
                epochs,
            },
            augment: Some(Augment::default()),
            ..Self::default()
        }
    }

    /// Epochs of the short recipe.
    pub const SHORT: usize = 20;
    /// Epochs of the long recipe.
    pub const LONG: usize = 60;
}

/// How well a model does on some data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f32,
    /// Share of the images that are classified right, in 0..=1.
    pub accuracy: f32,
}

/// A network with an optimiser, ready to be trained.
///
/// The loss is the cross-entropy of the softmax of the network's output; the metric is accuracy.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, init::GlorotUniform as _, Adam, Fit, LeNet5, Model};
/// let dev = Cpu::default();
/// let images = dev.ones::<Rank4<8, 1, 28, 28>>();
/// let mut targets = dev.zeros::<Rank2<8, 10>>();
/// (0..8).for_each(|i| targets[[i, 3]] = 1.0);
/// let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
/// let history = model.fit((&images, &targets), &Fit { epochs: 3, ..Fit::default() })?;
/// assert!(history.epochs[2].loss < history.epochs[0].loss);
/// # Ok::<(), lenet_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Model<N> {
    network: N,
    optimizer: Adam,
    state: AdamState,
    epochs: usize,
}

impl<N> std::fmt::Debug for Model<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Adam {
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
        } = self.optimizer;
        writeln!(f, "loss: cross-entropy of the softmax, mean over the batch")?;
        writeln!(
            f,
            "optimizer: Adam, learning_rate {learning_rate}, beta_1 {beta_1}, beta_2 {beta_2}, epsilon {epsilon:e}"
        )?;
        writeln!(f, "metric: accuracy")?;
        write!(f, "trained: {} epochs", self.epochs)
    }
}

impl<N: Network> Model<N> {
    /// Puts a network and an optimiser together.
    ///
    /// # Errors
    /// [`Error::Argument`] for settings of the optimiser that make no sense.
    pub fn compile(network: N, optimizer: Adam) -> Result<Self> {
        optimizer.check()?;
        Ok(Self {
            network,
            optimizer,
            state: AdamState::default(),
            epochs: 0,
        })
    }

    /// The network, with the weights learned so far.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// Trains, and prints a line for each epoch as it ends.
    ///
    /// Called again, it goes on where it stopped: three epochs and then seven give the same bits as
    /// ten.
    ///
    /// # Errors
    /// [`Error::Argument`] for settings or data that cannot be trained with; [`Error::NotFinite`] if
    /// the loss becomes infinite or NaN, with the model as it was before the epoch.
    pub fn fit(&mut self, data: impl Into<Data>, how: &Fit) -> Result<History> {
        self.fit_with(data, how, &mut Lines)
    }

    /// Trains as [`Model::fit`] does, and tells `progress` about it.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn fit_with(
        &mut self,
        data: impl Into<Data>,
        how: &Fit,
        progress: &mut dyn Progress,
    ) -> Result<History> {
        let data = data.into();
        data.check()?;
        how.validation.as_ref().map_or(Ok(()), Data::check)?;
        if how.batch_size == 0 {
            let (expected, got) = ("at least 1".into(), "0".into());
            return Err(Error::Argument {
                name: "batch_size",
                expected,
                got,
            });
        }
        how.schedule.check()?;
        let steps = data.len().div_ceil(how.batch_size);
        in_pool(how.threads, || {
            let mut history = History::default();
            for epoch in 1..=how.epochs {
                progress.epoch_begins(epoch, how.epochs, steps);
                let before = self.clone();
                match self.epoch(&data, how, epoch, progress) {
                    Ok(numbers) => {
                        progress.epoch_ends(epoch, steps, &numbers);
                        history.epochs.push(numbers);
                    }
                    Err(error) => {
                        *self = before;
                        return Err(error);
                    }
                }
            }
            Ok(history)
        })?
    }

    /// Goes through the data once, then validates.
    fn epoch(
        &mut self,
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
        self.network.skip_input_gradient(true);
        let mut gradients = self.network.try_alloc_grads()?;
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
            gradients = self.step(images.clone(), &targets, gradients, rate, &mut sums)?;
            if !sums.loss.is_finite() {
                return Err(Error::NotFinite {
                    what: "the loss".into(),
                    epoch,
                    batch: step + 1,
                });
            }
            progress.step_ends(step + 1, sums.score().loss, sums.score().accuracy);
        }
        self.network.skip_input_gradient(false);
        self.epochs += 1;

        let validation = how
            .validation
            .as_ref()
            .map(|data| self.infer(data, INFERENCE_BATCH));
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
        images: Batch,
        targets: &Logits,
        gradients: Gradients<f32, Cpu>,
        learning_rate: f32,
        sums: &mut Sums,
    ) -> Result<Gradients<f32, Cpu>> {
        let logits = self.network.try_forward(images.traced(gradients))?;
        sums.add_logits(values(&logits).into_owned(), &values(targets));
        let loss = cross_entropy(logits, targets)?;
        let mut gradients = loss.try_backward()?;
        let optimizer = Adam {
            learning_rate,
            ..self.optimizer
        };
        self.state
            .step(&optimizer, &mut self.network, &mut gradients)?;
        Ok(gradients)
    }

    /// Loss and accuracy on `data`, with a line that says so, as Keras prints it.
    ///
    /// # Errors
    /// [`Error::Argument`] for data that cannot be evaluated on.
    pub fn evaluate(&self, data: impl Into<Data>) -> Result<Score> {
        let (data, start) = (data.into(), Instant::now());
        let score = self.score(data.clone())?;
        let steps = data.len().div_ceil(EVALUATION_BATCH);
        println!(
            "{}",
            step_line(
                steps,
                start.elapsed().as_secs_f64(),
                score.loss,
                score.accuracy
            )
        );
        Ok(score)
    }

    /// Loss and accuracy on `data`, without a word.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn score(&self, data: impl Into<Data>) -> Result<Score> {
        let data = data.into();
        data.check()?;
        in_pool(None, || self.infer(&data, EVALUATION_BATCH))?
    }

    /// Runs `data` through the network, `batch_size` images at a time.
    fn infer(&self, data: &Data, batch_size: usize) -> Result<Score> {
        let mut sums = Sums::default();
        let order: Vec<usize> = (0..data.len()).collect();
        for chosen in order.chunks(batch_size) {
            let (mut images, mut targets) = batch(data.device(), chosen.len())?;
            data.gather(chosen, &mut images, &mut targets);
            let logits = self.network.try_forward(images)?;
            sums.add_logits(values(&logits).into_owned(), &values(&targets));
        }
        Ok(sums.score())
    }

    /// The probability of each class for each image: `(N, 1, 28, 28)` to `(N, 10)`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn predict<I: Dim>(
        &self,
        images: &Tensor<(I, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu>,
    ) -> Result<Tensor<(I, Const<CLASSES>), f32, Cpu>> {
        let (device, count) = (images.device(), images.shape().0);
        let mut probabilities: Tensor<_, f32, Cpu> =
            device.try_zeros_like(&(count, Const::<CLASSES>))?;
        let out = values_mut(&mut probabilities).chunks_mut(INFERENCE_BATCH * CLASSES);
        for (pixels, out) in values(images)
            .chunks(INFERENCE_BATCH * SIDE * SIDE)
            .zip(out)
        {
            let (mut part, _) = batch(device, pixels.len() / (SIDE * SIDE))?;
            values_mut(&mut part).copy_from_slice(pixels);
            out.copy_from_slice(&values(&self.network.try_forward(part)?));
            for row in out.chunks_exact_mut(CLASSES) {
                softmax(row);
            }
        }
        Ok(probabilities)
    }
}

/// Running sums over the images seen.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    loss: f64,
    correct: usize,
    images: usize,
}

impl Sums {
    fn add_logits(&mut self, mut logits: Vec<f32>, targets: &[f32]) {
        for (row, target) in logits
            .chunks_exact_mut(CLASSES)
            .zip(targets.chunks_exact(CLASSES))
        {
            self.correct += usize::from(largest(row) == largest(target));
            self.loss += f64::from(row_loss(row, target));
            self.images += 1;
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
