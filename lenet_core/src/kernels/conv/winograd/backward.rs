//! From the gradient of pooled maps to those of weights, biases and input.

use super::points::{gradient_at_points, gradient_from_points};
use super::{Shape, POINTS, ROWS, TAPS, TILE};
use crate::kernels::conv::BackwardBlock;
use crate::kernels::isa::Kernel;
use crate::kernels::simd::{Simd, MOST_LANES};

/// Filters whose weights' gradients are summed at once, at most.
const SUMMED_AT_ONCE: usize = 4;

/// Numbers of working memory that [`Backward`] needs for each lane.
pub(crate) fn backward_len(shape: &Shape) -> usize {
    SUMMED_AT_ONCE * shape.inputs * POINTS * TAPS + MOST_LANES + shape.gradient_points_len()
}

/// See [`backward`](crate::kernels::conv::backward).
pub(crate) struct Backward {
    block: BackwardBlock,
    /// Tiles of a chunk.
    chunk: usize,
}

impl Backward {
    pub(crate) fn new(block: BackwardBlock, lanes: usize) -> Self {
        let chunk = block.shape.chunk(lanes);
        Self { block, chunk }
    }
}

impl Kernel for Backward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut filter = 0;
        while filter < self.block.shape.outputs {
            filter += match self.block.shape.outputs - filter {
                3 | 6 if S::REGISTERS >= 32 => self.filters::<S, 3>(filter),
                4.. if S::REGISTERS >= 32 => self.filters::<S, 4>(filter),
                2.. => self.filters::<S, 2>(filter),
                _ => self.filters::<S, 1>(filter),
            };
        }
        let Some((factors, x_gradient)) = self.block.x_gradient else {
            return;
        };
        let mut channel = 0;
        while channel < self.block.shape.inputs {
            channel += match self.block.shape.inputs - channel {
                6.. if S::REGISTERS >= 32 => self.channels::<S, 6>(channel, factors),
                3.. if S::REGISTERS >= 32 => self.channels::<S, 3>(channel, factors),
                2.. => self.channels::<S, 2>(channel, factors),
                _ => self.channels::<S, 1>(channel, factors),
            };
        }
        S::call(InputGradient(&self, x_gradient));
    }
}

impl Backward {
    /// The gradients of the biases and weights of `F` filters. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize>(&self, filter: usize) -> usize {
        let chunks = self.block.shape.tiles() / self.chunk;
        for chunk in 0..chunks {
            for f in 0..F {
                S::call(GradientPoints {
                    backward: self,
                    filter: filter + f,
                    local: f,
                    chunk,
                });
            }
            for point in 0..POINTS {
                S::call(WeightGradient::<F> {
                    backward: self,
                    filter,
                    point,
                    chunk,
                    last: chunk + 1 == chunks,
                });
            }
        }
        F
    }

    /// The gradient for the input's values at the points, in the place of these values, in the order
    /// `[channel][row][t][p]`, for `C` channels. Returns `C`.
    #[inline(always)]
    unsafe fn channels<S: Simd, const C: usize>(
        &self,
        channel: usize,
        factors: *const f32,
    ) -> usize {
        let shape = self.block.shape;
        let (tiles, rows) = (shape.tiles(), shape.rows());
        let last = shape.height - ROWS;
        for point in 0..POINTS {
            let factors = factors.add((point * shape.inputs + channel) * TAPS);
            for t in 0..tiles {
                let column = point * self.chunk + t % self.chunk;
                let gradients = self
                    .gradient::<S>(t / self.chunk, 0, 0)
                    .add(column * rows * S::LANES);
                for y in (0..shape.height).step_by(ROWS) {
                    let to = ((channel * shape.height + y) * tiles + t) * POINTS + point;
                    let tile = InputTile::<C> {
                        filters: shape.outputs,
                        gradients: gradients.wrapping_add(y * S::LANES),
                        next_gradient: POINTS * self.chunk * rows * S::LANES,
                        factors,
                        next_factors: POINTS * shape.inputs * TAPS,
                        to: self.block.values.add(to * S::LANES),
                        next_row: tiles * POINTS * S::LANES,
                        next_channel: shape.height * tiles * POINTS * S::LANES,
                        border: match y {
                            0 => Border::Top,
                            y if y == last => Border::Bottom,
                            _ => Border::None,
                        },
                    };
                    S::call(tile);
                }
            }
        }
        C
    }

    /// The gradient before tanh at the points, from a filter's in a chunk on; `local` is the filter's
    /// number among those that are worked on. All of it is kept only if the input's gradient is wanted.
    unsafe fn gradient<S: Simd>(&self, chunk: usize, filter: usize, local: usize) -> *mut f32 {
        let shape = self.block.shape;
        let at = match self.block.x_gradient {
            Some(_) => chunk * shape.outputs + filter,
            None => local,
        };
        let each = POINTS * self.chunk * shape.rows();
        let sums = SUMMED_AT_ONCE * shape.inputs * POINTS * TAPS + MOST_LANES;
        self.block.scratch.add((sums + at * each) * S::LANES)
    }
}

/// Undoes pooling (a quarter to each of four) and tanh (times `1 - a^2`) in a filter's chunk of
/// tiles, sums the bias' gradient on the way, and evaluates the result at the points.
struct GradientPoints<'a> {
    backward: &'a Backward,
    filter: usize,
    local: usize,
    chunk: usize,
}

impl Kernel for GradientPoints<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self {
            backward,
            filter,
            local,
            chunk,
        } = self;
        let shape = backward.block.shape;
        let (height, width) = shape.pooled();
        let (rows, tiles) = (shape.rows(), backward.chunk);
        let (one, quarter) = (S::splat(1.0), S::splat(0.25));
        let to = backward.gradient::<S>(chunk, filter, local);
        let mut sum = S::splat(0.0);
        for t in 0..tiles {
            for y in 0..height {
                let window = (filter * height + y) * width + (chunk * tiles + t) * TILE / 2;
                let (mut top, mut bottom) = ([one; TILE], [one; TILE]);
                for i in 0..TILE / 2 {
                    let share =
                        S::load(backward.block.pooled.add((window + i) * S::LANES)).mul(quarter);
                    let mut shares = [share; 4];
                    if shape.bending {
                        let place = shape.window(filter, chunk * tiles + t, y) + i;
                        let from = backward.block.activations.add(4 * place * S::LANES);
                        for (j, share) in shares.iter_mut().enumerate() {
                            let a = S::load(from.add(j * S::LANES));
                            *share = share.mul(a.fnma(a, one));
                        }
                    }
                    let [a, b, c, d] = shares;
                    sum = sum.add(a.add(b).add(c.add(d)));
                    (top[2 * i], top[2 * i + 1]) = (a, b);
                    (bottom[2 * i], bottom[2 * i + 1]) = (c, d);
                }
                let to = to.add((t * rows + 2 * y) * S::LANES);
                let step = tiles * rows * S::LANES;
                for (p, value) in gradient_at_points(top).into_iter().enumerate() {
                    value.store(to.add(p * step));
                }
                for (p, value) in gradient_at_points(bottom).into_iter().enumerate() {
                    value.store(to.add(p * step + S::LANES));
                }
            }
        }
        *backward.block.bias_gradient.add(filter) += sum.sum();
    }
}

/// Adds a chunk of tiles to the sums for the weights of `F` filters at a point. The first chunk begins
/// the sums, `[channel][tap_y][filter]`, and after the last their lanes are summed, too.
struct WeightGradient<'a, const F: usize> {
    backward: &'a Backward,
    filter: usize,
    point: usize,
    chunk: usize,
    last: bool,
}

impl<const F: usize> Kernel for WeightGradient<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self {
            backward,
            filter,
            point,
            chunk,
            last,
        } = self;
        let shape = backward.block.shape;
        let (rows, tiles) = (shape.rows(), backward.chunk);
        // A vector for each weight that is worked on, at each point.
        let of_channel = TAPS * F * S::LANES;
        let place = backward
            .block
            .scratch
            .add(point * shape.inputs * of_channel);
        let gradients = backward
            .gradient::<S>(chunk, filter, 0)
            .add(point * tiles * rows * S::LANES);
        let column = shape.height * S::LANES;
        let channel = Channel::<F> {
            rows,
            tiles,
            begin: chunk == 0,
            gradients,
            next_filter: POINTS * tiles * rows * S::LANES,
            next_column: column,
        };
        let mut x = backward
            .block
            .values
            .add((point * shape.tiles() + chunk * tiles) * column)
            .cast_const();
        let mut to = place;
        for _ in 0..shape.inputs {
            channel.add::<S>(x, to);
            x = x.wrapping_add(POINTS * shape.tiles() * column);
            to = to.wrapping_add(of_channel);
        }
        if last {
            self.sum_lanes::<S>(place);
        }
    }
}

impl<const F: usize> WeightGradient<'_, F> {
    /// Sums lanes and adds what comes out to the gradient. The last vectors may have others behind
    /// them, whose sums are left out.
    #[inline(always)]
    unsafe fn sum_lanes<S: Simd>(&self, place: *mut f32) {
        let shape = self.backward.block.shape;
        let rows = shape.inputs * TAPS;
        let mut to = self
            .backward
            .block
            .factor_gradient
            .add(self.point * rows * shape.outputs + self.filter);
        for at in (0..rows * F).step_by(S::LANES) {
            S::sums(place.cast_const().add(at * S::LANES)).store(place.add(at));
        }
        for row in 0..rows {
            let sums = place.add(row * F).cast::<[f32; F]>().read();
            let mut gradient = to.cast::<[f32; F]>().read();
            for (gradient, sum) in gradient.iter_mut().zip(sums) {
                *gradient += sum;
            }
            to.cast::<[f32; F]>().write(gradient);
            to = to.add(shape.outputs);
        }
    }
}

/// What the sums of a chunk of tiles for the weights of a channel are made of.
struct Channel<const F: usize> {
    rows: usize,
    tiles: usize,
    /// Whether the sums begin here.
    begin: bool,
    /// The first filter's gradient, and how far it is to the next filter's.
    gradients: *const f32,
    next_filter: usize,
    /// How far it is to the next tile's column of values.
    next_column: usize,
}

impl<const F: usize> Channel<F> {
    /// Adds what the values from `x` on make to the sums at `place`.
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, x: *const f32, place: *mut f32) {
        let mut sums = [[S::splat(0.0); TAPS]; F];
        if !self.begin {
            for (f, sums) in sums.iter_mut().enumerate() {
                for (tap, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(place.add((tap * F + f) * S::LANES));
                }
            }
        }
        let mut gradient = self.gradients;
        for t in 0..self.tiles {
            let mut x = x.add(t * self.next_column);
            for _ in 0..self.rows {
                let mut gradients = [S::splat(0.0); F];
                for (f, value) in gradients.iter_mut().enumerate() {
                    *value = S::load(gradient.add(f * self.next_filter));
                }
                for tap in 0..TAPS {
                    let value = S::load(x.add(tap * S::LANES));
                    for (sums, gradient) in sums.iter_mut().zip(gradients) {
                        sums[tap] = value.fma(gradient, sums[tap]);
                    }
                }
                x = x.add(S::LANES);
                gradient = gradient.add(S::LANES);
            }
        }
        for (f, sums) in sums.into_iter().enumerate() {
            for (tap, sum) in sums.into_iter().enumerate() {
                sum.store(place.add((tap * F + f) * S::LANES));
            }
        }
    }
}

/// Where a tile of the input gradient lies: at a border half of the taps meet rows outside the output
/// and are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Border {
    None,
    Top,
    Bottom,
}

/// The gradient for the input's values at a point: `C` channels and [`ROWS`] rows of a tile of
/// columns.
struct InputTile<const C: usize> {
    filters: usize,
    /// The first filter's gradient in the first row, and how far it is to the next filter's.
    gradients: *const f32,
    next_gradient: usize,
    /// The first filter's for the first channel, and how far it is to the next filter's.
    factors: *const f32,
    next_factors: usize,
    /// Where the first channel's first row goes.
    to: *mut f32,
    next_row: usize,
    next_channel: usize,
    border: Border,
}

impl<const C: usize> Kernel for InputTile<C> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        match self.border {
            Border::None => self.tile::<S>(Border::None),
            Border::Top => self.tile::<S>(Border::Top),
            Border::Bottom => self.tile::<S>(Border::Bottom),
        }
    }
}

impl<const C: usize> InputTile<C> {
    /// `border` is known when this is compiled.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&self, border: Border) {
        let (mut gradient, mut factors) = (self.gradients, self.factors);
        let mut sums = [[S::splat(0.0); ROWS]; C];
        for _ in 0..self.filters {
            tap::<S, C, 0>(gradient, factors, border, &mut sums);
            tap::<S, C, 1>(gradient, factors, border, &mut sums);
            tap::<S, C, 2>(gradient, factors, border, &mut sums);
            tap::<S, C, 3>(gradient, factors, border, &mut sums);
            tap::<S, C, 4>(gradient, factors, border, &mut sums);
            gradient = gradient.wrapping_add(self.next_gradient);
            factors = factors.wrapping_add(self.next_factors);
        }
        for (c, sums) in sums.into_iter().enumerate() {
            let to = self.to.add(c * self.next_channel);
            for (r, sum) in sums.into_iter().enumerate() {
                sum.store(to.add(r * self.next_row));
            }
        }
    }
}

/// Adds what tap `T` of a filter sends to [`ROWS`] rows of `C` channels.
#[inline(always)]
unsafe fn tap<S: Simd, const C: usize, const T: usize>(
    gradient: *const f32,
    factors: *const f32,
    border: Border,
    sums: &mut [[S; ROWS]; C],
) {
    let mut values = [S::splat(0.0); ROWS];
    let inside = |r: usize| match border {
        Border::None => true,
        Border::Top => r >= T,
        Border::Bottom => r < T,
    };
    for (r, value) in values.iter_mut().enumerate() {
        if inside(r) {
            let place = gradient
                .wrapping_add(r * S::LANES)
                .wrapping_sub(T * S::LANES);
            *value = S::load(place);
        }
    }
    for (c, sums) in sums.iter_mut().enumerate() {
        let factor = S::splat(*factors.add(c * TAPS + T));
        for r in 0..ROWS {
            if inside(r) {
                sums[r] = values[r].fma(factor, sums[r]);
            }
        }
    }
}

/// The input's gradient from its values at the points; neighbouring tiles overlap by four columns.
struct InputGradient<'a>(&'a Backward, *mut f32);

impl Kernel for InputGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self(backward, to) = self;
        let shape = backward.block.shape;
        for row in 0..shape.inputs * shape.height {
            let to = to.add(row * shape.width * S::LANES);
            let mut overlap = [S::splat(0.0); TILE];
            for t in 0..shape.tiles() {
                let from = (row * shape.tiles() + t) * POINTS;
                let mut values = [S::splat(0.0); POINTS];
                for (p, value) in values.iter_mut().enumerate() {
                    *value = S::load(backward.block.values.add((from + p) * S::LANES));
                }
                let gradient = gradient_from_points(values);
                for i in 0..TILE {
                    let sum = gradient[i].add(overlap[i]);
                    sum.store(to.add((t * TILE + i) * S::LANES));
                    overlap[i] = gradient[TILE + i];
                }
            }
            for (i, value) in overlap.into_iter().enumerate() {
                value.store(to.add((shape.tiles() * TILE + i) * S::LANES));
            }
        }
    }
}
