//! LeNet-5 on MNIST with shapes checked at compile time, made for Rust notebooks.

#![deny(missing_docs)]

pub use dfdx;
pub use lenet_figures::plotters;

mod augment;
mod data;
mod draw;
pub mod display;
mod error;
mod fit;
mod history;
pub mod init;
pub mod inspect;
pub mod layers;
mod lenet5;
pub mod loss;
pub mod metrics;
pub mod mnist;
mod model;
pub mod network;
mod optimizer;
pub mod plot;
pub mod prelude;
pub mod preprocess;
mod program;
mod random;
mod safetensors;
mod schedule;
pub mod shape;
mod slices;
mod summary;
mod tape;
mod threads;
mod train;
pub mod weights;

pub use augment::Augment;
pub use data::Data;
pub use error::{Error, Result};
pub use fit::Fit;
pub use history::{Epoch, History, Score};
pub use lenet5::LeNet5;
pub use model::Model;
pub use optimizer::{Adam, Optimizer, RmsProp, Sgd, Stepper};
pub use schedule::Schedule;
pub use summary::Summary;
