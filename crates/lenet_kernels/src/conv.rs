//! A convolution layer on blocks of images.

mod transforms;

use crate::activation::{self, Activation};
use crate::buffer::{Buffer, LINE};
use crate::isa::Isa;
use crate::points::POINTS;
use crate::pool::{self, Pool, Pooling};
use crate::products::{AddDots, SumRows, Tiles};
use crate::simd::{Kernel, Simd};
use transforms::{for_kernel, GradientPoints, InputGradient, InputPoints, Outputs, WeightGradient, WeightPoints};

/// Filters whose outputs are computed at once, at most.
const FILTERS: usize = 6;
/// Filters whose weights' gradients are summed at once, at most.
const SUMMED: usize = 4;
/// Values of a tile of outputs or gradients at a point, so that those at all points stay in the nearest cache.
const STRIPE: usize = 12 * 16;

/// A convolution layer without padding, with stride 1, and what follows it: an activation, pooling, both or neither. It works
/// on blocks of images; the weights are `[output][input][row][column]`.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// The instruction set, which decides how many images a block has.
    pub isa: Isa,
    /// Channels of the input.
    pub inputs: usize,
    /// Height of the input.
    pub height: usize,
    /// Width of the input.
    pub width: usize,
    /// Filters, and maps of the output.
    pub outputs: usize,
    /// Side of a filter, 1 to 7.
    pub kernel: usize,
    /// The function that is applied to each value of the maps.
    pub activation: Option<Activation>,
    /// What windows of the maps become, and the side of a window, 2 to 4.
    pub pool: Option<(Pooling, usize)>,
}

/// Sizes that follow from a layer's.
#[derive(Clone, Copy)]
struct Sizes {
    /// Rows and columns of the maps before pooling, without those that fill no window.
    rows: usize,
    columns: usize,
    /// Rows of the input that these rows are made of.
    input_rows: usize,
    /// Outputs of a tile, and tiles of a row.
    tile: usize,
    tiles: usize,
    /// Side of a pooling window, or 1.
    window: usize,
    /// Values of a row at a point, of all tiles.
    row: usize,
    /// Values of all channels' rows at a point, and of all filters'.
    input_point: usize,
    output_point: usize,
}

impl Conv {
    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        let Sizes { rows, columns, window, .. } = self.sizes();
        self.outputs * (rows / window) * (columns / window)
    }

    /// Values of one image that [`Conv::backward`] needs beside input and output: the input at the points, and the
    /// maps before pooling.
    pub fn saved_len(&self) -> usize {
        let sizes = self.sizes();
        POINTS * sizes.input_point / self.isa.lanes() + self.maps_len()
    }

    /// Values that [`Conv::prepare`] makes of the weights, `[point][channel][filter row][filter]`.
    pub fn prepared_len(&self) -> usize {
        POINTS * self.inputs * self.kernel * self.outputs
    }

    /// Values of one image's maps before pooling, if there is pooling.
    fn maps_len(&self) -> usize {
        let Sizes { rows, columns, .. } = self.sizes();
        self.pool.map_or(0, |_| self.outputs * rows * columns)
    }

    fn weights(&self) -> usize {
        self.outputs * self.inputs * self.kernel * self.kernel
    }

    fn sizes(&self) -> Sizes {
        let window = self.pool.map_or(1, |(_, window)| window);
        let [rows, columns] =
            [self.height, self.width].map(|side| (side + 1).saturating_sub(self.kernel) / window * window);
        assert!((1..=7).contains(&self.kernel) && rows > 0 && columns > 0, "no layer has the shape of {self:?}");
        let (tile, input_rows) = (POINTS + 1 - self.kernel, rows + self.kernel - 1);
        let tiles = columns.div_ceil(tile);
        let row = tiles * self.isa.lanes();
        // Points that lie a power of two apart would share the same few places of a cache.
        let input_point = self.inputs * input_rows * row + LINE;
        let output_point = self.outputs * rows * row + LINE;
        Sizes { rows, columns, input_rows, tile, tiles, window, row, input_point, output_point }
    }

    /// Brings the weights into the form in which they are multiplied, once for all passes with the same weights.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        assert_eq!(weight.len(), self.weights(), "weights");
        assert_eq!(prepared.len(), self.prepared_len(), "prepared weights");
        let (conv, weight, to) = (*self, weight.as_ptr(), prepared.as_mut_ptr());
        // SAFETY: the slices have just been checked.
        unsafe { for_kernel!(self.kernel, K, _ => self.isa.run(WeightPoints::<K> { conv, weight, to })) };
    }

    /// Blocks of a pass, whose slices have the lengths that belong to the layer.
    fn blocks(&self, x: usize, y: usize, saved: usize, prepared: usize, bias: usize) -> usize {
        let lanes = self.isa.lanes();
        assert!(x.is_multiple_of(self.input_len() * lanes), "whole blocks of the input, not {x} values");
        let blocks = x / (self.input_len() * lanes);
        assert_eq!(y, blocks * self.output_len() * lanes, "values of the output");
        assert_eq!(saved, blocks * self.saved_len() * lanes, "saved values");
        assert_eq!(prepared, self.prepared_len(), "prepared weights");
        assert_eq!(bias, self.outputs, "biases");
        blocks
    }

    /// Writes the output `y` of the blocks `x`, and what is `saved` for [`Conv::backward`].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward(
        &self,
        x: &[f32],
        prepared: &[f32],
        bias: &[f32],
        y: &mut [f32],
        saved: &mut [f32],
        scratch: &mut Buffer,
    ) {
        let blocks = self.blocks(x.len(), y.len(), saved.len(), prepared.len(), bias.len());
        let sizes = self.sizes();
        let filters = FILTERS.min(self.outputs);
        let stripe = self.stripe(STRIPE);
        let point = filters * stripe * sizes.row + LINE;
        let products = scratch.resized(POINTS * point).as_mut_ptr();
        let lanes = self.isa.lanes();
        for block in 0..blocks {
            let saved = saved[block * self.saved_len() * lanes..].as_mut_ptr();
            let forward = Forward {
                conv: *self,
                sizes,
                stripe,
                point,
                x: x[block * self.input_len() * lanes..].as_ptr(),
                weights: prepared.as_ptr(),
                bias: bias.as_ptr(),
                values: saved,
                maps: saved.wrapping_add(POINTS * sizes.input_point),
                y: y[block * self.output_len() * lanes..].as_mut_ptr(),
                products,
            };
            // SAFETY: the slices have just been checked.
            unsafe { self.isa.run(forward) };
        }
    }

    /// Rows of a stripe: whole windows, so many that a map's stripe at a point has about `len` values.
    fn stripe(&self, len: usize) -> usize {
        let Sizes { rows, row, window, .. } = self.sizes();
        (len / row / window).max(1).min(rows / window) * window
    }

    /// From the gradient of the output, `dy`, to those of weights and biases, which it is added to, and of the input,
    /// which is written if it is wanted. What is `saved` is used up.
    ///
    /// # Panics
    /// If a slice has another length.
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        x: &[f32],
        y: &[f32],
        saved: &mut [f32],
        dy: &[f32],
        prepared: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
        dx: Option<&mut [f32]>,
        scratch: &mut Buffer,
    ) {
        let blocks = self.blocks(x.len(), y.len(), saved.len(), prepared.len(), db.len());
        assert_eq!(dy.len(), y.len(), "values of the output's gradient");
        assert_eq!(dw.len(), self.weights(), "weights");
        let dx = dx.map(|dx| {
            assert_eq!(dx.len(), x.len(), "values of the input's gradient");
            dx.as_mut_ptr()
        });
        let sizes = self.sizes();
        let stripe = self.stripe(2 * STRIPE);
        let filters = SUMMED.min(self.outputs);
        let lanes = self.isa.lanes();
        let sums = POINTS * filters * self.inputs * self.kernel * lanes;
        let weights = (filters * self.inputs * self.kernel * self.kernel).next_multiple_of(lanes) * lanes;
        let maps = (stripe * sizes.columns * lanes).next_multiple_of(LINE);
        // Gradients at the points: all of them where the input's gradient is made of them, else a stripe of some filters.
        let local = filters * stripe * sizes.row + LINE;
        let gradients = POINTS * if dx.is_some() { blocks * sizes.output_point } else { local };
        let scratch = scratch.resized(sums + weights + maps + gradients).as_mut_ptr();
        let backward = Backward {
            conv: *self,
            sizes,
            stripe,
            blocks,
            saved: saved.as_mut_ptr(),
            y: y.as_ptr(),
            dy: dy.as_ptr(),
            weights: prepared.as_ptr(),
            dw: dw.as_mut_ptr(),
            db: db.as_mut_ptr(),
            dx,
            sums: scratch,
            weight_sums: scratch.wrapping_add(sums),
            maps: scratch.wrapping_add(sums + weights),
            gradients: scratch.wrapping_add(sums + weights + maps),
            local,
        };
        // SAFETY: the slices have just been checked.
        unsafe { self.isa.run(backward) };
    }
}

struct Forward {
    conv: Conv,
    sizes: Sizes,
    stripe: usize,
    /// Values of a stripe of products at a point.
    point: usize,
    x: *const f32,
    weights: *const f32,
    bias: *const f32,
    values: *mut f32,
    maps: *mut f32,
    y: *mut f32,
    products: *mut f32,
}

impl Kernel for Forward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { conv, sizes, .. } = self;
        let mut done = 0;
        for y in (0..sizes.rows).step_by(self.stripe) {
            let rows = self.stripe.min(sizes.rows - y);
            let needed = y + rows + conv.kernel - 1;
            let input = InputPoints { conv, sizes, rows: (done, needed), x: self.x, to: self.values };
            S::call(input);
            done = needed;
            let mut filter = 0;
            for filters in Tiles::of(conv.outputs, FILTERS) {
                self.filters::<S>((filter, filters), (y, rows));
                filter += filters;
            }
        }
    }
}

impl Forward {
    /// A stripe of the maps of some filters.
    #[inline(always)]
    unsafe fn filters<S: Simd>(&self, (filter, filters): (usize, usize), (y, rows): (usize, usize)) {
        let Self { conv, sizes, point, .. } = *self;
        let (inputs, kernel, outputs) = (conv.inputs, conv.kernel, conv.outputs);
        S::call(SumRows {
            rows: filters,
            columns: rows * sizes.row,
            batch: POINTS,
            next: [inputs * kernel * outputs, sizes.input_point, point],
            terms: [inputs, kernel],
            a: self.weights.add(filter),
            a_row: 1,
            a_term: [kernel * outputs, outputs],
            b: self.values.add(y * sizes.row),
            b_term: [(sizes.input_rows * sizes.row) as isize, sizes.row as isize],
            to: self.products,
            to_row: self.stripe * sizes.row,
            add: false,
        });
        let map = sizes.rows * sizes.columns * S::LANES;
        let maps = if conv.pool.is_some() { self.maps } else { self.y };
        let pooled = sizes.rows / sizes.window * (sizes.columns / sizes.window) * S::LANES;
        for f in 0..filters {
            let to = maps.add((filter + f) * map + y * sizes.columns * S::LANES);
            let from = self.products.add(f * self.stripe * sizes.row).cast_const();
            let bias = *self.bias.add(filter + f);
            let activation = conv.activation;
            for_kernel!(conv.kernel, _, N => S::call(Outputs::<N> { sizes, rows, from, point, bias, activation, to }));
            if let Some((kind, window)) = conv.pool {
                let pool = Pool { isa: conv.isa, kind, window, channels: 1, height: rows, width: sizes.columns };
                let to = self.y.add((filter + f) * pooled + y / window * (sizes.columns / window) * S::LANES);
                S::call(pool::Forward {
                    pool,
                    maps: 1,
                    x: maps.add((filter + f) * map + y * sizes.columns * S::LANES),
                    y: to,
                });
            }
        }
    }
}

struct Backward {
    conv: Conv,
    sizes: Sizes,
    stripe: usize,
    blocks: usize,
    saved: *mut f32,
    y: *const f32,
    dy: *const f32,
    weights: *const f32,
    dw: *mut f32,
    db: *mut f32,
    dx: Option<*mut f32>,
    sums: *mut f32,
    weight_sums: *mut f32,
    maps: *mut f32,
    gradients: *mut f32,
    local: usize,
}

impl Kernel for Backward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut filter = 0;
        for filters in Tiles::of(self.conv.outputs, SUMMED) {
            self.filters::<S>((filter, filters));
            filter += filters;
        }
        if let Some(dx) = self.dx {
            for block in 0..self.blocks {
                self.input::<S>(block, dx);
            }
        }
    }
}

impl Backward {
    /// The gradients of the biases and weights of some filters.
    #[inline(always)]
    unsafe fn filters<S: Simd>(&self, (filter, filters): (usize, usize)) {
        let Self { conv, sizes, .. } = *self;
        let (inputs, kernel) = (conv.inputs, conv.kernel);
        let sums = filters * inputs * kernel * S::LANES;
        std::ptr::write_bytes(self.sums, 0, POINTS * sums);
        for block in 0..self.blocks {
            let values = self.saved.add(block * conv.saved_len() * S::LANES);
            for y in (0..sizes.rows).step_by(self.stripe) {
                let rows = self.stripe.min(sizes.rows - y);
                let (gradients, point, map) = match self.dx {
                    Some(_) => {
                        let at = block * POINTS * sizes.output_point + (filter * sizes.rows + y) * sizes.row;
                        (self.gradients.add(at), sizes.output_point, sizes.rows * sizes.row)
                    }
                    None => (self.gradients, self.local, self.stripe * sizes.row),
                };
                for f in 0..filters {
                    self.gradient_at_points::<S>(block, filter + f, (y, rows), gradients.add(f * map), point);
                }
                S::call(AddDots {
                    rows: filters,
                    columns: [inputs, kernel],
                    batch: POINTS,
                    next: [point, sizes.input_point, sums],
                    len: rows * sizes.tiles,
                    a: gradients,
                    a_row: map,
                    b: values.add(y * sizes.row),
                    b_column: [sizes.input_rows * sizes.row, sizes.row],
                    to: self.sums,
                });
            }
        }
        let rows = filters * inputs * kernel;
        let (from, sums) = (self.sums.cast_const(), self.weight_sums);
        let to = self.dw.add(filter * inputs * kernel * kernel);
        for_kernel!(kernel, K, _ => S::call(WeightGradient::<K> { rows, from, sums, to }));
    }

    /// From the gradient of a filter's stripe of the output to that of the convolution, at the points.
    #[inline(always)]
    unsafe fn gradient_at_points<S: Simd>(
        &self,
        block: usize,
        filter: usize,
        (y, rows): (usize, usize),
        to: *mut f32,
        point: usize,
    ) {
        let Self { conv, sizes, .. } = *self;
        let (map, at) = (sizes.rows * sizes.columns, y * sizes.columns * S::LANES);
        let len = rows * sizes.columns * S::LANES;
        let pooled = sizes.rows / sizes.window * (sizes.columns / sizes.window);
        let dy = self.dy.add((block * conv.outputs + filter) * pooled * S::LANES);
        let maps = if conv.pool.is_some() {
            let saved = self.saved.add(block * conv.saved_len() * S::LANES + POINTS * sizes.input_point);
            saved.add(filter * map * S::LANES + at).cast_const()
        } else {
            self.y.add((block * conv.outputs + filter) * map * S::LANES + at)
        };
        if let Some((kind, window)) = conv.pool {
            let pool = Pool { isa: conv.isa, kind, window, channels: 1, height: rows, width: sizes.columns };
            let dy = dy.add(y / window * (sizes.columns / window) * S::LANES);
            S::call(pool::Backward { pool, activation: conv.activation, maps: 1, x: maps, dy, dx: self.maps });
        } else {
            let dy = dy.add(at);
            S::call(activation::Backward { activation: conv.activation, y: maps, dy, to: self.maps, len });
        }
        let (from, bias) = (self.maps.cast_const(), self.db.add(filter));
        for_kernel!(conv.kernel, _, N => S::call(GradientPoints::<N> { sizes, rows, from, to, point, bias }));
    }

    /// The gradient of the input of a block.
    #[inline(always)]
    unsafe fn input<S: Simd>(&self, block: usize, dx: *mut f32) {
        let Self { conv, sizes, .. } = *self;
        let (inputs, kernel, outputs) = (conv.inputs, conv.kernel, conv.outputs);
        let values = self.saved.add(block * conv.saved_len() * S::LANES);
        for y in 0..sizes.input_rows {
            // Rows of the filters that reach this row of the input from a row of the output.
            let first = (y + 1).saturating_sub(sizes.rows);
            let last = y.min(kernel - 1);
            S::call(SumRows {
                rows: inputs,
                columns: sizes.row,
                batch: POINTS,
                next: [inputs * kernel * outputs, sizes.output_point, sizes.input_point],
                terms: [outputs, last + 1 - first],
                a: self.weights.add(first * outputs),
                a_row: kernel * outputs,
                a_term: [1, outputs],
                b: self.gradients.add(block * POINTS * sizes.output_point + (y - first) * sizes.row),
                b_term: [(sizes.rows * sizes.row) as isize, -(sizes.row as isize)],
                to: values.add(y * sizes.row),
                to_row: sizes.input_rows * sizes.row,
                add: false,
            });
        }
        let to = dx.add(block * conv.input_len() * S::LANES);
        S::call(InputGradient { conv, sizes, from: values, to });
    }
}

#[cfg(test)]
mod tests;
