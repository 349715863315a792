//! The convolution layer, written plainly.

use dfdx::prelude::*;
use rayon::prelude::*;

use crate::shape::Convolved;
use crate::view::{values, values_mut};

/// A valid convolution (no padding, stride 1) with bias: `I` channels in, `O` filters of `K` x `K`.
///
/// Input `(B, I, H, W)`, output `(B, O, H - K + 1, W - K + 1)`, computed by the compiler:
/// `y[o, r, c] = bias[o] + sum over i, u, v of weight[o, i, u, v] * x[i, r + u, c + v]`
/// (a cross-correlation, as in every deep-learning library).
///
/// ```
/// use lenet_core::{dfdx::prelude::*, layers::Conv2D};
/// let dev = Cpu::default();
/// let mut c1 = Conv2D::<1, 6, 5>::build(&dev);
/// c1.bias.fill_with_ones();
/// let y = c1.forward(dev.zeros::<Rank4<2, 1, 28, 28>>());
/// assert_eq!(y.shape().concrete(), [2, 6, 24, 24]);
/// assert_eq!(y[[1, 5, 23, 23]], 1.0);
/// ```
///
/// A shape that does not fit is refused by the compiler: "a 5x5 valid convolution does not fit an
/// image side of `Const<4>`".
///
/// ```compile_fail
/// use lenet_core::{dfdx::prelude::*, layers::Conv2D};
/// let dev = Cpu::default();
/// Conv2D::<1, 6, 5>::build(&dev).forward(dev.zeros::<Rank4<2, 1, 4, 4>>());
/// ```
#[derive(Debug, Clone)]
pub struct Conv2D<
    const I: usize,
    const O: usize,
    const K: usize,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// The filters, `(O, I, K, K)`.
    pub weight: Tensor<Rank4<O, I, K, K>, E, D>,
    /// One number for each filter, `(O,)`.
    pub bias: Tensor<Rank1<O>, E, D>,
}

impl<const I: usize, const O: usize, const K: usize, E: Dtype, D: Device<E>> TensorCollection<E, D>
    for Conv2D<I, O, K, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Conv2D<I, O, K, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        let zeros = TensorOptions::reset_to_zeros();
        let weight = Self::tensor(
            "weight",
            |layer| &layer.weight,
            |layer| &mut layer.weight,
            zeros,
        );
        let zeros = TensorOptions::reset_to_zeros();
        let bias = Self::tensor("bias", |layer| &layer.bias, |layer| &mut layer.bias, zeros);
        visitor.visit_fields((weight, bias), |(weight, bias)| Conv2D { weight, bias })
    }
}

impl<const I: usize, const O: usize, const K: usize> NonMutableModule for Conv2D<I, O, K> {}

impl<const I: usize, const O: usize, const K: usize, B, H, W, T>
    Module<Tensor<(B, Const<I>, H, W), f32, Cpu, T>> for Conv2D<I, O, K>
where
    B: Dim,
    H: Convolved<K>,
    W: Convolved<K>,
    T: Tape<f32, Cpu>,
{
    type Output = Tensor<(B, Const<O>, H::Out, W::Out), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(
        &self,
        x: Tensor<(B, Const<I>, H, W), f32, Cpu, T>,
    ) -> Result<Self::Output, CpuError> {
        let (x, mut tape) = x.split_tape();
        let (batch, _, height, width) = *x.shape();
        let shape = (batch, Const::<O>, H::Out::default(), W::Out::default());
        let mut y: Tensor<_, f32, Cpu> = x.device().try_zeros_like(&shape)?;
        let sizes = Sizes {
            inputs: I,
            kernel: K,
            height: height.size(),
            width: width.size(),
        };
        forward(
            sizes,
            &values(&x),
            &values(&self.weight),
            &values(&self.bias),
            values_mut(&mut y),
        );

        let (weight, bias, out) = (self.weight.clone(), self.bias.clone(), y.clone());
        tape.add_backward_op(move |gradients| {
            let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
            let (x_values, weights) = (values(&x), values(&weight));
            let dw = gradients.get_or_alloc_mut(&weight)?;
            weight_gradient(sizes, &x_values, &dy, dw);
            let db = gradients.get_or_alloc_mut(&bias)?;
            for image in dy.chunks_exact(sizes.output_plane() * O) {
                for (db, plane) in db.iter_mut().zip(image.chunks_exact(sizes.output_plane())) {
                    *db += plane.iter().sum::<f32>();
                }
            }
            let dx = gradients.get_or_alloc_mut(&x)?;
            input_gradient(sizes, &weights, &dy, dx);
            **gradients.get_or_alloc_mut(&out)? = dy;
            Ok(())
        });
        Ok(y.put_tape(tape))
    }
}

/// What the loops below need to know of a layer and its input.
#[derive(Clone, Copy)]
struct Sizes {
    inputs: usize,
    kernel: usize,
    height: usize,
    width: usize,
}

impl Sizes {
    fn output_width(&self) -> usize {
        self.width - self.kernel + 1
    }
    fn output_height(&self) -> usize {
        self.height - self.kernel + 1
    }
    fn output_plane(&self) -> usize {
        self.output_height() * self.output_width()
    }
    /// For each tap of a filter: its index among the filter's weights, and the part of an image's
    /// rows that it meets: (tap, output row, where the matching input row starts).
    fn taps(self) -> impl Iterator<Item = (usize, usize, usize)> {
        let kernel = self.kernel;
        (0..self.inputs * kernel * kernel).flat_map(move |tap| {
            let (i, u, v) = (tap / kernel / kernel, tap / kernel % kernel, tap % kernel);
            (0..self.output_height())
                .map(move |r| (tap, r, (i * self.height + r + u) * self.width + v))
        })
    }
}

fn forward(sizes: Sizes, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let (plane, columns) = (sizes.output_plane(), sizes.output_width());
    let per_filter = weight.len() / bias.len();
    let images = x.par_chunks_exact(sizes.inputs * sizes.height * sizes.width);
    images
        .zip(y.par_chunks_exact_mut(plane * bias.len()))
        .for_each(|(x, y)| {
            for (filter, y) in y.chunks_exact_mut(plane).enumerate() {
                y.fill(bias[filter]);
                for (tap, row, from) in sizes.taps() {
                    let factor = weight[filter * per_filter + tap];
                    let y = &mut y[row * columns..][..columns];
                    for (y, x) in y.iter_mut().zip(&x[from..from + columns]) {
                        *y += factor * x;
                    }
                }
            }
        });
}

fn weight_gradient(sizes: Sizes, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (plane, columns) = (sizes.output_plane(), sizes.output_width());
    let per_filter = sizes.inputs * sizes.kernel * sizes.kernel;
    let filters = dw.len() / per_filter;
    dw.par_chunks_exact_mut(per_filter)
        .enumerate()
        .for_each(|(filter, dw)| {
            let images = x.chunks_exact(sizes.inputs * sizes.height * sizes.width);
            for (x, dy) in images.zip(dy.chunks_exact(plane * filters)) {
                let dy = &dy[filter * plane..][..plane];
                for (tap, row, from) in sizes.taps() {
                    let dy = &dy[row * columns..][..columns];
                    dw[tap] += dy.iter().zip(&x[from..]).map(|(dy, x)| dy * x).sum::<f32>();
                }
            }
        });
}

fn input_gradient(sizes: Sizes, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (plane, columns) = (sizes.output_plane(), sizes.output_width());
    let per_filter = sizes.inputs * sizes.kernel * sizes.kernel;
    let filters = weight.len() / per_filter;
    let images = dx.par_chunks_exact_mut(sizes.inputs * sizes.height * sizes.width);
    images
        .zip(dy.par_chunks_exact(plane * filters))
        .for_each(|(dx, dy)| {
            for (filter, dy) in dy.chunks_exact(plane).enumerate() {
                for (tap, row, from) in sizes.taps() {
                    let factor = weight[filter * per_filter + tap];
                    let dy = &dy[row * columns..][..columns];
                    for (dx, dy) in dx[from..from + columns].iter_mut().zip(dy) {
                        *dx += factor * dy;
                    }
                }
            }
        });
}
