//! A batch through a convolution layer: cut into blocks of images side by side, and put together again.
//! The sums of a batch are taken in the order of its blocks.

use super::buffer::{Buffer, Pool};
use super::conv::{self, Gradients, Shape};
use super::isa::Isa;
use super::transpose::{gather, scatter, scatter_add};

/// Convolution, tanh and pooling of the batch `x`. Returns the pooled maps, and what [`backward`] needs
/// of this pass if `keep` is set.
pub(crate) fn forward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    keep: bool,
) -> (Vec<f32>, Option<Kept>) {
    let (input, output) = (shape.input_len(), shape.output_len());
    let images = x.len() / input;
    // Filters, not images, lie side by side here, so few images need no shorter vectors.
    let mut factors = pool.take(shape.factors());
    conv::factors(isa, pool, shape, weight, &mut factors);
    let isa = isa.for_images(images);
    let lanes = isa.lanes();

    let per_block = shape.kept_len() * lanes;
    let kept_blocks = if keep { images.div_ceil(lanes) } else { 1 };
    let mut blocks = pool.take(kept_blocks * per_block);
    let mut x_block = pool.take(input * lanes);
    let mut y_block = pool.take(output * lanes);
    let mut scratch = pool.take(shape.forward_len() * lanes);
    let mut y = Vec::with_capacity(images * output);
    let room = y.spare_capacity_mut()[..images * output].chunks_mut(output * lanes);
    for (block, (x, y)) in x.chunks(input * lanes).zip(room).enumerate() {
        let kept = &mut blocks[block % kept_blocks * per_block..][..per_block];
        gather(isa, x, input, &mut x_block);
        let parameters = (&*factors, bias);
        conv::forward(
            isa,
            shape,
            &x_block,
            parameters,
            (kept, &mut scratch),
            &mut y_block,
        );
        scatter(isa, &y_block, output, y);
    }
    // SAFETY: the blocks are all of the first numbers, and `scatter` has written each.
    unsafe { y.set_len(images * output) };
    (y, keep.then_some(Kept { factors, blocks }))
}

/// What [`backward`] needs of the pass forward.
pub(crate) struct Kept {
    factors: Buffer,
    blocks: Buffer,
}

/// What [`backward`] adds a batch's gradients to.
pub(crate) struct BatchGradients<'a> {
    pub(crate) weight: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
    /// That of the input, if it is wanted.
    pub(crate) x: Option<&'a mut [f32]>,
}

/// The gradients of [`forward`] from that of its output, `dy`. What the pass forward has kept is used up.
pub(crate) fn backward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    kept: &mut Kept,
    dy: &[f32],
    gradients: BatchGradients<'_>,
) {
    let (input, output) = (shape.input_len(), shape.output_len());
    let mut sums = pool.take(shape.factors());
    sums.fill(0.0);
    // For the weights, whose filters lie side by side however few the images are.
    let weights_isa = isa;
    let isa = isa.for_images(dy.len() / output);
    let lanes = isa.lanes();
    let mut dy_block = pool.take(output * lanes);
    let mut dx_block = gradients.x.is_some().then(|| pool.take(input * lanes));
    let mut scratch = pool.take(shape.backward_len() * lanes);
    let blocks = kept.blocks.chunks_exact_mut(shape.kept_len() * lanes);
    let mut dx = gradients.x.map(|dx| dx.chunks_mut(input * lanes));
    for (block, dy) in blocks.zip(dy.chunks(output * lanes)) {
        gather(isa, dy, output, &mut dy_block);
        let to = Gradients {
            factors: &mut sums,
            bias: gradients.bias,
            x: dx_block.as_deref_mut(),
        };
        conv::backward(
            isa,
            shape,
            &kept.factors,
            (block, &mut scratch),
            &dy_block,
            to,
        );
        if let (Some(block), Some(dx)) = (&dx_block, dx.as_mut().and_then(Iterator::next)) {
            scatter_add(isa, pool, block, input, dx);
        }
    }
    conv::add_gradient(weights_isa, pool, shape, &sums, gradients.weight);
}
