//! A drawing: shapes in the order in which they are painted.

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Color(pub [u8; 3]);

impl Color {
    pub const WHITE: Self = Self([255; 3]);
    pub const INK: Self = Self([38; 3]);
    pub const FRAME: Self = Self([110; 3]);
    pub const GRID: Self = Self([226; 3]);
    /// matplotlib's `tab:blue`.
    pub const BLUE: Self = Self([0x1f, 0x77, 0xb4]);
    /// matplotlib's `tab:orange`.
    pub const ORANGE: Self = Self([0xff, 0x7f, 0x0e]);

    /// This colour on white: from white at `share` 0 to the colour itself at 1.
    pub fn tint(self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self(
            self.0
                .map(|part| (255.0 - share * (255.0 - f64::from(part))).round() as u8),
        )
    }

    /// From orange at -1 over white at 0 to blue at 1.
    pub fn diverging(value: f64) -> Self {
        if value < 0.0 {
            Self::ORANGE.tint(-value)
        } else {
            Self::BLUE.tint(value)
        }
    }
}

/// Where a text stands relative to its point: after it, centred on it, or before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TextStyle {
    /// Height of the em square in pixels.
    pub size: f64,
    pub color: Color,
    pub align: Align,
    /// Written upwards, to be read with the head tilted to the left.
    pub upwards: bool,
}

impl TextStyle {
    pub const fn new(size: f64, align: Align) -> Self {
        Self {
            size,
            color: Color::INK,
            align,
            upwards: false,
        }
    }

    pub const fn color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    pub const fn upwards(self) -> Self {
        Self {
            upwards: true,
            ..self
        }
    }
}

/// A picture made of square pixels, each of one colour.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<Color>,
}

/// A place on the drawing in pixels, counted from the upper left corner.
pub(super) type Point = (f64, f64);

/// One thing to paint.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Rect {
        corner: Point,
        size: (f64, f64),
        color: Color,
    },
    Line {
        points: Vec<Point>,
        width: f64,
        color: Color,
    },
    Circle {
        center: Point,
        radius: f64,
        color: Color,
    },
    /// The point is at half the height of the capital letters.
    Text {
        at: Point,
        text: String,
        style: TextStyle,
    },
}

/// Shapes on a white page, and pictures above them.
#[derive(Debug, Clone)]
pub(super) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
    /// Corner, size and picture.
    pub rasters: Vec<(Point, (f64, f64), Raster)>,
}

impl Drawing {
    /// A white page of `width` by `height` pixels, rounded up to whole ones.
    pub fn new(width: f64, height: f64) -> Self {
        let (width, height) = (width.ceil(), height.ceil());
        let mut drawing = Self {
            width,
            height,
            shapes: Vec::new(),
            rasters: Vec::new(),
        };
        drawing.rect((0.0, 0.0), (width, height), Color::WHITE);
        drawing
    }

    pub fn rect(&mut self, corner: Point, size: (f64, f64), color: Color) {
        self.shapes.push(Shape::Rect {
            corner,
            size,
            color,
        });
    }

    pub fn line(&mut self, points: &[Point], width: f64, color: Color) {
        self.shapes.push(Shape::Line {
            points: points.to_vec(),
            width,
            color,
        });
    }

    /// The outline of a rectangle, its middle on the rectangle's edge.
    pub fn frame(&mut self, (x, y): Point, (width, height): (f64, f64), stroke: f64, color: Color) {
        let (right, bottom, half) = (x + width, y + height, stroke / 2.0);
        self.line(&[(x - half, y), (right + half, y)], stroke, color);
        self.line(&[(x - half, bottom), (right + half, bottom)], stroke, color);
        self.line(&[(x, y), (x, bottom)], stroke, color);
        self.line(&[(right, y), (right, bottom)], stroke, color);
    }

    pub fn circle(&mut self, center: Point, radius: f64, color: Color) {
        self.shapes.push(Shape::Circle {
            center,
            radius,
            color,
        });
    }

    pub fn text(&mut self, at: Point, text: impl Into<String>, style: TextStyle) {
        self.shapes.push(Shape::Text {
            at,
            text: text.into(),
            style,
        });
    }

    pub fn raster(&mut self, corner: Point, size: (f64, f64), raster: Raster) {
        self.rasters.push((corner, size, raster));
    }
}
