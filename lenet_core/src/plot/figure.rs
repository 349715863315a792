//! A finished figure: the same drawing as SVG and as PNG, and in words.

use std::path::Path;

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters_backend::{BackendColor, BackendStyle, DrawingErrorKind};

use super::drawing::{Drawing, Point, Raster, Shape};
use super::font::{backend_color, Font, Letters, MIDDLE_TO_ANCHOR};
use super::png;
use crate::display::{base64, escape};
use crate::{Error, Result};

/// PNG pixels per pixel of the drawing: sharp on high-density screens.
const DENSITY: usize = 2;
/// Painted points per PNG pixel, in each direction; their mean gives smooth edges.
const SAMPLES: usize = 2;
/// Painted points per pixel of the drawing. Both backends paint on this grid.
const GRID: f64 = (DENSITY * SAMPLES) as f64;
/// Bytes of a pixel: red, green, blue.
const CHANNELS: usize = 3;

/// A picture that shows itself as the result of a notebook cell.
///
/// It carries the same drawing as `text/html` (an image element, with its width and with words for readers who can't
/// see it), as `image/svg+xml`, and as `image/png` for viewers that show nothing else; and those words alone as
/// `text/plain`.
#[derive(Clone)]
pub struct Figure {
    svg: String,
    png: Vec<u8>,
    text: String,
    /// Width in CSS pixels, where there is room for it.
    width: f64,
}

impl Figure {
    /// Paints `drawing` with both backends. `text` says in words what there is to see.
    pub(super) fn new(drawing: &Drawing, text: String) -> Result<Self> {
        let font = Font::load()?;
        Ok(Self {
            svg: paint_svg(drawing, &font, &text)?,
            png: paint_png(drawing, &font)?,
            text,
            width: drawing.width,
        })
    }

    /// The figure as an SVG document.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The figure as a PNG file's bytes, two pixels for each of the SVG's.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// What there is to see, in words, for readers who can't see it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// An image element that holds the SVG. Jupyter's image types leave out what it says: width and alternative text.
    pub(crate) fn html(&self) -> String {
        format!(
            "<img width=\"{}\" style=\"max-width:100%;height:auto\" alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">",
            self.width,
            escape(&self.text),
            base64(self.svg.as_bytes())
        )
    }

    /// Writes the SVG document to `path`, over what was there.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn save_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), self.svg.as_bytes())
    }

    /// Writes the PNG file to `path`, over what was there.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &self.png)
    }

    /// Shows the figure as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        evcxr_runtime::mime_type("text/html").text(self.html());
        evcxr_runtime::mime_type("image/svg+xml").text(&self.svg);
        evcxr_runtime::mime_type("image/png").text(base64(&self.png));
        evcxr_runtime::mime_type("text/plain").text(&self.text);
    }
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Figure({})", self.text)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|source| Error::Io {
        action: "write",
        path: path.to_path_buf(),
        source,
    })
}

fn paint_svg(drawing: &Drawing, font: &Font, text: &str) -> Result<String> {
    let (columns, rows) = grid_size(drawing);
    let mut painted = String::new();
    paint(
        drawing,
        font,
        &mut SVGBackend::with_string(&mut painted, (columns, rows)),
    )?;
    // plotters opens the document with the size of its grid, and knows neither alternative texts nor pictures.
    let shapes = painted.split_once('>').map_or("", |(_, rest)| rest);
    let shapes = shapes.trim_end().trim_end_matches("</svg>");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {columns} {rows}\" \
         role=\"img\" aria-label=\"{}\">{shapes}",
        drawing.width,
        drawing.height,
        escape(text)
    );
    for (corner, size, raster) in &drawing.rasters {
        let ((x, y), (right, bottom)) =
            (snap(*corner), snap((corner.0 + size.0, corner.1 + size.1)));
        svg.push_str(&format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n",
            right - x,
            bottom - y,
            base64(&png::encode(
                (raster.width, raster.height),
                &raster
                    .pixels
                    .iter()
                    .flat_map(|color| color.0)
                    .collect::<Vec<_>>()
            )?)
        ));
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn paint_png(drawing: &Drawing, font: &Font) -> Result<Vec<u8>> {
    let (columns, rows) = grid_size(drawing);
    let mut samples = vec![u8::MAX; columns as usize * rows as usize * CHANNELS];
    let mut backend = BitMapBackend::with_buffer(&mut samples, (columns, rows));
    paint(drawing, font, &mut backend)?;
    for (corner, size, raster) in &drawing.rasters {
        paint_raster(*corner, *size, raster, &mut backend)?;
    }
    drop(backend);
    let (width, height) = (columns as usize / SAMPLES, rows as usize / SAMPLES);
    png::encode((width, height), &mean_of_samples(&samples, width, height))
}

/// The mean colour of each pixel's `SAMPLES` x `SAMPLES` points.
fn mean_of_samples(samples: &[u8], width: usize, height: usize) -> Vec<u8> {
    const COUNT: u16 = (SAMPLES * SAMPLES) as u16;
    let row_length = width * SAMPLES * CHANNELS;
    let mut pixels = Vec::with_capacity(width * height * CHANNELS);
    for rows in samples.chunks_exact(row_length * SAMPLES) {
        for x in 0..width {
            for channel in 0..CHANNELS {
                let mut sum = 0;
                for row in 0..SAMPLES {
                    for column in 0..SAMPLES {
                        sum += u16::from(
                            rows[row * row_length + (x * SAMPLES + column) * CHANNELS + channel],
                        );
                    }
                }
                pixels.push(((sum + COUNT / 2) / COUNT) as u8);
            }
        }
    }
    pixels
}

fn draw_error(problem: impl std::fmt::Display) -> Error {
    Error::Draw(problem.to_string())
}

fn grid_size(drawing: &Drawing) -> (u32, u32) {
    let (columns, rows) = snap((drawing.width, drawing.height));
    (columns as u32, rows as u32)
}

/// The grid point nearest to a place on the drawing.
fn snap((x, y): Point) -> (i32, i32) {
    ((x * GRID).round() as i32, (y * GRID).round() as i32)
}

/// A line's colour and its width on the grid.
struct Stroke {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// Paints all shapes, in their order.
fn paint<B: DrawingBackend>(drawing: &Drawing, font: &Font, backend: &mut B) -> Result<()> {
    for shape in &drawing.shapes {
        paint_shape(shape, font, backend).map_err(draw_error)?;
    }
    backend.present().map_err(draw_error)
}

fn paint_shape<B: DrawingBackend>(
    shape: &Shape,
    font: &Font,
    backend: &mut B,
) -> std::result::Result<(), DrawingErrorKind<B::ErrorType>> {
    match shape {
        Shape::Rect {
            corner,
            size,
            color,
        } => {
            let opposite = (corner.0 + size.0, corner.1 + size.1);
            backend.draw_rect(snap(*corner), snap(opposite), &backend_color(*color), true)
        }
        Shape::Line {
            points,
            width,
            color,
        } => {
            let style = Stroke {
                color: backend_color(*color),
                width: (width * GRID).round().max(1.0) as u32,
            };
            let points: Vec<_> = points.iter().map(|&point| snap(point)).collect();
            backend.draw_path(points, &style)
        }
        Shape::Circle {
            center,
            radius,
            color,
        } => backend.draw_circle(
            snap(*center),
            (radius * GRID).round() as u32,
            &backend_color(*color),
            true,
        ),
        Shape::Text {
            at: (x, y),
            text,
            style,
        } => {
            let offset = style.size * MIDDLE_TO_ANCHOR;
            let anchor = if style.upwards {
                (x + offset, *y)
            } else {
                (*x, y + offset)
            };
            backend.draw_text(
                text,
                &Letters {
                    font,
                    style: *style,
                    size: style.size * GRID,
                },
                snap(anchor),
            )
        }
    }
}

/// Paints each of the picture's pixels as a rectangle, with hard edges and without gaps.
fn paint_raster(
    (x, y): Point,
    (width, height): (f64, f64),
    raster: &Raster,
    backend: &mut BitMapBackend<'_>,
) -> Result<()> {
    let (step_x, step_y) = (width / raster.width as f64, height / raster.height as f64);
    for (index, &color) in raster.pixels.iter().enumerate() {
        let (column, row) = ((index % raster.width) as f64, (index / raster.width) as f64);
        let corner = (x + column * step_x, y + row * step_y);
        let opposite = (x + (column + 1.0) * step_x, y + (row + 1.0) * step_y);
        let color = backend_color(color);
        backend
            .draw_rect(snap(corner), snap(opposite), &color, true)
            .map_err(draw_error)?;
    }
    Ok(())
}
