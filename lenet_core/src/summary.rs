//! The layers of a network in a table, with their output shapes and parameters.

use std::fmt;

use lenet_figures::{layer_table, Row, Table};

use crate::network::{kinds, Activation, Chain, LayerKind};
use crate::shape::Arriving;

/// A row of the table, and the shapes of the layer's tensors of parameters.
pub(crate) struct LayerRow {
    /// The layer's place among all.
    pub(crate) at: usize,
    /// As in the paper: `C1`, `S2`, …, `Output`.
    pub(crate) name: String,
    /// What the layer is, as in `Conv2D 5x5`.
    kind: String,
    /// What is behind it, as in `tanh`; empty for nothing.
    activation: String,
    /// The output's shape without the batch.
    output: Vec<usize>,
    pub(crate) tensors: Vec<Vec<usize>>,
    /// How the parameters are counted, as in `(5*5*1 + 1) * 6`; empty where there are none.
    formula: String,
}

/// The rows of layers for images of these sizes. Activations stand in the row of the layer that they follow.
///
/// Names follow the paper: C for a convolution, S for subsampling, F for a dense layer, with the
/// position counted from 1. A dense layer that follows [`Flatten`](crate::layers::Flatten) is a convolution over the whole
/// feature map and named C as there (LeCun 1998, section II.B on C5); the last one is Output.
pub(crate) fn rows(layers: &[LayerKind], input: &[usize]) -> Vec<LayerRow> {
    let mut rows: Vec<LayerRow> = Vec::new();
    let (mut output, mut position, mut flattened) = (input.to_vec(), 0, false);
    let last_dense = layers.iter().rposition(|layer| matches!(layer, LayerKind::Linear { .. }));
    for (at, layer) in layers.iter().enumerate() {
        output = layer.output(&output);
        let mut numbered = |letter: char| {
            position += 1;
            format!("{letter}{position}")
        };
        let mut tensors = Vec::new();
        let mut formula = String::new();
        let (name, kind) = match *layer {
            LayerKind::Input { .. } => continue,
            LayerKind::Activation(activation) if !rows.is_empty() => {
                let words = &mut rows.last_mut().expect("not empty").activation;
                *words = [words.as_str(), activation_name(activation)].join(if words.is_empty() { "" } else { ", " });
                continue;
            }
            LayerKind::Activation(activation) => (activation_name(activation).to_string(), "activation".to_string()),
            LayerKind::Conv2D { inputs, outputs, kernel } => {
                tensors = vec![vec![outputs, inputs, kernel, kernel], vec![outputs]];
                formula = format!("({kernel}*{kernel}*{inputs} + 1) * {outputs}");
                (numbered('C'), format!("Conv2D {kernel}x{kernel}"))
            }
            LayerKind::AvgPool2D { window } => (numbered('S'), format!("AvgPool2D {window}x{window}")),
            LayerKind::MaxPool2D { window } => (numbered('S'), format!("MaxPool2D {window}x{window}")),
            LayerKind::Linear { inputs, outputs } => {
                tensors = vec![vec![outputs, inputs], vec![outputs]];
                formula = format!("({inputs} + 1) * {outputs}");
                let name = numbered(if flattened { 'C' } else { 'F' });
                (if Some(at) == last_dense { "Output".into() } else { name }, "Linear".into())
            }
            LayerKind::ZeroPad2D { padding } => ("ZeroPad2D".into(), format!("{padding} on each side")),
            LayerKind::Flatten => ("Flatten".into(), "Flatten".into()),
            LayerKind::Dropout { percent } => ("Dropout".into(), format!("{percent} %")),
        };
        flattened = matches!(layer, LayerKind::Flatten);
        // The loss and `predict` apply the softmax, not the network.
        let activation =
            if Some(at) == last_dense && at + 1 == layers.len() { "softmax".into() } else { String::new() };
        rows.push(LayerRow { at, name, kind, activation, output: output.clone(), tensors, formula });
    }
    rows
}

/// The name of an activation as Keras writes it.
pub(crate) fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Tanh => "tanh",
        Activation::Relu => "relu",
        Activation::Sigmoid => "sigmoid",
    }
}

/// A network's layers with their output shapes and parameters, as Keras' `summary()` prints them.
///
/// ```
/// use lenet_core::{LeNet5, Summary};
/// let table = Summary::of::<LeNet5>().to_string();
/// assert!(table.contains("C3 (Conv2D 5x5, tanh)"));
/// assert!(table.contains("(None, 16, 8, 8)"));
/// assert!(table.contains("Total params: 44,426"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    input: Vec<usize>,
    rows: Vec<Row>,
}

impl Summary {
    /// The table of the network `N`.
    pub fn of<N: Chain>() -> Self {
        Self::new(&kinds::<N>(), &N::With::sizes())
    }

    pub(crate) fn new(layers: &[LayerKind], input: &[usize]) -> Self {
        let row = |row: LayerRow| Row {
            parameters: row.tensors.iter().map(|shape| shape.iter().product::<usize>()).sum(),
            name: row.name,
            kind: row.kind,
            activation: row.activation,
            output: row.output,
            formula: row.formula,
        };
        Self { input: input.to_vec(), rows: rows(layers, input).into_iter().map(row).collect() }
    }

    /// All trainable parameters.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// The input and the layers, for a drawing.
    pub(crate) fn drawn(&self) -> Vec<Row> {
        let input = Row { name: "Input".into(), kind: "image".into(), output: self.input.clone(), ..Row::default() };
        [input].into_iter().chain(self.rows.iter().cloned()).collect()
    }

    /// The table as an HTML element.
    pub(crate) fn html(&self) -> String {
        self.table().html()
    }

    fn table(&self) -> Table<4> {
        layer_table(&self.rows)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

/// The layer table of a network.
pub trait Summarize {
    /// The network's layers with their output shapes and parameters.
    fn summary(&self) -> Summary
    where
        Self: Chain;
}

impl<N> Summarize for N {
    fn summary(&self) -> Summary
    where
        Self: Chain,
    {
        Summary::of::<Self>()
    }
}
