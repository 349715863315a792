//! The arithmetic of LeNet-5's layers: slices in, slices out.

#![deny(missing_docs)]

mod activation;
mod blocks;
mod buffer;
mod conv;
mod dense;
mod isa;
pub mod naive;
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
