//! Several layers in one pass over memory.

use std::ops::{Deref, DerefMut};

use dfdx::prelude::*;

use super::{AvgPool2D, Conv2D, Linear, Tanh};
use crate::kernels::batch::{self, BatchGradients};
use crate::kernels::buffer::Pool;
use crate::kernels::conv::Shape as ConvShape;
use crate::kernels::dense::{self, Shape as DenseShape, WeightGradient};
use crate::kernels::Isa;
use crate::shape::{Convolved, Pooled};
use crate::view::values;

/// The same layers as `M`, the same numbers up to rounding, computed in one pass by vector kernels.
///
/// Convolutions with 5 x 5 filters, whose output's sides are multiples of four, take eight
/// multiplications where the textbook's sum takes twenty (minimal filtering, F(4, 5): Winograd 1980,
/// Lavin and Gray 2015); single precision throughout.
///
/// `Fused<(Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>)>` is the network `(Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>)`;
/// leave the word away and it still trains, only slower. What can be fused:
/// `(Conv2D<I, O, K>, Tanh, AvgPool2D<2>)`, `(Linear<I, O>, Tanh)` and `Linear<I, O>`.
///
/// A batch is worked on by the thread that calls; training gives each thread a part of its batches.
///
/// The layers inside are reached as if there were no `Fused`:
///
/// ```
/// use lenet_core::{dfdx::prelude::*, layers::{Conv2D, Fused, Tanh, AvgPool2D}};
/// let dev = Cpu::default();
/// let c1 = Fused::<(Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>)>::build(&dev);
/// assert_eq!(c1.0.weight.shape().concrete(), [6, 1, 5, 5]);
/// assert_eq!(c1.forward(dev.zeros::<Rank4<3, 1, 28, 28>>()).shape().concrete(), [3, 6, 12, 12]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Fused<M> {
    layers: M,
    how: How,
}

impl<M> Fused<M> {
    /// Fuses `layers`, for the best instruction set that this CPU has.
    pub fn new(layers: M) -> Self {
        let isa = Isa::best();
        Self {
            layers,
            how: How {
                isa,
                ..How::default()
            },
        }
    }

    /// Computes with the given instruction set from now on.
    pub fn set_isa(&mut self, isa: Isa) {
        self.how.isa = isa;
    }

    /// Whether the gradient for the layer's input is left out. A network's first layer needs none:
    /// nobody trains the images.
    pub(crate) fn set_skip_input_gradient(&mut self, skip: bool) {
        self.how.skip_input_gradient = skip;
    }

    /// See [`Layer::leave_factors`](crate::network::Layer::leave_factors).
    pub(crate) fn set_leave_factors(&mut self, images: Option<usize>) {
        self.how.leave_factors = images;
    }
}

impl<M> Deref for Fused<M> {
    type Target = M;
    fn deref(&self) -> &M {
        &self.layers
    }
}

impl<M> DerefMut for Fused<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.layers
    }
}

impl<M: TensorCollection<E, D>, E: Dtype, D: Device<E>> TensorCollection<E, D> for Fused<M> {
    type To<E2: Dtype, D2: Device<E2>> = Fused<M::To<E2, D2>>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let layers = Self::module("layers", |fused| &fused.layers, |fused| &mut fused.layers);
        visitor.visit_fields((layers,), |(layers,)| Fused::new(layers))
    }
}

impl<M> NonMutableModule for Fused<M> {}

impl<const I: usize, const O: usize, const K: usize, B, H, W, T>
    Module<Tensor<(B, Const<I>, H, W), f32, Cpu, T>>
    for Fused<(Conv2D<I, O, K>, Tanh, AvgPool2D<2>)>
where
    B: Dim,
    H: Convolved<K>,
    W: Convolved<K>,
    H::Out: Pooled<2>,
    W::Out: Pooled<2>,
    T: Tape<f32, Cpu>,
{
    type Output = Tensor<
        (
            B,
            Const<O>,
            <H::Out as Pooled<2>>::Out,
            <W::Out as Pooled<2>>::Out,
        ),
        f32,
        Cpu,
        T,
    >;
    type Error = CpuError;

    fn try_forward(
        &self,
        x: Tensor<(B, Const<I>, H, W), f32, Cpu, T>,
    ) -> Result<Self::Output, CpuError> {
        let (x, tape) = x.split_tape();
        let Conv2D { weight, bias } = &self.layers.0;
        let parameters = (any(weight.clone())?, any(bias.clone())?);
        finish(self.how.conv(any(x)?, parameters, T::OWNS_TAPE)?, tape)
    }
}

impl<const I: usize, const O: usize, B: Dim, T: Tape<f32, Cpu>>
    Module<Tensor<(B, Const<I>), f32, Cpu, T>> for Fused<(Linear<I, O>, Tanh)>
{
    type Output = Tensor<(B, Const<O>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, Const<I>), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let (x, tape) = x.split_tape();
        let Linear { weight, bias } = &self.layers.0;
        let parameters = (any(weight.clone())?, any(bias.clone())?);
        finish(
            self.how.dense(any(x)?, parameters, true, T::OWNS_TAPE)?,
            tape,
        )
    }
}

impl<const I: usize, const O: usize, B: Dim, T: Tape<f32, Cpu>>
    Module<Tensor<(B, Const<I>), f32, Cpu, T>> for Fused<Linear<I, O>>
{
    type Output = Tensor<(B, Const<O>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, Const<I>), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let (x, tape) = x.split_tape();
        let Linear { weight, bias } = &self.layers;
        let parameters = (any(weight.clone())?, any(bias.clone())?);
        finish(
            self.how.dense(any(x)?, parameters, false, T::OWNS_TAPE)?,
            tape,
        )
    }
}

/// A tensor whose sizes are not in its type. What is done with such ones is compiled once, with this crate, and not for each
/// layer in each cell of a notebook that makes a model.
type AnySize<S> = Tensor<S, f32, Cpu>;
type Any1 = AnySize<(usize,)>;
type Any2 = AnySize<(usize, usize)>;
type Any4 = AnySize<(usize, usize, usize, usize)>;

/// What a layer adds to dfdx's tape.
type Backward = Box<dyn FnOnce(&mut Gradients<f32, Cpu>) -> Result<(), CpuError>>;

/// The same tensor, for dfdx as for its gradients, with its sizes taken out of its type or put into it.
fn any<S: Shape + RealizeShapeTo<R>, R: Shape<Concrete = S::Concrete>>(
    tensor: AnySize<S>,
) -> Result<AnySize<R>, CpuError> {
    tensor.try_realize().map_err(|_| CpuError::WrongNumElements)
}

/// A layer's output with its sizes in its type, and its way back on the tape.
fn finish<S: Shape + RealizeShapeTo<R>, R: Shape<Concrete = S::Concrete>, T: Tape<f32, Cpu>>(
    (y, backward): (AnySize<S>, Option<Backward>),
    mut tape: T,
) -> Result<Tensor<R, f32, Cpu, T>, CpuError> {
    if let Some(backward) = backward {
        tape.add_backward_op(backward);
    }
    Ok(any(y)?.put_tape(tape))
}

/// How fused layers compute.
#[derive(Debug, Default)]
struct How {
    isa: Isa,
    pool: Pool,
    skip_input_gradient: bool,
    /// Images for which it is to be decided whether factors are left.
    leave_factors: Option<usize>,
}

/// The clone works in memory of its own.
impl Clone for How {
    fn clone(&self) -> Self {
        Self {
            pool: Pool::default(),
            ..*self
        }
    }
}

impl How {
    /// Convolution, tanh and pooling; the way back if that is wanted.
    fn conv(
        &self,
        x: Any4,
        (weight, bias): (Any4, Any1),
        backward: bool,
    ) -> Result<(Any4, Option<Backward>), CpuError> {
        let &(batch, inputs, height, width) = x.shape();
        let &(outputs, _, kernel, _) = weight.shape();
        let shape = ConvShape {
            inputs,
            outputs,
            kernel,
            height,
            width,
            bending: true,
        };
        let (isa, pool) = (self.isa, self.pool.clone());
        let parameters = (&*values(&weight), &*values(&bias));
        let (y, kept) = batch::forward(isa, &pool, shape, &values(&x), parameters, backward);
        let (height, width) = shape.pooled();
        let y = x
            .device()
            .try_tensor_from_vec(y, (batch, outputs, height, width))?;
        let Some(mut kept) = kept else {
            return Ok((y, None));
        };
        let out = y.clone();
        let skip_input_gradient = self.skip_input_gradient;
        let backward = move |gradients: &mut Gradients<f32, Cpu>| {
            // dfdx lends one gradient at a time: the others wait outside.
            let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
            let mut dw = std::mem::take(&mut **gradients.get_or_alloc_mut(&weight)?);
            let mut db = std::mem::take(&mut **gradients.get_or_alloc_mut(&bias)?);
            let dx = if skip_input_gradient {
                None
            } else {
                Some(gradients.get_or_alloc_mut(&x)?.as_mut_slice())
            };
            batch::backward(
                isa,
                &pool,
                shape,
                &mut kept,
                &dy,
                BatchGradients {
                    weight: &mut dw,
                    bias: &mut db,
                    x: dx,
                },
            );
            **gradients.get_or_alloc_mut(&out)? = dy;
            **gradients.get_or_alloc_mut(&weight)? = dw;
            **gradients.get_or_alloc_mut(&bias)? = db;
            Ok(())
        };
        Ok((y, Some(Box::new(backward))))
    }

    /// `y = x W^T + b`, or its tanh where the layer is `bending`; the way back if that is wanted.
    fn dense(
        &self,
        x: Any2,
        (weight, bias): (Any2, Any1),
        bending: bool,
        backward: bool,
    ) -> Result<(Any2, Option<Backward>), CpuError> {
        let &(outputs, inputs) = weight.shape();
        let shape = DenseShape {
            inputs,
            outputs,
            bending,
        };
        let (isa, pool) = (self.isa, self.pool.clone());
        let parameters = (&*values(&weight), &*values(&bias));
        let y = dense::forward(isa, &pool, shape, &values(&x), parameters);
        let y = x.device().try_tensor_from_vec(y, (x.shape().0, outputs))?;
        if !backward {
            return Ok((y, None));
        }
        let out = y.clone();
        let fewer = |images| shape.factors_are_fewer(images);
        let leave_factors = self.leave_factors.is_some_and(fewer);
        let backward = move |gradients: &mut Gradients<f32, Cpu>| {
            let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
            let mut dw = std::mem::take(&mut **gradients.get_or_alloc_mut(&weight)?);
            let mut db = std::mem::take(&mut **gradients.get_or_alloc_mut(&bias)?);
            let dx = gradients.get_or_alloc_mut(&x)?;
            let to = if leave_factors {
                WeightGradient::Factors(&mut dw)
            } else {
                if dw.len() < inputs * outputs {
                    // The factors of an earlier pass.
                    dw.clear();
                    dw.resize(inputs * outputs, 0.0);
                }
                WeightGradient::Sum(&mut dw)
            };
            dense::backward(
                isa,
                &pool,
                shape,
                (&values(&x), &values(&weight), &values(&out)),
                &dy,
                dense::BatchGradients {
                    weight: to,
                    bias: &mut db,
                    x: dx,
                },
            );
            **gradients.get_or_alloc_mut(&out)? = dy;
            **gradients.get_or_alloc_mut(&weight)? = dw;
            **gradients.get_or_alloc_mut(&bias)? = db;
            Ok(())
        };
        Ok((y, Some(Box::new(backward))))
    }
}
