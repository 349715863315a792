//! Values left out at random while training.

use super::{takes, without_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{Arriving, Leaves, Maps};

/// Sets `PERCENT` per cent of the values, 0 to 99, to zero while [`fit`](crate::Model::fit) trains, and scales the others
/// up, so that their mean stays (Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting").
///
/// Which ones follows from `Fit::seed`, the training step and the image, so that the same bits come out on any number of
/// threads. In `evaluate`, in `predict` and on dfdx's tape all values pass unchanged.
///
/// ```
/// use lenet_core::prelude::*;
/// assert_eq!(Dropout::<25>.forward(Cpu::default().tensor([[3.0f32]])).array(), [[3.0]]);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct Dropout<const PERCENT: usize>;

without_parameters!([const PERCENT: usize] Dropout<PERCENT>, LayerKind::Dropout { percent: PERCENT });

takes!([X: Arriving, const PERCENT: usize] Dropout<PERCENT>, X => X where (): Leaves<PERCENT>);

impl<const PERCENT: usize> Begins for Dropout<PERCENT> {
    type With = Maps<1, 28>;
}
