//! The layers of a LeNet, as dfdx modules.
//!
//! Each is written plainly, image by image; [`Fused`] computes the same in one pass.

mod conv;
mod flatten;
mod fused;
mod pool;

pub use conv::Conv2D;
pub use flatten::Flatten;
pub use fused::Fused;
pub use pool::AvgPool2D;

pub use dfdx::nn::modules::Tanh;

/// dfdx's dense layer, `y = x W^T + b`, on the CPU in `f32`: `I` numbers in, `O` numbers out.
///
/// Keras calls it `Dense`. `weight` has shape `(O, I)`, `bias` `(O,)`.
pub type Linear<const I: usize, const O: usize> =
    dfdx::nn::modules::Linear<I, O, f32, dfdx::tensor::Cpu>;
