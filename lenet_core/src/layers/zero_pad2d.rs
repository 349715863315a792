//! Zeros around the maps.

use super::{takes, without_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{Maps, Padded};

/// `P` rows and columns of zeros on each side; `P` is at most 4.
///
/// Input `(B, C, S, S)`, output `(B, C, S + 2 P, S + 2 P)`. In front of a [`Conv2D`](super::Conv2D) with filters of side
/// `2 P + 1` it keeps the maps' size, which Keras calls `padding="same"`.
///
/// ```
/// use lenet_core::prelude::*;
/// let y = ZeroPad2D::<2>.forward(Cpu::default().zeros::<Rank4<7, 1, 28, 28>>());
/// assert_eq!(y.dims(), [7, 1, 32, 32]);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct ZeroPad2D<const P: usize>;

without_parameters!([const P: usize] ZeroPad2D<P>, LayerKind::ZeroPad2D { padding: P });

takes! {
    [const P: usize, const C: usize, const S: usize]
    ZeroPad2D<P>, Maps<C, S> => <() as Padded<P, S>>::Out<C>
    where (): Padded<P, S>
}

impl<const P: usize> Begins for ZeroPad2D<P> {
    type With = Maps<1, 28>;
}
