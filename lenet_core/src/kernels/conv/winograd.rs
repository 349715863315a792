//! Convolution with 5 x 5 filters by minimal filtering: the products of a row of taps with four
//! neighbouring outputs, twenty of them, are replaced by eight.
//!
//! A row of outputs is a product of polynomials. Eight values determine it, so it can be had by
//! evaluating both factors at eight points, multiplying point by point and interpolating: Winograd,
//! "Arithmetic Complexity of Computations", 1980; for convolutional networks Lavin and Gray, "Fast
//! Algorithms for Convolutional Neural Networks", 2015, where it is called F(4, 5). The points are
//! 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, and `winograd.py` beside this file makes the numbers.
//!
//! Only rows are treated so. The sums over rows and channels are taken at the points, where they
//! cost no transform and where rounding errors average out: the result is about as exact as the plain
//! sum. Gradients are the same three linear maps turned around.
//!
//! With `t` for a tile of four columns and `p` for a point, memory holds vectors (a lane for each
//! image) in these orders:
//! - the input's values `[channel][p][t][row]`,
//! - the weights' values, plain numbers, `[p][channel][tap_y][filter]`, and their gradients likewise,
//! - the values of the gradient before tanh `[chunk][filter][p][t in chunk][row]`.

use super::Shape;
use crate::kernels::isa::Kernel;
use crate::kernels::simd::Simd;
use crate::kernels::tanh::tanh;

/// Outputs of a tile.
const TILE: usize = 4;
/// Taps of a row of a filter, and rows of it.
const TAPS: usize = 5;
/// Points, and inputs that a tile sees.
const POINTS: usize = TILE + TAPS - 1;
/// Rows of a tile of the input gradient: then a filter's overlap with the image's border is a whole
/// tile.
const ROWS: usize = 4;
/// Filters that the forward pass computes at once, at most.
const FILTERS: usize = 6;
/// Filters whose weights' gradients are summed at once, at most.
const SUMMED_AT_ONCE: usize = 4;
/// Lanes of the longest vectors.
const MOST_LANES: usize = 16;
/// Rows over which a weight's gradient is summed in registers before the sum goes to memory; so many
/// rows of four filters stay in the nearest cache.
const LONG_SUM: usize = 24;

/// Whether a layer can be computed so: its filters have the size, and tiles fill its output.
pub(super) fn fits(shape: &Shape) -> bool {
    let sides = [shape.height, shape.width];
    let filled = |side: usize| side > TAPS && (side + 1 - TAPS).is_multiple_of(TILE);
    shape.kernel == TAPS && sides.into_iter().all(filled)
}

impl Shape {
    /// Rows of the output before pooling.
    fn rows(&self) -> usize {
        2 * self.pooled().0
    }
    fn tiles(&self) -> usize {
        2 * self.pooled().1 / TILE
    }
    /// The first pooling window of tile `t` in row `y` of pooling windows, in the order in which a
    /// filter's tiles are worked on.
    fn place(&self, filter: usize, t: usize, y: usize) -> usize {
        let (height, width) = self.pooled();
        filter * height * width + (t * height + y) * TILE / 2
    }
    /// Tiles of a chunk, over which weight gradients are summed in registers.
    fn chunk(&self) -> usize {
        let fits =
            |tiles: &usize| self.tiles().is_multiple_of(*tiles) && tiles * self.rows() <= LONG_SUM;
        (1..=self.tiles()).rev().find(fits).unwrap_or(1)
    }
    /// Numbers of one image's input at the points.
    fn points_len(&self) -> usize {
        self.inputs * POINTS * self.tiles() * self.height
    }
    /// Numbers of one image's gradient before tanh at the points.
    fn gradient_points_len(&self) -> usize {
        self.outputs * POINTS * self.tiles() * self.rows()
    }
}

/// Weights at the points.
pub(super) fn factors_len(shape: &Shape) -> usize {
    shape.weights() / TAPS * POINTS
}

/// Numbers of working memory that [`Forward`] needs for each lane.
pub(super) fn forward_len(shape: &Shape) -> usize {
    shape.points_len() + FILTERS * POINTS * ROWS
}

/// Numbers of working memory that [`Backward`] needs for each lane.
pub(super) fn backward_len(shape: &Shape) -> usize {
    shape.points_len()
        + SUMMED_AT_ONCE * shape.inputs * POINTS * TAPS
        + MOST_LANES
        + shape.gradient_points_len()
}

/// Evaluates the rows of taps at the points.
pub(super) fn evaluate(shape: &Shape, weight: &[f32], factors: &mut [f32]) {
    let step = factors.len() / POINTS;
    for (at, taps) in weight.chunks_exact(TAPS).enumerate() {
        let place = place(shape, at);
        let [a, b, c, d, e] = [taps[0], taps[1], taps[2], taps[3], taps[4]];
        let (even, odd) = ((a + c + e) / 18.0, (b + d) / 18.0);
        let (even_2, odd_2) = ((a + 4.0 * c + 16.0 * e) / 360.0, (b + 4.0 * d) / 180.0);
        let (even_half, odd_half) = ((16.0 * a + 4.0 * c + e) / 45.0, (8.0 * b + 2.0 * d) / 45.0);
        let values = [
            a / 4.0,
            even + odd,
            even - odd,
            even_2 + odd_2,
            even_2 - odd_2,
            even_half + odd_half,
            even_half - odd_half,
            e / 4.0,
        ];
        for (point, value) in values.into_iter().enumerate() {
            factors[point * step + place] = value;
        }
    }
}

/// Adds to the weights' gradient what the gradients of their values at the points amount to.
pub(super) fn add_gradient(shape: &Shape, sums: &[f32], gradient: &mut [f32]) {
    let step = sums.len() / POINTS;
    for (at, taps) in gradient.chunks_exact_mut(TAPS).enumerate() {
        let place = place(shape, at);
        let value = |point: usize| sums[point * step + place];
        let pair = |point: usize| {
            let (plus, minus) = (value(point), value(point + 1));
            (plus + minus, plus - minus)
        };
        let ((even, odd), (even_2, odd_2), (even_half, odd_half)) = (pair(1), pair(3), pair(5));
        let (even, odd) = (even / 18.0, odd / 18.0);
        let (even_2, odd_2) = (even_2 / 360.0, odd_2 / 180.0);
        let (even_half, odd_half) = (even_half / 45.0, odd_half / 45.0);
        taps[0] += value(0) / 4.0 + even + even_2 + 16.0 * even_half;
        taps[1] += odd + odd_2 + 8.0 * odd_half;
        taps[2] += even + 4.0 * even_2 + 4.0 * even_half;
        taps[3] += odd + 4.0 * odd_2 + 2.0 * odd_half;
        taps[4] += even + 16.0 * even_2 + even_half + value(7) / 4.0;
    }
}

/// Where the values of a row of taps are, at each point: rows of taps come filter by filter, their
/// values lie filters side by side.
fn place(shape: &Shape, row_of_taps: usize) -> usize {
    let per_filter = shape.inputs * TAPS;
    row_of_taps % per_filter * shape.outputs + row_of_taps / per_filter
}

/// The input's values at the points.
struct Points {
    shape: Shape,
    x: *const f32,
    points: *mut f32,
}

impl Kernel for Points {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (height, width, tiles) = (self.shape.height, self.shape.width, self.shape.tiles());
        let step = tiles * height * S::LANES;
        for channel in 0..self.shape.inputs {
            for t in 0..tiles {
                let mut to = self
                    .points
                    .add(((channel * POINTS * tiles + t) * height) * S::LANES);
                let mut from = self.x.add((channel * height * width + t * TILE) * S::LANES);
                for _ in 0..height {
                    let mut x = [S::splat(0.0); POINTS];
                    for (i, x) in x.iter_mut().enumerate() {
                        *x = S::load(from.add(i * S::LANES));
                    }
                    for (p, value) in input_at_points(x).into_iter().enumerate() {
                        value.store(to.add(p * step));
                    }
                    from = from.add(width * S::LANES);
                    to = to.add(S::LANES);
                }
            }
        }
    }
}

/// The input transform of eight neighbouring pixels.
#[inline(always)]
unsafe fn input_at_points<S: Simd>(x: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let [a, b, c, d, e, f, g, h] = x;
    let first = e.sub(c).fma(by(21.0), a.sub(g).mul(by(4.0)));
    let last = d.sub(f).fma(by(21.0), h.sub(b).mul(by(4.0)));
    let even = e.fma(by(17.0), c.add(g).mul(by(-4.0)));
    let odd = d.fma(by(17.0), b.add(f).mul(by(-4.0)));
    let even_2 = g.fma(by(4.0), e.fma(by(-5.0), c));
    let odd_2 = f.fma(by(8.0), d.fma(by(-10.0), b.add(b)));
    let even_half = c.fma(by(8.0), e.fma(by(-10.0), g.add(g)));
    let odd_half = b.fma(by(4.0), d.fma(by(-5.0), f));
    [
        first,
        odd.add(even),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        last,
    ]
}

/// The way back for gradients: [`input_at_points`] turned around.
#[inline(always)]
unsafe fn gradient_from_points<S: Simd>(v: [S; POINTS]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (v[1].add(v[2]), v[1].sub(v[2]));
    let (even_2, odd_2) = (v[3].add(v[4]), v[3].sub(v[4]));
    let (even_half, odd_half) = (v[5].add(v[6]), v[5].sub(v[6]));
    let c = even_half.fma(by(8.0), v[0].fma(by(-21.0), even_2));
    let e = v[0].mul(by(21.0));
    let e = even_half.fma(by(-10.0), even_2.fma(by(-5.0), e));
    let g = even_half.fma(by(2.0), even_2.mul(by(4.0)));
    let b = odd_half.fma(by(4.0), odd_2.fma(by(2.0), v[7].mul(by(-4.0))));
    let d = v[7].mul(by(21.0));
    let d = odd_half.fma(by(-5.0), odd_2.fma(by(-10.0), d));
    let f = odd_2.fma(by(8.0), v[7].fma(by(-21.0), odd_half));
    [
        v[0].mul(by(4.0)),
        odd.fma(by(-4.0), b),
        even.fma(by(-4.0), c),
        odd.fma(by(17.0), d),
        even.fma(by(17.0), e),
        odd.fma(by(-4.0), f),
        even.add(v[0]).fma(by(-4.0), g),
        v[7].mul(by(4.0)),
    ]
}

/// The outputs of a tile from their values at the points, which start `step` apart.
#[inline(always)]
unsafe fn outputs_from_points<S: Simd>(from: *const f32, step: usize) -> [S; TILE] {
    let m = |p: usize| S::load(from.add(p * step));
    let pair = |p: usize| {
        let (plus, minus) = (m(p), m(p + 1));
        (plus.add(minus), plus.sub(minus))
    };
    let by = |value: f32| S::splat(value);
    let ((even, odd), (even_2, odd_2), (even_half, odd_half)) = (pair(1), pair(3), pair(5));
    [
        m(0).add(even).add(even_2.add(even_half)),
        odd_2.fma(by(2.0), odd_half.fma(by(0.5), odd)),
        even_2.fma(by(4.0), even_half.fma(by(0.25), even)),
        odd_2.fma(by(8.0), odd_half.fma(by(0.125), odd.add(m(7)))),
    ]
}

/// [`outputs_from_points`] turned around, for gradients.
#[inline(always)]
unsafe fn gradient_at_points<S: Simd>([a, b, c, d]: [S; TILE]) -> [S; POINTS] {
    let by = |value: f32| S::splat(value);
    let (even, odd) = (a.add(c), b.add(d));
    let (even_2, odd_2) = (c.fma(by(4.0), a), d.fma(by(8.0), b.add(b)));
    let even_half = c.fma(by(0.25), a);
    let odd_half = d.fma(by(0.125), b.mul(by(0.5)));
    [
        a,
        even.add(odd),
        even.sub(odd),
        even_2.add(odd_2),
        even_2.sub(odd_2),
        even_half.add(odd_half),
        even_half.sub(odd_half),
        d,
    ]
}

/// See [`super::forward`].
pub(super) struct Forward {
    pub(super) shape: Shape,
    pub(super) x: *const f32,
    pub(super) factors: *const f32,
    pub(super) bias: *const f32,
    /// The four activations of each pooling window, one after the other; the windows of a tile of
    /// columns come row by row.
    pub(super) activations: *mut f32,
    pub(super) pooled: *mut f32,
    /// Working memory of [`forward_len`] vectors.
    pub(super) scratch: *mut f32,
}

impl Kernel for Forward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        S::call(Points {
            shape: self.shape,
            x: self.x,
            points: self.scratch,
        });
        let mut filter = 0;
        while filter < self.shape.outputs {
            let left = self.shape.outputs - filter;
            filter += if S::MANY_REGISTERS {
                match left {
                    6.. => self.filters::<S, 6, 4>(filter),
                    4.. => self.filters::<S, 4, 4>(filter),
                    2.. => self.filters::<S, 2, 4>(filter),
                    _ => self.filters::<S, 1, 4>(filter),
                }
            } else {
                match left {
                    6.. if S::FILTERS >= 6 => self.filters::<S, 6, 2>(filter),
                    4.. if S::FILTERS >= 4 => self.filters::<S, 4, 2>(filter),
                    2.. => self.filters::<S, 2, 2>(filter),
                    _ => self.filters::<S, 1, 2>(filter),
                }
            };
        }
    }
}

impl Forward {
    /// `F` filters over the whole image, `R` rows of a tile of columns at a time: first the products,
    /// then sums, tanh and pooling. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize, const R: usize>(&self, filter: usize) -> usize {
        for t in 0..self.shape.tiles() {
            for y in (0..self.shape.rows()).step_by(R) {
                let place = (filter, t, y);
                S::call(Products::<F, R>(self, place));
                S::call(Bend::<F, R>(self, place));
            }
        }
        F
    }

    unsafe fn products<S: Simd>(&self) -> *mut f32 {
        self.scratch.add(self.shape.points_len() * S::LANES)
    }
}

/// The outputs' values at the points: `[filter][p][row]` for `F` filters and `R` rows of a tile.
struct Products<'a, const F: usize, const R: usize>(&'a Forward, (usize, usize, usize));

impl<const F: usize, const R: usize> Kernel for Products<'_, F, R> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self(forward, (filter, t, y)) = self;
        let shape = forward.shape;
        let (height, tiles) = (shape.height, shape.tiles());
        let to = forward.products::<S>();
        let mut factors = forward.factors.add(filter);
        for p in 0..POINTS {
            let mut sums = [[S::splat(0.0); R]; F];
            for channel in 0..shape.inputs {
                let column = (channel * POINTS + p) * tiles + t;
                let column = forward.scratch.add((column * height + y) * S::LANES);
                for tap in 0..TAPS {
                    let mut values = [S::splat(0.0); R];
                    for (r, value) in values.iter_mut().enumerate() {
                        *value = S::load(column.add((tap + r) * S::LANES));
                    }
                    for (f, sums) in sums.iter_mut().enumerate() {
                        let factor = S::splat(*factors.add(f));
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum = value.fma(factor, *sum);
                        }
                    }
                    factors = factors.add(shape.outputs);
                }
            }
            for (f, sums) in sums.into_iter().enumerate() {
                for (r, sum) in sums.into_iter().enumerate() {
                    sum.store(to.add(((f * POINTS + p) * R + r) * S::LANES));
                }
            }
        }
    }
}

/// From the products to activations and pooled output, for `F` filters and `R` rows of a tile.
struct Bend<'a, const F: usize, const R: usize>(&'a Forward, (usize, usize, usize));

impl<const F: usize, const R: usize> Kernel for Bend<'_, F, R> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self(forward, (filter, t, y)) = self;
        let shape = forward.shape;
        let (height, width) = shape.pooled();
        let products = forward.products::<S>().cast_const();
        for f in 0..F {
            let bias = S::splat(*forward.bias.add(filter + f));
            for r in (0..R).step_by(2) {
                let from = products.add((f * POINTS * R + r) * S::LANES);
                let top = outputs_from_points::<S>(from, R * S::LANES);
                let bottom = outputs_from_points::<S>(from.add(S::LANES), R * S::LANES);
                let window = ((filter + f) * height + (y + r) / 2) * width + t * TILE / 2;
                for i in 0..TILE / 2 {
                    let mut values = [top[2 * i], top[2 * i + 1], bottom[2 * i], bottom[2 * i + 1]];
                    for value in &mut values {
                        *value = value.add(bias);
                        if shape.bending {
                            *value = tanh(*value);
                        }
                    }
                    let place = forward.shape.place(filter + f, t, (y + r) / 2) + i;
                    let to = forward.activations.add(4 * place * S::LANES);
                    for (j, value) in values.into_iter().enumerate() {
                        value.store(to.add(j * S::LANES));
                    }
                    let [a, b, c, d] = values;
                    let mean = a.add(b).add(c.add(d)).mul(S::splat(0.25));
                    mean.store(forward.pooled.add((window + i) * S::LANES));
                }
            }
        }
    }
}

/// See [`super::backward`].
pub(super) struct Backward {
    pub(super) shape: Shape,
    pub(super) x: *const f32,
    pub(super) factors: *const f32,
    pub(super) activations: *const f32,
    pub(super) pooled: *const f32,
    /// The gradients of the weights' values at the points, and of the biases.
    pub(super) parameters: Option<(*mut f32, *mut f32)>,
    pub(super) x_gradient: Option<*mut f32>,
    /// Working memory of [`backward_len`] vectors.
    pub(super) scratch: *mut f32,
}

impl Kernel for Backward {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        if self.parameters.is_some() {
            S::call(Points {
                shape: self.shape,
                x: self.x,
                points: self.scratch,
            });
        }
        let mut filter = 0;
        while filter < self.shape.outputs {
            filter += match self.shape.outputs - filter {
                3 | 6 if S::MANY_REGISTERS => self.filters::<S, 3>(filter),
                4.. if S::MANY_REGISTERS => self.filters::<S, 4>(filter),
                2.. => self.filters::<S, 2>(filter),
                _ => self.filters::<S, 1>(filter),
            };
        }
        let Some(x_gradient) = self.x_gradient else {
            return;
        };
        let mut channel = 0;
        while channel < self.shape.inputs {
            channel += match self.shape.inputs - channel {
                6.. if S::MANY_REGISTERS => self.channels::<S, 6>(channel),
                3.. if S::MANY_REGISTERS => self.channels::<S, 3>(channel),
                2.. => self.channels::<S, 2>(channel),
                _ => self.channels::<S, 1>(channel),
            };
        }
        S::call(InputGradient(&self, x_gradient));
    }
}

impl Backward {
    /// The gradients of the biases and weights of `F` filters. Returns `F`.
    #[inline(always)]
    unsafe fn filters<S: Simd, const F: usize>(&self, filter: usize) -> usize {
        let chunks = self.shape.tiles() / self.shape.chunk();
        for chunk in 0..chunks {
            for f in 0..F {
                S::call(GradientPoints {
                    backward: self,
                    filter: filter + f,
                    local: f,
                    chunk,
                });
            }
            let Some((to, _)) = self.parameters else {
                continue;
            };
            for point in 0..POINTS {
                S::call(WeightGradient::<F> {
                    backward: self,
                    filter,
                    point,
                    chunk,
                    to: (chunk + 1 == chunks).then_some(to),
                });
            }
        }
        F
    }

    /// The gradient for the input's values at the points, in the place of these values, in the order
    /// `[channel][row][t][p]`, for `C` channels. Returns `C`.
    #[inline(always)]
    unsafe fn channels<S: Simd, const C: usize>(&self, channel: usize) -> usize {
        let last = self.shape.height - ROWS;
        for point in 0..POINTS {
            for t in 0..self.shape.tiles() {
                for y in (0..self.shape.height).step_by(ROWS) {
                    let border = match y {
                        0 => Border::Top,
                        y if y == last => Border::Bottom,
                        _ => Border::None,
                    };
                    S::call(InputPoints::<C> {
                        backward: self,
                        channel,
                        point,
                        place: (t, y),
                        border,
                    });
                }
            }
        }
        C
    }

    /// A vector for each weight that is worked on, at each point, whose lanes are still to be summed.
    unsafe fn sums<S: Simd>(&self) -> *mut f32 {
        self.scratch.add(self.shape.points_len() * S::LANES)
    }

    /// The gradient before tanh at the points, from a filter's in a chunk on; `local` is the filter's
    /// number among those that are worked on. All of it is kept only if the input's gradient is wanted.
    unsafe fn gradient<S: Simd>(&self, chunk: usize, filter: usize, local: usize) -> *mut f32 {
        let shape = self.shape;
        let at = match self.x_gradient {
            Some(_) => chunk * shape.outputs + filter,
            None => local,
        };
        let each = POINTS * shape.chunk() * shape.rows();
        let sums = SUMMED_AT_ONCE * shape.inputs * POINTS * TAPS + MOST_LANES;
        self.sums::<S>().add((sums + at * each) * S::LANES)
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
        let shape = backward.shape;
        let (height, width) = shape.pooled();
        let (rows, tiles) = (shape.rows(), shape.chunk());
        let (one, quarter) = (S::splat(1.0), S::splat(0.25));
        let to = backward.gradient::<S>(chunk, filter, local);
        let mut sum = S::splat(0.0);
        for t in 0..tiles {
            for y in 0..height {
                let window = (filter * height + y) * width + (chunk * tiles + t) * TILE / 2;
                let (mut top, mut bottom) = ([one; TILE], [one; TILE]);
                for i in 0..TILE / 2 {
                    let share = S::load(backward.pooled.add((window + i) * S::LANES)).mul(quarter);
                    let mut shares = [share; 4];
                    if shape.bending {
                        let place = shape.place(filter, chunk * tiles + t, y) + i;
                        let from = backward.activations.add(4 * place * S::LANES);
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
        if let Some((_, bias)) = backward.parameters {
            *bias.add(filter) += sum.sum();
        }
    }
}

/// Adds a chunk of tiles to the sums for the weights of `F` filters at a point. The first chunk begins
/// the sums, `[channel][tap_y][filter]`, and after the last their lanes are summed, too.
struct WeightGradient<'a, const F: usize> {
    backward: &'a Backward,
    filter: usize,
    point: usize,
    chunk: usize,
    to: Option<*mut f32>,
}

impl<const F: usize> Kernel for WeightGradient<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let inputs = self.backward.shape.inputs;
        let place = self
            .backward
            .sums::<S>()
            .add(self.point * inputs * TAPS * F * S::LANES);
        for channel in 0..inputs {
            self.channel::<S>(channel, place.add(channel * TAPS * F * S::LANES));
        }
        if let Some(to) = self.to {
            self.sum_lanes::<S>(place, to);
        }
    }
}

impl<const F: usize> WeightGradient<'_, F> {
    #[inline(always)]
    unsafe fn channel<S: Simd>(&self, channel: usize, place: *mut f32) {
        let Self {
            backward,
            filter,
            point,
            chunk,
            ..
        } = *self;
        let shape = backward.shape;
        let (rows, tiles) = (shape.rows(), shape.chunk());
        let step = POINTS * tiles * rows * S::LANES;
        let mut sums = [[S::splat(0.0); TAPS]; F];
        if chunk > 0 {
            for (f, sums) in sums.iter_mut().enumerate() {
                for (tap, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(place.add((tap * F + f) * S::LANES));
                }
            }
        }
        let mut gradient = backward
            .gradient::<S>(chunk, filter, 0)
            .add(point * tiles * rows * S::LANES)
            .cast_const();
        for t in 0..tiles {
            let column = (channel * POINTS + point) * shape.tiles() + chunk * tiles + t;
            let mut x = backward
                .scratch
                .add(column * shape.height * S::LANES)
                .cast_const();
            for _ in 0..rows {
                let mut gradients = [S::splat(0.0); F];
                for (f, value) in gradients.iter_mut().enumerate() {
                    *value = S::load(gradient.add(f * step));
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

    /// Sums lanes and adds what comes out to the gradient. The last vectors may have others behind
    /// them, whose sums are left out.
    #[inline(always)]
    unsafe fn sum_lanes<S: Simd>(&self, place: *const f32, to: *mut f32) {
        let shape = self.backward.shape;
        let count = shape.inputs * TAPS * F;
        let first = self.point * shape.inputs * TAPS * shape.outputs + self.filter;
        let to = to.add(first);
        let mut sums = [0.0; MOST_LANES];
        for at in (0..count).step_by(S::LANES) {
            S::sums(place.add(at * S::LANES)).store(sums.as_mut_ptr());
            for i in at..count.min(at + S::LANES) {
                *to.add(i / F * shape.outputs + i % F) += sums[i - at];
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
struct InputPoints<'a, const C: usize> {
    backward: &'a Backward,
    channel: usize,
    point: usize,
    place: (usize, usize),
    border: Border,
}

impl<const C: usize> Kernel for InputPoints<'_, C> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        match self.border {
            Border::None => self.tile::<S>(Border::None),
            Border::Top => self.tile::<S>(Border::Top),
            Border::Bottom => self.tile::<S>(Border::Bottom),
        }
    }
}

impl<const C: usize> InputPoints<'_, C> {
    /// `border` is known when this is compiled.
    #[inline(always)]
    unsafe fn tile<S: Simd>(&self, border: Border) {
        let Self {
            backward,
            channel,
            point,
            place: (t, y),
            ..
        } = *self;
        let shape = backward.shape;
        let (rows, tiles) = (shape.rows(), shape.chunk());
        let mut sums = [[S::splat(0.0); ROWS]; C];
        let factors = (point * shape.inputs + channel) * TAPS * shape.outputs;
        let gradient = (point * tiles + t % tiles) * rows + y;
        for filter in 0..shape.outputs {
            let gradient = backward
                .gradient::<S>(t / tiles, filter, filter)
                .wrapping_add(gradient * S::LANES);
            let factors = (backward.factors.add(factors + filter), shape.outputs);
            tap::<S, C, 0>(gradient, factors, border, &mut sums);
            tap::<S, C, 1>(gradient, factors, border, &mut sums);
            tap::<S, C, 2>(gradient, factors, border, &mut sums);
            tap::<S, C, 3>(gradient, factors, border, &mut sums);
            tap::<S, C, 4>(gradient, factors, border, &mut sums);
        }
        for (c, sums) in sums.into_iter().enumerate() {
            for (r, sum) in sums.into_iter().enumerate() {
                let row = (channel + c) * shape.height + y + r;
                let at = (row * shape.tiles() + t) * POINTS + point;
                sum.store(backward.scratch.add(at * S::LANES));
            }
        }
    }
}

/// Adds what tap `T` sends to [`ROWS`] rows of `C` channels; `outputs` factors lie between taps.
#[inline(always)]
unsafe fn tap<S: Simd, const C: usize, const T: usize>(
    gradient: *const f32,
    (factors, outputs): (*const f32, usize),
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
        let factor = S::splat(*factors.add((c * TAPS + T) * outputs));
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
        let shape = backward.shape;
        for row in 0..shape.inputs * shape.height {
            let to = to.add(row * shape.width * S::LANES);
            let mut overlap = [S::splat(0.0); TILE];
            for t in 0..shape.tiles() {
                let from = (row * shape.tiles() + t) * POINTS;
                let mut values = [S::splat(0.0); POINTS];
                for (p, value) in values.iter_mut().enumerate() {
                    *value = S::load(backward.scratch.add((from + p) * S::LANES));
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
