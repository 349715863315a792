//! Where plotters paints: a backend that paints more densely than it counts, and puts letters where they belong.

use ab_glyph::{point, Font as _, FontRef, OutlinedGlyph, ScaleFont as _};
use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{register_font, FontStyle, RGBAColor, ShapeStyle};
use plotters_backend::{BackendColor, BackendCoord as At, BackendStyle, BackendTextStyle};

use crate::{Error, Result};

/// plotters' name of the one font that is here.
pub(crate) const FONT: &str = "sans-serif";
const LETTERS: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");
/// From the baseline to the capitals' middle, in plotters' font sizes: DejaVu Sans' capitals are 0.729 em high, its lines
/// 1.164.
const BASELINE_TO_MIDDLE: f32 = 0.5 * 0.729 / 1.164;

/// Gives plotters the font, under each of its generic names.
pub(crate) fn load_font() -> Result<()> {
    for name in [FONT, "serif", "monospace"] {
        register_font(name, FontStyle::Normal, LETTERS).map_err(|_| Error::new("the font in the crate is damaged"))?;
    }
    Ok(())
}

/// The outlines of `text`, whose baseline begins at the point (x, y).
///
/// plotters (0.3.7) would leave out the free space before each letter, so that "Tr" collides.
fn outlines(text: &str, size: f32, (mut x, y): (f32, f32)) -> Vec<OutlinedGlyph> {
    let Ok(font) = FontRef::try_from_slice(LETTERS) else {
        return Vec::new();
    };
    let (scaled, mut before, mut outlines) = (font.as_scaled(size), None, Vec::new());
    for letter in text.chars().map(|letter| font.glyph_id(letter)) {
        x += before.map_or(0.0, |before| scaled.kern(before, letter));
        outlines.extend(font.outline_glyph(letter.with_scale_and_position(size, point(x, y))));
        x += scaled.h_advance(letter);
        before = Some(letter);
    }
    outlines
}

/// plotters' bitmap, on which a unit is `scale` points wide.
pub struct Canvas<'a> {
    bitmap: BitMapBackend<'a>,
    scale: i32,
}

type BitmapError<'a> = <BitMapBackend<'a> as DrawingBackend>::ErrorType;
type ErrorKind<'a> = plotters_backend::DrawingErrorKind<BitmapError<'a>>;
type Drawn<'a, T = ()> = Result<T, ErrorKind<'a>>;

impl<'a> Canvas<'a> {
    pub(crate) fn new(bitmap: BitMapBackend<'a>, scale: i32) -> Self {
        Self { bitmap, scale }
    }

    fn at(&self, (x, y): At) -> At {
        (x * self.scale, y * self.scale)
    }

    fn all(&self, points: impl IntoIterator<Item = At>) -> Vec<At> {
        points.into_iter().map(|point| self.at(point)).collect()
    }

    fn style(&self, style: &impl BackendStyle) -> ShapeStyle {
        let BackendColor { rgb: (red, green, blue), alpha } = style.color();
        ShapeStyle {
            color: RGBAColor(red, green, blue, alpha),
            filled: false,
            stroke_width: style.stroke_width() * self.scale as u32,
        }
    }
}

impl<'a> DrawingBackend for Canvas<'a> {
    type ErrorType = BitmapError<'a>;

    fn get_size(&self) -> (u32, u32) {
        let (width, height) = self.bitmap.get_size();
        (width / self.scale as u32, height / self.scale as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn<'a> {
        self.bitmap.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<'a> {
        self.bitmap.present()
    }

    fn draw_pixel(&mut self, (x, y): At, color: BackendColor) -> Drawn<'a> {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: At, to: At, style: &S) -> Drawn<'a> {
        let (from, to, style) = (self.at(from), self.at(to), self.style(style));
        self.bitmap.draw_line(from, to, &style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: At, to: At, style: &S, fill: bool) -> Drawn<'a> {
        let (from, to, style) = (self.at(from), self.at(to), self.style(style));
        self.bitmap.draw_rect(from, to, &style, fill)
    }

    fn draw_path<S, I>(&mut self, path: I, style: &S) -> Drawn<'a>
    where
        S: BackendStyle,
        I: IntoIterator<Item = At>,
    {
        let (path, style) = (self.all(path), self.style(style));
        self.bitmap.draw_path(path, &style)
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: At, radius: u32, style: &S, fill: bool) -> Drawn<'a> {
        let (center, radius) = (self.at(center), radius * self.scale as u32);
        let style = self.style(style);
        self.bitmap.draw_circle(center, radius, &style, fill)
    }

    fn fill_polygon<S, I>(&mut self, corners: I, style: &S) -> Drawn<'a>
    where
        S: BackendStyle,
        I: IntoIterator<Item = At>,
    {
        let corners = self.all(corners);
        self.bitmap.fill_polygon(corners, &style.color())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, place: At) -> Drawn<'a> {
        let scale = self.scale as f32;
        let (size, (width, height)) = (style.size() as f32 * scale, self.estimate_text_size(text, style)?);
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -0.5,
            HPos::Right => -1.0,
        };
        let middle = match style.anchor().v_pos {
            VPos::Top => 0.5,
            VPos::Center => 0.0,
            VPos::Bottom => -0.5,
        };
        let start = (left * width as f32 * scale, middle * height as f32 * scale + size * BASELINE_TO_MIDDLE);
        let (place, turn) = (self.at(place), style.transform());
        for outline in outlines(text, size, start) {
            let corner = outline.px_bounds().min;
            let mut drawn = Ok(());
            outline.draw(|x, y, coverage| {
                let at = (corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                let (x, y) = turn.transform(at.0, at.1);
                let color = style.color().mix(f64::from(coverage.min(1.0)));
                if drawn.is_ok() {
                    drawn = self.bitmap.draw_pixel((place.0 + x, place.1 + y), color);
                }
            });
            drawn?;
        }
        Ok(())
    }
}
