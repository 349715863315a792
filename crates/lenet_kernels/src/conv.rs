//! A convolution layer on blocks of images: products at the points, [`crate::products`], between changes to the points and back.

mod transforms;

use crate::activation::Activation;
use crate::buffer::{Buffer, LINE};
use crate::isa::Isa;
use crate::points::POINTS;
use crate::pool::{self, Pooling};
use crate::products::{tiles, Dots, SumRows};
use crate::simd::{Kernel, Simd};
use transforms::*;

/// Filters whose outputs are computed at once, at most.
const FILTERS: usize = 6;
/// Values of a stripe of a map at a point, about, so that those of some filters at all points stay in the nearest caches: of
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
    /// Tiles of a row.
    tiles: usize,
    /// Side of a pooling window, or 1.
    window: usize,
    /// Values of a row of the input, of a map and, at a point, of both.
    input_row: usize,
    map_row: usize,
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

/// Evaluates an expression with `K` for the side of the filters and `N` for the outputs of a tile.
macro_rules! for_kernel {
    ($kernel:expr, $K:ident, $N:ident => $value:expr) => {
        for_kernel!(@ $kernel, $K, $N => $value, 1 8, 2 7, 3 6, 4 5, 5 4, 6 3, 7 2)
    };
    (@ $kernel:expr, $K:ident, $N:ident => $value:expr, $($k:literal $n:literal),*) => {
        match $kernel {
            $($k => {
                const $K: usize = $k;
                const $N: usize = $n;
                $value
            })*
            _ => unreachable!("a filter's side is 1 to 7"),
        }
    };
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
        assert!((1..=7).contains(&self.kernel) && (1..=4).contains(&window), "no layer has the shape of {self:?}");
        let [rows, columns] =
            [self.height, self.width].map(|side| (side + 1).saturating_sub(self.kernel) / window * window);
        assert!(self.inputs * self.outputs * rows * columns > 0, "no layer has the shape of {self:?}");
        let input_rows = rows + self.kernel - 1;
        let tiles = columns.div_ceil(POINTS + 1 - self.kernel);
        let (row, map) = (tiles * lanes, rows * columns * lanes);
        let input_point = self.inputs * input_rows * row + LINE;
        Plan {
            conv: *self,
            rows,
            columns,
            input_rows,
            tiles,
            window,
            input_row: self.width * lanes,
            map_row: columns * lanes,
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
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        assert_eq!(weight.len(), self.weights(), "weights");
        assert_eq!(prepared.len(), self.prepared_len(), "prepared weights");
        let (weight, to) = (weight.as_ptr(), prepared.as_mut_ptr());
        // SAFETY: the slices have just been checked.
        unsafe { for_kernel!(self.kernel, K, _N => self.isa.run(&WeightsToPoints::<K> { conv: self, weight, to })) };
    }

    /// Writes the output `y` of the blocks `x`, and what is `saved` for [`Conv::backward`].
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
        plan.check([x.len(), y.len(), saved.len()], prepared.len(), bias.len());
        let point = FILTERS.min(self.outputs) * plan.stripe(PRODUCTS) * plan.row + LINE;
        let products = scratch.resized(POINTS * point).as_mut_ptr();
        let blocks =
            x.chunks(plan.input).zip(y.chunks_mut(self.outputs * plan.pooled)).zip(saved.chunks_mut(plan.saved));
        for ((x, y), saved) in blocks {
            let (x, weights, y, saved) = (x.as_ptr(), prepared.as_ptr(), y.as_mut_ptr(), saved.as_mut_ptr());
            // SAFETY: the slices have just been checked.
            unsafe {
                for_kernel!(self.kernel, K, N => {
                    self.isa.run(&Forward::<K, N> { plan, x, weights, bias, y, saved, products, point })
                });
            }
        }
    }

    /// From the gradient of the output, `dy`, to those of weights and biases, which it is added to, and of the input,
    /// which is written if it is wanted. What is `saved` is used up.
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
        let blocks = plan.check([x.len(), y.len(), saved.len()], prepared.len(), db.len());
        assert_eq!(dy.len(), y.len(), "values of the output's gradient");
        assert_eq!(dw.len(), self.weights(), "weights");
        assert!(dx.as_ref().is_none_or(|dx| dx.len() == x.len()), "values of the input's gradient");
        let (lanes, stripe) = (self.isa.lanes(), plan.stripe(GRADIENTS));
        let (filters, all) = (self.outputs.min(4), dx.is_some());
        let at_once = if stripe == plan.rows { (GRADIENTS / (stripe * plan.row)).clamp(1, blocks.max(1)) } else { 1 };
        let point = if all { plan.output_point } else { filters * stripe * plan.row + LINE };
        let lens = [
            POINTS * filters * self.inputs * self.kernel * lanes,
            self.kernel * lanes * lanes,
            stripe * plan.map_row.next_multiple_of(LINE),
            POINTS * point * if all { blocks } else { at_once },
        ];
        let mut left = scratch.resized(lens.iter().sum());
        let [sums, vectors, map, gradients] =
            lens.map(|len| left.split_off_mut(..len).unwrap_or_default().as_mut_ptr());
        let (saved, y, dy, weights) = (saved.as_mut_ptr(), y.as_ptr(), dy.as_ptr(), prepared.as_ptr());
        let filter = if all { plan.rows * plan.row } else { stripe * plan.row };
        let dx = dx.map(|dx| dx.as_mut_ptr());
        // SAFETY: the slices have just been checked.
        unsafe {
            for_kernel!(self.kernel, K, N => self.isa.run(&Backward::<K, N> {
                plan, stripe, blocks, at_once, saved, y, dy, weights, dw: dw.as_mut_ptr(), db: db.as_mut_ptr(), dx,
                sums, vectors, map, gradients, filter, point,
            }));
        }
    }
}

impl Plan {
    /// Checks the lengths of a pass' slices; the number of its blocks.
    fn check(&self, [x, y, saved]: [usize; 3], prepared: usize, bias: usize) -> usize {
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

    /// How far it is from a point to the next one, a channel to the next one and a row of a filter to the next one.
    fn weight_steps(&self) -> [usize; 3] {
        let Conv { inputs, outputs, kernel, .. } = self.conv;
        [inputs * kernel * outputs, kernel * outputs, outputs]
    }
}

/// The pass forward of a block.
struct Forward<'a, const K: usize, const N: usize> {
    plan: &'a Plan,
    x: *const f32,
    weights: *const f32,
    bias: &'a [f32],
    y: *mut f32,
    saved: *mut f32,
    /// Room for a stripe of some filters' products, and how far it is from a point to the next one.
    products: *mut f32,
    point: usize,
}

impl<const K: usize, const N: usize> Kernel for Forward<'_, K, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let (plan, stripe) = (self.plan, self.plan.stripe(PRODUCTS));
        let mut done = 0;
        for y in (0..plan.rows).step_by(stripe) {
            let rows = stripe.min(plan.rows - y);
            for channel in 0..plan.conv.inputs {
                for row in done..y + rows + K - 1 {
                    let from = self.x.add((channel * plan.conv.height + row) * plan.input_row);
                    let to = self.saved.add((channel * plan.input_rows + row) * plan.row);
                    input_to_points::<S, N>(plan, from, to);
                }
            }
            done = y + rows + K - 1;
            for (filter, filters) in tiles(plan.conv.outputs, FILTERS) {
                self.products::<S>((filter, filters), (y, rows));
                for f in 0..filters {
                    self.outputs::<S>(f, filter + f, (y, rows));
                }
            }
        }
    }
}

impl<const K: usize, const N: usize> Forward<'_, K, N> {
    /// A stripe of the products of some filters.
    #[inline(always)]
    unsafe fn products<S: Simd>(&self, (filter, filters): (usize, usize), (y, rows): (usize, usize)) {
        let plan = self.plan;
        let [next, channel, tap] = plan.weight_steps();
        S::call(&SumRows {
            rows: filters,
            columns: rows * plan.row,
            batch: POINTS,
            next: [next, plan.input_point, self.point],
            terms: [plan.conv.inputs, K],
            a: self.weights.add(filter),
            a_row: 1,
            a_term: [channel, tap],
            b: self.saved.add(y * plan.row),
            b_term: [(plan.input_rows * plan.row) as isize, plan.row as isize],
            to: self.products,
            to_row: plan.stripe(PRODUCTS) * plan.row,
            add: false,
        });
    }

    /// A stripe of a filter's map, and what pooling makes of it.
    #[inline(always)]
    unsafe fn outputs<S: Simd>(&self, at: usize, filter: usize, (y, rows): (usize, usize)) {
        let Plan { conv, columns, window, .. } = *self.plan;
        let maps = if conv.pool.is_some() { self.saved.add(POINTS * self.plan.input_point) } else { self.y };
        let map = maps.add(filter * self.plan.map + y * self.plan.map_row);
        let (bias, from) = (S::splat(self.bias[filter]), at * self.plan.stripe(PRODUCTS) * self.plan.row);
        for row in 0..rows {
            let from = (self.products.add(from + row * self.plan.row).cast_const(), self.point);
            outputs_from_points::<S, N>(self.plan, from, (bias, conv.activation), map.add(row * self.plan.map_row));
        }
        if let Some((kind, _)) = conv.pool {
            let pooled = self.y.add(filter * self.plan.pooled);
            for row in (y..y + rows).step_by(window) {
                let x = map.add((row - y) * self.plan.map_row);
                let to = pooled.add(row / window * (columns / window) * S::LANES);
                pool::forward_row::<S>((kind, window), columns / window, (x, columns), to);
            }
        }
    }
}

/// The pass backward of all blocks.
struct Backward<'a, const K: usize, const N: usize> {
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
    /// Sums for some filters' weights at the points, a vector each, and of some rows of taps.
    sums: *mut f32,
    vectors: *mut f32,
    /// A stripe of the gradient of a map.
    map: *mut f32,
    /// Gradients at the points, and how far it is from a filter to the next one, and from a point to the next one: all of
    /// them if the input's gradient is made of them, else a stripe of some filters.
    gradients: *mut f32,
    filter: usize,
    point: usize,
}

impl<const K: usize, const N: usize> Kernel for Backward<'_, K, N> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        for some in tiles(self.plan.conv.outputs, Dots::rows_at_once::<S>()) {
            self.filters::<S>(some);
        }
        if let Some(dx) = self.dx {
            for block in 0..self.blocks {
                self.input::<S>(block, dx.add(block * self.plan.input));
            }
        }
    }
}

impl<const K: usize, const N: usize> Backward<'_, K, N> {
    /// The gradients of the biases and weights of some filters.
    #[inline(always)]
    unsafe fn filters<S: Simd>(&self, (filter, filters): (usize, usize)) {
        let Self { plan, point, .. } = *self;
        let inputs = plan.conv.inputs;
        let mut add = false;
        for block in (0..self.blocks).step_by(self.at_once) {
            let blocks = self.at_once.min(self.blocks - block);
            for y in (0..plan.rows).step_by(self.stripe) {
                let rows = self.stripe.min(plan.rows - y);
                let place = block * POINTS * point + filter * self.filter + y * plan.row;
                let gradients = self.gradients.add(if self.dx.is_some() { place } else { 0 });
                for (at, f) in (0..blocks * filters).map(|i| (i / filters, i % filters)) {
                    let to = gradients.add(at * POINTS * point + f * self.filter);
                    self.gradient::<S>(block + at, filter + f, (y, rows), to);
                }
                S::call(&Dots {
                    rows: filters,
                    columns: [inputs, K],
                    batch: POINTS,
                    next: [point, plan.input_point, filters * inputs * K * S::LANES],
                    runs: blocks,
                    len: rows * plan.tiles,
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
        if add {
            let to = self.dw.add(filter * inputs * K * K);
            add_weight_gradient::<S, K>(filters * inputs * K, self.sums, self.vectors, to);
        }
    }

    /// From the gradient of a filter's stripe of the output to that of the convolution, at the points.
    #[inline(always)]
    unsafe fn gradient<S: Simd>(&self, block: usize, filter: usize, (y, rows): (usize, usize), to: *mut f32) {
        let Plan { conv, columns, window, map_row, .. } = *self.plan;
        let map = block * conv.outputs + filter;
        let mut dy = self.dy.add(map * self.plan.pooled + y * map_row / (window * window));
        let mut maps = self.y.wrapping_add(map * self.plan.map + y * map_row);
        // A row of `dy` counts for so many rows of the map.
        let mut repeat = 1;
        if let Some((kind, _)) = conv.pool {
            let saved = self.saved.add(block * self.plan.saved + POINTS * self.plan.input_point);
            maps = saved.add(filter * self.plan.map + y * map_row);
            repeat = if kind == Pooling::Average { window } else { 1 };
            for row in (0..rows).step_by(window) {
                let dy = dy.add(row / window * (columns / window) * S::LANES);
                let (x, dx) = (maps.add(row * map_row), self.map.add(row / repeat * map_row));
                pool::backward_row::<S>((kind, window), columns / window, (x, columns), dy, (dx, window / repeat));
            }
            dy = self.map;
        }
        let mut sum = S::splat(0.0);
        for row in 0..rows {
            let from = (maps.add(row * map_row), dy.add(row / repeat * map_row));
            sum = sum.add(gradient_to_points::<S, N>(self.plan, from, (to.add(row * self.plan.row), self.point)));
        }
        *self.db.add(filter) += sum.sum();
    }

    /// The gradient of the input of a block.
    #[inline(always)]
    unsafe fn input<S: Simd>(&self, block: usize, to: *mut f32) {
        let Self { plan, point, .. } = *self;
        let Conv { inputs, outputs, height, .. } = plan.conv;
        let [next, channel, tap] = plan.weight_steps();
        let values = self.saved.add(block * plan.saved);
        for y in 0..plan.input_rows {
            // Rows of the filters that reach this row of the input from a row of the output.
            let (first, last) = ((y + 1).saturating_sub(plan.rows), y.min(K - 1));
            S::call(&SumRows {
                rows: inputs,
                columns: plan.row,
                batch: POINTS,
                next: [next, point, plan.input_point],
                terms: [outputs, last + 1 - first],
                a: self.weights.add(first * outputs),
                a_row: channel,
                a_term: [1, tap],
                b: self.gradients.add(block * POINTS * point + (y - first) * plan.row),
                b_term: [self.filter as isize, -(plan.row as isize)],
                to: values.add(y * plan.row),
                to_row: plan.input_rows * plan.row,
                add: false,
            });
        }
        for (channel, row) in (0..inputs * height).map(|at| (at / height, at % height)) {
            let to = to.add((channel * height + row) * plan.input_row);
            if row < plan.input_rows {
                input_gradient_from_points::<S, N>(plan, values.add((channel * plan.input_rows + row) * plan.row), to);
            } else {
                store_zeros::<S>(plan.conv.width, to);
            }
        }
    }
}
