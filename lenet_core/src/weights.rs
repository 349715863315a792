//! Weights in files, to keep them and to exchange them with PyTorch and Keras.
//!
//! The format is safetensors: names, shapes and numbers, nothing that could run. Layout and names
//! are PyTorch's: for LeNet-5 `c1.weight` `[6, 1, 5, 5]`, `c1.bias` `[6]`, `c3.weight`, …,
//! `output.weight` `[10, 84]`, `output.bias` `[10]`, all in `f32`.

use std::path::Path;

use dfdx::prelude::*;
use safetensors::tensor::{Dtype as FileDtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::files;
use crate::network::{Layer, Outline};
use crate::view::{values, values_mut};

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
pub fn save<N>(network: &N, path: impl AsRef<Path>) -> Result<()>
where
    N: TensorCollection<f32, Cpu> + Layer,
{
    files::replace(path.as_ref(), &encode(&tensors(network)))
}

/// Reads the weights of `network` from `path`. Either all of them are taken, or none.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is no safetensors file;
/// [`Error::Weights`] if a tensor is missing, does not belong to the network, has another shape or
/// type, or holds NaN or infinity.
pub fn load<N>(network: &mut N, path: impl AsRef<Path>) -> Result<()>
where
    N: TensorCollection<f32, Cpu> + Layer,
{
    let path = path.as_ref();
    let bytes = files::read(path)?;
    let found = decode(&bytes, &tensors(network), path)?;
    set(network, &found);
    Ok(())
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
pub fn tensors<N>(network: &N) -> Vec<NamedTensor>
where
    N: TensorCollection<f32, Cpu> + Layer,
{
    let layers = Outline::of::<N>()
        .rows
        .into_iter()
        .filter(|row| row.parameters > 0);
    let names = layers.flat_map(|row| {
        let layer = row.name.to_lowercase();
        [format!("{layer}.weight"), format!("{layer}.bias")]
    });
    let mut reader = Reader(Vec::new());
    match N::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut reader,
    }) {
        Ok(_) => {}
        Err(never) => match never {},
    }
    let tensors = reader.0.into_iter();
    names
        .zip(tensors)
        .map(|(name, (shape, values))| NamedTensor {
            name,
            shape,
            values,
        })
        .collect()
}

/// Overwrites all weights and biases with `tensors`, which are in the network's order and shapes.
pub(crate) fn set<N: TensorCollection<f32, Cpu>>(network: &mut N, tensors: &[NamedTensor]) {
    let mut writer = Writer(tensors.iter());
    match N::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut writer,
    }) {
        Ok(_) => {}
        Err(never) => match never {},
    }
}

struct Reader(Vec<(Vec<usize>, Vec<f32>)>);

impl TensorVisitor<f32, Cpu> for Reader {
    type Viewer = ViewTensorRef;
    type Err = std::convert::Infallible;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, Self::Err> {
        let shape = tensor.shape().concrete().into_iter().collect();
        self.0.push((shape, values(tensor).into_owned()));
        Ok(None)
    }
}

struct Writer<'a>(std::slice::Iter<'a, NamedTensor>);

impl TensorVisitor<f32, Cpu> for Writer<'_> {
    type Viewer = ViewTensorMut;
    type Err = std::convert::Infallible;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &mut Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, Self::Err> {
        if let Some(from) = self.0.next() {
            values_mut(tensor).copy_from_slice(&from.values);
        }
        Ok(None)
    }
}

/// The bytes of a safetensors file.
pub(crate) fn encode(tensors: &[NamedTensor]) -> Vec<u8> {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| {
            tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views = tensors.iter().zip(&data).map(|(tensor, bytes)| {
        let view = TensorView::new(FileDtype::F32, tensor.shape.clone(), bytes);
        (
            tensor.name.as_str(),
            view.expect("the bytes are four for each number of the shape"),
        )
    });
    safetensors::serialize(views, None).expect("views of memory always serialise")
}

/// The tensors of a file, checked against those that are `expected` and put into their order.
pub(crate) fn decode(
    bytes: &[u8],
    expected: &[NamedTensor],
    path: &Path,
) -> Result<Vec<NamedTensor>> {
    let file = SafeTensors::deserialize(bytes).map_err(|problem| Error::Data {
        path: path.into(),
        problem: format!("this is no safetensors file ({problem})"),
        advice: "give a file that `weights::save` or PyTorch's `safetensors.torch.save_file` wrote"
            .into(),
    })?;
    let complain = |tensor: &str, expected: String, got: String| Error::Weights {
        path: path.into(),
        tensor: tensor.into(),
        expected,
        got,
    };
    if let Some(stranger) = file
        .names()
        .into_iter()
        .find(|name| expected.iter().all(|tensor| tensor.name != **name))
    {
        let known = expected
            .iter()
            .map(|tensor| tensor.name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        return Err(complain(
            stranger,
            format!("only {known}"),
            "a tensor of this name".into(),
        ));
    }
    let mut found = Vec::with_capacity(expected.len());
    for NamedTensor { name, shape, .. } in expected {
        let wanted = || format!("f32 numbers of shape {shape:?}");
        let view = file
            .tensor(name)
            .map_err(|_| complain(name, wanted(), "no such tensor".into()))?;
        if view.dtype() != FileDtype::F32 || view.shape() != shape {
            let got = format!("{:?} numbers of shape {:?}", view.dtype(), view.shape());
            return Err(complain(name, wanted(), got.to_lowercase()));
        }
        let numbers = view.data().chunks_exact(4);
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
