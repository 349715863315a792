//! What a network's images are.

use super::{takes, without_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::Maps;

/// Says what arrives, in front of all layers: images of `C` channels with `S` x `S` pixels, `S` at most 64. Without it
/// images have 28 x 28 pixels, and as many channels as the first convolution looks at. It computes nothing.
///
/// ```
/// use lenet_core::prelude::*;
/// type Colour = (Input<3, 32>, Conv2D<3, 8, 5>, ReLU, MaxPool2D<4>, Flatten, Linear<392, 10>);
/// assert_eq!(Colour::glorot_uniform(0).summary().parameters(), 4538);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct Input<const C: usize, const S: usize>;

without_parameters!([const C: usize, const S: usize] Input<C, S>, LayerKind::Input { channels: C, side: S });

takes!([const C: usize, const S: usize] Input<C, S>, Maps<C, S> => Maps<C, S>);

impl<const C: usize, const S: usize> Begins for Input<C, S> {
    type With = Maps<C, S>;
}
