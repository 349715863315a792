//! Letters: the font in this crate, given to plotters without its global table of fonts.

use std::convert::Infallible;

use ab_glyph::{point, Font as _, FontRef, GlyphId, PxScale, ScaleFont as _};
use plotters_backend::{
    text_anchor::{HPos, Pos, VPos},
    BackendColor, BackendCoord, BackendTextStyle, FontFamily, FontTransform,
};

use super::drawing::{Align, Color, TextStyle};
use crate::{Error, Result};

/// DejaVu Sans for a PNG; an SVG is written in the first of these that the viewer has. Verdana has the same widths.
const FAMILIES: &str = "DejaVu Sans, Verdana, sans-serif";
const LETTERS: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");

/// How far below its anchor plotters' SVG backend puts the baseline of a text anchored at its top, in ems.
const TOP_TO_BASELINE: f64 = 0.76;
/// How far above the baseline the capitals' middle is, in ems (DejaVu Sans: capitals are 0.729 em high).
const BASELINE_TO_MIDDLE: f64 = 0.365;
/// plotters' unit of font size: its SVG backend writes a font size of `size / 1.24`.
const SIZE_PER_EM: f64 = 1.24;
/// What a font that tells no units per em uses.
const USUAL_UNITS_PER_EM: f32 = 2048.0;

/// From a text's middle to the point at which plotters anchors it, downwards in the text's own direction, in ems.
pub(super) const MIDDLE_TO_ANCHOR: f64 = BASELINE_TO_MIDDLE - TOP_TO_BASELINE;

/// The font, ready to measure and to draw.
pub(super) struct Font(FontRef<'static>);

impl Font {
    pub fn load() -> Result<Self> {
        FontRef::try_from_slice(LETTERS)
            .map(Self)
            .map_err(|problem| Error::Draw(format!("the font is damaged: {problem}")))
    }

    /// Width of `text` in the unit of `size`, the height of its em square.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        self.place(text, size).1
    }

    /// Each glyph with its distance from the text's start, and the text's width.
    fn place(&self, text: &str, size: f64) -> (Vec<(GlyphId, f64)>, f64) {
        let font = self.0.as_scaled(self.scale(size));
        let mut x = 0.0;
        let mut glyphs = Vec::new();
        for letter in text.chars() {
            let glyph = font.glyph_id(letter);
            if let Some(&(before, _)) = glyphs.last() {
                x += f64::from(font.kern(before, glyph));
            }
            glyphs.push((glyph, x));
            x += f64::from(font.h_advance(glyph));
        }
        (glyphs, x)
    }

    /// ab_glyph scales by the height from the lowest to the highest point of a line.
    fn scale(&self, size: f64) -> PxScale {
        let units_per_em = self.0.units_per_em().unwrap_or(USUAL_UNITS_PER_EM);
        PxScale::from(size as f32 * self.0.height_unscaled() / units_per_em)
    }
}

/// A colour in the form that plotters' backends take.
pub(super) fn backend_color(Color([red, green, blue]): Color) -> BackendColor {
    BackendColor {
        rgb: (red, green, blue),
        alpha: 1.0,
    }
}

/// A [`TextStyle`] in the form that plotters' backends take. `size` is the em in the backend's pixels.
pub(super) struct Letters<'a> {
    pub font: &'a Font,
    pub style: TextStyle,
    pub size: f64,
}

impl BackendTextStyle for Letters<'_> {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        backend_color(self.style.color)
    }

    fn size(&self) -> f64 {
        self.size * SIZE_PER_EM
    }

    fn transform(&self) -> FontTransform {
        if self.style.upwards {
            FontTransform::Rotate270
        } else {
            FontTransform::None
        }
    }

    fn anchor(&self) -> Pos {
        let horizontal = match self.style.align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        Pos::new(horizontal, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILIES)
    }

    fn layout_box(&self, text: &str) -> std::result::Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (self.font.width(text, self.size).round() as i32, 0)))
    }

    fn draw<E, Draw: FnMut(i32, i32, BackendColor) -> std::result::Result<(), E>>(
        &self,
        text: &str,
        (left, top): BackendCoord,
        mut draw: Draw,
    ) -> std::result::Result<std::result::Result<(), E>, Infallible> {
        let scale = self.font.scale(self.size);
        let baseline = f64::from(top) + self.size * TOP_TO_BASELINE;
        for (glyph, x) in self.font.place(text, self.size).0 {
            let position = point((f64::from(left) + x) as f32, baseline as f32);
            let Some(outline) = self
                .font
                .0
                .outline_glyph(glyph.with_scale_and_position(scale, position))
            else {
                continue;
            };
            let corner = outline.px_bounds().min;
            let mut result = Ok(());
            outline.draw(|x, y, coverage| {
                if result.is_ok() {
                    let (x, y) = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                    result = draw(x, y, self.color().mix(f64::from(coverage.min(1.0))));
                }
            });
            if result.is_err() {
                return Ok(result);
            }
        }
        Ok(Ok(()))
    }
}
