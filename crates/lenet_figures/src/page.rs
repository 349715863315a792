//! What figures share: colours, sizes of text, and shapes placed in CSS pixels on plotters' drawing area.

use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, IntoFont as _, RGBColor, ShapeStyle, TextStyle};

use crate::canvas::{load_font, FONT};
use crate::figure::{Area, GRID};
use crate::{Error, Figure, Result};

pub(crate) const INK: RGBColor = RGBColor(38, 38, 38);
pub(crate) const FRAME: RGBColor = RGBColor(110, 110, 110);
pub(crate) const PALE: RGBColor = RGBColor(226, 226, 226);
/// matplotlib's `tab:blue` and `tab:orange`.
pub(crate) const BLUE: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
pub(crate) const ORANGE: RGBColor = RGBColor(0xff, 0x7f, 0x0e);

/// Width of a figure that fills a notebook's column.
pub(crate) const PAGE_WIDTH: f64 = 1440.0;
/// Heights of letters' em squares.
pub(crate) const TITLE: f64 = 26.0;
pub(crate) const LABEL: f64 = 22.0;
pub(crate) const SMALL: f64 = 19.0;
/// The frame of a picture.
pub(crate) const THIN: (f64, RGBColor) = (1.0, FRAME);
const LEAST: f64 = 11.0;
/// Free space at the edges of a page and between its parts.
pub(crate) const MARGIN: f64 = 12.0;
/// plotters' font size for an em of 1: the height of DejaVu Sans from the lowest to the highest point of a line.
const SIZE_PER_EM: f64 = 1.164;

/// A place or a size in CSS pixels.
pub(crate) type Point = (f64, f64);

/// A length in CSS pixels on the grid that figures are painted on.
pub(crate) fn grid(length: f64) -> i32 {
    (length * f64::from(GRID)).round() as i32
}

/// From white at `share` 0 to the colour itself at 1.
pub(crate) fn tint(RGBColor(red, green, blue): RGBColor, share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0);
    let part = |part: u8| (255.0 - share * (255.0 - f64::from(part))).round() as u8;
    RGBColor(part(red), part(green), part(blue))
}

pub(crate) fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width(grid(width) as u32)
}

/// Letters of an em of `em` pixels, centred on their point.
pub(crate) fn letters(em: f64, color: RGBColor) -> TextStyle<'static> {
    let font = (FONT, em * SIZE_PER_EM * f64::from(GRID)).into_font();
    let (color, pos) = (color.to_backend_color(), Pos::new(HPos::Center, VPos::Center));
    TextStyle { font, color, pos }
}

/// The width of the widest of `texts` in letters of an em of `em` pixels.
pub(crate) fn widest<S: AsRef<str>>(texts: &[S], em: f64) -> Result<f64> {
    load_font()?;
    let font = letters(em, INK).font;
    texts.iter().try_fold(0.0, |widest: f64, text| {
        let (width, _) = font.box_size(text.as_ref()).map_err(Error::new)?;
        Ok(widest.max(f64::from(width) / f64::from(GRID)))
    })
}

/// The largest em up to `em`, and not below [`LEAST`], at which each of `texts` fits into `room` pixels.
pub(crate) fn fitting<S: AsRef<str>>(texts: &[S], em: f64, room: f64) -> Result<f64> {
    let share = room / widest(texts, em)?.max(1.0);
    Ok((em * share.min(1.0)).max(LEAST))
}

/// A share of 1 in per cent, with one decimal.
pub(crate) fn percent(share: impl Into<f64>) -> String {
    format!("{:.1} %", 100.0 * share.into())
}

/// A picture of square pixels, row by row.
pub(crate) struct Raster {
    pub columns: usize,
    pub pixels: Vec<RGBColor>,
}

impl Raster {
    /// White ink, from 0 to 1, on black.
    pub fn grey(columns: usize, ink: &[f32]) -> Self {
        let grey = ink.iter().map(|ink| (ink.clamp(0.0, 1.0) * 255.0).round() as u8);
        let pixels = grey.map(|grey| RGBColor(grey, grey, grey)).collect();
        Self { columns, pixels }
    }
}

/// A page to draw shapes on.
pub(crate) struct Page<'p, 'a>(&'p Area<'a>);

impl Page<'_, '_> {
    /// A figure of `size`, rounded up, with what `draw` puts on its page.
    pub fn figure((width, height): Point, text: String, draw: &dyn Fn(&Page<'_, '_>) -> Result<()>) -> Result<Figure> {
        let size = (width.ceil() as u32, height.ceil() as u32);
        Figure::paint(size, 1, text, |area| draw(&Page(area)))
    }

    /// The page's width.
    pub fn width(&self) -> f64 {
        f64::from(self.0.dim_in_pixel().0) / f64::from(GRID)
    }

    pub fn rect(&self, (x, y): Point, (width, height): Point, color: RGBColor) -> Result<()> {
        let corners = [(grid(x), grid(y)), (grid(x + width), grid(y + height))];
        Ok(self.0.draw(&Rectangle::new(corners, color.filled()))?)
    }

    pub fn line(&self, points: &[Point], width: f64, color: RGBColor) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&(x, y)| (grid(x), grid(y))).collect();
        Ok(self.0.draw(&PathElement::new(points, stroke(color, width)))?)
    }

    pub fn write(&self, (x, y): Point, text: &str, style: &TextStyle<'_>) -> Result<()> {
        Ok(self.0.draw_text(text, style, (grid(x), grid(y)))?)
    }

    /// Letters of size `em` that begin at the point, are centred on it, or end there.
    pub fn text(&self, at: Point, text: &str, em: f64, align: HPos) -> Result<()> {
        let style = letters(em, INK).pos(Pos::new(align, VPos::Center));
        self.write(at, text, &style)
    }

    /// A picture with hard pixels inside a thin frame.
    pub fn picture(&self, at: Point, pixel: Point, picture: &Raster) -> Result<()> {
        self.framed(at, pixel, picture, THIN)
    }

    /// A picture with hard pixels inside a frame of this width and colour.
    pub fn framed(&self, (x, y): Point, pixel: Point, picture: &Raster, (line, color): (f64, RGBColor)) -> Result<()> {
        let columns = picture.columns;
        let (width, height) = (columns as f64 * pixel.0, (picture.pixels.len() / columns) as f64 * pixel.1);
        self.rect((x - line, y - line), (width + 2.0 * line, height + 2.0 * line), color)?;
        for (index, &color) in picture.pixels.iter().enumerate() {
            let (row, column) = ((index / columns) as f64, (index % columns) as f64);
            self.rect((x + column * pixel.0, y + row * pixel.1), pixel, color)?;
        }
        Ok(())
    }
}
