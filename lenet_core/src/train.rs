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
use crate::loss::{cross_entropy, row_loss, softmax};
use crate::network::{Batch, Logits, Network, CLASSES, SIDE};
use crate::optim::{Adam, AdamState};
use crate::progress::{step_line, Lines, Progress};
use crate::random::{generator, Purpose};
use crate::threads::in_pool;
use crate::view::{values, values_mut};

/// Images that go through the network at once where nothing is learned from them.
const INFERENCE_BATCH: usize = 512;
/// Images in a step of `evaluate`, as in Keras.
const EVALUATION_BATCH: usize = 32;

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
    pub(crate) network: N,
    pub(crate) optimizer: Adam,
    pub(crate) state: AdamState,
    /// Epochs trained so far, in all fits.
    pub(crate) epochs: usize,
    /// The checkpoint that this model wrote last or comes from.
    pub(crate) own: Option<PathBuf>,
    /// The fit that the next fit goes on with.
    pub(crate) resumed: Option<Resumed>,
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
            own: None,
            resumed: None,
        })
    }

    /// The network, with the weights learned so far.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// Trains, and prints a line for each epoch as it ends.
    ///
    /// Called again, it goes on where it stopped: three epochs and then seven give the same bits as
    /// ten. A model that [`Model::resume`] made finishes the fit that its checkpoint holds.
    ///
    /// It ends early for [`Fit::time_budget`] and [`Fit::stop_file`], always after a whole epoch;
    /// [`History::stopped`] then says why.
    ///
    /// # Errors
    /// [`Error::Argument`] for settings or data that cannot be trained with; [`Error::NotFinite`] if
    /// the loss, a weight or a number of the optimiser becomes infinite or NaN, with the model as it was
    /// before the epoch; [`Error::Io`] if the checkpoint cannot be written, with the model as the last
    /// epoch left it.
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
        how.check()?;
        let steps = data.len().div_ceil(how.batch_size);
        in_pool(how.threads, || {
            let start = Instant::now();
            let (mut history, checkpoint) = self.begin(&data, how)?;
            for epoch in history.epochs.len() + 1..=how.epochs {
                progress.epoch_begins(epoch, how.epochs, steps);
                let before = self.clone();
                let numbers = self.epoch(&data, how, epoch, progress);
                let numbers = numbers.inspect_err(|_| *self = before)?;
                progress.epoch_ends(epoch, steps, &numbers);
                history.epochs.push(numbers);
                if let Some(checkpoint) = &checkpoint {
                    self.keep(checkpoint, &history)?;
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
