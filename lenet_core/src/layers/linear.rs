//! The dense layer.

use dfdx::prelude::*;

use super::{takes, with_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{TakesValues, Values};

/// A dense layer, `y = x W^T + b`: `I` values in, `O` values out. Keras calls it `Dense`.
///
/// Input `(B, I)`, output `(B, O)`; parameters: `(I + 1) * O`.
///
/// ```
/// use lenet_core::prelude::*;
/// let mut output = Linear::<2, 1>::glorot_uniform(0);
/// output.weight = Cpu::default().tensor([[2.0, 3.0]]);
/// let y = output.forward(Cpu::default().tensor([[10.0, 1.0]]));
/// assert_eq!(y.array(), [[23.0]]);
/// ```
#[derive(Debug, Clone)]
pub struct Linear<const I: usize, const O: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    /// The weights, `(O, I)`.
    pub weight: Tensor<Rank2<O, I>, E, D>,
    /// One number for each output, `(O,)`.
    pub bias: Tensor<Rank1<O>, E, D>,
}

with_parameters!(Linear<I, O>, LayerKind::Linear { inputs: I, outputs: O });

impl<const I: usize, const O: usize> TakesValues<I, O, I> for Linear<I, O> {}

takes! {
    [const I: usize, const O: usize, const N: usize]
    Linear<I, O>, Values<N> => Values<O>
    where Self: TakesValues<I, O, N>
}

impl<const I: usize, const O: usize> Begins for Linear<I, O> {
    type With = Values<I>;
}
