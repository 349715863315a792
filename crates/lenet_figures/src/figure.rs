//! A finished picture, and what it shows in words.

use std::path::Path;

use base64::{prelude::BASE64_STANDARD, Engine as _};
use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};

use crate::canvas::{load_font, Canvas};
use crate::{escape, Error, Result};

/// Where plotters draws a figure.
pub type Area<'a> = DrawingArea<Canvas<'a>, Shift>;

/// PNG pixels per CSS pixel: sharp on high-density screens.
const DENSITY: usize = 2;
/// Painted points per PNG pixel, in each direction. plotters' lines have hard edges; the points' mean has smooth ones.
const SAMPLES: usize = 2;
/// Painted points per CSS pixel.
pub(crate) const GRID: i32 = (DENSITY * SAMPLES) as i32;
/// Red, green, blue.
const CHANNELS: usize = 3;
/// The largest figure's CSS pixels; it takes 400 MB while it is painted.
const MOST_PIXELS: u64 = 8_000_000;

/// A picture that shows itself as the result of a notebook cell, with words for readers who can't see it.
#[derive(Clone)]
pub struct Figure {
    png: Vec<u8>,
    text: String,
    size: (u32, u32),
}

impl Figure {
    /// A white page of `size` CSS pixels, painted by `draw`, which counts in units of `scale` points.
    pub(crate) fn paint(
        size: (u32, u32),
        scale: i32,
        text: String,
        draw: impl FnOnce(&Area<'_>) -> Result<()>,
    ) -> Result<Self> {
        let (width, height) = size;
        if !(1..=MOST_PIXELS).contains(&(u64::from(width) * u64::from(height))) {
            let expected = format!("1 to {MOST_PIXELS} pixels");
            return Err(Error::argument("size", expected, format!("{width} by {height}")));
        }
        load_font()?;
        let grid = (width * GRID as u32, height * GRID as u32);
        let mut points = vec![u8::MAX; grid.0 as usize * grid.1 as usize * CHANNELS];
        let bitmap = BitMapBackend::with_buffer(&mut points, grid);
        draw(&Canvas::new(bitmap, scale).into_drawing_area())?;
        let png = encode(size, &points).map_err(Error::new)?;
        Ok(Self { png, text, size })
    }

    /// The PNG file's bytes, two pixels for each CSS pixel.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// What there is to see, in words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The figure with other words for readers who can't see it.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// An image element that holds the PNG, its width in CSS pixels and the words.
    pub fn html(&self) -> String {
        let (width, text) = (self.size.0, escape(&self.text));
        let source = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(&self.png));
        let style = "max-width:100%;height:auto";
        format!("<img width=\"{width}\" style=\"{style}\" alt=\"{text}\" src=\"{source}\">")
    }

    /// Writes the PNG file to `path`, over what was there.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let written = std::fs::write(path, &self.png);
        written.map_err(|reason| Error::new(format!("can't write {}: {reason}", path.display())))
    }

    /// Shows the figure as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        self.display(&self.html());
    }

    /// Shows `html`, and the picture where that is not shown.
    ///
    /// JupyterLab (trusted or not) and nbconvert take the HTML, which alone can say width and alternative text: the kernel
    /// hands on no metadata that would say them of a PNG. GitHub drops images out of HTML and takes the PNG.
    pub(crate) fn display(&self, html: &str) {
        evcxr_runtime::mime_type("text/html").text(html);
        evcxr_runtime::mime_type("image/png").text(BASE64_STANDARD.encode(&self.png));
        evcxr_runtime::mime_type("text/plain").text(&self.text);
    }
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Figure({})", self.text)
    }
}

/// A PNG of the mean colour of each pixel's points.
fn encode((width, height): (u32, u32), points: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    const COUNT: usize = SAMPLES * SAMPLES;
    let row = width as usize * GRID as usize * CHANNELS;
    let mut pixels = Vec::with_capacity(points.len() / COUNT);
    for rows in points.chunks_exact(row * SAMPLES) {
        for at in 0..row / SAMPLES {
            let first = at / CHANNELS * CHANNELS * SAMPLES + at % CHANNELS;
            let point = |i: usize| first + i / SAMPLES * row + i % SAMPLES * CHANNELS;
            let sum: usize = (0..COUNT).map(|i| usize::from(rows[point(i)])).sum();
            pixels.push(((sum + COUNT / 2) / COUNT) as u8);
        }
    }
    let (mut file, density) = (Vec::new(), DENSITY as u32);
    let mut encoder = png::Encoder::new(&mut file, width * density, height * density);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}
