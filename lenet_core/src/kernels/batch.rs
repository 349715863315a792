//! A whole batch through the convolution kernels: cut into blocks of images, shared among threads,
//! and put together again.
//!
//! Where a batch has fewer blocks than there are threads, a block's filters and channels are shared,
//! too. No number depends on that: each is summed by one thread, in an order that depends on the
//! batch's size and the instruction set only, and partial sums are added in a fixed order.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::OnceLock;

use super::buffer::{Buffer, Pool};
use super::conv::{self, Gradients, ParameterGradients, Shape};
use super::isa::Isa;
use super::transpose::{gather, scatter};
use crate::threads::{parts, share};

/// Into how many groups of blocks the sums over images are cut at most: enough to keep as many
/// threads busy, few enough that adding the groups up costs nothing.
const GROUPS: usize = 16;
/// Filters or channels that are worth a thread of their own.
const WORTH_SHARING: usize = 3;

/// Some filters of a layer, which make a layer of their own.
struct Part<'a> {
    filters: Range<usize>,
    shape: Shape,
    weight: Cow<'a, [f32]>,
    factors: OnceLock<Buffer>,
}

impl<'a> Part<'a> {
    fn new(shape: Shape, weight: &'a [f32], filters: Range<usize>) -> Self {
        let per_filter = shape.weights() / shape.outputs;
        Self {
            shape: Shape {
                outputs: filters.len(),
                ..shape
            },
            weight: weight[filters.start * per_filter..filters.end * per_filter].into(),
            filters,
            factors: OnceLock::new(),
        }
    }

    /// Some channels of a layer, which make a layer of their own for the input's gradient.
    fn of_channels(shape: Shape, weight: &[f32], channels: Range<usize>) -> Self {
        let taps = shape.kernel * shape.kernel;
        let chosen = channels.start * taps..channels.end * taps;
        let filters = weight.chunks_exact(shape.inputs * taps);
        Self {
            filters: 0..shape.outputs,
            shape: Shape {
                inputs: channels.len(),
                ..shape
            },
            weight: filters
                .flat_map(|filter| &filter[chosen.clone()])
                .copied()
                .collect(),
            factors: OnceLock::new(),
        }
    }

    /// What the kernels multiply with, made by the thread that needs it first.
    fn factors(&self, pool: &Pool) -> &[f32] {
        self.factors.get_or_init(|| {
            let mut factors = pool.take(self.shape.factors());
            conv::factors(self.shape, &self.weight, &mut factors);
            factors
        })
    }

    /// Numbers that are summed for the part's gradients.
    fn sums(&self) -> usize {
        self.shape.factors() + self.shape.outputs
    }
}

/// Cuts `count` filters or channels of each of `blocks` so that every thread has about as much to do.
/// More blocks than groups stay whole: a group of several is summed by one thread.
fn cut(count: usize, blocks: usize) -> Vec<Range<usize>> {
    let wanted = if blocks > GROUPS { 1 } else { parts(blocks) };
    let parts = wanted.min(count / WORTH_SHARING).max(1);
    let at = |part: usize| part * count / parts;
    (0..parts).map(|part| at(part)..at(part + 1)).collect()
}

/// Cuts a slice into the places of `ranges`, each with `unit` numbers for one of the range.
fn split<'a, T>(mut slice: &'a mut [T], ranges: &[Range<usize>], unit: usize) -> Vec<&'a mut [T]> {
    let mut places = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (place, rest) = slice.split_at_mut(range.len() * unit);
        places.push(place);
        slice = rest;
    }
    places
}

/// Convolution, tanh and pooling of the batch `x`. Returns the pooled maps, and the activations that
/// [`backward`] needs if `keep` is set.
pub(crate) fn forward(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    x: &[f32],
    (weight, bias): (&[f32], &[f32]),
    keep: bool,
) -> (Vec<f32>, Option<Buffer>) {
    let lanes = isa.lanes();
    let (input, output) = (shape.input_len(), shape.output_len());
    let blocks = (x.len() / input).div_ceil(lanes);
    let per_block = shape.activations() * lanes;
    let ranges = cut(shape.outputs, blocks);
    let part = |filters: &Range<usize>| Part::new(shape, weight, filters.clone());
    let parts: Vec<Part<'_>> = ranges.iter().map(part).collect();

    let mut kept = keep.then(|| pool.take(blocks * per_block));
    let kept_blocks: Vec<Option<&mut [f32]>> = match &mut kept {
        Some(kept) => {
            let blocks = kept.chunks_exact_mut(per_block);
            blocks
                .flat_map(|block| split(block, &ranges, per_block / shape.outputs))
                .map(Some)
                .collect()
        }
        None => (0..blocks * parts.len()).map(|_| None).collect(),
    };
    // Each thread is the first to touch the maps that it makes: filling them with zeros here would
    // bring them into this thread's cache.
    let len = x.len() / input * output;
    let mut y = Vec::with_capacity(len);
    let mut y_blocks = (parts.len() > 1).then(|| pool.take(blocks * output * lanes));
    let images = y.spare_capacity_mut()[..len].chunks_mut(output * lanes);
    let places: Vec<Place<'_>> = match &mut y_blocks {
        Some(y_blocks) => {
            let blocks = y_blocks.chunks_exact_mut(output * lanes);
            blocks
                .flat_map(|block| split(block, &ranges, output * lanes / shape.outputs))
                .map(Place::Block)
                .collect()
        }
        None => images.map(Place::Images).collect(),
    };
    let x_blocks = x
        .chunks(input * lanes)
        .flat_map(|x| parts.iter().map(move |part| (x, part)));
    let items = x_blocks.zip(places).zip(kept_blocks);
    share(items, |(((x, part), place), kept)| {
        let mut x_block = pool.take(input * lanes);
        let mut scratch = pool.take(part.shape.forward_len() * lanes);
        let mut spare = kept
            .is_none()
            .then(|| pool.take(part.shape.activations() * lanes));
        let activations = kept.or(spare.as_deref_mut()).unwrap_or_default();
        gather(isa, x, (input, 0..input), &mut x_block);
        let parameters = (part.factors(pool), &bias[part.filters.clone()]);
        let working = (activations, &mut *scratch);
        match place {
            Place::Block(y) => conv::forward(isa, part.shape, &x_block, parameters, working, y),
            Place::Images(y) => {
                let mut y_block = pool.take(output * lanes);
                conv::forward(isa, part.shape, &x_block, parameters, working, &mut y_block);
                scatter(isa, &y_block, output, y);
            }
        }
    });
    if let Some(y_blocks) = &y_blocks {
        let images = y.spare_capacity_mut()[..len].chunks_mut(output * lanes);
        let blocks = y_blocks.chunks_exact(output * lanes).zip(images);
        share(blocks, |(block, images)| {
            scatter(isa, block, output, images)
        });
    }
    // SAFETY: the blocks are all of the first `len` numbers, and `scatter` has written each.
    unsafe { y.set_len(len) };
    (y, kept)
}

/// Where pooled maps go: for some filters of a block images side by side, or image by image for all.
enum Place<'a> {
    Block(&'a mut [f32]),
    Images(&'a mut [MaybeUninit<f32>]),
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

/// What the gradients of a batch are computed from.
struct BackwardPass<'a> {
    isa: Isa,
    pool: &'a Pool,
    shape: Shape,
    x: &'a [f32],
    activations: &'a [f32],
    dy: &'a [f32],
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
    let pass = BackwardPass {
        isa,
        pool,
        shape,
        x,
        activations,
        dy,
    };
    let ranges = cut(shape.outputs, pass.blocks());
    if ranges.len() == 1 {
        pass.in_groups(weight, gradients);
    } else {
        pass.in_parts(weight, &ranges, gradients);
    }
}

impl BackwardPass<'_> {
    fn blocks(&self) -> usize {
        (self.x.len() / self.shape.input_len()).div_ceil(self.isa.lanes())
    }

    /// Every thread takes whole blocks.
    fn in_groups(&self, weight: &[f32], gradients: BatchGradients<'_>) {
        let Self { pool, shape, .. } = *self;
        let (lanes, input, blocks) = (self.isa.lanes(), shape.input_len(), self.blocks());
        let images = lanes * blocks.div_ceil(GROUPS);
        let part = Part::new(shape, weight, 0..shape.outputs);
        let sums = shape.factors() + shape.outputs;

        let x_gradients: Vec<Option<&mut [f32]>> = match gradients.x {
            Some(dx) => dx.chunks_mut(images * input).map(Some).collect(),
            None => self.x.chunks(images * input).map(|_| None).collect(),
        };
        let mut partial = pool.take(x_gradients.len() * sums);
        let groups = (0..)
            .step_by(images)
            .zip(x_gradients)
            .zip(partial.chunks_exact_mut(sums));
        share(groups, |((first, mut dx), partial)| {
            partial.fill(0.0);
            let (factors, bias) = partial.split_at_mut(shape.factors());
            let mut dx_block = dx.is_some().then(|| pool.take(input * lanes));
            let end = (first + images).min(self.x.len() / input);
            for at in (first..end).step_by(lanes) {
                let parameters = ParameterGradients { factors, bias };
                let whole = (&part, 0..shape.outputs);
                self.block(at, whole, Some(parameters), dx_block.as_deref_mut());
                if let (Some(dx), Some(dx_block)) = (&mut dx, &dx_block) {
                    let len = lanes.min(end - at) * input;
                    self.add_block(dx_block, &mut dx[(at - first) * input..][..len]);
                }
            }
        });
        self.add_sums(&mut partial, &[part], gradients.weight, gradients.bias);
    }

    /// Several threads share a block: some its filters, for the gradients of weights and biases, the
    /// others its channels, for the input's.
    fn in_parts(&self, weight: &[f32], ranges: &[Range<usize>], gradients: BatchGradients<'_>) {
        let Self { pool, shape, .. } = *self;
        let (lanes, input, blocks) = (self.isa.lanes(), shape.input_len(), self.blocks());
        let part = |filters: &Range<usize>| Part::new(shape, weight, filters.clone());
        let parts: Vec<Part<'_>> = ranges.iter().map(part).collect();
        let sums: usize = parts.iter().map(Part::sums).sum();
        let mut partial = pool.take(blocks * sums);
        let mut items = Vec::new();
        for (block, mut partial) in partial.chunks_exact_mut(sums).enumerate() {
            for part in &parts {
                let (sums, rest) = partial.split_at_mut(part.sums());
                partial = rest;
                items.push((block * lanes, part, Side::Parameters(sums)));
            }
        }
        let channels = cut(shape.inputs, blocks);
        let channel_parts: Vec<Part<'_>> = match gradients.x {
            Some(_) => channels
                .iter()
                .map(|channels| Part::of_channels(shape, weight, channels.clone()))
                .collect(),
            None => Vec::new(),
        };
        let mut dx_blocks = gradients
            .x
            .is_some()
            .then(|| pool.take(blocks * input * lanes));
        if let Some(dx_blocks) = &mut dx_blocks {
            for (block, dx) in dx_blocks.chunks_exact_mut(input * lanes).enumerate() {
                let places = split(dx, &channels, input * lanes / shape.inputs);
                for (part, dx) in channel_parts.iter().zip(places) {
                    items.push((block * lanes, part, Side::Input(dx)));
                }
            }
        }
        share(items, |(at, part, side)| match side {
            Side::Parameters(sums) => {
                sums.fill(0.0);
                let (factors, bias) = sums.split_at_mut(part.shape.factors());
                let parameters = ParameterGradients { factors, bias };
                self.block(at, (part, part.filters.clone()), Some(parameters), None);
            }
            Side::Input(dx) => self.block(at, (part, 0..shape.outputs), None, Some(dx)),
        });
        if let (Some(dx), Some(dx_blocks)) = (gradients.x, &dx_blocks) {
            let blocks = dx.chunks_mut(input * lanes);
            share(
                blocks.zip(dx_blocks.chunks_exact(input * lanes)),
                |(dx, block)| self.add_block(block, dx),
            );
        }
        self.add_sums(&mut partial, &parts, gradients.weight, gradients.bias);
    }

    /// The gradients of the part's layer on the block that begins with image `at`; `filters` are those
    /// whose maps the part has.
    fn block(
        &self,
        at: usize,
        (part, filters): (&Part<'_>, Range<usize>),
        parameters: Option<ParameterGradients<'_>>,
        dx: Option<&mut [f32]>,
    ) {
        let Self {
            isa, pool, shape, ..
        } = *self;
        let lanes = isa.lanes();
        let (input, output) = (shape.input_len(), shape.output_len());
        let end = (at + lanes).min(self.x.len() / input);
        let per_filter = output / shape.outputs;
        let maps = filters.start * per_filter..filters.end * per_filter;
        let mut x_block = parameters.is_some().then(|| pool.take(input * lanes));
        if let Some(x_block) = &mut x_block {
            gather(
                isa,
                &self.x[at * input..end * input],
                (input, 0..input),
                x_block,
            );
        }
        let mut dy_block = pool.take(maps.len() * lanes);
        let dy = &self.dy[at * output..end * output];
        gather(isa, dy, (output, maps.clone()), &mut dy_block);
        // Blocks are whole among the activations, and have four for each pooled number.
        let first = 4 * lanes * (at / lanes * output + maps.start);
        let gradients = Gradients {
            parameters,
            x: dx,
            scratch: &mut pool.take(part.shape.backward_len() * lanes),
        };
        conv::backward(
            isa,
            part.shape,
            x_block.as_deref().unwrap_or_default(),
            part.factors(pool),
            &self.activations[first..][..4 * lanes * maps.len()],
            &dy_block,
            gradients,
        );
    }

    /// Adds a block's input gradient to that of its images.
    fn add_block(&self, block: &[f32], dx: &mut [f32]) {
        let mut images = self.pool.take(dx.len());
        scatter(
            self.isa,
            block,
            self.shape.input_len(),
            as_uninit(&mut images),
        );
        add(dx, &images);
    }

    /// Adds up what blocks or groups of them have summed for all parts, one after the other.
    fn add_sums(
        &self,
        partial: &mut [f32],
        parts: &[Part<'_>],
        weight: &mut [f32],
        bias: &mut [f32],
    ) {
        let sums = parts.iter().map(Part::sums).sum();
        let mut partials = partial.chunks_exact_mut(sums);
        let Some(mut total) = partials.next() else {
            return;
        };
        for partial in partials {
            add(total, partial);
        }
        let per_filter = self.shape.weights() / self.shape.outputs;
        for part in parts {
            let (sums, rest) = total.split_at_mut(part.sums());
            total = rest;
            let (factors, biases) = sums.split_at(part.shape.factors());
            let filters = part.filters.start * per_filter..part.filters.end * per_filter;
            conv::add_gradient(part.shape, factors, &mut weight[filters]);
            add(&mut bias[part.filters.clone()], biases);
        }
    }
}

/// Which gradients a thread works on, and where they go.
enum Side<'a> {
    Parameters(&'a mut [f32]),
    Input(&'a mut [f32]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::numbers;

    /// Output and gradients of a batch, computed by so many threads.
    fn results(isa: Isa, shape: Shape, images: usize, threads: usize) -> [Vec<f32>; 4] {
        let rayon = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let rayon = rayon.build().expect("threads can be started");
        rayon.install(|| {
            let pool = Pool::default();
            let x = numbers(images * shape.input_len());
            let dy = numbers(images * shape.output_len());
            let (weight, bias) = (numbers(shape.weights()), numbers(shape.outputs));
            let (y, kept) = forward(isa, &pool, shape, &x, (&weight, &bias), true);
            let [mut dw, mut db, mut dx] = [&weight, &bias, &x].map(|like| vec![0.0; like.len()]);
            let gradients = BatchGradients {
                weight: &mut dw,
                bias: &mut db,
                x: Some(&mut dx),
            };
            let kept = kept.expect("activations are kept");
            backward(isa, &pool, shape, (&x, &weight, &kept), &dy, gradients);
            [y, dw, db, dx]
        })
    }

    #[test]
    fn no_bit_depends_on_the_number_of_threads() {
        let c3 = Shape {
            inputs: 6,
            outputs: 16,
            kernel: 5,
            height: 12,
            width: 12,
            bending: true,
        };
        let odd = Shape {
            inputs: 7,
            outputs: 9,
            kernel: 3,
            height: 7,
            width: 9,
            bending: true,
        };
        for isa in Isa::available() {
            for (shape, images) in [(c3, 1), (c3, 16), (c3, 40), (odd, 20), (c3, 300)] {
                let expected = results(isa, shape, images, 1);
                for threads in [2, 3, 5, 8] {
                    let got = results(isa, shape, images, threads);
                    assert!(
                        got == expected,
                        "{isa:?}, {images} images, {threads} threads"
                    );
                }
            }
        }
    }
}
