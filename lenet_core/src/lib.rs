//! LeNet-5 on MNIST with shapes checked at compile time, made for Rust notebooks.

#![deny(missing_docs)]

pub use dfdx;

mod augment;
mod checkpoint;
mod data;
pub mod display;
mod draw;
mod error;
mod files;
mod fit;
mod gradient;
mod history;
pub mod init;
pub mod inspect;
mod kernels;
pub mod layers;
mod learner;
mod lenet5;
pub mod loss;
#[doc(hidden)]
pub mod measure;
pub mod metrics;
pub mod mnist;
mod model;
pub mod network;
pub mod optim;
pub mod plot;
pub mod prelude;
pub mod preprocess;
pub mod progress;
mod random;
mod safetensors;
mod schedule;
pub mod shape;
mod step;
mod summary;
mod sums;
mod tensors;
mod threads;
mod train;
mod view;
pub mod weights;

pub use augment::Augment;
pub use data::{Data, Images};
pub use draw::DrawDigit;
pub use error::{Error, Result};
pub use fit::Fit;
pub use history::{Epoch, History, Stop};
pub use kernels::Isa;
pub use lenet5::LeNet5;
pub use model::{Model, Score};
pub use optim::Adam;
pub use schedule::Schedule;
pub use summary::Summary;
