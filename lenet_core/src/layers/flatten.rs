//! From feature maps to a vector.

use super::{takes, without_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{Flattened, Maps};

/// Lays the maps of an image one after the other: `(B, C, S, S)` becomes `(B, C * S * S)`.
///
/// ```
/// use lenet_core::prelude::*;
/// let y = Flatten.forward(Cpu::default().zeros::<Rank4<7, 16, 4, 4>>());
/// assert_eq!(y.dims(), [7, 256]);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct Flatten;

without_parameters!([] Flatten, LayerKind::Flatten);

takes! {
    [const C: usize, const S: usize]
    Flatten, Maps<C, S> => <() as Flattened<C, S>>::Out
    where (): Flattened<C, S>
}

impl Begins for Flatten {
    type With = Maps<1, 28>;
}
