//! The inside of a network in colours: filters and feature maps. Blue is positive, orange negative, white zero.

use plotters::style::text_anchor::HPos::{Center, Left, Right};
use plotters::style::FontTransform;

use crate::classes::named;
use crate::page::{fitting, letters, tint, widest, Page, Point, Raster};
use crate::page::{BLUE, INK, LABEL, MARGIN, ORANGE, PAGE_WIDTH, SMALL, TITLE};
use crate::{Error, Figure, Result};

/// Free space between pictures, and for names at the left.
const SPACE: f64 = 10.0;
const NAMES: f64 = 84.0;
const KEY: Point = (240.0, SMALL);

/// A convolution's filters: a row for each input channel, a column for each output channel.
///
/// `shape` is (output channels, input channels, rows, columns). The strongest colour stands for the magnitude `strongest`, or for
/// the largest there is; the key names it.
///
/// # Errors
/// If `weights` does not fit the shape, or one is not finite.
pub fn filters(title: &str, shape: [usize; 4], weights: &[f32], strongest: Option<f32>) -> Result<Figure> {
    const LARGEST_PIXEL: f64 = 20.0;
    let [outputs, inputs, rows, columns] = shape;
    let (low, high) = range("weights", &shape, weights)?;
    let strongest = strongest.unwrap_or(low.abs().max(high.abs()));
    let room = (PAGE_WIDTH - NAMES - 2.0 * MARGIN + SPACE) / outputs as f64 - SPACE;
    let pixel = (room / columns as f64).clamp(0.5, LARGEST_PIXEL);
    let step = (columns as f64 * pixel + SPACE, rows as f64 * pixel + SPACE);
    let grid = (outputs as f64 * step.0 - SPACE, inputs as f64 * step.1 - SPACE);
    let inside = (NAMES + grid.0).max(widest(&[title], TITLE)?);
    let page = (inside + 2.0 * MARGIN).max(3.0 * KEY.0);
    let (left, top) = ((page - grid.0 + NAMES) / 2.0, 2.0 * TITLE + 2.8 * LABEL);
    let words = format!(
        "{title}: {outputs} times {inputs} filters of {rows} by {columns} weights, from {low:.3} to {high:.3}; the strongest \
         colour stands for {strongest:.3}."
    );
    Page::figure((page, top + grid.1 + 3.5 * LABEL), words, &|page| {
        let middle = left + grid.0 / 2.0;
        page.text((page.width() / 2.0, TITLE), title, TITLE, Center)?;
        page.text((middle, top - 2.0 * LABEL), "output channel", SMALL, Center)?;
        let upwards = letters(SMALL, INK).transform(FontTransform::Rotate270);
        page.write((left - 2.2 * LABEL, top + grid.1 / 2.0), "input", &upwards)?;
        let em = SMALL.min(1.5 * (step.0 - 2.0) / outputs.to_string().len() as f64);
        for (index, weights) in weights.chunks(rows * columns).enumerate() {
            let (output, input) = (index / inputs, index % inputs);
            let corner = (left + output as f64 * step.0, top + input as f64 * step.1);
            if input == 0 {
                page.text((corner.0 + (step.0 - SPACE) / 2.0, top - SMALL), &output.to_string(), em, Center)?;
            }
            if output == 0 {
                page.text((left - SMALL, corner.1 + (step.1 - SPACE) / 2.0), &input.to_string(), em, Center)?;
            }
            page.picture(corner, (pixel, pixel), &colors(columns, weights, strongest))?;
        }
        let ends = [format!("−{strongest:.2}"), format!("{strongest:.2}")];
        key(page, (middle, top + grid.1 + 2.0 * LABEL), &ends)
    })
}

/// A layer's output for one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Maps<'a> {
    /// The layer's name.
    pub name: &'a str,
    /// Channels, rows and columns; a vector is one row of one channel.
    pub shape: [usize; 3],
    /// Channel by channel and row by row.
    pub values: &'a [f32],
}

/// What each layer makes of one image: its maps side by side, a layer below the other, and the classes below the last.
///
/// The strongest colour stands for the largest magnitude in its layer, which stands beside the name.
///
/// # Errors
/// If there are no layers, or a layer's values do not fit its shape or are not finite.
pub fn feature_maps(title: &str, layers: &[Maps<'_>], names: &[&str]) -> Result<Figure> {
    /// Pixels for a value and for a map's rows, at most, and for a vector's strip.
    const LARGEST_VALUE: f64 = 14.0;
    const LARGEST_MAP: f64 = 150.0;
    const STRIP: f64 = 26.0;
    /// Space and size of the magnitudes beside the names.
    const MAGNITUDES: f64 = 64.0;
    const MAGNITUDE: f64 = 15.0;
    let last = layers.last().ok_or_else(|| Error::argument("layers", "at least one", "none"))?;
    let ranges = layers.iter().map(|layer| range("layers", &layer.shape, layer.values));
    let ranges: Vec<_> = ranges.collect::<Result<_>>()?;
    let layer_names: Vec<&str> = layers.iter().map(|layer| layer.name).collect();
    let left = MARGIN + widest(&layer_names, LABEL)?.max(NAMES - SPACE) + MAGNITUDES + SPACE;
    let inside = PAGE_WIDTH - left - MARGIN;
    let classes = match last.shape {
        [1, 1, count] if count <= 30 || !names.is_empty() => named(names, count)?,
        _ => Vec::new(),
    };
    let class_width = STRIP.max(widest(&classes, SMALL)? + SPACE);
    let pixel = |(index, layer): (usize, &Maps<'_>)| {
        let [channels, rows, columns] = layer.shape;
        let room = ((inside + SPACE) / channels as f64 - SPACE) / columns as f64;
        let map = room.min(LARGEST_VALUE).min(LARGEST_MAP / rows as f64);
        match rows {
            1 if index + 1 == layers.len() => (room.min(class_width), STRIP),
            1 => (room.min(STRIP), STRIP),
            _ => (map, map),
        }
    };
    let pixels: Vec<Point> = layers.iter().enumerate().map(pixel).collect();
    let heights = layers.iter().zip(&pixels).map(|(layer, pixel)| layer.shape[1] as f64 * pixel.1 + SPACE);
    let top = 2.0 * TITLE;
    let below = top + heights.sum::<f64>() + if classes.is_empty() { 0.0 } else { LABEL };
    let each = layers.iter().zip(&ranges).map(|(Maps { name, shape, .. }, (low, high))| match shape {
        [_, 1, columns] => format!(" {name}: {columns} values from {low:.2} to {high:.2}."),
        [maps, rows, columns] => format!(" {name}: {maps} of {rows} by {columns} values from {low:.2} to {high:.2}."),
    });
    let words = format!("{title}.{}", each.collect::<String>());
    Page::figure((PAGE_WIDTH, below + 2.5 * LABEL), words, &|page| {
        page.text((PAGE_WIDTH / 2.0, TITLE), title, TITLE, Center)?;
        let mut y = top;
        for ((layer, &pixel), (low, high)) in layers.iter().zip(&pixels).zip(&ranges) {
            let [_, rows, columns] = layer.shape;
            let strongest = low.abs().max(high.abs());
            let (end, height) = (left - SPACE, rows as f64 * pixel.1);
            page.text((end, y + height / 2.0), &format!("±{strongest:.2}"), MAGNITUDE, Right)?;
            page.text((end - MAGNITUDES, y + height / 2.0), layer.name, LABEL, Right)?;
            for (map, values) in layer.values.chunks(rows * columns).enumerate() {
                let x = left + map as f64 * (columns as f64 * pixel.0 + SPACE);
                page.picture((x, y), pixel, &colors(columns, values, strongest))?;
            }
            y += height + SPACE;
        }
        let wide = pixels[layers.len() - 1].0;
        let em = fitting(&classes, SMALL, wide - 4.0)?;
        for (class, name) in classes.iter().enumerate() {
            let x = left + (class as f64 + 0.5) * wide;
            page.text((x, y + SMALL / 2.0 - 2.0), name, em, Center)?;
        }
        let ends = ["−", "+ the largest magnitude in its layer (±)"].map(String::from);
        key(page, (PAGE_WIDTH / 2.0, below + LABEL), &ends)
    })
}

/// The colours from the strongest negative one to the strongest positive one.
pub(crate) fn key(page: &Page<'_, '_>, (middle, y): Point, ends: &[String; 2]) -> Result<()> {
    const STEPS: usize = 61;
    let shade = |step| 2.0 * step as f32 / (STEPS - 1) as f32 - 1.0;
    let shades: Vec<f32> = (0..STEPS).map(shade).collect();
    let left = middle - KEY.0 / 2.0;
    let pixel = (KEY.0 / STEPS as f64, KEY.1);
    page.picture((left, y - KEY.1 / 2.0), pixel, &colors(STEPS, &shades, 1.0))?;
    page.text((left - SPACE, y), &ends[0], SMALL, Right)?;
    page.text((left + KEY.0 + SPACE, y), &ends[1], SMALL, Left)
}

/// Values as colours, the strongest for the magnitude `strongest`.
pub(crate) fn colors(columns: usize, values: &[f32], strongest: f32) -> Raster {
    let color = |&value: &f32| {
        let share = f64::from(value / strongest.max(f32::MIN_POSITIVE));
        tint(if share < 0.0 { ORANGE } else { BLUE }, share.abs())
    };
    let pixels = values.iter().map(color).collect();
    Raster { columns, pixels }
}

/// The smallest and the largest value.
fn range(name: &str, shape: &[usize], values: &[f32]) -> Result<(f32, f32)> {
    let count: usize = shape.iter().product();
    if count == 0 || count != values.len() {
        let expected = format!("values of shape {shape:?}, at least one");
        return Err(Error::argument(name, expected, format!("{} values", values.len())));
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Err(Error::argument(name, "finite values", value));
    }
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Ok((low, high))
}
