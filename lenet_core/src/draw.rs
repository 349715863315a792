//! Drawing a digit in the notebook: a panel whose network runs in the page.

use crate::display::base64;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::{Network, Outline, Row, AVG_POOL, CONV, FLATTEN, LINEAR};
use crate::plot::{drawing_panel, Figure};
use crate::weights;

/// What the page holds: the network and the preprocessing in JavaScript, the panel in HTML and JavaScript.
const NETWORK_JS: &str = include_str!("draw/network.js");
const PREPROCESS_JS: &str = include_str!("draw/preprocess.js");
const PANEL_JS: &str = include_str!("draw/panel.js");
const PANEL_HTML: &str = include_str!("draw/panel.html");

/// For viewers that run no scripts.
const WORDS: &str = "Here you can draw a digit and see what the network makes of it, as soon as the notebook is \
                     trusted (JupyterLab: View > Activate Command Palette > Trust Notebook) or this cell is run.";

/// A panel in which the reader draws a digit and sees the network's ten probabilities while drawing.
///
/// It is made by [`Model::draw`] and shows itself as the result of a notebook cell. The page computes the
/// probabilities itself, from the weights as they were when the panel was made: it needs neither the kernel nor a
/// network, so it also works in an exported page. The drawing is prepared as MNIST's images were: scaled into a box of
/// 20x20 pixels, its centre of mass in the middle of 28x28 (LeCun 1998, section III.A).
///
/// Where scripts don't run, a picture of the panel stands in its place.
#[derive(Debug, Clone)]
pub struct DrawDigit {
    network: String,
    picture: Figure,
}

impl DrawDigit {
    fn new<N: Network>(network: &N) -> Result<Self> {
        let tensors = weights::tensors(network);
        let numbers = tensors.iter().flat_map(|tensor| &tensor.values);
        let bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        let layers = layers(&Outline::of::<N>())?;
        let weights = base64(&bytes);
        Ok(Self {
            network: format!("{{\"layers\":[{layers}],\"weights\":\"{weights}\"}}"),
            picture: drawing_panel()?,
        })
    }

    /// The panel as an HTML element that needs nothing but itself.
    ///
    /// It has no ids and keeps its style to itself, so that there may be several on a page.
    pub fn html(&self) -> String {
        let (network, picture) = (&self.network, self.picture.html());
        format!(
            "<div class=\"lenet-draw\">\n<p>{WORDS}</p>\n{picture}\n\
             <script type=\"application/json\" class=\"network\">{network}</script>\n\
             <script type=\"text/html\" class=\"panel\">\n{PANEL_HTML}</script>\n\
             <script>\n(() => {{\n\"use strict\";\n{NETWORK_JS}\n{PREPROCESS_JS}\n{PANEL_JS}}})();\n</script>\n</div>\n"
        )
    }

    /// Shows the panel as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        evcxr_runtime::mime_type("text/html").text(self.html());
        evcxr_runtime::mime_type("image/png").text(base64(self.picture.png()));
        evcxr_runtime::mime_type("text/plain").text(self.picture.text());
    }
}

impl<N: Network> Model<N> {
    /// A panel to draw digits in, with the weights learned so far.
    ///
    /// ```
    /// use lenet_core::{init::GlorotUniform as _, Adam, LeNet5, Model};
    /// let model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
    /// let panel = model.draw()?;
    /// assert!(panel.html().contains("\"kind\":\"Conv2D\",\"inputs\":1,\"outputs\":6,\"kernel\":5,\"tanh\":true"));
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] for a network with a layer that the page can't compute: it knows this crate's layers.
    pub fn draw(&self) -> Result<DrawDigit> {
        DrawDigit::new(self.network())
    }
}

/// The layers as JSON objects, with commas between them.
fn layers(outline: &Outline) -> Result<String> {
    let mut inputs = outline.input[0];
    let mut layers = Vec::new();
    for row in &outline.rows {
        let (kind, kernel) = kind_and_kernel(row)?;
        let (outputs, tanh) = (row.output[0], row.activation == "tanh");
        layers.push(format!(
            "{{\"kind\":\"{kind}\",\"inputs\":{inputs},\"outputs\":{outputs},\"kernel\":{kernel},\"tanh\":{tanh}}}"
        ));
        inputs = outputs;
    }
    Ok(layers.join(","))
}

/// A layer's kind, and its window's side, 1 where it has none: `Conv2D` and 5 for the kind `Conv2D 5x5`.
fn kind_and_kernel(row: &Row) -> Result<(&str, usize)> {
    let (kind, window) = row.kind.split_once(' ').unwrap_or((&row.kind, "1x1"));
    let kernel = window
        .split_once('x')
        .and_then(|(side, _)| side.parse().ok());
    match kernel {
        Some(kernel) if [CONV, AVG_POOL, FLATTEN, LINEAR].contains(&kind) => Ok((kind, kernel)),
        _ => {
            let kinds = format!("{CONV}, {AVG_POOL}, {FLATTEN} and {LINEAR}");
            let expected = format!("layers of the kinds {kinds}, which the page can compute");
            Err(Error::argument("network", expected, row.kind.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_that_the_page_does_not_know_are_refused() {
        let row = |kind: &str| Row {
            name: "C1".into(),
            kind: kind.into(),
            activation: String::new(),
            output: vec![1],
            parameters: 0,
            formula: String::new(),
        };
        assert_eq!(kind_and_kernel(&row("Conv2D 5x5")).ok(), Some((CONV, 5)));
        assert_eq!(kind_and_kernel(&row("Linear")).ok(), Some((LINEAR, 1)));
        for kind in ["MaxPool2D 2x2", "Conv2D wide", "Dropout", ""] {
            assert!(kind_and_kernel(&row(kind)).is_err(), "{kind}");
        }
    }
}
