//! What is inside the network: filters and feature maps, as colours.

use dfdx::shapes::{Const, Dim, HasShape};
use dfdx::tensor::{Cpu, Tensor};

use super::drawing::{Align, Color, Drawing, Raster, TextStyle};
use super::figure::Figure;
use super::font::Font;
use super::page::{LABEL_SIZE, MARGIN, PAGE_WIDTH, SMALL_SIZE, TITLE_SIZE};
use super::tiles;
use crate::{Error, Result};

/// Pixels of the drawing for a weight, at most.
const LARGEST_WEIGHT: f64 = 20.0;
/// Pixels of the drawing for a value of a feature map, and for a whole map's rows, at most.
const LARGEST_VALUE: f64 = 14.0;
const LARGEST_MAP: f64 = 150.0;
/// Height of a vector's strip.
const STRIP_HEIGHT: f64 = 26.0;
const SPACE: f64 = 10.0;
const NAMES: f64 = 84.0;
const KEY_WIDTH: f64 = 240.0;
const KEY_STEPS: usize = 61;

/// A convolution's filters: a row for each input channel, a column for each output channel.
///
/// `weights` has the shape (output channels, input channels, rows, columns). Blue is positive, orange negative, white
/// zero; the strongest colour stands for the weight of largest magnitude, which the key names.
///
/// # Errors
/// [`Error::Argument`] if a weight is not finite or there are no weights.
pub fn filters<O: Dim, I: Dim, R: Dim, C: Dim, T>(
    title: &str,
    weights: &Tensor<(O, I, R, C), f32, Cpu, T>,
) -> Result<Figure> {
    let &(outputs, inputs, rows, columns) = weights.shape();
    filters_figure(
        title,
        [outputs.size(), inputs.size(), rows.size(), columns.size()],
        &weights.as_vec(),
    )
}

/// A layer's output for one image, to be shown by [`feature_maps`].
///
/// It is a tensor of shape (channels, rows, columns) or (values), or a batch of one image of these.
pub trait Maps {
    /// Channels, rows and columns; a vector is one row of one channel.
    fn shape(&self) -> [usize; 3];

    /// The values, channel by channel and row by row.
    fn values(&self) -> Vec<f32>;
}

impl<C: Dim, R: Dim, W: Dim, T> Maps for Tensor<(C, R, W), f32, Cpu, T> {
    fn shape(&self) -> [usize; 3] {
        let &(channels, rows, columns) = HasShape::shape(self);
        [channels.size(), rows.size(), columns.size()]
    }

    fn values(&self) -> Vec<f32> {
        self.as_vec()
    }
}

impl<C: Dim, R: Dim, W: Dim, T> Maps for Tensor<(Const<1>, C, R, W), f32, Cpu, T> {
    fn shape(&self) -> [usize; 3] {
        let &(_, channels, rows, columns) = HasShape::shape(self);
        [channels.size(), rows.size(), columns.size()]
    }

    fn values(&self) -> Vec<f32> {
        self.as_vec()
    }
}

impl<N: Dim, T> Maps for Tensor<(N,), f32, Cpu, T> {
    fn shape(&self) -> [usize; 3] {
        [1, 1, HasShape::shape(self).0.size()]
    }

    fn values(&self) -> Vec<f32> {
        self.as_vec()
    }
}

impl<N: Dim, T> Maps for Tensor<(Const<1>, N), f32, Cpu, T> {
    fn shape(&self) -> [usize; 3] {
        [1, 1, HasShape::shape(self).1.size()]
    }

    fn values(&self) -> Vec<f32> {
        self.as_vec()
    }
}

/// What each layer makes of one image: its feature maps side by side, a layer below the other.
///
/// Blue is positive, orange negative, white zero. The strongest colour stands for the largest magnitude in its layer.
///
/// # Errors
/// [`Error::Argument`] if a value is not finite, or there are no layers or no values.
///
/// # Example
/// ```
/// use lenet_core::dfdx::prelude::*;
/// use lenet_core::plot;
///
/// let dev = Cpu::default();
/// let c1: Tensor<Rank3<6, 24, 24>, f32, _> = dev.sample_normal();
/// let f6: Tensor<Rank1<84>, f32, _> = dev.sample_normal();
/// let figure = plot::feature_maps("One digit", &[("C1", &c1), ("F6", &f6)])?;
/// assert!(figure.text().contains("C1: 6 of 24 by 24"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn feature_maps(title: &str, layers: &[(&str, &dyn Maps)]) -> Result<Figure> {
    if layers.is_empty() {
        return Err(Error::argument("layers", "at least one", "none"));
    }
    let mut rows = Vec::new();
    for (name, layer) in layers {
        rows.push((
            *name,
            LayerMaps::new("layers", layer.shape(), &layer.values())?,
        ));
    }
    let inside = PAGE_WIDTH - NAMES - 2.0 * MARGIN;
    let heights: Vec<_> = rows.iter().map(|(_, maps)| maps.fit(inside).1).collect();
    let top = 2.0 * TITLE_SIZE;
    let height = top + heights.iter().map(|height| height + SPACE).sum::<f64>() + MARGIN;
    let mut drawing = Drawing::new(PAGE_WIDTH, height);
    drawing.text(
        (PAGE_WIDTH / 2.0, TITLE_SIZE),
        title,
        TextStyle::new(TITLE_SIZE, Align::Middle),
    );
    let mut y = top;
    let mut words = format!("{title}.");
    for ((name, maps), height) in rows.into_iter().zip(heights) {
        let at = (MARGIN + NAMES - SPACE, y + height / 2.0);
        drawing.text(at, name, TextStyle::new(LABEL_SIZE, Align::End));
        words.push_str(&format!(" {name}: {}.", maps.in_words()));
        maps.draw(&mut drawing, (MARGIN + NAMES, y), inside);
        y += height + SPACE;
    }
    Figure::new(&drawing, words)
}

/// A layer's maps as pictures.
struct LayerMaps {
    pictures: Vec<Raster>,
    low: f32,
    high: f32,
}

impl LayerMaps {
    fn new(
        name: &'static str,
        [channels, rows, columns]: [usize; 3],
        values: &[f32],
    ) -> Result<Self> {
        let (low, high) = range(name, values)?;
        let strongest = low.abs().max(high.abs());
        let pictures = values.chunks(rows * columns).take(channels);
        let pictures = pictures
            .map(|values| picture(rows, columns, values, strongest))
            .collect();
        Ok(Self {
            pictures,
            low,
            high,
        })
    }

    /// Size of a value on the drawing, and the height of all maps, if they stand within `width`.
    fn fit(&self, width: f64) -> ((f64, f64), f64) {
        let picture = &self.pictures[0];
        let room = (width + SPACE) / self.pictures.len() as f64 - SPACE;
        let fitting = room / picture.width as f64;
        if picture.height == 1 {
            return ((fitting.min(STRIP_HEIGHT), STRIP_HEIGHT), STRIP_HEIGHT);
        }
        let pixel = fitting
            .min(LARGEST_VALUE)
            .min(LARGEST_MAP / picture.height as f64);
        ((pixel, pixel), pixel * picture.height as f64)
    }

    fn draw(self, drawing: &mut Drawing, (left, top): (f64, f64), width: f64) {
        let (pixel, _) = self.fit(width);
        let mut x = left;
        for picture in self.pictures {
            let size = (
                picture.width as f64 * pixel.0,
                picture.height as f64 * pixel.1,
            );
            tiles::framed(drawing, (x, top), size, picture);
            x += size.0 + SPACE;
        }
    }

    fn in_words(&self) -> String {
        let picture = &self.pictures[0];
        let range = format!("from {:.2} to {:.2}", self.low, self.high);
        if picture.height == 1 {
            format!("{} values {range}", picture.width)
        } else {
            format!(
                "{} of {} by {} values {range}",
                self.pictures.len(),
                picture.height,
                picture.width
            )
        }
    }
}

fn filters_figure(
    title: &str,
    [outputs, inputs, rows, columns]: [usize; 4],
    weights: &[f32],
) -> Result<Figure> {
    let (low, high) = range("weights", weights)?;
    let strongest = low.abs().max(high.abs());
    let font = Font::load()?;
    let room = (PAGE_WIDTH - NAMES - 2.0 * MARGIN + SPACE) / outputs as f64 - SPACE;
    let pixel = (room / columns as f64).min(LARGEST_WEIGHT);
    let size = (columns as f64 * pixel, rows as f64 * pixel);
    let grid = (
        outputs as f64 * (size.0 + SPACE) - SPACE,
        inputs as f64 * (size.1 + SPACE) - SPACE,
    );
    let width = (NAMES + grid.0 + 2.0 * MARGIN)
        .max(font.width(title, TITLE_SIZE) + 2.0 * MARGIN)
        .max(3.0 * KEY_WIDTH);
    let left = (width - grid.0) / 2.0 + NAMES / 2.0;
    let top = 2.0 * TITLE_SIZE + 2.8 * LABEL_SIZE;
    let mut drawing = Drawing::new(width, top + grid.1 + 3.5 * LABEL_SIZE);
    let caption = TextStyle::new(SMALL_SIZE, Align::Middle);
    drawing.text(
        (width / 2.0, TITLE_SIZE),
        title,
        TextStyle::new(TITLE_SIZE, Align::Middle),
    );
    drawing.text(
        (left + grid.0 / 2.0, top - 2.0 * LABEL_SIZE),
        "output channel",
        caption,
    );
    drawing.text(
        (left - 2.2 * LABEL_SIZE, top + grid.1 / 2.0),
        "input",
        caption.upwards(),
    );
    for output in 0..outputs {
        let x = left + output as f64 * (size.0 + SPACE);
        drawing.text(
            (x + size.0 / 2.0, top - SMALL_SIZE),
            output.to_string(),
            caption,
        );
        for input in 0..inputs {
            let y = top + input as f64 * (size.1 + SPACE);
            if output == 0 {
                drawing.text(
                    (left - SMALL_SIZE, y + size.1 / 2.0),
                    input.to_string(),
                    caption,
                );
            }
            let first = (output * inputs + input) * rows * columns;
            let picture = picture(
                rows,
                columns,
                &weights[first..][..rows * columns],
                strongest,
            );
            tiles::framed(&mut drawing, (x, y), size, picture);
        }
    }
    draw_key(
        &mut drawing,
        (left + grid.0 / 2.0, top + grid.1 + 2.0 * LABEL_SIZE),
        strongest,
    );
    let words = format!(
        "{title}: {outputs} times {inputs} filters of {rows} by {columns} weights, from {low:.3} to {high:.3}."
    );
    Figure::new(&drawing, words)
}

/// The colours from the strongest negative value to the strongest positive one.
fn draw_key(drawing: &mut Drawing, (middle, y): (f64, f64), strongest: f32) {
    let shades: Vec<f32> = (0..KEY_STEPS)
        .map(|i| 2.0 * i as f32 / (KEY_STEPS - 1) as f32 - 1.0)
        .collect();
    let left = middle - KEY_WIDTH / 2.0;
    let caption = TextStyle::new(SMALL_SIZE, Align::Middle);
    tiles::framed(
        drawing,
        (left, y - SMALL_SIZE / 2.0),
        (KEY_WIDTH, SMALL_SIZE),
        picture(1, KEY_STEPS, &shades, 1.0),
    );
    drawing.text(
        (left - SPACE, y),
        format!("−{strongest:.2}"),
        TextStyle {
            align: Align::End,
            ..caption
        },
    );
    drawing.text(
        (left + KEY_WIDTH + SPACE, y),
        format!("{strongest:.2}"),
        TextStyle {
            align: Align::Start,
            ..caption
        },
    );
}

/// The smallest and the largest value.
fn range(name: &'static str, values: &[f32]) -> Result<(f32, f32)> {
    let refuse = |got: String| {
        let expected = "finite numbers, at least one";
        Err(Error::argument(name, expected, got))
    };
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => refuse(value.to_string()),
        None if values.is_empty() => refuse("no values".into()),
        None => Ok(values
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            })),
    }
}

/// Values as colours.
fn picture(rows: usize, columns: usize, values: &[f32], strongest: f32) -> Raster {
    let shade = |&value: &f32| {
        Color::diverging(if strongest > 0.0 {
            f64::from(value / strongest)
        } else {
            0.0
        })
    };
    Raster {
        width: columns,
        height: rows,
        pixels: values.iter().map(shade).collect(),
    }
}
