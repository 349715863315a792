//! What a notebook needs: `use lenet_core::prelude::*;`.
//!
//! Besides this crate's own names it brings those of dfdx that the notebooks mention. The rest of
//! dfdx is reached through [`crate::dfdx`]; naming it as a dependency of its own would give a
//! notebook a second copy of it.

pub use std::ops::ControlFlow;

pub use dfdx::prelude::{
    AsArray, Backward, Const, Cpu, Rank1, Rank2, Rank3, Rank4, Tensor, TensorFrom, TensorFromVec, Trace, ZerosTensor,
};

pub use crate::display::Show;
pub use crate::init::GlorotUniform;
pub use crate::inspect::{Dims, Inspect};
pub use crate::layers::{
    AvgPool2D, Conv2D, Dropout, Flatten, Input, Linear, MaxPool2D, ReLU, Sigmoid, Tanh, ZeroPad2D,
};
pub use crate::loss::cross_entropy;
pub use crate::network::Forward;
pub use crate::preprocess::{normalize, to_categorical, DynRank4, Reshape};
pub use crate::summary::Summarize;
pub use crate::{
    metrics, mnist, picture, plot, weights, Adam, Augment, Data, Epoch, Error, Fit, History, LeNet5, Model, Optimizer,
    Result, RmsProp, Schedule, Score, Sgd, Stepper, Summary,
};
