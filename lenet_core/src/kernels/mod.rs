//! The arithmetic behind the fused layers, written for the vectors that the CPU has.
//!
//! Every kernel is checked against the plain layers, which serve as its oracle.

pub(crate) mod adam;
pub(crate) mod batch;
pub(crate) mod buffer;
pub(crate) mod conv;
mod isa;
pub(crate) mod matrix;
pub(crate) mod peak;
mod simd;
pub(crate) mod tanh;
mod transpose;

pub use isa::Isa;
