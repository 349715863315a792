//! LeNet-5 on MNIST with shapes checked at compile time, made for Rust notebooks.
//!
//! ```
//! use lenet_core::prelude::*;
//!
//! let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
//! let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
//! let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
//! let (y_train, y_test) = (to_categorical::<10, _>(&y_train)?, to_categorical::<10, _>(&y_test)?);
//!
//! let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
//! let few = Data::from((&x_train, &y_train)).first(6_000)?;
//! model.fit(few, &Fit { epochs: 1, ..Fit::default() })?;
//! let score = model.evaluate((&x_test, &y_test))?;
//! assert!(score.accuracy > 0.7);
//! # Ok::<(), lenet_core::Error>(())
//! ```
//!
//! # The way of an image, from file to prediction
//!
//! 1. `mnist.rs`: bytes, found and checked by the crate `lenet_mnist`, become tensors.
//!    One's own come by `picture.rs` from PNG and JPEG files.
//! 2. `preprocess.rs`: a channel axis, values in 0..=1, labels as one-hot rows.
//! 3. `lenet5.rs`: the network, one type, of the layers in `layers/`; `shape.rs` lets the compiler see that they fit,
//!    `network.rs` says what a tuple of them can do, `summary.rs` prints their table.
//! 4. `model.rs`: `predict` runs the network's program and turns logits into probabilities (`loss.rs`); `suspicion.rs` says
//!    a word where the images don't look like MNIST's.
//! 5. `metrics.rs` counts where it errs, `plot.rs` draws it, `draw.rs` lets the reader draw.
//!
//! # The way of a training step, from `fit` to the arithmetic
//!
//! 1. `model.rs`: [`Model::compile`] makes the network's program, [`Model::fit`] hands it to the trainer.
//! 2. `train.rs`: a fit is some epochs, an epoch some steps; a step cuts a mini-batch into shards, takes each forward and
//!    backward, and moves the parameters against the sum of the shards' gradients.
//! 3. `program.rs`: the operations of a network on one flat vector of parameters, forward and backward.
//! 4. `loss.rs`: softmax, cross-entropy and their slope. `update.rs`: how an optimiser moves the parameters.
//! 5. The crate `lenet_kernels`: convolution, pooling, dense layers, on slices, in vectors of the processor.
//!
//! The same layers work on dfdx's tape (`tape.rs`): [`network::Forward`], [`loss::cross_entropy`], `backward` and
//! [`Stepper`] are a training loop by hand, for any network.

#![deny(missing_docs)]

pub use dfdx;
pub use lenet_figures::plotters;

mod augment;
mod data;
pub mod display;
mod draw;
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
pub mod picture;
pub mod plot;
pub mod prelude;
pub mod preprocess;
mod program;
mod random;
mod safetensors;
mod schedule;
pub mod shape;
mod slices;
mod stepper;
mod summary;
mod suspicion;
mod tape;
mod threads;
mod train;
mod update;
pub mod weights;

pub use augment::Augment;
pub use data::Data;
pub use error::{Error, Result};
pub use fit::Fit;
pub use history::{Epoch, History, Score};
pub use lenet5::LeNet5;
pub use model::Model;
pub use optimizer::{Adam, Optimizer, RmsProp, Sgd};
pub use schedule::Schedule;
pub use stepper::Stepper;
pub use summary::Summary;
