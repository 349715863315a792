//! Training that survives its process: the state of a fit in a file, and a model made from it.
//!
//! A checkpoint is a safetensors file. It holds the weights under PyTorch's names, what Adam remembers
//! of their gradients under the same names after `adam.mean.` and `adam.square.`, and, as texts,
//! everything else that decides how training goes on. Random numbers follow from the seed and the
//! epoch, so their position is the number of epochs.

mod file;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dfdx::prelude::{BuildModule, Cpu};

pub(crate) use self::file::Checkpoint;
use self::file::State;
use crate::data::Data;
use crate::error::{Error, Result};
use crate::fit::Fit;
use crate::history::{Epoch, History};
use crate::inspect::type_name;
use crate::learner::Learner;
use crate::model::Model;
use crate::network::Network;
use crate::tensors::TensorsMut;
use crate::train::Training;
use crate::weights;

/// How the names of the optimiser's tensors begin.
pub(crate) const OPTIMIZER: &str = "adam.";
/// How the names of the settings begin.
const SETTING: &str = "fit.";

/// The settings of a fit, each with its value in words.
type Settings = [(&'static str, String); 7];

/// All that decides the bits of a fit beside the model, and the validation that its history shows.
/// Epochs and threads do not, nor does what ends a fit early.
fn settings(data: &Data, how: &Fit) -> Settings {
    let validation = how.validation.as_ref().map(Data::fingerprint);
    [
        ("data", data.fingerprint()),
        ("validation", validation.unwrap_or_else(|| "none".into())),
        ("batch_size", how.batch_size.to_string()),
        ("shuffle", how.shuffle.to_string()),
        ("seed", how.seed.to_string()),
        ("schedule", format!("{:?}", how.schedule)),
        ("augment", format!("{:?}", how.augment)),
    ]
}

/// The part of a fit that a checkpoint holds.
#[derive(Debug, Clone)]
pub(crate) struct Resumed {
    path: PathBuf,
    texts: BTreeMap<String, String>,
    history: Vec<Epoch>,
}

impl Resumed {
    /// The history so far, if the settings are those that the fit began with.
    fn history(&self, settings: &Settings) -> Result<History> {
        for (name, value) in settings {
            let before = self.texts.get(&format!("{SETTING}{name}"));
            if before != Some(value) {
                let before = before.map_or("(not said)", String::as_str);
                let expected = format!("{before}, as when {} was written", self.path.display());
                return Err(Error::argument(name, expected, value.as_str()));
            }
        }
        let epochs = self.history.clone();
        Ok(History {
            epochs,
            stopped: None,
        })
    }
}

/// What a fit begins with: its history so far, and its checkpoint if it wants one.
fn beginning(
    resumed: Option<&Resumed>,
    own: Option<&Path>,
    data: &Data,
    how: &Fit,
) -> Result<(History, Option<Checkpoint>)> {
    if resumed.is_none() && how.checkpoint.is_none() {
        return Ok(Default::default());
    }
    let settings = settings(data, how);
    let history = resumed.map_or(Ok(History::default()), |resumed| resumed.history(&settings))?;
    let Some(path) = how.checkpoint.clone() else {
        return Ok((history, None));
    };
    if path.exists() && (own.is_none() || own != fs::canonicalize(&path).ok().as_deref()) {
        let path = path.display();
        let expected = "a file that is not there yet, or the one that the model comes from";
        let got = format!(
            "{path}, which is there: go on from it with `Model::<LeNet5>::resume(\"{path}\")?`, or delete it"
        );
        return Err(Error::argument("checkpoint", expected, got));
    }
    Ok((history, Some(Checkpoint { path, settings })))
}

impl Training {
    /// Makes ready for a fit, and writes its checkpoint for the first time.
    ///
    /// # Errors
    /// [`Error::Argument`] if the fit cannot go on so; [`Error::Io`] if the checkpoint cannot be written.
    pub(crate) fn begin(
        &mut self,
        network: &dyn Learner,
        data: &Data,
        how: &Fit,
    ) -> Result<(History, Option<Checkpoint>)> {
        let (resumed, own) = (self.resumed.as_ref(), self.own.as_deref());
        let (history, checkpoint) = beginning(resumed, own, data, how)?;
        if let Some(checkpoint) = &checkpoint {
            self.keep(network, checkpoint, &history)?;
        }
        self.resumed = None;
        Ok((history, checkpoint))
    }

    /// Writes the model and the history of the fit that is under way.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub(crate) fn keep(
        &mut self,
        network: &dyn Learner,
        checkpoint: &Checkpoint,
        history: &History,
    ) -> Result<()> {
        let state = State {
            weights: weights::named(network.outline(), network.tensors()),
            optimizer: self.optimizer,
            adam: self.state.clone(),
            epochs: self.epochs,
        };
        checkpoint.write(network.type_name(), &state, history)?;
        self.own = fs::canonicalize(&checkpoint.path).ok();
        Ok(())
    }
}

impl<N: Network + BuildModule<Cpu, f32>> Model<N> {
    /// The model that a checkpoint holds, in the middle of its fit: the next call of [`Model::fit`]
    /// finishes that fit. Given the same data and settings it trains the epochs that are left and returns
    /// the history of all of them, with the bits that a fit without a stop would have had (on the same
    /// kind of processor).
    ///
    /// `epochs` may be another number than at first; `threads`, `time_budget`, `stop_file` and
    /// `checkpoint` are free. With any other setting, or other data, `fit` says what differs and trains
    /// nothing. A schedule that knows the number of epochs is a setting of its own.
    ///
    /// In a notebook, this cell starts a training and goes on with it, whichever is due:
    ///
    /// ```
    /// # use lenet_core::{dfdx::prelude::*, init::GlorotUniform as _, Adam, Fit, LeNet5, Model};
    /// # let dev = Cpu::default();
    /// # let images = dev.ones::<Rank4<8, 1, 28, 28>>();
    /// # let mut targets = dev.zeros::<Rank2<8, 10>>();
    /// # (0..8).for_each(|i| targets[[i, 3]] = 1.0);
    /// # let folder = std::env::temp_dir().join(format!("resume-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # for round in 0..2 {
    /// let checkpoint = folder.join("lenet5.checkpoint");
    /// let mut model = if checkpoint.exists() {
    ///     Model::<LeNet5>::resume(&checkpoint)?
    /// } else {
    ///     Model::compile(LeNet5::glorot_uniform(0), Adam::default())?
    /// };
    /// let how = Fit { epochs: 3, checkpoint: Some(checkpoint), ..Fit::default() };
    /// let history = model.fit((&images, &targets), &how)?;
    /// assert_eq!(history.epochs.len(), 3);
    /// # }
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is no checkpoint, or one of another
    /// network; [`Error::Weights`] if its tensors are not what they should be.
    pub fn resume(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut network = N::build(&Cpu::default());
        let expected = weights::tensors(&network);
        let (state, resumed) = file::read(path, &type_name::<N>(), &expected)?;
        weights::set(TensorsMut::of(&mut network), &state.weights);
        let training = Training {
            optimizer: state.optimizer,
            state: state.adam,
            epochs: state.epochs,
            own: fs::canonicalize(path).ok(),
            resumed: Some(resumed),
        };
        Ok(Self::new(network, training))
    }
}
