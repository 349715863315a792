//! LeNet-5 on MNIST with shapes checked at compile time, made for Rust notebooks.

#![deny(missing_docs)]

pub use dfdx;

pub mod display;
mod error;
mod history;
mod kernels;
pub mod layers;
pub mod mnist;
pub mod plot;
pub mod shape;
mod view;

pub use error::{Error, Result};
pub use history::{Epoch, History};
pub use kernels::Isa;
