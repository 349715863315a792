//! The subsampling layer.

use dfdx::prelude::*;

use crate::shape::Pooled;
use crate::view::{values, values_mut};

/// Average pooling over `K` x `K` windows with stride `K`.
///
/// Input `(B, C, H, W)`, output `(B, C, H / K, W / K)`, rounded down: a last row or column that does
/// not fill a window is left out, as in Keras and PyTorch.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, layers::AvgPool2D};
/// let dev = Cpu::default();
/// let x = dev.tensor([[[[1.0, 2.0, 5.0, 5.0], [3.0, 6.0, 5.0, 9.0]]]]);
/// let y = AvgPool2D::<2>.forward(x);
/// assert_eq!(y.array(), [[[[3.0, 6.0]]]]);
/// ```
#[derive(Debug, Default, Clone, Copy)]
pub struct AvgPool2D<const K: usize>;

impl<const K: usize> ZeroSizedModule for AvgPool2D<K> {}
impl<const K: usize> NonMutableModule for AvgPool2D<K> {}

impl<const K: usize, B, C, H, W, T> Module<Tensor<(B, C, H, W), f32, Cpu, T>> for AvgPool2D<K>
where
    B: Dim,
    C: Dim,
    H: Pooled<K>,
    W: Pooled<K>,
    T: Tape<f32, Cpu>,
{
    type Output = Tensor<(B, C, H::Out, W::Out), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(&self, x: Tensor<(B, C, H, W), f32, Cpu, T>) -> Result<Self::Output, CpuError> {
        let (x, mut tape) = x.split_tape();
        let (batch, channels, height, width) = *x.shape();
        let shape = (batch, channels, H::Out::default(), W::Out::default());
        let mut y: Tensor<_, f32, Cpu> = x.device().try_zeros_like(&shape)?;
        let sizes = (height.size(), width.size());
        let share = 1.0 / (K * K) as f32;
        let x_values = values(&x);
        let y_values = values_mut(&mut y);
        for_each_pixel::<K>(sizes, x_values.len(), |from, to| {
            y_values[to] += share * x_values[from];
        });
        drop(x_values);

        let out = y.clone();
        tape.add_backward_op(move |gradients| {
            let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
            let dx = gradients.get_or_alloc_mut(&x)?;
            for_each_pixel::<K>(sizes, dx.len(), |from, to| dx[from] += share * dy[to]);
            **gradients.get_or_alloc_mut(&out)? = dy;
            Ok(())
        });
        Ok(y.put_tape(tape))
    }
}

/// Calls `f` with the index of each pixel that lies in a window, and the index of the window.
fn for_each_pixel<const K: usize>(
    (height, width): (usize, usize),
    len: usize,
    mut f: impl FnMut(usize, usize),
) {
    let (out_height, out_width) = (height / K, width / K);
    for plane in 0..len / (height * width) {
        for y in 0..out_height * K {
            for x in 0..out_width * K {
                let window = (plane * out_height + y / K) * out_width + x / K;
                f((plane * height + y) * width + x, window);
            }
        }
    }
}
