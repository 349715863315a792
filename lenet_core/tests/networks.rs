//! Whole networks: the program that training runs against the same layers one by one on the tape; networks of other sizes
//! and layers; flat and nested tuples; dropout.

mod common;

use common::{assert_close, bits, data, flat, fresh, how, images, optimizers};
use lenet_core::network::Network;
use lenet_core::prelude::*;
use lenet_core::shape::{BatchOf, Maps, Takes, Values};

/// Layers one by one against fused ones: float32 rounding, relative to the largest value.
const PASS: f64 = 1e-5;
/// So large a learning rate that a step leaves little else than the gradient; a power of two, to lose no bit.
const GIANT: f32 = (1 << 20) as f32;

type Lenet5Flat = (
    Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>, Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>, Flatten,
    Linear<256, 120>, Tanh, Linear<120, 84>, Tanh, Linear<84, 10>,
);
