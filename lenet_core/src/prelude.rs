//! What a notebook needs: `use lenet_core::prelude::*;`.
//!
//! Besides this crate's own names it brings those of dfdx that the walkthrough mentions. The rest of
//! dfdx is reached through [`crate::dfdx`]; naming it as a dependency of its own would give a
//! notebook a second copy of it.

pub use dfdx::prelude::{
    AsArray, Backward, BuildModule, Const, Cpu, HasShape, Module, Rank1, Rank2, Rank3, Rank4,
    Tensor, TensorFrom, TensorFromVec, Trace, ZeroGrads, ZerosTensor,
};

pub use crate::display::Show;
pub use crate::init::GlorotUniform;
pub use crate::inspect::{Dims, Inspect};
pub use crate::layers::{AvgPool2D, Conv2D, Flatten, Fused, Linear, Tanh};
pub use crate::loss::cross_entropy;
pub use crate::network::Layer;
pub use crate::preprocess::{normalize, to_categorical, Reshape};
pub use crate::{
    metrics, mnist, plot, weights, Adam, Augment, Data, Epoch, Error, Fit, History, Isa, LeNet5,
    Model, Result, Schedule, Score, Stop, Summary,
};
