//! Drawing a digit in the notebook: a panel whose network runs in the page.

use base64::{prelude::BASE64_STANDARD, Engine as _};
use plotters::style::RGBColor;

use crate::classes::named;
use crate::page::{fitting, percent, tint, Page, Point, Raster};
use crate::page::{BLUE, FRAME, LABEL, SMALL};
use crate::{Error, Figure, Images, Result};

/// What the page holds: the network and the preprocessing in JavaScript, the panel in HTML and JavaScript.
const NETWORK_JS: &str = include_str!("panel/network.js");
const PREPROCESS_JS: &str = include_str!("panel/preprocess.js");
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
    /// Filters over all places where they fit; parameters: weights (outputs, inputs, kernel, kernel), then biases.
    Conv2D {
        /// How many maps arrive.
        inputs: usize,
        /// How many maps leave.
        outputs: usize,
        /// A filter's rows and columns.
        kernel: usize,
    },
    /// The mean of each window of so many rows and columns, side by side.
    AvgPool2D(usize),
    /// The largest value of each window.
    MaxPool2D(usize),
    /// So many zeros at each edge of a map.
    ZeroPad2D(usize),
    /// All maps, one after the other, as one vector.
    Flatten,
    /// A dense layer; parameters: weights (outputs, inputs), then biases.
    Linear {
        /// How many values arrive.
        inputs: usize,
        /// How many values leave.
        outputs: usize,
    },
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
    /// How many parameters the layer has.
    fn parameters(self) -> usize {
        match self {
            Self::Conv2D {
                inputs,
                outputs,
                kernel,
            } => (inputs * kernel * kernel + 1) * outputs,
            Self::Linear { inputs, outputs } => (inputs + 1) * outputs,
            _ => 0,
        }
    }

    /// What the layer makes of maps of this shape, (channels, rows, columns), or of a vector, (values, 1, 1).
    fn output(self, [channels, rows, columns]: [usize; 3]) -> Option<[usize; 3]> {
        match self {
            Self::Conv2D {
                inputs,
                outputs,
                kernel,
            } => {
                let fits = inputs == channels && (1..=rows.min(columns)).contains(&kernel);
                fits.then(|| [outputs, rows - kernel + 1, columns - kernel + 1])
            }
            Self::AvgPool2D(window) | Self::MaxPool2D(window) => {
                let fits = (1..=rows.min(columns)).contains(&window);
                fits.then(|| [channels, rows / window, columns / window])
            }
            Self::ZeroPad2D(zeros) => Some([channels, rows + 2 * zeros, columns + 2 * zeros]),
            Self::Flatten => Some([channels * rows * columns, 1, 1]),
            Self::Linear { inputs, outputs } => {
                ([inputs, 1, 1] == [channels, rows, columns]).then_some([outputs, 1, 1])
            }
            Self::Dropout | Self::Tanh | Self::ReLU | Self::Sigmoid => {
                Some([channels, rows, columns])
            }
        }
    }

    fn json(self) -> String {
        let name = format!("{self:?}");
        let kind = name.split(['(', ' ']).next().unwrap_or_default();
        let sizes = match self {
            Self::Conv2D {
                inputs,
                outputs,
                kernel,
            } => {
                format!(",\"inputs\":{inputs},\"outputs\":{outputs},\"kernel\":{kernel}")
            }
            Self::Linear { inputs, outputs } => {
                format!(",\"inputs\":{inputs},\"outputs\":{outputs}")
            }
            Self::AvgPool2D(size) | Self::MaxPool2D(size) | Self::ZeroPad2D(size) => {
                format!(",\"size\":{size}")
            }
            _ => String::new(),
        };
        format!("{{\"kind\":\"{kind}\"{sizes}}}")
    }
}

/// A panel in which the reader draws a digit and sees the probabilities of the classes while drawing.
///
/// The page computes them itself, from the parameters as they were when the panel was made: it needs neither the kernel
/// nor a network, so it also works in an exported page. The drawing is prepared as MNIST's images were: scaled into a box
/// of 20x20 pixels, its centre of mass in the middle of 28x28 (LeCun 1998, section III.A).
///
/// Where scripts don't run, a picture of the panel with a drawn 7 stands in its place.
#[derive(Debug, Clone)]
pub struct Panel {
    network: String,
    picture: Figure,
}

impl Panel {
    /// The panel of a network for one-channel images of 28x28 pixels, with the `parameters` of its layers in their order.
    ///
    /// `names` are the classes' names, or none for numbers. `probabilities` is what the network makes of [`drawn_seven`],
    /// for the picture.
    ///
    /// # Errors
    /// If the layers don't follow each other, or the parameters, names or probabilities don't fit them.
    pub fn new(
        layers: &[Layer],
        parameters: &[f32],
        names: &[&str],
        probabilities: &[f32],
    ) -> Result<Self> {
        let mut shape = [1, SIDE, SIDE];
        for layer in layers {
            let refuse = || {
                Error::argument(
                    "the network",
                    "layers that follow each other",
                    format!("{layer:?} after values of shape {shape:?}"),
                )
            };
            shape = layer.output(shape).ok_or_else(refuse)?;
        }
        let [classes, 1, 1] = shape else {
            return Err(Error::argument(
                "the network",
                "one with a vector at its end",
                format!("{shape:?}"),
            ));
        };
        let count = layers.iter().map(|layer| layer.parameters()).sum();
        for (name, expected, got) in [
            ("parameters", count, parameters.len()),
            ("probabilities", classes, probabilities.len()),
        ] {
            if got != expected {
                return Err(Error::argument(name, expected, got));
            }
        }
        let names = named(names, classes)?;
        let quoted: Vec<_> = names
            .iter()
            .map(|name| format!("\"{}\"", json(name)))
            .collect();
        let layers: Vec<_> = layers.iter().map(|layer| layer.json()).collect();
        let bytes: Vec<u8> = parameters
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let network = format!(
            "{{\"names\":[{}],\"layers\":[{}],\"weights\":\"{}\"}}",
            quoted.join(","),
            layers.join(","),
            BASE64_STANDARD.encode(bytes)
        );
        Ok(Self {
            network,
            picture: picture(&names, probabilities)?,
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

    /// The picture that stands where scripts don't run.
    pub fn picture(&self) -> &Figure {
        &self.picture
    }

    /// Shows the panel as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        evcxr_runtime::mime_type("text/html").text(self.html());
        evcxr_runtime::mime_type("image/png").text(self.picture.base64());
        evcxr_runtime::mime_type("text/plain").text(self.picture.text());
    }
}

/// `text` inside a JSON string inside a script: without quotes, backslashes, control characters and `<`.
fn json(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '"' | '\\' | '<' | '\0'..='\x1f' => format!("\\u{:04x}", letter as u32),
        letter => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// The strokes of a 7: places in a picture of 28x28 pixels, its centre of mass in the middle.
const SEVEN: [Point; 3] = [(6.6, 5.6), (19.6, 5.6), (10.8, 23.4)];
/// Half the width of its pen.
const PEN: f64 = 1.4;

/// A 7 as MNIST has its digits: 28 by 28 values of ink from 0 to 1, row by row.
pub fn drawn_seven() -> Vec<f32> {
    const PER_PIXEL: usize = 4;
    let inked = |at: Point| {
        SEVEN
            .windows(2)
            .any(|ends| distance(at, ends[0], ends[1]) < PEN)
    };
    let pixel = |index: usize| {
        let (row, column) = (index / SIDE, index % SIDE);
        let place = |from: usize, step: usize| from as f64 + (step as f64 + 0.5) / PER_PIXEL as f64;
        let points = (0..PER_PIXEL * PER_PIXEL)
            .map(|i| (place(column, i % PER_PIXEL), place(row, i / PER_PIXEL)));
        points.filter(|&at| inked(at)).count() as f32 / (PER_PIXEL * PER_PIXEL) as f32
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

/// From a point to the straight line between two others.
fn distance(at: Point, from: Point, to: Point) -> f64 {
    let (along, out) = (
        (to.0 - from.0, to.1 - from.1),
        (at.0 - from.0, at.1 - from.1),
    );
    let share = (along.0 * out.0 + along.1 * out.1) / (along.0 * along.0 + along.1 * along.1);
    let share = share.clamp(0.0, 1.0);
    (out.0 - share * along.0).hypot(out.1 - share * along.1)
}

/// The panel as it looks once a 7 is drawn.
fn picture(names: &[String], probabilities: &[f32]) -> Result<Figure> {
    const MARGIN: f64 = 16.0;
    const PAPER: f64 = 280.0;
    const SEEN: f64 = 112.0;
    const GAP: f64 = 32.0;
    const MIDDLE: f64 = 1.9 * SEEN;
    const NAMES: f64 = 90.0;
    const TRACK: f64 = 200.0;
    const SHARE: f64 = 80.0;
    const SCALE: f64 = PAPER / SIDE as f64;
    let track = MARGIN + PAPER + GAP + MIDDLE + NAMES;
    let step = PAPER / names.len().max(10) as f64;
    let page = (track + TRACK + SHARE + MARGIN, PAPER + 2.0 * MARGIN);
    let better = |&a: &usize, &b: &usize| probabilities[a].total_cmp(&probabilities[b]);
    let best = (0..names.len()).max_by(better).unwrap_or(0);
    let answer = format!("with {}", percent(probabilities[best]));
    let words = format!(
        "A panel to draw a digit in, with a drawn 7: the strokes, the 28 by 28 pixels that the network sees of them, and a bar for \
         the probability of each class. It is read as {} {answer}. This is a picture of the panel; in JupyterLab or in \
         the exported page the panel itself stands here.",
        names[best]
    );
    let seven = drawn_seven();
    Images::new(&seven, SIDE, SIDE)?;
    Page::figure(page, words, |page| {
        page.rect((MARGIN, MARGIN), (PAPER, PAPER), RGBColor(0, 0, 0))?;
        page.strokes(
            &SEVEN.map(|(x, y)| (MARGIN + x * SCALE, MARGIN + y * SCALE)),
            PEN * SCALE,
        )?;
        let middle = MARGIN + PAPER + GAP + MIDDLE / 2.0 - 16.0;
        let grey = |ink: &f32| {
            RGBColor(
                (255.0 * ink) as u8,
                (255.0 * ink) as u8,
                (255.0 * ink) as u8,
            )
        };
        let seen = Raster {
            columns: SIDE,
            pixels: seven.iter().map(grey).collect(),
        };
        page.picture(
            (middle - SEEN / 2.0, MARGIN),
            (SEEN / SIDE as f64, SEEN / SIDE as f64),
            &seen,
        )?;
        page.text(
            (middle, MARGIN + SEEN + LABEL),
            "what the network sees",
            SMALL,
        )?;
        page.text(
            (middle, MARGIN + SEEN + 3.4 * LABEL),
            &names[best],
            2.0 * LABEL,
        )?;
        page.text((middle, MARGIN + SEEN + 5.4 * LABEL), &answer, SMALL)?;
        let em = fitting(names, LABEL, NAMES - 8.0)?.min(step);
        for (class, (name, &share)) in names.iter().zip(probabilities).enumerate() {
            let y = MARGIN + (class as f64 + 0.5) * step;
            let color = if class == best {
                BLUE
            } else {
                tint(BLUE, 0.55)
            };
            page.text_before((track - 10.0, y), name, em)?;
            page.rect(
                (track, y - 0.32 * step),
                (TRACK * f64::from(share), 0.64 * step),
                color,
            )?;
            page.text_before((track + TRACK + SHARE, y), &percent(share), SMALL.min(step))?;
        }
        page.line(&[(track, MARGIN), (track, MARGIN + PAPER)], 1.0, FRAME)
    })
}
