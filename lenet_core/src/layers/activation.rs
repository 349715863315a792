//! The activations: functions of each value by itself.

use super::{takes, without_parameters};
use crate::network::{Activation, Begins, LayerKind};
use crate::shape::{Arriving, Maps};

macro_rules! activation {
    ($(#[$docs:meta])* $name:ident, $kind:expr) => {
        $(#[$docs])*
        #[derive(Debug, Default, Clone, Copy)]
        pub struct $name;

        without_parameters!([] $name, LayerKind::Activation($kind));

        takes!([X: Arriving] $name, X => X);

        impl Begins for $name {
            type With = Maps<1, 28>;
        }
    };
}

activation! {
    /// The hyperbolic tangent, from -1 to 1: `y = (e^x - e^-x) / (e^x + e^-x)`.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let y = Tanh.forward(Cpu::default().tensor([[0.0f32, 1.0]])).array();
    /// assert!(y[0][0] == 0.0 && (y[0][1] - 1f32.tanh()).abs() < 1e-6);
    /// ```
    Tanh, Activation::Tanh
}

activation! {
    /// The rectified linear unit: `y = max(x, 0)`; its slope at 0 is 0.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// assert_eq!(ReLU.forward(Cpu::default().tensor([[-2.0f32, 3.0]])).array(), [[0.0, 3.0]]);
    /// ```
    ReLU, Activation::Relu
}

activation! {
    /// The logistic function, from 0 to 1: `y = 1 / (1 + e^-x)`.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// assert_eq!(Sigmoid.forward(Cpu::default().tensor([[0.0f32]])).array(), [[0.5]]);
    /// ```
    Sigmoid, Activation::Sigmoid
}
