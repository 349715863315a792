//! A batch through a convolution layer: cut into blocks of images side by side, and put together again.
//! The sums of a batch are taken in the order of its blocks.

use super::buffer::{Buffer, Pool};
use super::conv::{self, Gradients, Shape};
use super::isa::Isa;
use super::pieces::Layout;

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
    let mut y = Vec::with_capacity(images * output);
    let mut room = &mut y.spare_capacity_mut()[..images * output];
    let mut x = x;
    let mut blocks = Vec::new();
    for block in Block::all(isa, shape, images) {
        let (x_layout, y_layout) = (block.inputs(&shape), block.outputs(&shape));
        let x = x.split_off(..block.images * input).unwrap_or_default();
        let y = room
            .split_off_mut(..block.images * output)
            .unwrap_or_default();
        let lanes = block.isa.lanes();
        let mut kept = pool.take(block.shape.kept_len() * lanes);
        let mut x_block = pool.take(x_layout.block_len());
        let mut y_block = pool.take(y_layout.block_len());
        let mut scratch = pool.take(block.shape.forward_len() * lanes);
        x_layout.gather(pool, x, &mut x_block);
        conv::forward(
            block.isa,
            block.shape,
            &x_block,
            (&factors, bias),
            (&mut kept, &mut scratch),
            &mut y_block,
        );
        y_layout.scatter(pool, &y_block, y);
        if keep {
            blocks.push((block, kept));
        }
    }
    // SAFETY: the blocks are all of the first numbers, and `scatter` has written each.
    unsafe { y.set_len(images * output) };
    (y, keep.then_some(Kept { factors, blocks }))
}

/// What [`backward`] needs of the pass forward.
pub(crate) struct Kept {
    factors: Buffer,
    blocks: Vec<(Block, Buffer)>,
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
    // What the whole batch adds, summed up before it is added to what is there.
    let mut sums = pool.take(shape.factors());
    sums.fill(0.0);
    let mut bias = vec![0.0; shape.outputs];
    let (mut dy, mut dx) = (dy, gradients.x);
    let factors = dx.is_some().then(|| {
        let mut factors = pool.take(shape.factors());
        conv::by_filter(isa, shape, &kept.factors, &mut factors);
        factors
    });
    for (block, kept) in &mut kept.blocks {
        let (x_layout, y_layout) = (block.inputs(&shape), block.outputs(&shape));
        let dy = dy.split_off(..block.images * output).unwrap_or_default();
        let dx = dx
            .as_mut()
            .and_then(|dx| dx.split_off_mut(..block.images * input));
        let mut dy_block = pool.take(y_layout.block_len());
        let mut dx_block = dx.is_some().then(|| pool.take(x_layout.block_len()));
        let mut scratch = pool.take(block.shape.backward_len() * block.isa.lanes());
        y_layout.gather(pool, dy, &mut dy_block);
        let to = Gradients {
            factors: &mut sums,
            bias: &mut bias,
            x: factors.as_deref().zip(dx_block.as_deref_mut()),
        };
        conv::backward(block.isa, block.shape, (kept, &mut scratch), &dy_block, to);
        if let (Some(block), Some(dx)) = (&dx_block, dx) {
            x_layout.scatter_add(pool, block, dx);
        }
    }
    conv::add_gradient(isa, pool, shape, &sums, gradients.weight);
    for (gradient, sum) in gradients.bias.iter_mut().zip(bias) {
        *gradient += sum;
    }
}

/// Images of a batch that are worked on at once.
struct Block {
    images: usize,
    isa: Isa,
    /// Of what lies in a lane, an image or a piece of one.
    shape: Shape,
}

impl Block {
    /// The blocks of so many images: each time the largest of which the images left fill more than half, or more than three
    /// quarters where shorter vectors can take whole images, too. In the last ones images may lie in pieces.
    fn all(isa: Isa, shape: Shape, images: usize) -> Vec<Self> {
        let short = isa.short();
        // The largest first.
        let kinds = [
            (isa, (1, 1)),
            (short, (1, 1)),
            (short, (2, 1)),
            (short, (2, 2)),
        ];
        let kinds = kinds.map(|(isa, (down, across))| {
            let shape = shape.piece((down, across))?;
            Some((isa.lanes() / (down * across), isa, shape))
        });
        let kinds = Vec::from_iter(kinds.into_iter().flatten());
        let mut blocks = Vec::new();
        let mut left = images;
        while left > 0 {
            let filled = |(most, ..): &&(usize, Isa, Shape)| {
                if *most > short.lanes() {
                    4 * left > 3 * most
                } else {
                    2 * left > *most
                }
            };
            let kind = kinds.iter().find(filled).or(kinds.last());
            let Some(&(most, isa, shape)) = kind else {
                break;
            };
            let images = left.min(most);
            left -= images;
            blocks.push(Self { images, isa, shape });
        }
        blocks
    }

    /// How the images lie in the lanes on their way into the layer `shape`.
    fn inputs(&self, shape: &Shape) -> Layout {
        Layout {
            isa: self.isa,
            channels: shape.inputs,
            whole: (shape.height, shape.width),
            piece: (self.shape.height, self.shape.width),
        }
    }

    /// How they lie on the way out.
    fn outputs(&self, shape: &Shape) -> Layout {
        Layout {
            isa: self.isa,
            channels: shape.outputs,
            whole: shape.pooled(),
            piece: self.shape.pooled(),
        }
    }
}
