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
#[derive(Debug, Default)]
pub struct Fused<M> {
    layers: M,
    isa: Isa,
    pool: Pool,
    skip_input_gradient: bool,
    /// Images for which it is to be decided whether factors are left.
    leave_factors: Option<usize>,
}

impl<M> Fused<M> {
    /// Fuses `layers`, for the best instruction set that this CPU has.
    pub fn new(layers: M) -> Self {
        Self {
            layers,
            isa: Isa::best(),
            pool: Pool::default(),
            skip_input_gradient: false,
            leave_factors: None,
        }
    }

    /// Computes with the given instruction set from now on.
    pub fn set_isa(&mut self, isa: Isa) {
        self.isa = isa;
    }

    /// Whether the gradient for the layer's input is left out. A network's first layer needs none:
    /// nobody trains the images.
    pub(crate) fn set_skip_input_gradient(&mut self, skip: bool) {
        self.skip_input_gradient = skip;
    }

    /// See [`Layer::leave_factors`](crate::network::Layer::leave_factors).
    pub(crate) fn set_leave_factors(&mut self, images: Option<usize>) {
        self.leave_factors = images;
    }
}

/// The clone works in memory of its own.
impl<M: Clone> Clone for Fused<M> {
    fn clone(&self) -> Self {
        Self {
            layers: self.layers.clone(),
            isa: self.isa,
            pool: Pool::default(),
            skip_input_gradient: self.skip_input_gradient,
            leave_factors: self.leave_factors,
        }
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
        let (x, mut tape) = x.split_tape();
        let (batch, _, height, width) = *x.shape();
        let shape = ConvShape {
            inputs: I,
            outputs: O,
            kernel: K,
            height: height.size(),
            width: width.size(),
            bending: true,
        };
        let dims = (batch, Const::<O>, Default::default(), Default::default());
        let (isa, pool, conv) = (self.isa, self.pool.clone(), &self.layers.0);
        let parameters = (&*values(&conv.weight), &*values(&conv.bias));
        let (y, kept) = batch::forward(isa, &pool, shape, &values(&x), parameters, T::OWNS_TAPE);
        let y: Tensor<_, f32, Cpu> = x.device().try_tensor_from_vec(y, dims)?;

        let Some(mut kept) = kept else {
            return Ok(y.put_tape(tape));
        };
        let (weight, bias, out) = (conv.weight.clone(), conv.bias.clone(), y.clone());
        let skip_input_gradient = self.skip_input_gradient;
        tape.add_backward_op(move |gradients| {
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
        });
        Ok(y.put_tape(tape))
    }
}

impl<const I: usize, const O: usize, B: Dim, T: Tape<f32, Cpu>>
    Module<Tensor<(B, Const<I>), f32, Cpu, T>> for Fused<(Linear<I, O>, Tanh)>
{
    type Output = Tensor<(B, Const<O>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, Const<I>), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        dense(self, &self.layers.0, true, x)
    }
}

impl<const I: usize, const O: usize, B: Dim, T: Tape<f32, Cpu>>
    Module<Tensor<(B, Const<I>), f32, Cpu, T>> for Fused<Linear<I, O>>
{
    type Output = Tensor<(B, Const<O>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, Const<I>), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        dense(self, &self.layers, false, x)
    }
}

/// `y = x W^T + b`, or its tanh where the layer is `bending`.
fn dense<M, const I: usize, const O: usize, B: Dim, T: Tape<f32, Cpu>>(
    fused: &Fused<M>,
    layer: &Linear<I, O>,
    bending: bool,
    x: Tensor<(B, Const<I>), f32, Cpu, T>,
) -> Result<Tensor<(B, Const<O>), f32, Cpu, T>, CpuError> {
    let (x, mut tape) = x.split_tape();
    let shape = DenseShape {
        inputs: I,
        outputs: O,
        bending,
    };
    let (isa, pool) = (fused.isa, fused.pool.clone());
    let parameters = (&*values(&layer.weight), &*values(&layer.bias));
    let y = dense::forward(isa, &pool, shape, &values(&x), parameters);
    let dims = (x.shape().0, Const::<O>);
    let y: Tensor<_, f32, Cpu> = x.device().try_tensor_from_vec(y, dims)?;

    let out = y.clone();
    let (weight, bias) = (layer.weight.clone(), layer.bias.clone());
    let fewer = |images| shape.factors_are_fewer(images);
    let leave_factors = fused.leave_factors.is_some_and(fewer);
    tape.add_backward_op(move |gradients| {
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let mut dw = std::mem::take(&mut **gradients.get_or_alloc_mut(&weight)?);
        let mut db = std::mem::take(&mut **gradients.get_or_alloc_mut(&bias)?);
        let dx = gradients.get_or_alloc_mut(&x)?;
        let to = if leave_factors {
            WeightGradient::Factors(&mut dw)
        } else {
            if dw.len() < I * O {
                // The factors of an earlier pass.
                dw.clear();
                dw.resize(I * O, 0.0);
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
    });
    Ok(y.put_tape(tape))
}
