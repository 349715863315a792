//! A whole batch through the convolution kernels: cut into blocks of images, shared among threads,
//! and put together again.
//!
//! How a batch is cut depends on its size and the instruction set only, and partial sums are added
//! in a fixed order, so the number of threads does not change a bit of the result.

use std::mem::MaybeUninit;

use super::buffer::{Buffer, Pool};
use super::conv::{self, Gradients, Shape};
use super::isa::Isa;
use super::transpose::{gather, scatter};
use crate::threads::share;

/// Into how many groups of blocks the sums over images are cut at most: enough to keep as many
/// threads busy, few enough that adding the groups up costs nothing.
const GROUPS: usize = 16;

/// Convolution, tanh and pooling of the batch `x`. Returns the pooled maps, and the activations that
/// [`backward`] needs if `keep` is set.
pub(crate) fn forward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    parameters: (&[f32], &[f32]),
    keep: bool,
) -> (Vec<f32>, Option<Buffer>) {
    let lanes = isa.lanes();
    let (input, output) = (shape.input_len(), shape.output_len());
    let mut factors = pool.take(shape.factors());
    conv::factors(shape, parameters.0, &mut factors);
    let parameters = (&*factors, parameters.1);
    let blocks = (x.len() / input).div_ceil(lanes);
    let per_block = shape.activations() * lanes;
    let mut kept = keep.then(|| pool.take(blocks * per_block));
    let kept_blocks: Vec<Option<&mut [f32]>> = match &mut kept {
        Some(kept) => kept.chunks_exact_mut(per_block).map(Some).collect(),
        None => (0..blocks).map(|_| None).collect(),
    };
    // Each thread is the first to touch the maps that it makes: filling them with zeros here would
    // bring them into this thread's cache.
    let len = x.len() / input * output;
    let mut y = Vec::with_capacity(len);
    let blocks = x
        .chunks(input * lanes)
        .zip(y.spare_capacity_mut()[..len].chunks_mut(output * lanes))
        .zip(kept_blocks);
    share(blocks, |((x, y), kept)| {
        let mut x_block = pool.take(input * lanes);
        let mut y_block = pool.take(output * lanes);
        let mut scratch = pool.take(shape.forward_len() * lanes);
        let mut spare = kept.is_none().then(|| pool.take(per_block));
        let activations = kept.or(spare.as_deref_mut()).unwrap_or_default();
        gather(isa, x, input, &mut x_block);
        let working = (activations, &mut *scratch);
        conv::forward(isa, shape, &x_block, parameters, working, &mut y_block);
        scatter(isa, &y_block, output, y);
    });
    // SAFETY: the blocks are all of the first `len` numbers, and `scatter` has written each.
    unsafe { y.set_len(len) };
    (y, kept)
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
    let sums = shape.factors() + shape.outputs;
    let mut factors = pool.take(shape.factors());
    conv::factors(shape, weight, &mut factors);

    let x_gradients: Vec<Option<&mut [f32]>> = match gradients.x {
        Some(dx) => dx.chunks_mut(images * input).map(Some).collect(),
        None => x.chunks(images * input).map(|_| None).collect(),
    };
    let mut partial = pool.take(x_gradients.len() * sums);
    let groups = x
        .chunks(images * input)
        .zip(dy.chunks(images * output))
        .zip(activations.chunks(images * shape.activations()))
        .zip(x_gradients)
        .zip(partial.chunks_exact_mut(sums));
    share(groups, |((((x, dy), activations), mut dx), partial)| {
        partial.fill(0.0);
        let (partial_factors, partial_bias) = partial.split_at_mut(shape.factors());
        let mut x_block = pool.take(input * lanes);
        let mut dy_block = pool.take(output * lanes);
        let mut dx_block = dx.is_some().then(|| pool.take(input * lanes));
        let mut scratch = pool.take(shape.backward_len() * lanes);
        for (block, (x, dy)) in x
            .chunks(lanes * input)
            .zip(dy.chunks(lanes * output))
            .enumerate()
        {
            gather(isa, x, input, &mut x_block);
            gather(isa, dy, output, &mut dy_block);
            let kept = shape.activations() * lanes;
            let gradients = Gradients {
                factors: partial_factors,
                bias: partial_bias,
                x: dx_block.as_deref_mut(),
                scratch: &mut scratch,
            };
            let activations = &activations[block * kept..][..kept];
            conv::backward(
                isa,
                shape,
                &x_block,
                &factors,
                activations,
                &dy_block,
                gradients,
            );
            if let (Some(dx), Some(dx_block)) = (&mut dx, &dx_block) {
                // The block of x has done its work: it takes the gradient in the images' order.
                let images = &mut x_block[..x.len()];
                scatter(isa, dx_block, input, as_uninit(images));
                add(&mut dx[block * lanes * input..], images);
            }
        }
    });
    let mut partials = partial.chunks_exact_mut(sums);
    let Some(total) = partials.next() else {
        return;
    };
    for partial in partials {
        add(total, partial);
    }
    let (factors, bias) = total.split_at(shape.factors());
    conv::add_gradient(shape, factors, gradients.weight);
    add(gradients.bias, bias);
}

/// `to += from`, element by element.
fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Numbers as room for numbers.
fn as_uninit(numbers: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: the types have the same layout, and `scatter` leaves no number unwritten.
    unsafe { &mut *(std::ptr::from_mut(numbers) as *mut [MaybeUninit<f32>]) }
}
