//! The arithmetic of a small engine that trains convolutional networks on a CPU: slices in, slices out.
//!
//! **Blocks and lanes.** An instruction set ([`Isa`]) works on vectors of 4, 8 or 16 values, its lanes. As many images lie side
//! by side in a block: a vector holds the same pixel of each. So a weight times a pixel is one value times one vector, at
//! every image size, and no image knows of the others. [`to_blocks`] brings images into blocks and [`to_rows`] back.
//!
//! **Points.** A row of outputs of a filter of `K` taps is a sum of products of polynomials. Evaluated at eight points,
//! `N = 9 - K` outputs of such a row cost eight products instead of `N K` (Winograd's minimal filtering). The change to the
//! points costs additions alone, once for each value, while each value takes part in many products.
//!
//! **Sums of products.** At a point a convolution is a product of matrices, as a dense layer is. Two kernels do all of
//! them: sums of rows (outputs, and gradients of inputs), and dots of rows (gradients of a convolution's weights).
//!
//! ```text
//!               to the points                           from the points, + bias,
//!    x [c][y][x] ------------> values [p][c][y][tile]   activation, pooling
//!                                    \                 .--> y
//!                                     (sums of rows) -'
//!                                    /
//!    w [f][c][u][v] ---------> weights [p][c][u][f]
//!
//!    dy --> before pooling and activation --> gradients [p][f][y][tile]
//!           (dots of rows) gradients, values   --> [p][f][c][u] --> dw
//!           (sums of rows) gradients, weights  --> [p][c][y][tile] --> dx
//!
//!    c channel, f filter, y x row and column, u v tap, p point; each entry of x, y, values and gradients is a vector
//! ```
//!
//! A map is worked on stripe by stripe, so that what one step writes is still in the nearest cache when the next one reads it:
//! `N` outputs of a row are a tile, a few rows of tiles are a stripe.
//!
//! [`Conv`] is a convolution with its activation and pooling, [`Dense`] a dense layer on images as rows; [`Activation`],
//! [`Pool`] and [`Pad`] stand for themselves; [`optimizer`] moves parameters. `tests/it/naive.rs` has the convolution as plain loops.
//! A [`Buffer`] is working memory. All run on the thread that calls them. All are safe: slices of another length than the
//! layer's make them panic, before anything is written.
//!
//! ```
//! use lenet_kernels::{to_blocks, to_rows, Buffer, Conv, Isa};
//! let isa = Isa::best();
//! let conv = Conv { isa, inputs: 1, height: 3, width: 3, outputs: 1, kernel: 2, activation: None, pool: None };
//! let (mut x, mut y) = (vec![0.0; 9 * isa.lanes()], vec![0.0; 4 * isa.lanes()]);
//! let (mut prepared, mut saved) = (vec![0.0; conv.prepared_len()], vec![0.0; conv.saved_len() * isa.lanes()]);
//! to_blocks(isa, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 9, &mut x);
//! conv.prepare(&[1.0, 0.0, 0.0, -2.0], &mut prepared);
//! conv.forward(&x, &prepared, &[0.5], &mut y, &mut saved, &mut Buffer::new());
//! let mut map = [0.0; 4];
//! to_rows(isa, &y, 4, &mut map);
//! assert!(map.iter().zip([-8.5, -9.5, -11.5, -12.5]).all(|(found, wanted)| (found - wanted).abs() < 1e-5));
//! ```

#![deny(missing_docs)]

mod activation;
mod blocks;
mod buffer;
mod conv;
mod dense;
mod isa;
pub mod optimizer;
mod pad;
mod points;
mod pool;
mod products;
mod simd;

pub use activation::Activation;
pub use blocks::{to_blocks, to_rows};
pub use buffer::Buffer;
pub use conv::Conv;
pub use dense::Dense;
pub use isa::Isa;
pub use pad::Pad;
pub use pool::{Pool, Pooling};
