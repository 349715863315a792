//! A network that is trained and evaluated.

use std::time::Instant;

use dfdx::prelude::{Const, Cpu, Dim, HasShape, Tensor, ZerosTensor};

use crate::data::Data;
use crate::error::Result;
use crate::fit::Fit;
use crate::history::History;
use crate::learner::Learner;
use crate::network::{Network, CLASSES, SIDE};
use crate::optim::Adam;
use crate::progress::{step_line, Lines, Progress};
use crate::train::{probabilities, score, Training, EVALUATION_BATCH};
use crate::view::{values, values_mut};

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
    training: Training,
    learner: AsLearner<N>,
}

/// The network as a [`Learner`]: what can be done with it is compiled where the model is made. Cells that only use the
/// model need not compile it again.
struct AsLearner<N> {
    shared: fn(&N) -> &dyn Learner,
    exclusive: fn(&mut N) -> &mut dyn Learner,
}

impl<N> Clone for AsLearner<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for AsLearner<N> {}

impl<N> std::fmt::Debug for Model<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Adam {
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
        } = self.training.optimizer;
        writeln!(f, "loss: cross-entropy of the softmax, mean over the batch")?;
        writeln!(
            f,
            "optimizer: Adam, learning_rate {learning_rate}, beta_1 {beta_1}, beta_2 {beta_2}, epsilon {epsilon:e}"
        )?;
        writeln!(f, "metric: accuracy")?;
        write!(f, "trained: {} epochs", self.training.epochs)
    }
}

impl<N: Network> Model<N> {
    /// Puts a network and an optimiser together.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) for settings of the optimiser that make no sense.
    pub fn compile(network: N, optimizer: Adam) -> Result<Self> {
        Ok(Self::new(network, Training::new(optimizer)?))
    }

    pub(crate) fn new(network: N, training: Training) -> Self {
        Self {
            network,
            training,
            learner: AsLearner {
                shared: |network| network,
                exclusive: |network| network,
            },
        }
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
    /// [`Error::Argument`] for settings or data that cannot be trained with; [`Error::NotFinite`] if the
    /// loss, a weight or a number of the optimiser becomes infinite or NaN, with the model as it was
    /// before the epoch; [`Error::Io`] if the checkpoint cannot be written, with the model as the last
    /// epoch left it.
    ///
    /// [`Error::Argument`]: crate::Error::Argument
    /// [`Error::NotFinite`]: crate::Error::NotFinite
    /// [`Error::Io`]: crate::Error::Io
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
        let network = (self.learner.exclusive)(&mut self.network);
        self.training.fit(network, &data.into(), how, progress)
    }
}

impl<N> Model<N> {
    /// Loss and accuracy on `data`, with a line that says so, as Keras prints it.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) for data that cannot be evaluated on.
    pub fn evaluate(&self, data: impl Into<Data>) -> Result<Score> {
        let (data, start) = (data.into(), Instant::now());
        let Score { loss, accuracy } = self.score(data.clone())?;
        let steps = data.len().div_ceil(EVALUATION_BATCH);
        let seconds = start.elapsed().as_secs_f64();
        println!("{}", step_line(steps, seconds, loss, accuracy));
        Ok(Score { loss, accuracy })
    }

    /// Loss and accuracy on `data`, without a word.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn score(&self, data: impl Into<Data>) -> Result<Score> {
        score((self.learner.shared)(&self.network), &data.into())
    }

    /// The probability of each class for each image: `(N, 1, 28, 28)` to `(N, 10)`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn predict<I: Dim>(
        &self,
        images: &Tensor<(I, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu>,
    ) -> Result<Tensor<(I, Const<CLASSES>), f32, Cpu>> {
        let shape = (images.shape().0, Const::<CLASSES>);
        let mut out: Tensor<_, f32, Cpu> = images.device().try_zeros_like(&shape)?;
        let network = (self.learner.shared)(&self.network);
        probabilities(network, &values(images), values_mut(&mut out))?;
        Ok(out)
    }
}
