//! A convolution layer on blocks of images.

mod transforms;

use crate::activation::Activation;
use crate::buffer::{Buffer, LINE};
use crate::isa::Isa;
use crate::points::POINTS;
use crate::pool::{self, Pool, Pooling};
use crate::products::{Dots, SumRows, Tiles};
use crate::simd::{Kernel, Simd};
use transforms::{for_kernel, GradientPoints, InputGradient, InputPoints, Outputs, WeightGradient, WeightPoints};

/// Filters whose outputs are computed at once, at most.
const FILTERS: usize = 6;
/// Filters whose weights' gradients are summed at once, at most.
const SUMMED: usize = 4;
/// Values of a stripe of a map at a point, so that those of some filters at all points stay in the nearest caches: of
/// products, and of gradients.
const PRODUCTS: usize = 192;
const GRADIENTS: usize = 1280;

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

/// A layer, and the sizes that follow from its own.
struct Plan {
    conv: Conv,
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
    lanes: usize,
    /// Values of a row at a point, of all tiles.
    row: usize,
    /// Values of a point of the input, of all channels' rows, and of the output's gradient, of all filters' rows. They are
    /// no power of two: points that lie a power of two apart would share the same few places of a cache.
    input_point: usize,
    output_point: usize,
    /// Values of a block: of the input, of a map before and after pooling, and saved.
    input: usize,
    map: usize,
    pooled: usize,
    saved: usize,
}

impl Conv {
    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        self.outputs * self.plan().pooled / self.isa.lanes()
    }

    /// Values of one image that [`Conv::backward`] needs beside input and output: the input at the points, and the maps
    /// before pooling.
    pub fn saved_len(&self) -> usize {
        self.plan().saved / self.isa.lanes()
    }

    /// Values that [`Conv::prepare`] makes of the weights, `[point][channel][filter row][filter]`.
    pub fn prepared_len(&self) -> usize {
        POINTS * self.inputs * self.kernel * self.outputs
    }

    fn weights(&self) -> usize {
        self.outputs * self.inputs * self.kernel * self.kernel
    }

    fn plan(&self) -> Plan {
        let (window, lanes) = (self.pool.map_or(1, |(_, window)| window), self.isa.lanes());
        let [rows, columns] =
            [self.height, self.width].map(|side| (side + 1).saturating_sub(self.kernel) / window * window);
        let fits = (1..=7).contains(&self.kernel) && (1..=4).contains(&window) && rows > 0 && columns > 0;
        assert!(fits && self.inputs > 0 && self.outputs > 0, "no layer has the shape of {self:?}");
        let (tile, input_rows) = (POINTS + 1 - self.kernel, rows + self.kernel - 1);
        let tiles = columns.div_ceil(tile);
        let (row, map) = (tiles * lanes, rows * columns * lanes);
        let input_point = self.inputs * input_rows * row + LINE;
        Plan {
            conv: *self,
            rows,
            columns,
            input_rows,
            tile,
            tiles,
            window,
            lanes,
            row,
            input_point,
            output_point: self.outputs * rows * row + LINE,
            input: self.input_len() * lanes,
            map,
            pooled: map / (window * window),
            saved: POINTS * input_point + self.pool.map_or(0, |_| self.outputs * map),
        }
    }

    /// Brings the weights into the form in which they are multiplied, once for all passes with the same weights.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        assert_eq!(weight.len(), self.weights(), "weights");
        assert_eq!(prepared.len(), self.prepared_len(), "prepared weights");
        let (plan, weight, to) = (&self.plan(), weight.as_ptr(), prepared.as_mut_ptr());
        // SAFETY: the slices have just been checked.
        unsafe { for_kernel!(self.kernel, K, _ => self.isa.run(&WeightPoints::<K> { plan, weight, to })) };
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
        let plan = &self.plan();
        plan.check(x.len(), y.len(), saved.len(), prepared.len(), bias.len());
        let stripe = plan.stripe(PRODUCTS);
        let point = FILTERS.min(self.outputs) * stripe * plan.row + LINE;
        let products = scratch.resized(POINTS * point).as_mut_ptr();
        let blocks =
            x.chunks(plan.input).zip(y.chunks_mut(self.outputs * plan.pooled)).zip(saved.chunks_mut(plan.saved));
        for ((x, y), saved) in blocks {
            let (values, maps) = saved.split_at_mut(POINTS * plan.input_point);
            let forward = Forward {
                plan,
                stripe,
                point,
                x: x.as_ptr(),
                weights: prepared.as_ptr(),
                bias,
                values: values.as_mut_ptr(),
                maps: if self.pool.is_some() { maps.as_mut_ptr() } else { y.as_mut_ptr() },
                y: y.as_mut_ptr(),
                products,
            };
            // SAFETY: the slices have just been checked.
            unsafe { self.isa.run(&forward) };
        }
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
        let plan = &self.plan();
        let blocks = plan.check(x.len(), y.len(), saved.len(), prepared.len(), db.len());
        assert_eq!(dy.len(), y.len(), "values of the output's gradient");
        assert_eq!(dw.len(), self.weights(), "weights");
        let dx = dx.map(|dx| {
            assert_eq!(dx.len(), x.len(), "values of the input's gradient");
            dx.as_mut_ptr()
        });
        let (filters, rows) = (SUMMED.min(self.outputs), self.inputs * self.kernel);
        let stripe = plan.stripe(GRADIENTS);
        let at_once = if stripe == plan.rows { (GRADIENTS / (stripe * plan.row)).clamp(1, blocks.max(1)) } else { 1 };
        // The gradient at the points: all of it where the input's gradient is made of it, else a stripe of some filters.
        let (filter, point) = match dx {
            Some(_) => (plan.rows * plan.row, plan.output_point),
            None => (stripe * plan.row, filters * stripe * plan.row + LINE),
        };
        let sums = POINTS * filters * rows * plan.lanes;
        let vectors = self.kernel * plan.lanes * plan.lanes;
        let map = (stripe * plan.columns * plan.lanes).next_multiple_of(LINE);
        let gradients = POINTS * point * if dx.is_some() { blocks } else { at_once };
        let scratch = scratch.resized(sums + vectors + map + gradients).as_mut_ptr();
        let backward = Backward {
            plan,
            stripe,
            blocks,
            at_once,
            saved: saved.as_mut_ptr(),
            y: y.as_ptr(),
            dy: dy.as_ptr(),
            weights: prepared.as_ptr(),
            dw: dw.as_mut_ptr(),
            db: db.as_mut_ptr(),
            dx,
            sums: scratch,
            vectors: scratch.wrapping_add(sums),
            map: scratch.wrapping_add(sums + vectors),
            gradients: scratch.wrapping_add(sums + vectors + map),
            filter,
            point,
        };
        // SAFETY: the slices have just been checked.
        unsafe { self.isa.run(&backward) };
    }
}

impl Plan {
    /// Checks the lengths of a pass' slices; the number of its blocks.
    fn check(&self, x: usize, y: usize, saved: usize, prepared: usize, bias: usize) -> usize {
        assert!(x.is_multiple_of(self.input), "whole blocks of the input, not {x} values");
        let blocks = x / self.input;
        assert_eq!(y, blocks * self.conv.outputs * self.pooled, "values of the output");
        assert_eq!(saved, blocks * self.saved, "saved values");
        assert_eq!(prepared, self.conv.prepared_len(), "prepared weights");
        assert_eq!(bias, self.conv.outputs, "biases");
        blocks
    }

    /// Rows of a stripe: whole windows, so many that a map's stripe at a point has about `len` values.
    fn stripe(&self, len: usize) -> usize {
        (len / self.row / self.window).max(1).min(self.rows / self.window) * self.window
    }

    /// A layer that pools some rows of a map.
    fn pool(&self, (kind, window): (Pooling, usize), height: usize) -> Pool {
        Pool { isa: self.conv.isa, kind, window, channels: 1, height, width: self.columns }
    }
}

struct Forward<'a> {
    plan: &'a Plan,
    stripe: usize,
    /// Values of a stripe of products at a point.
    point: usize,
    x: *const f32,
    weights: *const f32,
    bias: &'a [f32],
    values: *mut f32,
    maps: *mut f32,
    y: *mut f32,
    products: *mut f32,
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let plan = self.plan;
        let mut done = 0;
        for y in (0..plan.rows).step_by(self.stripe) {
            let rows = self.stripe.min(plan.rows - y);
            let needed = y + rows + plan.conv.kernel - 1;
            S::call(&InputPoints { plan, rows: (done, needed), x: self.x, to: self.values });
            done = needed;
            let mut filter = 0;
            for filters in Tiles::of(plan.conv.outputs, FILTERS) {
                self.filters::<S>((filter, filters), (y, rows));
                filter += filters;
            }
        }
    }
}

impl Forward<'_> {
    /// A stripe of the maps of some filters.
    #[inline(always)]
    unsafe fn filters<S: Simd>(&self, (filter, filters): (usize, usize), (y, rows): (usize, usize)) {
        let Self { plan, point, stripe, .. } = *self;
        let Conv { inputs, kernel, outputs, activation, .. } = plan.conv;
        S::call(&SumRows {
            rows: filters,
            columns: rows * plan.row,
            batch: POINTS,
            next: [inputs * kernel * outputs, plan.input_point, point],
            terms: [inputs, kernel],
            a: self.weights.add(filter),
            a_row: 1,
            a_term: [kernel * outputs, outputs],
            b: self.values.add(y * plan.row),
            b_term: [(plan.input_rows * plan.row) as isize, plan.row as isize],
            to: self.products,
            to_row: stripe * plan.row,
            add: false,
        });
        for f in 0..filters {
            let to = self.maps.add((filter + f) * plan.map + y * plan.columns * S::LANES);
            let (from, bias) = (self.products.add(f * stripe * plan.row).cast_const(), self.bias[filter + f]);
            for_kernel!(kernel, _, N => S::call(&Outputs::<N> { plan, rows, from, point, bias, activation, to }));
            if let Some(pool) = plan.conv.pool {
                let at = y / plan.window * (plan.columns / plan.window) * S::LANES;
                let y = self.y.add((filter + f) * plan.pooled + at);
                S::call(&pool::Forward { pool: plan.pool(pool, rows), maps: 1, x: to, y });
            }
        }
    }
}

struct Backward<'a> {
    plan: &'a Plan,
    stripe: usize,
    blocks: usize,
    /// Blocks whose gradients at the points are made and summed at once.
    at_once: usize,
    saved: *mut f32,
    y: *const f32,
    dy: *const f32,
    weights: *const f32,
    dw: *mut f32,
    db: *mut f32,
    dx: Option<*mut f32>,
    sums: *mut f32,
    vectors: *mut f32,
    map: *mut f32,
    gradients: *mut f32,
    /// How far it is from a filter's gradient at a point to the next filter's, and to the next point's.
    filter: usize,
    point: usize,
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let mut filter = 0;
        for filters in Tiles::of(self.plan.conv.outputs, Dots::rows_at_once::<S>()) {
            self.filters::<S>((filter, filters));
            filter += filters;
        }
        if let Some(dx) = self.dx {
            for block in 0..self.blocks {
                self.input::<S>(block, dx.add(block * self.plan.input));
            }
        }
    }
}

impl Backward<'_> {
    /// The gradients of the biases and weights of some filters.
    #[inline(always)]
    unsafe fn filters<S: Simd>(&self, (filter, filters): (usize, usize)) {
        let Self { plan, point, .. } = *self;
        let Conv { inputs, kernel, .. } = plan.conv;
        let rows = filters * inputs * kernel;
        let mut add = false;
        for block in (0..self.blocks).step_by(self.at_once) {
            let blocks = self.at_once.min(self.blocks - block);
            for y in (0..plan.rows).step_by(self.stripe) {
                let stripe = self.stripe.min(plan.rows - y);
                let gradients = self.gradients.add(match self.dx {
                    Some(_) => block * POINTS * point + filter * self.filter + y * plan.row,
                    None => 0,
                });
                for (at, f) in (0..blocks * filters).map(|i| (i / filters, i % filters)) {
                    let to = gradients.add(at * POINTS * point + f * self.filter);
                    self.gradient_at_points::<S>(block + at, filter + f, (y, stripe), to);
                }
                S::call(&Dots {
                    rows: filters,
                    columns: [inputs, kernel],
                    batch: POINTS,
                    next: [point, plan.input_point, rows * S::LANES],
                    runs: blocks,
                    len: stripe * plan.tiles,
                    a: gradients,
                    a_row: self.filter,
                    a_run: POINTS * point,
                    b: self.saved.add(block * plan.saved + y * plan.row),
                    b_column: [plan.input_rows * plan.row, plan.row],
                    b_run: plan.saved,
                    to: self.sums,
                    add,
                });
                add = true;
            }
        }
        let (from, vectors) = (self.sums.cast_const(), self.vectors);
        let to = self.dw.add(filter * inputs * kernel * kernel);
        for_kernel!(kernel, K, _ => S::call(&WeightGradient::<K> { rows, from, vectors, to }));
    }

    /// From the gradient of a filter's stripe of the output to that of the convolution, at the points.
    #[inline(always)]
    unsafe fn gradient_at_points<S: Simd>(&self, block: usize, filter: usize, (y, rows): (usize, usize), to: *mut f32) {
        let Self { plan, point, map, .. } = *self;
        let Conv { kernel, outputs, .. } = plan.conv;
        let at = y * plan.columns * S::LANES;
        let dy = self.dy.add((block * outputs + filter) * plan.pooled + at / (plan.window * plan.window));
        let (mut y, mut from, mut repeat) = (self.y.wrapping_add((block * outputs + filter) * plan.map + at), dy, 1);
        if let Some(pool) = plan.conv.pool {
            y = self.saved.add(block * plan.saved + POINTS * plan.input_point + filter * plan.map + at).cast_const();
            from = map;
            if pool.0 == Pooling::Average {
                let window = plan.window;
                repeat = window;
                let count = rows / window * (plan.columns / window);
                S::call(&pool::AverageRows { window, count, dy, dx: map });
            } else {
                S::call(&pool::Backward { pool: plan.pool(pool, rows), maps: 1, x: y, dy, dx: map });
            }
        }
        let bias = self.db.add(filter);
        for_kernel!(kernel, _, N => S::call(&GradientPoints::<N> { plan, rows, y, dy: from, repeat, to, point, bias }));
    }

    /// The gradient of the input of a block.
    #[inline(always)]
    unsafe fn input<S: Simd>(&self, block: usize, to: *mut f32) {
        let Self { plan, point, .. } = *self;
        let Conv { inputs, kernel, outputs, .. } = plan.conv;
        let values = self.saved.add(block * plan.saved);
        for y in 0..plan.input_rows {
            // Rows of the filters that reach this row of the input from a row of the output.
            let first = (y + 1).saturating_sub(plan.rows);
            let last = y.min(kernel - 1);
            S::call(&SumRows {
                rows: inputs,
                columns: plan.row,
                batch: POINTS,
                next: [inputs * kernel * outputs, point, plan.input_point],
                terms: [outputs, last + 1 - first],
                a: self.weights.add(first * outputs),
                a_row: kernel * outputs,
                a_term: [1, outputs],
                b: self.gradients.add(block * POINTS * point + (y - first) * plan.row),
                b_term: [self.filter as isize, -(plan.row as isize)],
                to: values.add(y * plan.row),
                to_row: plan.input_rows * plan.row,
                add: false,
            });
        }
        for_kernel!(kernel, _, N => S::call(&InputGradient::<N> { plan, from: values, to }));
    }
}

#[cfg(test)]
mod tests;
