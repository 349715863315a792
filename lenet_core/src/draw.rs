//! Drawing a digit in the notebook: a panel whose network runs in the page.

use lenet_figures::{drawn_seven, Layer, Panel, PanelLayer};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::{Activation, LayerKind, Network};
use crate::plot::Named;
use crate::program::Program;
use crate::summary::rows;

impl<N: Network> Model<N> {
    /// A panel to draw digits in, with the parameters learned so far. The page computes the probabilities itself, and shows below
    /// them what each layer makes of the drawing.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
    /// let panel = model.draw()?;
    /// assert!(panel.html().contains("\"kind\":\"Conv2D\",\"inputs\":1,\"outputs\":6,\"kernel\":5"));
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a network that takes other images than 28x28 grey pixels.
    pub fn draw(&self) -> Result<Panel> {
        Named(&[]).draw(self)
    }
}

impl Named<'_> {
    /// The panel of [`Model::draw`], with the classes' names at its bars.
    ///
    /// # Errors
    /// As [`Model::draw`], and if there is not one name for each class.
    pub fn draw<N: Network>(self, model: &Model<N>) -> Result<Panel> {
        let trainer = &model.trainer;
        if trainer.image != [1, 28, 28] {
            let got = format!("{:?}", trainer.image);
            return Err(Error::argument("images of a network to draw for", "[1, 28, 28]: grey, 28x28 pixels", got));
        }
        let rows = rows(&trainer.layers, &trainer.image);
        let layers = trainer.layers.iter().enumerate().filter_map(|(at, layer)| {
            let layer = layer_of_page(*layer)?;
            let name = rows.iter().find(|row| row.at == at).map_or("", |row| &row.name);
            // What comes out here, as if the network ended.
            let program = Program::new(&trainer.layers[..=at], &trainer.image);
            let mut made = vec![0.0; program.output_len()];
            program.infer(&trainer.parameters[..program.parameters()], &drawn_seven(), &mut made);
            Some(PanelLayer { layer, name, made })
        });
        Ok(Panel::new(&Vec::from_iter(layers), &trainer.parameters, self.0)?)
    }
}

fn layer_of_page(layer: LayerKind) -> Option<Layer> {
    Some(match layer {
        LayerKind::Input { .. } => return None,
        LayerKind::Conv2D { outputs, kernel, .. } => Layer::Conv2D(outputs, kernel),
        LayerKind::AvgPool2D { window } => Layer::AvgPool2D(window),
        LayerKind::MaxPool2D { window } => Layer::MaxPool2D(window),
        LayerKind::ZeroPad2D { padding } => Layer::ZeroPad2D(padding),
        LayerKind::Flatten => Layer::Flatten,
        LayerKind::Linear { outputs, .. } => Layer::Linear(outputs),
        LayerKind::Activation(Activation::Tanh) => Layer::Tanh,
        LayerKind::Activation(Activation::Relu) => Layer::ReLU,
        LayerKind::Activation(Activation::Sigmoid) => Layer::Sigmoid,
        LayerKind::Dropout { .. } => Layer::Dropout,
    })
}
