//! Drawing a digit in the notebook: a panel whose network runs in the page, with a microscope that shows what each layer makes
//! of the drawing, and how each value of it came about.

use base64::{prelude::BASE64_STANDARD, Engine as _};

use crate::classes::named;
use crate::page::Point;
use crate::{Error, Figure, Result};

mod picture;

/// What the page holds: the network and the preprocessing in JavaScript, the panel in HTML and JavaScript.
const NETWORK_JS: &str = include_str!("panel/network.js");
const PREPROCESS_JS: &str = include_str!("panel/preprocess.js");
const MICROSCOPE_JS: &str = include_str!("panel/microscope.js");
const PANEL_JS: &str = include_str!("panel/panel.js");
const PANEL_HTML: &str = include_str!("panel/panel.html");

/// Rows and columns of what the page's preprocessing makes of a drawing.
const SIDE: usize = 28;

/// For viewers that run no scripts.
const WORDS: &str = "Here you can draw a digit and see what the network makes of it, as soon as the notebook is \
                     trusted (JupyterLab: View > Activate Command Palette > Trust Notebook) or this cell is run.";

/// A layer that the page can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// So many filters of so many rows and columns, wherever they fit. Parameters: weights (outputs, inputs, rows,
    /// columns), then biases.
    Conv2D(usize, usize),
    /// The mean of each window of so many rows and columns.
    AvgPool2D(usize),
    /// The largest value of each window of so many rows and columns.
    MaxPool2D(usize),
    /// So many zeros at each edge of each map.
    ZeroPad2D(usize),
    /// All maps, one after the other, as one vector.
    Flatten,
    /// A dense layer of so many values. Parameters: weights (outputs, inputs), then biases.
    Linear(usize),
    /// Nothing, once the network is trained.
    Dropout,
    /// The hyperbolic tangent of each value.
    Tanh,
    /// Each value, or 0 if that is larger.
    ReLU,
    /// 1 / (1 + exp(-x)) of each value x.
    Sigmoid,
}

impl Layer {
    /// What the layer makes of maps (channels, rows, columns) or of a vector (values, 1, 1), if they fit: the shape, the
    /// number of parameters, and its sizes for the page.
    fn after(self, shape: [usize; 3]) -> Option<([usize; 3], usize, String)> {
        let [channels, rows, columns] = shape;
        let fits = |window: usize| (1..=rows.min(columns)).contains(&window);
        Some(match self {
            Self::Conv2D(filters, side) if fits(side) => {
                let sizes = format!("\"inputs\":{channels},\"outputs\":{filters},\"kernel\":{side}");
                let parameters = (channels * side * side + 1) * filters;
                ([filters, rows - side + 1, columns - side + 1], parameters, sizes)
            }
            Self::Linear(values) if rows * columns == 1 => {
                let sizes = format!("\"inputs\":{channels},\"outputs\":{values}");
                ([values, 1, 1], (channels + 1) * values, sizes)
            }
            Self::AvgPool2D(side) | Self::MaxPool2D(side) if fits(side) => {
                let shape = [channels, rows / side, columns / side];
                (shape, 0, format!("\"size\":{side}"))
            }
            Self::ZeroPad2D(zeros) => {
                let shape = [channels, rows + 2 * zeros, columns + 2 * zeros];
                (shape, 0, format!("\"size\":{zeros}"))
            }
            Self::Flatten => ([channels * rows * columns, 1, 1], 0, "\"size\":1".into()),
            Self::Dropout | Self::Tanh | Self::ReLU | Self::Sigmoid => (shape, 0, "\"size\":1".into()),
            _ => return None,
        })
    }
}

/// A layer of a panel's network.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelLayer<'a> {
    /// What it computes.
    pub layer: Layer,
    /// The name of a convolution, a pooling or a dense layer, as in `C1`; other layers have no row to stand at.
    pub name: &'a str,
    /// What it makes of [`drawn_seven`], for the picture; the last layer's are the logits.
    pub made: Vec<f32>,
}

/// A layer with a row of its own, the activations behind it, and what they make of [`drawn_seven`].
struct Stage<'a> {
    name: &'a str,
    layer: Layer,
    activation: Option<Layer>,
    /// Maps, rows and columns.
    shape: [usize; 3],
    values: &'a [f32],
}

/// A panel in which the reader draws a digit and sees the probabilities of the classes while drawing, and below them what
/// each layer makes of the drawing. Pointing at a value shows how it came about: a convolution's window, the products with the
/// filter, their sum, the bias and the activation; or the inputs that speak most for a dense layer's value and against it.
///
/// The page computes them itself, from the parameters as they were when the panel was made: it needs neither the kernel
/// nor a network, so it also works in an exported page. The drawing is prepared as MNIST's images were: scaled into a box
/// of 20x20 pixels, its centre of mass in the middle of 28x28 (LeCun 1998, section III.A).
///
/// Where scripts don't run, a picture of the panel with a drawn 7 stands in its place.
///
/// # Example
/// ```
/// use lenet_figures::{drawn_seven, Layer, Panel, PanelLayer};
///
/// let flatten = PanelLayer { layer: Layer::Flatten, name: "", made: drawn_seven() };
/// let output = PanelLayer { layer: Layer::Linear(10), name: "Output", made: vec![0.0; 10] };
/// let panel = Panel::new(&[flatten, output], &[0.0; 7_850], &[])?;
/// assert!(panel.html().contains("\"kind\":\"Linear\",\"inputs\":784,\"outputs\":10"));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Panel {
    network: String,
    picture: Figure,
}

impl Panel {
    /// The panel of a network for one-channel images of 28x28 pixels, with the `parameters` of its layers in their order.
    ///
    /// `names` are the classes' names, or none for numbers.
    ///
    /// # Errors
    /// If the layers don't follow each other, or the parameters, names or values don't fit them.
    pub fn new(layers: &[PanelLayer<'_>], parameters: &[f32], names: &[&str]) -> Result<Self> {
        let (mut shape, mut count, mut written) = ([1, SIDE, SIDE], 0, Vec::new());
        let mut stages = Vec::<Stage<'_>>::new();
        for &PanelLayer { layer, name, made: ref values } in layers {
            let after = layer.after(shape);
            let (next, parameters, sizes) =
                after.ok_or_else(|| Error::new(format!("{layer:?} can't follow values of shape {shape:?}")))?;
            if values.len() != next.iter().product::<usize>() {
                return Err(Error::argument("a layer's values", format!("of shape {next:?}"), values.len()));
            }
            let kind = format!("{layer:?}");
            let kind = kind.split('(').next().unwrap_or_default();
            let mut also = String::new();
            match (layer, stages.last_mut()) {
                (Layer::Conv2D(..) | Layer::AvgPool2D(_) | Layer::MaxPool2D(_) | Layer::Linear(_), _) => {
                    also = format!(",\"name\":{}", json(name));
                    stages.push(Stage { name, layer, activation: None, shape: next, values });
                }
                (Layer::Tanh | Layer::ReLU | Layer::Sigmoid, Some(stage)) => {
                    (stage.activation, stage.values) = (Some(layer), values);
                }
                _ => {}
            }
            written.push(format!("{{\"kind\":\"{kind}\",{sizes}{also}}}"));
            (shape, count) = (next, count + parameters);
        }
        let [classes, 1, 1] = shape else {
            let got = format!("{shape:?}");
            return Err(Error::argument("the last layer's output", "a vector", got));
        };
        if count != parameters.len() {
            return Err(Error::argument("the number of parameters", count, parameters.len()));
        }
        let names = named(names, classes)?;
        let logits = layers.last().map_or(&[][..], |last| &last.made);
        let picture = picture::paint(&names, &stages, parameters, logits)?;
        let names: Vec<_> = names.iter().map(|name| json(name)).collect();
        let bytes = parameters.iter().flat_map(|value| value.to_le_bytes());
        let weights = BASE64_STANDARD.encode(bytes.collect::<Vec<_>>());
        let (names, layers) = (names.join(","), written.join(","));
        let lists = format!("\"names\":[{names}],\"layers\":[{layers}]");
        let network = format!("{{{lists},\"weights\":\"{weights}\"}}");
        Ok(Self { network, picture })
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
             <script>\n(() => {{\n\"use strict\";\n{NETWORK_JS}\n{PREPROCESS_JS}\n{MICROSCOPE_JS}\n{PANEL_JS}}})();\n\
             </script>\n</div>\n"
        )
    }

    /// The picture that stands where scripts don't run.
    pub fn picture(&self) -> &Figure {
        &self.picture
    }

    /// Shows the panel as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        self.picture.display(&self.html());
    }
}

/// `text` as a JSON string inside a script: without quotes, backslashes, control characters and `<`.
fn json(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '"' | '\\' | '<' | '\0'..='\x1f' => format!("\\u{:04x}", letter as u32),
        letter => letter.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// A 7 as MNIST has its digits: 28 by 28 values of ink from 0 to 1, row by row.
pub fn drawn_seven() -> Vec<f32> {
    seven(SIDE, 0.0)
}

/// The 7 in a square of `side` by `side` pixels, moved up by so many 28ths of it.
fn seven(side: usize, up: f64) -> Vec<f32> {
    /// The strokes' ends and half their width, in 28ths of the square; their centre of mass is its middle.
    const STROKES: [Point; 3] = [(6.6, 8.4), (19.6, 8.4), (10.8, 25.6)];
    const PEN: f64 = 1.4;
    /// Points of a pixel in each direction, of which the inked ones are counted.
    const POINTS: usize = 4;
    let scale = SIDE as f64 / (side * POINTS) as f64;
    let inked = |at: Point| STROKES.windows(2).any(|ends| distance(at, ends[0], ends[1]) < PEN);
    let point = |at: usize, step: usize| ((at * POINTS + step) as f64 + 0.5) * scale;
    let pixel = |at: usize| {
        let points = (0..POINTS * POINTS).map(|i| (point(at % side, i % POINTS), point(at / side, i / POINTS) + up));
        points.filter(|&at| inked(at)).count() as f32 / (POINTS * POINTS) as f32
    };
    (0..side * side).map(pixel).collect()
}

/// From a point to the straight line between two others.
fn distance(at: Point, from: Point, to: Point) -> f64 {
    let (along, out) = ((to.0 - from.0, to.1 - from.1), (at.0 - from.0, at.1 - from.1));
    let share = (along.0 * out.0 + along.1 * out.1) / (along.0 * along.0 + along.1 * along.1);
    let share = share.clamp(0.0, 1.0);
    (out.0 - share * along.0).hypot(out.1 - share * along.1)
}
