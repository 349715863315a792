//! Weights in files, to keep them and to exchange them with PyTorch and Keras.
//!
//! The format is [safetensors](https://github.com/huggingface/safetensors): names, shapes and numbers.
//! Reading a file runs nothing that is in it, and takes no more memory than the network's own numbers
//! and a header ask for. Layout and names are PyTorch's: for LeNet-5 `c1.weight` `[6, 1, 5, 5]`, `c1.bias` `[6]`, `c3.weight`, …,
//! `output.weight` `[10, 84]`, `output.bias` `[10]`, all in `f32`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::files;
use crate::network::{Layer, Outline, Tensors, TensorsMut};
use crate::safetensors::{self, Contents, Entry, BYTES, DTYPE};

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
/// [`Error::Io`] if the file cannot be written.
pub fn save<N: Layer>(network: &N, path: impl AsRef<Path>) -> Result<()> {
    let bytes = safetensors::encode(&tensors(network), &BTreeMap::new());
    files::replace(path.as_ref(), &bytes)
}

/// Reads the weights of `network` from `path`. Either all of them are taken, or none. A checkpoint of
/// `fit` is such a file too; what it holds of the optimiser is passed over.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is no safetensors file or too long;
/// [`Error::Weights`] if a tensor is missing, does not belong to the network, has another shape or
/// type, or holds NaN or infinity.
pub fn load<N: Layer>(network: &mut N, path: impl AsRef<Path>) -> Result<()> {
    let (path, expected) = (path.as_ref(), tensors(network));
    let bytes = files::read(path, safetensors::limit(&expected))?;
    let mut entries = parse(&bytes, path)?.entries;
    entries.retain(|entry| !entry.name.starts_with(checkpoint::OPTIMIZER));
    set(TensorsMut::of(network), &decode(&entries, &expected, path)?);
    Ok(())
}

/// What the bytes of the file at `path` mean.
pub(crate) fn parse<'a>(bytes: &'a [u8], path: &Path) -> Result<Contents<'a>> {
    safetensors::parse(bytes).map_err(|problem| Error::Data {
        path: path.into(),
        problem: format!("this is no safetensors file: {problem}"),
        advice: "give a file that `weights::save` or PyTorch's `safetensors.torch.save_file` wrote"
            .into(),
    })
}

/// A named tensor of a network: its name, shape and numbers in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The name, as in `c1.weight`.
    pub name: String,
    /// The shape, as in `[6, 1, 5, 5]`.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// Copies of all weights and biases, in the order of the layers.
pub fn tensors<N: Layer>(network: &N) -> Vec<NamedTensor> {
    named(Outline::of::<N>(), Tensors::of(network))
}

/// Copies of `tensors`, with the names that follow from the outline of their network.
pub(crate) fn named(outline: Outline, tensors: Tensors<'_>) -> Vec<NamedTensor> {
    let layers = outline.rows.into_iter().filter(|row| row.parameters > 0);
    let names = layers.flat_map(|row| {
        let layer = row.name.to_lowercase();
        [format!("{layer}.weight"), format!("{layer}.bias")]
    });
    names
        .zip(tensors.each())
        .map(|(name, (shape, values))| NamedTensor {
            name,
            shape: shape.to_vec(),
            values: values.into_owned(),
        })
        .collect()
}

/// Overwrites all weights and biases with `from`, which are in the network's order and shapes.
pub(crate) fn set(tensors: TensorsMut<'_>, from: &[NamedTensor]) {
    for (numbers, from) in tensors.into_numbers().zip(from) {
        numbers.copy_from_slice(&from.values);
    }
}

/// The tensors of a file, checked against those that are `expected` and put into their order.
pub(crate) fn decode(
    entries: &[Entry<'_>],
    expected: &[NamedTensor],
    path: &Path,
) -> Result<Vec<NamedTensor>> {
    let complain = |tensor: &str, expected: String, got: String| Error::Weights {
        path: path.into(),
        tensor: tensor.into(),
        expected,
        got,
    };
    let known = |name: &str| expected.iter().any(|tensor| tensor.name == name);
    if let Some(stranger) = entries.iter().find(|entry| !known(&entry.name)) {
        let names: Vec<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        let only = format!("only {}", names.join(", "));
        return Err(complain(
            &stranger.name,
            only,
            "a tensor of this name".into(),
        ));
    }
    let mut found = Vec::with_capacity(expected.len());
    for NamedTensor {
        name,
        shape,
        values,
    } in expected
    {
        let wanted = || format!("f32 numbers of shape {shape:?}");
        let Some(entry) = entries.iter().find(|entry| entry.name == *name) else {
            return Err(complain(name, wanted(), "no such tensor".into()));
        };
        if entry.dtype != DTYPE || entry.shape != *shape {
            let got = format!(
                "{} numbers of shape {:?}",
                entry.dtype.to_lowercase(),
                entry.shape
            );
            return Err(complain(name, wanted(), got));
        }
        if entry.bytes.len() != values.len() * BYTES {
            let got = format!("{} bytes", entry.bytes.len());
            return Err(complain(
                name,
                format!("{} bytes", values.len() * BYTES),
                got,
            ));
        }
        let numbers = entry.bytes.chunks_exact(BYTES);
        let values: Vec<f32> = numbers
            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
            .collect();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let got = format!("{} at index {at}", values[at]);
            return Err(complain(name, "finite numbers".into(), got));
        }
        found.push(NamedTensor {
            name: name.clone(),
            shape: shape.clone(),
            values,
        });
    }
    Ok(found)
}
