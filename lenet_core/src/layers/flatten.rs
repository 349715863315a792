//! From feature maps to a vector.

use dfdx::prelude::*;

use crate::shape::Flattened;

/// Lays the channels of an image one after the other: `(B, C, H, W)` becomes `(B, C * H * W)`.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, layers::Flatten};
/// let dev = Cpu::default();
/// let y = Flatten.forward(dev.zeros::<Rank4<7, 16, 4, 4>>());
/// assert_eq!(y.shape().concrete(), [7, 256]);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct Flatten;

impl ZeroSizedModule for Flatten {}
impl NonMutableModule for Flatten {}

impl<B, C, H, W, T> Module<Tensor<(B, C, H, W), f32, Cpu, T>> for Flatten
where
    B: Dim,
    C: Dim,
    H: Dim,
    W: Dim,
    (C, H, W): Flattened,
    T: Tape<f32, Cpu>,
{
    type Output = Tensor<(B, <(C, H, W) as Flattened>::Out), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, C, H, W), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let batch = x.shape().0;
        x.try_reshape_like(&(batch, Default::default()))
    }
}
