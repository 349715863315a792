//! The network of this project.

use crate::layers::{AvgPool2D, Conv2D, Flatten, Linear, Tanh};

/// LeNet-5 as the Keras walkthrough has it, 44,426 parameters.
///
/// The layers carry the names of LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning
/// applied to document recognition", section II.B. Where this network differs from theirs: images of
/// 28x28 instead of 32x32; average pooling without trainable coefficients; C3 sees all six maps of S2;
/// a plain tanh; and ten logits with softmax instead of radial basis functions.
///
/// ```
/// use lenet_core::{init::GlorotUniform as _, LeNet5};
/// let network = LeNet5::glorot_uniform(0);
/// let c1 = &network.0 .0;
/// assert_eq!(c1.bias.array(), [0.0; 6]);
/// # use lenet_core::dfdx::prelude::*;
/// ```
pub type LeNet5 = (
    (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>),  // C1, S2
    (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), // C3, S4
    Flatten,
    (Linear<256, 120>, Tanh), // C5
    (Linear<120, 84>, Tanh),  // F6
    Linear<84, 10>,           // Output
);
