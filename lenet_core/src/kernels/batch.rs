//! A whole batch through the convolution kernels: cut into blocks of images, shared among threads,
//! and put together again.
//!
//! How a batch is cut depends on its size and the instruction set only, and partial sums are added
//! in a fixed order, so the number of threads does not change a bit of the result.

use rayon::prelude::*;

use super::buffer::{Buffer, Pool};
use super::conv::{self, Gradients, Shape};
use super::isa::Isa;
use super::transpose::{gather, scatter};

/// Into how many groups of blocks the sums over images are cut at most: enough to keep as many
/// threads busy, few enough that adding the groups up costs nothing.
const GROUPS: usize = 16;

/// Convolution, tanh and pooling of the batch `x`, written to `y`. Returns the activations that
/// [`backward`] needs, if `keep` is set.
pub(crate) fn forward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    parameters: (&[f32], &[f32]),
    y: &mut [f32],
    keep: bool,
) -> Option<Buffer> {
    let lanes = isa.lanes();
    let (input, output) = (shape.input_len(), shape.output_len());
    let blocks = (x.len() / input).div_ceil(lanes);
    let per_block = shape.activations() * lanes;
    let mut kept = keep.then(|| pool.take(blocks * per_block));
    let kept_blocks: Vec<Option<&mut [f32]>> = match &mut kept {
        Some(kept) => kept.chunks_exact_mut(per_block).map(Some).collect(),
        None => (0..blocks).map(|_| None).collect(),
    };
    x.par_chunks(input * lanes)
        .zip(y.par_chunks_mut(output * lanes))
        .zip(kept_blocks)
        .for_each(|((x, y), kept)| {
            let mut x_block = pool.take(input * lanes);
            let mut y_block = pool.take(output * lanes);
            gather(isa, x, input, &mut x_block);
            match kept {
                Some(kept) => conv::forward(isa, shape, &x_block, parameters, kept, &mut y_block),
                None => {
                    let mut spare = pool.take(per_block);
                    conv::forward(isa, shape, &x_block, parameters, &mut spare, &mut y_block);
                }
            }
            scatter(isa, &y_block, output, y);
        });
    kept
}

/// What [`backward`] adds to or writes.
pub(crate) struct BatchGradients<'a> {
    /// The weights' gradient, to which the batch's is added.
    pub(crate) weight: &'a mut [f32],
    /// The biases' gradient, to which the batch's is added.
    pub(crate) bias: &'a mut [f32],
    /// The input's gradient, to which the batch's is added, if it is wanted.
    pub(crate) x: Option<&'a mut [f32]>,
}

/// The gradients of [`forward`] from that of its output, `dy`.
pub(crate) fn backward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    (x, weight, activations): (&[f32], &[f32], &[f32]),
    dy: &[f32],
    gradients: BatchGradients<'_>,
) {
    let lanes = isa.lanes();
    let (input, output) = (shape.input_len(), shape.output_len());
    let blocks = (x.len() / input).div_ceil(lanes);
    let images = lanes * blocks.div_ceil(GROUPS);
    let sums = shape.weights() + shape.outputs;

    let x_gradients: Vec<Option<&mut [f32]>> = match gradients.x {
        Some(dx) => dx.chunks_mut(images * input).map(Some).collect(),
        None => x.chunks(images * input).map(|_| None).collect(),
    };
    let mut partial = pool.take(x_gradients.len() * sums);
    x.par_chunks(images * input)
        .zip(dy.par_chunks(images * output))
        .zip(activations.par_chunks(images * shape.activations()))
        .zip(x_gradients)
        .zip(partial.par_chunks_exact_mut(sums))
        .for_each(|((((x, dy), activations), mut dx), partial)| {
            partial.fill(0.0);
            let (partial_weight, partial_bias) = partial.split_at_mut(shape.weights());
            let mut x_block = pool.take(input * lanes);
            let mut dy_block = pool.take(output * lanes);
            let mut dx_block = dx.is_some().then(|| pool.take(input * lanes));
            let mut scratch = pool.take(shape.scratch_len() * lanes);
            for (block, (x, dy)) in x
                .chunks(lanes * input)
                .zip(dy.chunks(lanes * output))
                .enumerate()
            {
                gather(isa, x, input, &mut x_block);
                gather(isa, dy, output, &mut dy_block);
                let kept = shape.activations() * lanes;
                let gradients = Gradients {
                    weight: partial_weight,
                    bias: partial_bias,
                    x: dx_block.as_deref_mut(),
                    scratch: &mut scratch,
                };
                let activations = &activations[block * kept..][..kept];
                conv::backward(
                    isa,
                    shape,
                    &x_block,
                    weight,
                    activations,
                    &dy_block,
                    gradients,
                );
                if let (Some(dx), Some(dx_block)) = (&mut dx, &dx_block) {
                    // The block of x has done its work: it takes the gradient in the images' order.
                    let images = &mut x_block[..x.len()];
                    scatter(isa, dx_block, input, images);
                    add(&mut dx[block * lanes * input..], images);
                }
            }
        });
    for partial in partial.chunks_exact(sums) {
        let (weight, bias) = partial.split_at(shape.weights());
        add(gradients.weight, weight);
        add(gradients.bias, bias);
    }
}

/// `to += from`, element by element.
fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
