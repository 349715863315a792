//! The arithmetic behind the fused layers, written for the vectors that the CPU has.
//!
//! Every kernel is checked against the plain layers, which serve as its oracle. All of them run on the
//! thread that calls them.

pub(crate) mod adam;
pub(crate) mod batch;
pub(crate) mod buffer;
pub(crate) mod conv;
pub(crate) mod dense;
mod isa;
pub(crate) mod peak;
mod pieces;
pub(crate) mod prefetch;
mod simd;
pub(crate) mod stream;
pub(crate) mod tanh;
mod transpose;

pub use isa::Isa;
