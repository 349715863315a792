//! Convolution with 5 x 5 filters by minimal filtering: the products of a row of taps with four
//! neighbouring outputs, twenty of them, are replaced by eight.
//!
//! A row of outputs is a product of polynomials. Eight values determine it, so it can be had by
//! evaluating both factors at eight points, multiplying point by point and interpolating: Winograd,
//! "Arithmetic Complexity of Computations", 1980; for convolutional networks Lavin and Gray, "Fast
//! Algorithms for Convolutional Neural Networks", 2015, where it is called F(4, 5). The points are
//! 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, and `winograd/points.py` makes the numbers.
//!
//! Only rows are treated so. The sums over rows and channels are taken at the points, where they
//! cost no transform and where rounding errors average out: the result is about as exact as the plain
//! sum. Gradients are the same three linear maps turned around.
//!
//! With `t` for a tile of four columns and `p` for a point, memory holds vectors (a lane for each
//! image) in these orders:
//! - the input's values `[channel][p][t][row]`,
//! - the weights' values, plain numbers, `[p][channel][tap_y][filter]`, and their gradients likewise;
//!   for the input's gradient `[filter][p][channel][tap_y]`,
//! - the values of the gradient before tanh `[chunk][filter][p][t in chunk][row]`,
//! - the activations `[filter][t][row of pooling windows][window][4]`.

mod backward;
mod forward;
mod points;

use super::Shape;
pub(crate) use backward::{backward_len, Backward};
pub(crate) use forward::{forward_len, Forward};
pub(crate) use points::{add_gradient, by_filter, evaluate};

/// Outputs of a tile.
const TILE: usize = 4;
/// Taps of a row of a filter, and rows of it.
const TAPS: usize = 5;
/// Points, and inputs that a tile sees.
const POINTS: usize = TILE + TAPS - 1;
/// Rows of a tile of the input gradient: then a filter's overlap with the image's border is a whole
/// tile.
const ROWS: usize = 4;
/// Numbers over which a weight's gradient is summed in registers before the sums go to memory; so many
/// of four filters stay in the nearest caches.
const LONG_SUM: usize = 24 * 16;

/// Whether a layer can be computed so: its filters have the size, and tiles fill its output.
pub(crate) fn fits(shape: &Shape) -> bool {
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
    fn window(&self, filter: usize, t: usize, y: usize) -> usize {
        let (height, width) = self.pooled();
        filter * height * width + (t * height + y) * TILE / 2
    }
    /// Tiles of a chunk, over which weight gradients are summed in registers.
    fn chunk(&self, lanes: usize) -> usize {
        let fits = |tiles: &usize| {
            self.tiles().is_multiple_of(*tiles) && tiles * self.rows() * lanes <= LONG_SUM
        };
        (1..=self.tiles()).rev().find(fits).unwrap_or(1)
    }
    /// Numbers of one image's gradient before tanh at the points.
    fn gradient_points_len(&self) -> usize {
        self.outputs * POINTS * self.tiles() * self.rows()
    }
}

/// Numbers of one image's input at the points.
pub(crate) fn values_len(shape: &Shape) -> usize {
    shape.inputs * POINTS * shape.tiles() * shape.height
}

/// Weights at the points.
pub(crate) fn factors_len(shape: &Shape) -> usize {
    shape.weights() / TAPS * POINTS
}
