//! All weights of a network, tensor by tensor.

use std::ops::Range;

use dfdx::prelude::*;

use crate::error::Result;
use crate::gradient::{Gradient, Stretch};
use crate::view::{values, values_mut};

/// The range of all weights.
pub(crate) const ALL: Range<usize> = 0..usize::MAX;

/// What is done with neighbouring weights.
pub(crate) type VisitWeights<'a> = &'a mut dyn FnMut(Stretch<'_>);
/// What is done with their gradients, or with a tensor's [`Factors`](crate::kernels::dense::Factors) where it has these.
pub(crate) type VisitGradients<'a> = &'a mut dyn FnMut(Vec<&mut [f32]>);

/// Visits the weights in `range`, with their gradients in each of `gradients`.
///
/// # Errors
/// If dfdx cannot make room for a gradient.
pub(crate) fn each_weight<M: TensorCollection<f32, Cpu>>(
    network: &mut M,
    range: Range<usize>,
    gradients: &mut [&mut Gradients<f32, Cpu>],
    visit: VisitWeights<'_>,
) -> Result<()> {
    let at = At { next: 0, range };
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut EachWeight(at, gradients, visit),
    })?;
    Ok(())
}

/// Visits the gradients, in each of `gradients`, of the weights in `range`.
///
/// # Errors
/// If dfdx cannot make room for a gradient.
pub(crate) fn each_gradient<M: TensorCollection<f32, Cpu>>(
    network: &M,
    range: Range<usize>,
    gradients: &mut [&mut Gradients<f32, Cpu>],
    visit: VisitGradients<'_>,
) -> Result<()> {
    let at = At { next: 0, range };
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut EachGradient(at, gradients, visit),
    })?;
    Ok(())
}

struct EachWeight<'a, 'b>(At, &'a mut [&'b mut Gradients<f32, Cpu>], VisitWeights<'a>);

impl TensorVisitor<f32, Cpu> for EachWeight<'_, '_> {
    type Viewer = ViewTensorMut;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &mut Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let Self(at, gradients, visit) = self;
        if let Some((at, here)) = at.step(tensor.shape().num_elements()) {
            let axes = tensor.shape().concrete();
            let row = axes.into_iter().last().unwrap_or(1);
            let shape = [tensor.shape().num_elements() / row, row];
            let gradients = gradients.iter_mut().map(|all| {
                let all = all.get_or_alloc_mut(tensor)?;
                Ok(Gradient::of(all, shape, here.clone()))
            });
            let gradients = gradients.collect::<std::result::Result<_, CpuError>>()?;
            let weights = &mut values_mut(tensor)[here];
            visit(Stretch {
                at,
                axes: S::NUM_DIMS,
                row,
                weights,
                gradients,
            });
        }
        Ok(None)
    }
}

struct EachGradient<'a, 'b>(
    At,
    &'a mut [&'b mut Gradients<f32, Cpu>],
    VisitGradients<'a>,
);

impl TensorVisitor<f32, Cpu> for EachGradient<'_, '_> {
    type Viewer = ViewTensorRef;
    type Err = CpuError;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
        let Self(at, gradients, visit) = self;
        if let Some((_, here)) = at.step(tensor.shape().num_elements()) {
            let len = tensor.shape().num_elements();
            let gradients = gradients.iter_mut().map(|all| {
                let all = &mut **all.get_or_alloc_mut(tensor)?;
                let factors = all.len() < len;
                Ok(if factors {
                    &mut all[..]
                } else {
                    &mut all[here.clone()]
                })
            });
            visit(gradients.collect::<std::result::Result<_, CpuError>>()?);
        }
        Ok(None)
    }
}

/// Where a walk is.
struct At {
    /// The number of the next tensor's first weight.
    next: usize,
    range: Range<usize>,
}

impl At {
    /// Which of the `len` numbers of the next tensor are visited, if any, and the number of their first among all.
    fn step(&mut self, len: usize) -> Option<(usize, Range<usize>)> {
        let begin = self.next;
        self.next += len;
        let start = self.range.start.max(begin);
        let end = self.range.end.min(self.next);
        (start < end).then(|| (start, start - begin..end - begin))
    }
}

/// Moves all weights of `network` to a device of their own, away from those that it is a copy of.
///
/// A device counts its tensors, and threads that share one wait for each other to count.
///
/// # Errors
/// If dfdx cannot make a tensor.
pub(crate) fn to_own_device<M: TensorCollection<f32, Cpu>>(network: &mut M) -> Result<()> {
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut OwnDevice(Cpu::default()),
    })?;
    Ok(())
}

struct OwnDevice(Cpu);

impl TensorVisitor<f32, Cpu> for OwnDevice {
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
