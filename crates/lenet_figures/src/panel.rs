//! Drawing a digit in the notebook: a panel whose network runs in the page.

use crate::{Error, Figure, Result};

/// What is applied to each value that a layer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// The hyperbolic tangent.
    Tanh,
    /// max(0, x).
    Relu,
    /// 1 / (1 + exp(-x)).
    Sigmoid,
}

/// A layer that the page can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// A valid convolution of stride 1; weights (outputs, inputs, kernel, kernel), then biases.
    Conv2D {
        /// Input channels.
        inputs: usize,
        /// Output channels.
        outputs: usize,
        /// Side of a filter.
        kernel: usize,
    },
    /// The mean of each window of `0` by `0` values.
    AvgPool2D(usize),
    /// The largest of each window.
    MaxPool2D(usize),
    /// Zeros around each map, `0` on each side.
    ZeroPad2D(usize),
    /// A dense layer; weights (outputs, inputs), then biases.
    Linear {
        /// Input values.
        inputs: usize,
        /// Output values.
        outputs: usize,
    },
    /// All maps in one vector.
    Flatten,
    /// Nothing, once a network is trained.
    Dropout,
    /// An activation.
    Activation(Activation),
}

/// A panel in which the reader draws a digit and sees the probabilities of the classes while drawing.
#[derive(Debug, Clone)]
pub struct Panel {
    picture: Figure,
}

impl Panel {
    /// The panel of a network with these layers and `parameters` (each layer's weights and biases, in their order).
    /// `probabilities` is what the network makes of [`drawn_seven`]; it stands in the picture where scripts don't run.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub fn new(
        layers: &[Layer],
        parameters: &[&[f32]],
        names: &[&str],
        probabilities: &[f32],
    ) -> Result<Self> {
        let _ = (layers, parameters, names, probabilities);
        Err(Error::draw("not yet"))
    }

    /// The panel as an HTML element that needs nothing but itself.
    pub fn html(&self) -> String {
        self.picture.html()
    }

    /// Shows the panel as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {}
}

/// A 7 as 28 by 28 values of ink from 0 to 1, prepared as MNIST's digits were.
pub fn drawn_seven() -> Vec<f32> {
    Vec::new()
}
