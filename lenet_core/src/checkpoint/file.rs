//! A checkpoint as a file: written and read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flate2::Crc;

use super::{Resumed, Settings, OPTIMIZER, SETTING};
use crate::error::{Error, Result};
use crate::history::{Epoch, History};
use crate::optim::{Adam, AdamState};
use crate::weights::{self, NamedTensor};
use crate::{files, safetensors};

/// The name of the text that makes a file a checkpoint, and what it says.
const VERSION: (&str, &str) = ("lenet_core checkpoint", "1");
/// The name of the text with the checksum of the others and of the numbers.
const CHECKSUM: &str = "checksum";
/// Kinds of tensors in a checkpoint: weights, means, mean squares.
const KINDS: usize = 3;

/// What a checkpoint holds of a model.
pub(crate) struct State {
    pub(crate) weights: Vec<NamedTensor>,
    pub(crate) optimizer: Adam,
    pub(crate) adam: AdamState,
    pub(crate) epochs: usize,
}

/// Writes the state of a fit, again and again, into one file.
pub(crate) struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
}

impl Checkpoint {
    /// Replaces the file.
    ///
    /// # Errors
    /// [`Error::Io`]; the file is then as it was.
    pub(super) fn write(&self, network: String, state: &State, history: &History) -> Result<()> {
        let Adam {
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
        } = state.optimizer;
        let epochs: Vec<String> = history.epochs.iter().map(epoch_to_text).collect();
        let texts = [
            (VERSION.0, VERSION.1.into()),
            ("network", network),
            ("epochs", state.epochs.to_string()),
            ("history", epochs.join("; ")),
            ("adam.steps", state.adam.step.to_string()),
            ("adam.learning_rate", learning_rate.to_string()),
            ("adam.beta_1", beta_1.to_string()),
            ("adam.beta_2", beta_2.to_string()),
            ("adam.epsilon", epsilon.to_string()),
        ];
        let texts = texts.map(|(name, text)| (name.to_owned(), text));
        let settings = self.settings.iter();
        let settings = settings.map(|(name, value)| (format!("{SETTING}{name}"), value.clone()));
        let mut texts: BTreeMap<_, _> = texts.into_iter().chain(settings).collect();
        let tensors = tensors(&state.weights, &state.adam);
        texts.insert(CHECKSUM.into(), checksum(&texts, &tensors));
        let bytes = safetensors::encode(&tensors, &texts);
        files::replace(&self.path, &bytes)
    }
}

/// Reads the file at `path`, for a network of this type and with tensors like `weights`.
///
/// # Errors
/// As [`Model::resume`](crate::Model::resume).
pub(super) fn read(
    path: &Path,
    network: &str,
    weights: &[NamedTensor],
) -> Result<(State, Resumed)> {
    let expected = tensors(weights, &AdamState::default());
    let bytes = files::read(path, safetensors::limit(&expected))?;
    let contents = weights::parse(&bytes, path)?;
    let mut texts = Texts {
        path,
        texts: contents.metadata,
    };
    for (name, wanted) in [VERSION, ("network", network)] {
        let got = texts.text(name)?;
        if got != wanted {
            return Err(texts.complain(format!("`{name}` must be {wanted}, got {got}")));
        }
    }
    let optimizer = Adam {
        learning_rate: texts.number("adam.learning_rate")?,
        beta_1: texts.number("adam.beta_1")?,
        beta_2: texts.number("adam.beta_2")?,
        epsilon: texts.number("adam.epsilon")?,
    };
    let checked = optimizer.check();
    checked.map_err(|problem| texts.complain(problem.to_string()))?;
    let history = history(texts.text("history")?).ok_or_else(|| texts.senseless("history"))?;
    // Numbers of 32 bits are small enough that counting on from them never overflows.
    let (steps, epochs): (u32, u32) = (texts.number("adam.steps")?, texts.number("epochs")?);

    let mut found = weights::decode(&contents.entries, &expected, path)?;
    let said = texts.text(CHECKSUM)?.to_owned();
    texts.texts.remove(CHECKSUM);
    if said != checksum(&texts.texts, &found) {
        return Err(texts.complain("it is damaged: its checksum is wrong".into()));
    }
    let square = found.split_off(2 * weights.len());
    let mean = found.split_off(weights.len());
    let flat = |tensors: Vec<NamedTensor>| tensors.into_iter().flat_map(|t| t.values).collect();
    let state = State {
        weights: found,
        optimizer,
        adam: AdamState {
            step: steps.into(),
            mean: flat(mean),
            square: flat(square),
            exploded: None,
        },
        epochs: epochs as usize,
    };
    let path = path.into();
    let texts = texts.texts;
    Ok((
        state,
        Resumed {
            path,
            texts,
            history,
        },
    ))
}

/// The texts of a file, and how to complain about them.
struct Texts<'a> {
    path: &'a Path,
    texts: BTreeMap<String, String>,
}

impl Texts<'_> {
    fn complain(&self, problem: String) -> Error {
        Error::Data {
            path: self.path.into(),
            problem,
            advice: "give a file that `fit` wrote as the checkpoint of this network".into(),
        }
    }

    fn senseless(&self, name: &str) -> Error {
        self.complain(format!("its `{name}` makes no sense"))
    }

    fn text(&self, name: &str) -> Result<&str> {
        let text = self.texts.get(name).map(String::as_str);
        text.ok_or_else(|| self.complain(format!("this is no checkpoint: it has no `{name}`")))
    }

    fn number<T: FromStr>(&self, name: &str) -> Result<T> {
        let number = self.text(name)?.parse();
        number.map_err(|_| self.senseless(name))
    }
}

/// The CRC-32 of all texts and numbers.
fn checksum(texts: &BTreeMap<String, String>, tensors: &[NamedTensor]) -> String {
    let mut checksum = Crc::new();
    for (name, text) in texts {
        checksum.update(name.as_bytes());
        checksum.update(text.as_bytes());
    }
    for tensor in tensors {
        let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes());
        checksum.update(&bytes.collect::<Vec<u8>>());
    }
    format!("{:08x}", checksum.sum())
}

/// The weights, then the means, then the mean squares of their gradients.
fn tensors(weights: &[NamedTensor], adam: &AdamState) -> Vec<NamedTensor> {
    let mut all = Vec::with_capacity(KINDS * weights.len());
    all.extend_from_slice(weights);
    for (kind, numbers) in [("mean", &adam.mean), ("square", &adam.square)] {
        // Before the first step there are none yet; then all are zero.
        let mut numbers = numbers.iter().copied().chain(std::iter::repeat(0.0));
        all.extend(weights.iter().map(|weight| NamedTensor {
            name: format!("{OPTIMIZER}{kind}.{}", weight.name),
            shape: weight.shape.clone(),
            values: numbers.by_ref().take(weight.values.len()).collect(),
        }));
    }
    all
}

/// The numbers of an epoch with a space between. What Rust writes of a float, it reads back with the
/// same bits.
fn epoch_to_text(epoch: &Epoch) -> String {
    let optional = |number: Option<f32>| number.map_or("-".into(), |number| number.to_string());
    let (val_loss, val_accuracy) = (optional(epoch.val_loss), optional(epoch.val_accuracy));
    let Epoch {
        loss,
        accuracy,
        seconds,
        ..
    } = epoch;
    format!("{loss} {accuracy} {val_loss} {val_accuracy} {seconds}")
}

/// The epochs of a text that [`epoch_to_text`] wrote.
fn history(text: &str) -> Option<Vec<Epoch>> {
    let optional = |word: &str| match word {
        "-" => Some(None),
        number => number.parse().ok().map(Some),
    };
    let epoch = |epoch: &str| {
        let words: Vec<&str> = epoch.split(' ').collect();
        let [loss, accuracy, val_loss, val_accuracy, seconds] = words[..] else {
            return None;
        };
        Some(Epoch {
            loss: loss.parse().ok()?,
            accuracy: accuracy.parse().ok()?,
            val_loss: optional(val_loss)?,
            val_accuracy: optional(val_accuracy)?,
            seconds: seconds.parse().ok()?,
        })
    };
    let epochs = text.split("; ").filter(|epoch| !epoch.is_empty());
    epochs.map(epoch).collect()
}
