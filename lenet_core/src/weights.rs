//! Weights in files, to keep them and to exchange them with PyTorch and Keras.
//!
//! The format is [safetensors](https://github.com/huggingface/safetensors): names, shapes and numbers.
//! Reading a file runs nothing that is in it, and takes no more memory than the network's own values
//! and a header ask for. Layout and names are PyTorch's: for LeNet-5 `c1.weight` `[6, 1, 5, 5]`, `c1.bias` `[6]`, `c3.weight`, …,
//! `output.weight` `[10, 84]`, `output.bias` `[10]`, all in `f32`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::{kinds, parameters, set_flat, Begins, Layer, LayerKind, Network};
use crate::optimizer::Optimizer;
pub use crate::safetensors::NamedTensor;
use crate::safetensors::{self, Contents, BYTES, DTYPE};
use crate::shape::Arriving;
use crate::summary::rows;
use crate::train::Trainer;
use crate::update::State;

/// In front of the name of a tensor that the optimiser remembers.
const OPTIMIZER: &str = "optimizer.";

/// Copies of all weights and biases, in the order of the layers.
pub fn tensors<N: Layer + Begins>(network: &N) -> Vec<NamedTensor> {
    let flat: Vec<f32> = parameters(network).iter().flat_map(|parameter| parameter.values().into_owned()).collect();
    named(&kinds::<N>(), &N::With::sizes(), &flat, "")
}

/// Writes the weights of `network` to `path`; a file that was there is replaced as a whole or not at
/// all.
///
/// ```
/// use lenet_core::{init::GlorotUniform as _, weights, LeNet5};
/// let path = std::env::temp_dir().join(format!("lenet5-{}.safetensors", std::process::id()));
/// let trained = LeNet5::glorot_uniform(1);
/// weights::save(&trained, &path)?;
/// let mut other = LeNet5::glorot_uniform(2);
/// weights::load(&mut other, &path)?;
/// assert_eq!(weights::tensors(&trained), weights::tensors(&other));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`] if the file cannot be written.
pub fn save<N: Layer + Begins>(network: &N, path: impl AsRef<Path>) -> Result<()> {
    replace(path.as_ref(), &safetensors::encode(&tensors(network), &BTreeMap::new()))
}

/// Reads the weights of `network` from `path`. Either all of them are taken, or none. The file of a whole model is such a
/// file too; what it holds of the optimiser is passed over.
///
/// # Errors
/// [`Error::File`] if the file cannot be read, is no safetensors file or too long, or if a tensor is missing, does not belong
/// to the network, has another shape or type, or holds NaN or infinity.
pub fn load<N: Layer + Begins>(network: &mut N, path: impl AsRef<Path>) -> Result<()> {
    let (path, expected) = (path.as_ref(), tensors(network));
    let bytes = read(path, safetensors::limit(&expected))?;
    let mut contents = parse(&bytes, path)?;
    contents.entries.retain(|entry| !entry.name.starts_with(OPTIMIZER));
    set_flat(network, &decode(&contents, &expected, path)?);
    Ok(())
}

impl<N: Network> Model<N> {
    /// Writes the model to `path`: the parameters, the optimiser with what it remembers, and the epochs trained. A file
    /// that was there is replaced as a whole or not at all.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let path = std::env::temp_dir().join(format!("model-{}.safetensors", std::process::id()));
    /// let mut model = Model::compile(LeNet5::glorot_uniform(1), Sgd::default())?;
    /// model.save(&path)?;
    /// let loaded = Model::<LeNet5>::load(&path)?;
    /// assert_eq!(weights::tensors(loaded.network()), weights::tensors(model.network()));
    /// # std::fs::remove_file(path).unwrap();
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        save_trainer(&self.trainer, path.as_ref())?;
        self.file = Some(path.as_ref().into());
        Ok(())
    }

    /// The model that [`Model::save`] or [`Fit::checkpoint`](crate::Fit::checkpoint) wrote to `path`. It goes on with the same bits as the one that
    /// was saved.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, or holds no model of this network.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let network = N::from_parameters(&mut |sizes| vec![0.0; sizes.iter().product()]);
        let mut model = Self::compile(network, crate::Adam::default())?;
        load_trainer(&mut model.trainer, path.as_ref())?;
        set_flat(&mut model.network, &model.trainer.parameters);
        model.file = Some(path.as_ref().into());
        Ok(model)
    }
}

fn save_trainer(trainer: &Trainer, path: &Path) -> Result<()> {
    let Trainer { layers, image, parameters, optimizer, state, epochs, .. } = trainer;
    let mut tensors = named(layers, image, parameters, "");
    for (name, moment) in optimizer.moments().iter().zip(&state.moments) {
        tensors.extend(named(layers, image, moment, &format!("{OPTIMIZER}{name}.")));
    }
    // Rust writes the shortest decimals that give the same f32.
    let settings = optimizer.settings().into_iter().map(|(_, value)| value.to_string());
    let texts = [
        ("optimizer", optimizer.name().to_string()),
        ("settings", Vec::from_iter(settings).join(" ")),
        ("steps", state.steps.to_string()),
        ("epochs", epochs.to_string()),
    ];
    replace(path, &safetensors::encode(&tensors, &texts.map(|(name, text)| (name.to_string(), text)).into()))
}

fn load_trainer(trainer: &mut Trainer, path: &Path) -> Result<()> {
    let Trainer { layers, image, parameters, .. } = trainer;
    let mut expected = named(layers, image, parameters, "");
    let bytes = read(path, safetensors::limit(&expected))?;
    let contents = parse(&bytes, path)?;
    let text = |name: &str| {
        let advice = "give a file that `Model::save` or `Fit::checkpoint` wrote, or use `weights::load`";
        let missing = || Error::file(path, format!("no whole model: it does not tell the `{name}`; {advice}"));
        contents.metadata.get(name).map(String::as_str).ok_or_else(missing)
    };
    let changed = |what: &str| Error::file(path, format!("{what}; give a file that nobody has changed"));
    // As long as nobody trains for 2^32 steps, products of these counts do not overflow.
    let count = |name: &str| text(name)?.parse::<u32>().map_err(|_| changed(&format!("its `{name}` is no count")));
    let (name, settings) = (text("optimizer")?, text("settings")?.split(' ').map(|value| value.parse().ok()));
    let optimizer =
        settings.collect::<Option<Vec<f32>>>().and_then(|settings| Optimizer::from_settings(name, &settings));
    let optimizer = optimizer.filter(|optimizer| optimizer.check().is_ok());
    let optimizer = optimizer.ok_or_else(|| changed("it names no optimiser, or none of its settings"))?;
    let (steps, epochs) = (u64::from(count("steps")?), count("epochs")? as usize);
    let moments = if steps == 0 { &[] } else { optimizer.moments() };
    for name in moments {
        expected.extend(named(layers, image, parameters, &format!("{OPTIMIZER}{name}.")));
    }
    let all = decode(&contents, &expected, path)?;
    let mut vectors = all.chunks_exact(parameters.len()).map(<[f32]>::to_vec);
    trainer.parameters = vectors.next().unwrap_or_default();
    trainer.state = State { steps, moments: vectors.collect() };
    (trainer.optimizer, trainer.epochs) = (optimizer, epochs);
    Ok(())
}

/// The tensors of layers for images of these sizes, with their names in front of which `prefix` stands, and their values
/// out of one vector.
fn named(layers: &[LayerKind], image: &[usize], mut flat: &[f32], prefix: &str) -> Vec<NamedTensor> {
    let mut all = Vec::new();
    for row in rows(layers, image) {
        for (kind, shape) in ["weight", "bias"].iter().zip(row.tensors) {
            let values = flat.split_off(..shape.iter().product()).unwrap_or_default().to_vec();
            all.push(NamedTensor { name: format!("{prefix}{}.{kind}", row.name.to_lowercase()), shape, values });
        }
    }
    all
}

/// What the bytes of the file at `path` mean.
fn parse<'a>(bytes: &'a [u8], path: &Path) -> Result<Contents<'a>> {
    safetensors::parse(bytes).map_err(|problem| {
        let advice = "give a file that `weights::save` or PyTorch's `safetensors.torch.save_file` wrote";
        Error::file(path, format!("this is no safetensors file: {problem}; {advice}"))
    })
}

/// The values of a file's tensors, checked against those that are `expected`, in their order.
fn decode(contents: &Contents<'_>, expected: &[NamedTensor], path: &Path) -> Result<Vec<f32>> {
    let complain = |tensor: &str, expected: String, got: String| {
        let problem = format!("tensor `{tensor}`: expected {expected}, got {got}; the network keeps its weights");
        Error::file(path, problem)
    };
    let known = |name: &str| expected.iter().any(|tensor| tensor.name == name);
    if let Some(stranger) = contents.entries.iter().find(|entry| !known(&entry.name)) {
        let names: Vec<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        let only = format!("only {}", names.join(", "));
        return Err(complain(&stranger.name, only, "a tensor of this name".into()));
    }
    let mut flat = Vec::new();
    for NamedTensor { name, shape, values } in expected {
        let wanted = || format!("f32 values of shape {shape:?}");
        let Some(entry) = contents.entries.iter().find(|entry| entry.name == *name) else {
            return Err(complain(name, wanted(), "no such tensor".into()));
        };
        if entry.dtype != DTYPE || entry.shape != *shape {
            let got = format!("{} values of shape {:?}", entry.dtype.to_lowercase(), entry.shape);
            return Err(complain(name, wanted(), got));
        }
        if entry.bytes.len() != values.len() * BYTES {
            let got = format!("{} bytes", entry.bytes.len());
            return Err(complain(name, format!("{} bytes", values.len() * BYTES), got));
        }
        let start = flat.len();
        let four = entry.bytes.chunks_exact(BYTES);
        flat.extend(four.map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])));
        if let Some(at) = flat[start..].iter().position(|value| !value.is_finite()) {
            let got = format!("{} at index {at}", flat[start + at]);
            return Err(complain(name, "finite values".into(), got));
        }
    }
    Ok(flat)
}

/// All bytes of the file at `path`, which has at most `limit` of them.
fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        // One byte more than allowed is enough to see that there are too many.
        file.take(limit as u64 + 1).read_to_end(&mut bytes)
    });
    match read {
        Ok(length) if length > limit => {
            Err(Error::file(path, format!("too long: expected at most {limit} bytes, as many as this network needs")))
        }
        Ok(_) => Ok(bytes),
        Err(source) => Err(Error::io("read", path, source)),
    }
}

/// Writes `bytes` to `path`. What was there stays until all bytes are on disk, and is then replaced in one step.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|source| {
        // The error that matters is the first; a temporary file that stays behind does no harm.
        let _ = std::fs::remove_file(&temporary);
        Error::io("write", path, source)
    })
}
