//! Where plotters paints: a backend that paints more densely than it counts, and puts letters where they belong.

use ab_glyph::{point, Font as _, FontRef, OutlinedGlyph, Point, ScaleFont as _};
use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{register_font, FontDesc, FontError, FontStyle, TextStyle};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind,
};

use crate::{Error, Result};

/// plotters' name of the one font that is here.
pub(crate) const FONT: &str = "sans-serif";
const LETTERS: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");
/// From the baseline to the capitals' middle, in plotters' font sizes: DejaVu Sans' capitals are 0.729 em high, its lines 1.164.
const BASELINE_TO_MIDDLE: f32 = 0.5 * 0.729 / 1.164;

/// Gives plotters the font, under each of its generic names.
pub(crate) fn load_font() -> Result<()> {
    for name in [FONT, "serif", "monospace"] {
        register_font(name, FontStyle::Normal, LETTERS)
            .map_err(|_| Error::new("the font in the crate is damaged"))?;
    }
    Ok(())
}

/// The outlines of `text` from `start` on, the left end of its baseline.
///
/// plotters would leave out the free space before each letter (0.3.7), so that "Tr" collides.
fn outlines(text: &str, size: f32, start: Point) -> Vec<OutlinedGlyph> {
    let Ok(font) = FontRef::try_from_slice(LETTERS) else {
        return Vec::new();
    };
    let scaled = font.as_scaled(size);
    let (mut x, mut before) = (start.x, None);
    let mut outlines = Vec::new();
    for letter in text.chars().map(|letter| font.glyph_id(letter)) {
        x += before.map_or(0.0, |before| scaled.kern(before, letter));
        outlines
            .extend(font.outline_glyph(letter.with_scale_and_position(size, point(x, start.y))));
        x += scaled.h_advance(letter);
        before = Some(letter);
    }
    outlines
}

type Drawn<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

/// plotters' bitmap, on which a unit is `scale` points wide.
pub struct Canvas<'a> {
    bitmap: BitMapBackend<'a>,
    scale: i32,
}

struct Stroke(BackendColor, u32);

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        self.0
    }

    fn stroke_width(&self) -> u32 {
        self.1
    }
}

impl<'a> Canvas<'a> {
    pub(crate) fn new(bitmap: BitMapBackend<'a>, scale: i32) -> Self {
        Self { bitmap, scale }
    }

    fn at(&self, (x, y): BackendCoord) -> BackendCoord {
        (x * self.scale, y * self.scale)
    }

    fn stroke(&self, style: &impl BackendStyle) -> Stroke {
        Stroke(style.color(), style.stroke_width() * self.scale as u32)
    }

    fn letters<'s>(&self, style: &'s impl BackendTextStyle) -> TextStyle<'s> {
        let size = style.size() * f64::from(self.scale);
        let font = FontDesc::new(style.family(), size, style.style());
        TextStyle {
            font: font.transform(style.transform()),
            color: style.color(),
            pos: style.anchor(),
        }
    }
}

impl<'a> DrawingBackend for Canvas<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

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

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn<'a> {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn<'a> {
        self.bitmap
            .draw_line(self.at(from), self.at(to), &self.stroke(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        corner: BackendCoord,
        opposite: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        self.bitmap.draw_rect(
            self.at(corner),
            self.at(opposite),
            &self.stroke(style),
            fill,
        )
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn<'a> {
        let path: Vec<_> = path.into_iter().map(|point| self.at(point)).collect();
        self.bitmap.draw_path(path, &self.stroke(style))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        let radius = radius * self.scale as u32;
        self.bitmap
            .draw_circle(self.at(center), radius, &self.stroke(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn<'a> {
        let corners: Vec<_> = corners.into_iter().map(|point| self.at(point)).collect();
        self.bitmap.fill_polygon(corners, &style.color())
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        place: BackendCoord,
    ) -> Drawn<'a> {
        let letters = self.letters(style);
        let font_error = |problem: FontError| DrawingErrorKind::FontError(Box::new(problem));
        let (width, height) = letters.font.box_size(text).map_err(font_error)?;
        let (width, half) = (width as f32, height as f32 / 2.0);
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let middle = match style.anchor().v_pos {
            VPos::Top => half,
            VPos::Center => 0.0,
            VPos::Bottom => -half,
        };
        let size = letters.font.get_size() as f32;
        let start = point(left, middle + size * BASELINE_TO_MIDDLE);
        let (place, turn) = (self.at(place), style.transform());
        for outline in outlines(text, size, start) {
            let corner = outline.px_bounds().min;
            let mut drawn = Ok(());
            outline.draw(|x, y, coverage| {
                let (x, y) = turn.transform(corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                let color = style.color().mix(f64::from(coverage.min(1.0)));
                if drawn.is_ok() {
                    drawn = self.bitmap.draw_pixel((place.0 + x, place.1 + y), color);
                }
            });
            drawn?;
        }
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Self::ErrorType>> {
        let (width, height) = self.bitmap.estimate_text_size(text, &self.letters(style))?;
        let scale = self.scale as u32;
        Ok((width.div_ceil(scale), height.div_ceil(scale)))
    }
}
