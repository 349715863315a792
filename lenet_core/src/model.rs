//! A network that is trained and evaluated.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use dfdx::prelude::{Cpu, Dim, Tensor, ZerosTensor};

use crate::data::{Data, IntoData};
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::history::{line, Epoch, History, Score};
use crate::loss::softmax;
use crate::metrics::largest;
use crate::network::{flat, kinds, set_flat, ImagesFor, Network};
use crate::optimizer::Optimizer;
use crate::program::Program;
use crate::shape::Arriving;
use crate::slices::{values, values_mut};
use crate::summary::Summary;
use crate::suspicion;
use crate::threads::in_pool;
use crate::train::Trainer;
use crate::update::State;

/// Images in a step of `evaluate`, as Keras counts them.
const EVALUATION_BATCH: usize = 32;
/// Images that `evaluate` turns, to see whether they lay on their side.
const TURNED: usize = 1000;

/// A network with an optimiser, compiled for training.
///
/// The loss is the cross-entropy of the softmax of the network's output; the metric is accuracy.
///
/// ```
/// use lenet_core::prelude::*;
/// let dev = Cpu::default();
/// let images = dev.ones::<Rank4<8, 1, 28, 28>>();
/// let mut targets = dev.zeros::<Rank2<8, 10>>();
/// (0..8).for_each(|i| targets[[i, 3]] = 1.0);
/// let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
/// let history = model.fit((&images, &targets), &Fit { epochs: 3, ..Fit::default() })?;
/// assert!(history.epochs[2].loss < history.epochs[0].loss);
/// # use lenet_core::dfdx::prelude::OnesTensor;
/// # Ok::<(), lenet_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Model<N> {
    pub(crate) network: N,
    pub(crate) trainer: Trainer,
    /// The file that the model was loaded from or saved to last: a checkpoint may replace it.
    pub(crate) file: Option<PathBuf>,
}

impl<N> std::fmt::Debug for Model<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Trainer { optimizer, epochs, .. } = &self.trainer;
        writeln!(f, "loss: cross-entropy of the softmax, mean over the batch")?;
        write!(f, "optimizer: {}", optimizer.name())?;
        for (name, value) in optimizer.settings().into_iter().filter(|setting| *setting != ("weight_decay", 0.0)) {
            write!(f, ", {name} {value}")?;
        }
        writeln!(f, "\nmetric: accuracy")?;
        write!(f, "trained: {epochs} epochs")
    }
}

impl<N: Network> Model<N> {
    /// Compiles a network for training with an optimiser: makes the list of operations that `fit` runs, and takes over the
    /// network's parameters.
    ///
    /// # Errors
    /// [`Error::Argument`] for a setting of the optimiser out of its range.
    pub fn compile(network: N, optimizer: impl Into<Optimizer>) -> Result<Self> {
        let optimizer = optimizer.into();
        optimizer.check()?;
        let (layers, image) = (kinds::<N>(), N::With::sizes());
        let trainer = Trainer {
            program: Program::new(&layers, &image),
            layers,
            image,
            parameters: flat(&network),
            optimizer,
            state: State::default(),
            epochs: 0,
        };
        Ok(Self { network, trainer, file: None })
    }

    /// The network, with the parameters learned so far.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The layer table of its network.
    pub fn summary(&self) -> Summary {
        Summary::of::<N>()
    }

    /// Epochs trained so far, in all fits.
    pub fn epochs(&self) -> usize {
        self.trainer.epochs
    }

    /// The optimiser's learning rate from now on, where the schedule is constant.
    ///
    /// # Errors
    /// [`Error::Argument`] for one that is negative or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        let optimizer = self.trainer.optimizer.with_learning_rate(learning_rate);
        optimizer.check()?;
        self.trainer.optimizer = optimizer;
        Ok(())
    }

    /// Trains, and prints a line for each epoch as it ends.
    ///
    /// Called again, it goes on where it stopped: three epochs and then seven give the same bits as ten.
    ///
    /// # Errors
    /// [`Error::Argument`] for settings or data that cannot be trained with; [`Error::NotFinite`] if the
    /// loss, a parameter or a mean of the optimiser becomes infinite or NaN, with the model as it was
    /// before the epoch; [`Error::File`] if the checkpoint cannot be written, with the model as the last
    /// epoch left it.
    pub fn fit(&mut self, data: impl IntoData, how: &Fit) -> Result<History> {
        self.fit_with(data, how, |_, _| ControlFlow::Continue(()))
    }

    /// Trains as [`Model::fit`] does, and after each epoch hands `after` the epoch and the model. It may look at both, and
    /// ends the training by `ControlFlow::Break(())`.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// # use lenet_core::dfdx::prelude::OnesTensor;
    /// # let dev = Cpu::default();
    /// # let images = dev.ones::<Rank4<8, 1, 28, 28>>();
    /// # let targets = to_categorical::<10, _>(&dev.tensor([3u8; 8]))?;
    /// let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
    /// let history = model.fit_with((&images, &targets), &Fit::default(), |epoch, model| {
    ///     println!("{:?}", model.predict_classes(&images));
    ///     if epoch.loss < 1.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert!(history.epochs.len() < 10);
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn fit_with(
        &mut self,
        data: impl IntoData,
        how: &Fit,
        mut after: impl FnMut(&Epoch, &Self) -> ControlFlow<()> + Send,
    ) -> Result<History> {
        if let Some(path) = how.checkpoint.as_ref().filter(|path| path.exists() && self.file.as_ref() != Some(path)) {
            let got = format!("{}, which is there and is not this model's: delete or load it first", path.display());
            return Err(Error::argument("checkpoint", "a new file, or this model's own", got));
        }
        let mut model = self.clone();
        let history = self.trainer.fit(&data.into_data(), how, &mut |trainer, epoch, tell| {
            model.trainer = trainer.clone();
            set_flat(&mut model.network, &trainer.parameters);
            if let Some(path) = &how.checkpoint {
                model.save(path)?;
            }
            tell();
            Ok(after(epoch, &model))
        });
        set_flat(&mut self.network, &self.trainer.parameters);
        self.file = model.file;
        match &how.checkpoint {
            // The best epoch was not the last one.
            Some(path) if history.is_ok() && self.trainer.epochs != model.trainer.epochs => self.save(path)?,
            _ => {}
        }
        history
    }

    /// Loss and accuracy on `data`, with a line that says so, as Keras prints it, and a line more where the images are not
    /// as MNIST's are.
    ///
    /// # Errors
    /// [`Error::Argument`] for data that cannot be evaluated on.
    pub fn evaluate(&self, data: impl IntoData) -> Result<Score> {
        let (data, start) = (data.into_data(), Instant::now());
        let (score, suspicion) = self.checked_score(&data)?;
        let steps = data.len().div_ceil(EVALUATION_BATCH);
        println!("{}", line(steps, start.elapsed().as_secs_f64(), score.loss, score.accuracy));
        suspicion::say(suspicion);
        if score.accuracy < 0.5 {
            let turned = self.score(data.transposed(TURNED)?)?.accuracy;
            let better = turned > 0.5 && turned > 2.0 * score.accuracy;
            suspicion::say(better.then(|| {
                format!(
                    "with rows and columns exchanged accuracy is {turned:.4}: `mnist::transposed` turns such images"
                )
            }));
        }
        Ok(score)
    }

    /// Loss and accuracy on `data`, without a word.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn score(&self, data: impl IntoData) -> Result<Score> {
        Ok(self.checked_score(&data.into_data())?.0)
    }

    /// Loss and accuracy, and what is suspicious about the images.
    fn checked_score(&self, data: &Data) -> Result<(Score, Option<String>)> {
        let suspicion = data.check(&self.trainer.image, self.trainer.program.output_len())?;
        Ok((in_pool(None, || self.trainer.score(data))?, suspicion))
    }

    /// The probability of each class for each image: `(B, channels, side, side)` to `(B, classes)`. It prints a line where
    /// the images are not as MNIST's are: with pixels above 1, or black on white.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn predict<B: Dim>(&self, images: &impl ImagesFor<N, Images = B>) -> Result<Tensor<(B, N::Classes), f32, Cpu>> {
        let shape = (images.images(), N::Classes::default());
        let mut out: Tensor<_, f32, Cpu> = Cpu::default().try_zeros_like(&shape)?;
        let logits = values_mut(&mut out);
        let pixels = images.values();
        suspicion::say(suspicion::of_images(&pixels, self.trainer.image[1]));
        in_pool(None, || self.trainer.logits(&pixels, logits))?;
        for row in logits.chunks_exact_mut(self.trainer.program.output_len()) {
            softmax(row);
        }
        Ok(out)
    }

    /// The most probable class of each image.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_classes(&self, images: &impl ImagesFor<N>) -> Result<Vec<u8>> {
        let probabilities = self.predict(images)?;
        let rows = values(&probabilities);
        let rows = rows.chunks_exact(self.trainer.program.output_len());
        Ok(rows.map(|row| largest(row) as u8).collect())
    }
}
