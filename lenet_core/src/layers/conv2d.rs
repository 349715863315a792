//! The convolution layer.

use dfdx::prelude::*;

use super::{takes, with_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{Convolved, Maps, TakesChannels};

/// A valid convolution (no padding, stride 1) with bias: `I` channels in, `O` filters of `K` x `K`.
///
/// Input `(B, I, S, S)`, output `(B, O, S - K + 1, S - K + 1)`, computed by the compiler:
/// `y[o, r, c] = bias[o] + sum over i, u, v of weight[o, i, u, v] * x[i, r + u, c + v]`
/// (a cross-correlation, as in every deep-learning library). `K` is at most 7; parameters: `(K * K * I + 1) * O`.
///
/// ```
/// use lenet_core::prelude::*;
/// let mut c1 = Conv2D::<1, 6, 5>::glorot_uniform(0);
/// c1.bias = Cpu::default().ones();
/// let y = c1.forward(Cpu::default().zeros::<Rank4<2, 1, 28, 28>>());
/// assert_eq!(y.dims(), [2, 6, 24, 24]);
/// assert_eq!(y[[1, 5, 23, 23]], 1.0);
/// # use lenet_core::dfdx::prelude::OnesTensor;
/// ```
///
/// A shape that does not fit is refused by the compiler: "a 5x5 convolution does not fit on maps of 4x4".
///
/// ```compile_fail
/// use lenet_core::prelude::*;
/// Conv2D::<1, 6, 5>::glorot_uniform(0).forward(Cpu::default().zeros::<Rank4<2, 1, 4, 4>>());
/// ```
#[derive(Debug, Clone)]
pub struct Conv2D<const I: usize, const O: usize, const K: usize, E: Dtype = f32, D: Storage<E> = Cpu> {
    /// The filters, `(O, I, K, K)`.
    pub weight: Tensor<Rank4<O, I, K, K>, E, D>,
    /// One number for each filter, `(O,)`.
    pub bias: Tensor<Rank1<O>, E, D>,
}

with_parameters!(Conv2D<I, O, K>, LayerKind::Conv2D { inputs: I, outputs: O, kernel: K });

impl<const I: usize, const O: usize, const K: usize> TakesChannels<I, O, K, I> for Conv2D<I, O, K> {}

takes! {
    [const I: usize, const O: usize, const K: usize, const C: usize, const S: usize]
    Conv2D<I, O, K>, Maps<C, S> => <() as Convolved<K, S>>::Out<O>
    where Self: TakesChannels<I, O, K, C>, (): Convolved<K, S>
}

impl<const I: usize, const O: usize, const K: usize> Begins for Conv2D<I, O, K> {
    type With = Maps<I, 28>;
}
