//! All weights of a network, tensor by tensor.

use std::ops::Range;

use dfdx::prelude::*;

use crate::error::Result;
use crate::gradient::{Gradient, Halves, Stretch};
use crate::view::{values, values_mut};

/// The range of all weights.
pub(crate) const ALL: Range<usize> = 0..usize::MAX;

/// What is done with neighbouring weights.
pub(crate) type VisitWeights<'a> = &'a mut dyn FnMut(Stretch<'_>);
/// What is done with their gradients, or with a tensor's [`Factors`](crate::kernels::dense::Factors) where it has these.
pub(crate) type VisitGradients<'a> = &'a mut dyn FnMut(Halves<&mut [f32]>);
/// What both halves of a batch have given, or one of them.
pub(crate) type BothGradients<'a> = Halves<&'a mut Gradients<f32, Cpu>>;

/// Visits the weights in `range`, with their gradients in each of `gradients`.
///
/// # Errors
/// If dfdx cannot make room for a gradient.
pub(crate) fn each_weight<M: TensorCollection<f32, Cpu>>(
    network: &mut M,
    range: Range<usize>,
    gradients: BothGradients<'_>,
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
    gradients: BothGradients<'_>,
    visit: VisitGradients<'_>,
) -> Result<()> {
    let at = At { next: 0, range };
    M::iter_tensors(&mut RecursiveWalker {
        m: network,
        f: &mut EachGradient(at, gradients, visit),
    })?;
    Ok(())
}

struct EachWeight<'a>(At, BothGradients<'a>, VisitWeights<'a>);

impl TensorVisitor<f32, Cpu> for EachWeight<'_> {
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
            let gradients = all(tensor, gradients)?
                .map(|half| half.map(|all| Gradient::of(all, shape, here.clone())));
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

struct EachGradient<'a>(At, BothGradients<'a>, VisitGradients<'a>);

impl TensorVisitor<f32, Cpu> for EachGradient<'_> {
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
            let gradients = all(tensor, gradients)?.map(|half| {
                half.map(|all| match all.len() {
                    factors if factors < len => &mut all[..],
                    _ => &mut all[here.clone()],
                })
            });
            visit(gradients);
        }
        Ok(None)
    }
}

/// All that a tensor has in `gradients`.
fn all<'a, S: Shape>(
    tensor: &Tensor<S, f32, Cpu>,
    [left, right]: &'a mut BothGradients<'_>,
) -> std::result::Result<Halves<&'a mut Vec<f32>>, CpuError> {
    let all = |half: &'a mut Option<&mut Gradients<f32, Cpu>>| {
        let gradients = half.as_mut();
        let all = gradients.map(|gradients| gradients.get_or_alloc_mut(tensor));
        Ok(all.transpose()?.map(|all| &mut **all))
    };
    Ok([all(left)?, all(right)?])
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
