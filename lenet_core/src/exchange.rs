//! Gradients as threads hand them to each other.

use dfdx::prelude::*;

use crate::error::Result;
use crate::kernels::buffer::{Buffer, Pool};
use crate::kernels::{stream, Isa};
use crate::view::values;

/// The gradients of all weights of a network, to be added to others.
pub(crate) enum Summand<'a> {
    /// Those that backpropagation left.
    Own(&'a mut Gradients<f32, Cpu>),
    /// Those of another thread.
    Published(&'a Published),
}

/// A copy of the gradients of all weights that other cores read without taking anything from this one's
/// caches, tensor after tensor.
#[derive(Debug)]
pub(crate) struct Published(Buffer);

impl Published {
    /// Copies the `gradients` of all weights of `network`.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn new<M: TensorCollection<f32, Cpu>>(
        network: &M,
        gradients: &mut Gradients<f32, Cpu>,
        pool: &Pool,
    ) -> Result<Self> {
        let mut len = 0;
        each(network, gradients, |gradient| {
            len += room_for(gradient.len())
        })?;
        let mut values = pool.take(len);
        let (isa, mut rest) = (Isa::best(), &mut *values);
        each(network, gradients, |gradient| {
            let (to, others) = std::mem::take(&mut rest).split_at_mut(room_for(gradient.len()));
            stream::copy(isa, gradient, &mut to[..gradient.len()]);
            rest = others;
        })?;
        Ok(Self(values))
    }

    /// The gradient of a tensor of `len` numbers that begins at `at`.
    pub(crate) fn tensor(&self, at: usize, len: usize) -> &[f32] {
        &self.0[at..at + len]
    }

    /// Where the tensor begins that follows one of `len` numbers at `at`.
    pub(crate) fn next(at: usize, len: usize) -> usize {
        at + room_for(len)
    }
}

/// Numbers that a tensor of `len` takes up, so that the next one begins on a cache line.
fn room_for(len: usize) -> usize {
    len.next_multiple_of(16)
}

/// Adds to the gradients of all weights of `network` those in `more`.
///
/// # Errors
/// If dfdx cannot make a tensor.
pub(crate) fn add<M: TensorCollection<f32, Cpu>>(
    network: &M,
    gradients: &mut Gradients<f32, Cpu>,
    more: &mut Gradients<f32, Cpu>,
) -> Result<()> {
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut Sum { gradients, more },
    })?;
    Ok(())
}

struct Sum<'a> {
    gradients: &'a mut Gradients<f32, Cpu>,
    more: &'a mut Gradients<f32, Cpu>,
}

impl TensorVisitor<f32, Cpu> for Sum<'_> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let sums = self.gradients.get_or_alloc_mut(tensor)?;
        let more = self.more.get_or_alloc_mut(tensor)?;
        for (sum, more) in sums.iter_mut().zip(&**more) {
            *sum += more;
        }
        Ok(None)
    }
}

/// Calls `visit` with the gradient of each tensor, in the network's order.
fn each<M: TensorCollection<f32, Cpu>>(
    network: &M,
    gradients: &mut Gradients<f32, Cpu>,
    visit: impl FnMut(&[f32]),
) -> Result<()> {
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut Each { gradients, visit },
    })?;
    Ok(())
}

struct Each<'a, F> {
    gradients: &'a mut Gradients<f32, Cpu>,
    visit: F,
}

impl<F: FnMut(&[f32])> TensorVisitor<f32, Cpu> for Each<'_, F> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        (self.visit)(self.gradients.get_or_alloc_mut(tensor)?);
        Ok(None)
    }
}

/// Moves all weights of `network` to a device of their own, away from those that it is a copy of.
///
/// A device counts its tensors, and threads that share one wait for each other to count.
///
/// # Errors
/// If dfdx cannot make a tensor.
pub(crate) fn part<M: TensorCollection<f32, Cpu>>(network: &mut M) -> Result<()> {
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut Part(Cpu::default()),
    })?;
    Ok(())
}

struct Part(Cpu);

impl TensorVisitor<f32, Cpu> for Part {
    type Viewer = ViewTensorMut;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &mut Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let (numbers, shape) = (values(tensor).into_owned(), *tensor.shape());
        *tensor = self.0.try_tensor_from_vec(numbers, shape)?;
        Ok(None)
    }
}
