//! Training: a fit is some epochs, an epoch some steps, a step one mini-batch forward, backward, and the update.

use std::ops::ControlFlow;
use std::time::Instant;

use rand::seq::SliceRandom;

use crate::augment::Distorter;
use crate::data::{CopyImage, Data};
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::history::{Epoch, History, Score};
use crate::loss::cross_entropy_and_slope;
use crate::metrics::Running;
use crate::network::LayerKind;
use crate::optimizer::Optimizer;
use crate::program::{Program, Workspace, Workspaces, PASS};
use crate::random::{generator, Purpose, Sample};
use crate::threads::{for_each, in_pool};
use crate::update::State;

/// Images of a shard: a mini-batch is cut by its size alone, so that the bits do not depend on the threads.
const SHARD: usize = 64;
/// A mini-batch of fewer images than two of these is one shard.
const SMALLEST_SHARD: usize = 8;
/// Shards of a mini-batch, at most: each has a gradient of its own.
const SHARDS: usize = 8;

/// A network that is being trained, whatever its type: its program, its parameters, and what the optimiser remembers.
#[derive(Debug, Clone)]
pub(crate) struct Trainer {
    pub(crate) layers: Vec<LayerKind>,
    /// The sizes of an image: channels, height and width.
    pub(crate) image: Vec<usize>,
    pub(crate) program: Program,
    pub(crate) parameters: Vec<f32>,
    pub(crate) optimizer: Optimizer,
    pub(crate) state: State,
    /// Epochs trained so far, in all fits.
    pub(crate) epochs: usize,
}

/// What is asked after each epoch: whether to go on. It calls its third argument, which prints the epoch's line, once the
/// epoch is on disk, if it is to be: who sees the line and interrupts has lost nothing.
pub(crate) type AfterEpoch<'a> = &'a mut (dyn FnMut(&Trainer, &Epoch, &dyn Fn()) -> Result<ControlFlow<()>> + Send);

/// The images of a step.
struct MiniBatch<'a> {
    data: &'a Data,
    places: &'a [usize],
    copy: &'a CopyImage<'a>,
    seed: u64,
}

/// The part of a mini-batch that one thread takes, and what comes of it.
#[derive(Default)]
struct Shard {
    gradient: Vec<f32>,
    running: Running,
}

impl Trainer {
    /// [`Model::fit`](crate::Model::fit).
    pub(crate) fn fit(&mut self, data: &Data, how: &Fit, after: AfterEpoch<'_>) -> Result<History> {
        how.check()?;
        let classes = self.program.output_len();
        let mut warnings = Vec::from_iter(data.check(&self.image, classes)?);
        if let Some(validation) = &how.validation {
            warnings.extend(validation.check(&self.image, classes)?.map(|warning| format!("validation: {warning}")));
        }
        let say = |line: &str| {
            if how.verbose {
                println!("{line}");
            }
        };
        if cfg!(debug_assertions) {
            say(CHECKED);
        }
        for warning in warnings {
            say(&format!("a word of warning: {warning}"));
        }
        in_pool(how.threads, || {
            let mut history = History::default();
            let mut best: Option<(f32, usize, Self)> = None;
            for number in 1..=how.epochs {
                let before = self.clone();
                let epoch = self.epoch(data, how, number).inspect_err(|_| *self = before)?;
                let steps = data.len().div_ceil(how.batch_size);
                let tell = || {
                    say(&format!("Epoch {number}/{} - {}", how.epochs, epoch.line(steps)));
                    if f64::from(epoch.accuracy) < 1.2 / classes as f64 {
                        say("  no better than guessing: are the labels right, and would a lower learning rate do?");
                    }
                };
                history.epochs.push(epoch);
                let ended = after(self, &epoch, &tell)?.is_break();
                let loss = epoch.val_loss.unwrap_or(epoch.loss);
                let waited = match &best {
                    Some((least, at, _)) if loss >= *least || loss.is_nan() => number - at,
                    _ => 0,
                };
                if waited == 0 && how.patience.is_some() {
                    best = Some((loss, number, self.clone()));
                }
                if ended {
                    say(&format!("Ended after epoch {number} of {}", how.epochs));
                }
                if ended || how.patience == Some(waited) {
                    break;
                }
            }
            if let Some((_, at, model)) = best.filter(|(_, at, _)| *at < history.epochs.len()) {
                say(&format!("Epoch {at} was the best: the model is as it was after it"));
                *self = model;
            }
            Ok(history)
        })?
    }

    /// Goes through the data once, then validates.
    fn epoch(&mut self, data: &Data, how: &Fit, number: usize) -> Result<Epoch> {
        let start = Instant::now();
        let mut order: Vec<usize> = (0..data.len()).collect();
        if how.shuffle {
            order.shuffle(&mut generator(how.seed, Purpose::Shuffle, [self.epochs as u64, 0]));
        }
        let augment = how.augment.filter(|limits| self.epochs < limits.epochs);
        let distorter = augment.map(|limits| Distorter::new(limits, data.image_sizes()));
        let turn = (self.epochs * data.len()) as u64;
        let copy = |image: &[f32], copy: &mut [f32], place: usize| match &distorter {
            None => copy.copy_from_slice(image),
            Some(distorter) => {
                let index = [turn + place as u64, 0];
                distorter.distort(image, copy, &mut generator(how.seed, Purpose::Distortion, index));
            }
        };
        let (mut shards, mut running) = (Vec::new(), Running::default());
        let workspaces = Workspaces::default();
        let constant = self.optimizer;
        let steps = data.len().div_ceil(how.batch_size);
        for (step, places) in order.chunks(how.batch_size).enumerate() {
            let rate = how.schedule.learning_rate(constant.learning_rate(), self.epochs, step, steps);
            self.optimizer = constant.with_learning_rate(rate);
            let batch = MiniBatch { data, places, copy: &copy, seed: how.seed };
            let not_finite = self.step(&batch, &mut shards, &workspaces);
            running = shards.iter().fold(running, |all, shard| all + shard.running);
            let loss = (!running.loss.is_finite()).then_some("the loss");
            if let Some(what) = loss.or(not_finite) {
                return Err(Error::NotFinite { what, epoch: number, batch: step + 1 });
            }
        }
        let learning_rate = std::mem::replace(&mut self.optimizer, constant).learning_rate();
        self.epochs += 1;
        let validation = how.validation.as_ref().map(|data| self.score(data));
        let Score { loss, accuracy } = running.score();
        Ok(Epoch {
            loss,
            accuracy,
            val_loss: validation.map(|score| score.loss),
            val_accuracy: validation.map(|score| score.accuracy),
            learning_rate,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Moves the parameters against the gradient of the mean cross-entropy of a mini-batch. Returns what is not finite
    /// any more, if anything.
    fn step(
        &mut self,
        batch: &MiniBatch<'_>,
        shards: &mut Vec<Shard>,
        workspaces: &Workspaces,
    ) -> Option<&'static str> {
        let images = batch.places.len();
        let count = images.div_ceil(SHARD).max((images / SMALLEST_SHARD).min(2)).clamp(1, SHARDS);
        let parts = batch.places.chunks(images.div_ceil(count).next_multiple_of(SMALLEST_SHARD));
        shards.resize_with(parts.len(), Shard::default);
        let (program, parameters, step) = (&self.program, &self.parameters[..], self.state.steps);
        for_each(parts.zip(&mut *shards), |(places, shard)| {
            shard.learn(program, parameters, batch, (step, places), &mut workspaces.own());
        });

        let gradients = Vec::from_iter(shards.iter().map(|shard| &shard.gradient[..]));
        self.state.update(&self.optimizer, &mut self.parameters, &gradients).err()
    }

    /// Loss and accuracy on some data.
    pub(crate) fn score(&self, data: &Data) -> Score {
        let classes = data.classes();
        let mut logits = vec![0.0; data.len() * classes];
        self.logits(&data.images(), &mut logits);
        let (mut running, targets) = (Running::default(), data.targets());
        running.count(&logits, &targets, classes);
        running.loss = cross_entropy_and_slope(&mut logits, &targets, classes, 1);
        running.score()
    }

    /// The logits of some images.
    pub(crate) fn logits(&self, images: &[f32], logits: &mut [f32]) {
        self.program.infer(&self.parameters, images, logits);
    }
}

impl Shard {
    /// Goes forward and backward with the images at `places`: their part of the gradient of the mini-batch's mean
    /// cross-entropy.
    fn learn(
        &mut self,
        program: &Program,
        parameters: &[f32],
        batch: &MiniBatch<'_>,
        (step, places): (u64, &[usize]),
        workspace: &mut Workspace,
    ) {
        let MiniBatch { data, copy, seed, .. } = *batch;
        self.running = Running::default();
        self.gradient.clear();
        self.gradient.resize(program.parameters(), 0.0);
        let mut targets = Vec::new();
        for images in places.chunks(PASS) {
            data.gather(images, program.begin(workspace, (parameters, step), images.len()), copy);
            data.gather_targets(images, &mut targets);
            let dropout = Sample { seed, step, images };
            let mut logits = program.forward(parameters, workspace, Some(&dropout)).to_vec();
            self.running.count(&logits, &targets, data.classes());
            self.running.loss += cross_entropy_and_slope(&mut logits, &targets, data.classes(), batch.places.len());
            program.backward(parameters, workspace, &logits, &mut self.gradient, false);
        }
    }
}

const CHECKED: &str = "lenet_core is compiled with the checks of a debug build, which make training slower. \
    In a notebook, use the kernel that `cargo xtask lab` sets up; with cargo, add --release.";
