//! A network as a picture: each layer's output in its shape, from the image to the ten classes.

use super::drawing::{Align, Color, Drawing, Point, TextStyle};
use super::figure::Figure;
use super::font::Font;
use super::page::{LABEL_SIZE, LINE_HEIGHT, MARGIN, PAGE_WIDTH, SMALL_SIZE};
use crate::display::thousands;
use crate::network::{Layer, Outline, Row};
use crate::{Error, Result};

/// Pixels for the rows of the largest map.
const LARGEST_MAP: f64 = 142.0;
/// From a map to the one behind it.
const MAP_OFFSET: f64 = 5.0;
/// More maps than this are drawn as this many.
const MOST_MAPS: usize = 20;
const VECTOR_WIDTH: f64 = 20.0;
/// Pixels for a vector of no values and for the longest; between them the root of the number of values counts.
const SHORTEST_VECTOR: f64 = 20.0;
const LONGEST_VECTOR: f64 = 250.0;
/// Least width of a column, and between columns.
const COLUMN: f64 = 140.0;
const GAP: f64 = 16.0;
const WORDS_SIZE: f64 = 18.0;
/// Shape, kind, activation and parameters.
const LINES_OF_WORDS: f64 = 4.0;
const TOP: f64 = 28.0;
const STROKE: f64 = 1.5;
const WINDOW_STROKE: f64 = 1.0;
/// How far from its map's upper left corner a window stands, as a share of the free rows.
const WINDOW_PLACE: f64 = 0.62;

/// The network `N` from left to right, drawn from its type: each layer's output in its shape, and below it what the
/// layer does, that shape and its number of parameters. A window shows what a convolution or a pooling looks at to
/// make one value.
///
/// # Errors
/// [`Error::Argument`] if an output is neither (channels, rows, columns) nor (values).
///
/// # Example
/// ```
/// use lenet_core::{plot, LeNet5};
///
/// let figure = plot::architecture::<LeNet5>()?;
/// assert!(figure.svg().contains("16 × 8 × 8"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn architecture<N: Layer>() -> Result<Figure> {
    draw(&Outline::of::<N>())
}

fn draw(outline: &Outline) -> Result<Figure> {
    let input = Row {
        name: "Input".into(),
        kind: "image".into(),
        activation: String::new(),
        output: outline.input.clone(),
        parameters: 0,
        formula: String::new(),
    };
    let layers: Vec<&Row> = std::iter::once(&input).chain(&outline.rows).collect();
    let forms = layers
        .iter()
        .map(|layer| Form::of(layer))
        .collect::<Result<Vec<_>>>()?;
    let most = |count: fn(&Form) -> usize| forms.iter().map(count).max().unwrap_or(0).max(1) as f64;
    let scale = LARGEST_MAP / most(Form::rows);
    let longest = most(Form::values);
    let sizes: Vec<_> = forms.iter().map(|form| form.size(scale, longest)).collect();
    let height = sizes.iter().map(|size| size.1).fold(0.0, f64::max);
    let columns: Vec<f64> = sizes.iter().map(|size| size.0.max(COLUMN)).collect();
    let width = columns.iter().sum::<f64>() + GAP * (columns.len() - 1) as f64;
    let page = PAGE_WIDTH.max(width + 2.0 * MARGIN);
    let words_top = TOP + height + GAP;
    let words_height = LABEL_SIZE * LINE_HEIGHT + LINES_OF_WORDS * WORDS_SIZE * LINE_HEIGHT;
    let key_y = words_top + words_height + 1.5 * LABEL_SIZE;

    let font = Font::load()?;
    let mut drawing = Drawing::new(page, key_y + LABEL_SIZE + MARGIN);
    let mut left = (page - width) / 2.0;
    let mut before: Option<Placed> = None;
    for ((layer, form), (size, column)) in layers
        .iter()
        .copied()
        .zip(&forms)
        .zip(sizes.iter().zip(&columns))
    {
        let middle = left + column / 2.0;
        let corner = (middle - size.0 / 2.0, TOP + (height - size.1) / 2.0);
        let looks = if before.is_none() {
            Looks::INPUT
        } else {
            Looks::of(layer)
        };
        let placed = Placed {
            form: *form,
            corner,
            size: *size,
            scale,
        };
        placed.draw(&mut drawing, looks);
        if let Some(before) = &before {
            before.connect(&placed, layer.parameters > 0, &mut drawing);
        }
        write_words(&mut drawing, (middle, words_top), layer, form);
        before = Some(placed);
        left += column + GAP;
    }
    let total: usize = layers.iter().map(|layer| layer.parameters).sum();
    write_key(&mut drawing, &font, key_y, total);
    Figure::new(&drawing, in_words(&layers, &forms, total))
}

/// The shape of an output.
#[derive(Debug, Clone, Copy)]
enum Form {
    Maps {
        channels: usize,
        rows: usize,
        columns: usize,
    },
    Vector {
        values: usize,
    },
}

impl Form {
    fn of(layer: &Row) -> Result<Self> {
        match layer.output[..] {
            [channels, rows, columns] if channels * rows * columns > 0 => Ok(Self::Maps {
                channels,
                rows,
                columns,
            }),
            [values] if values > 0 => Ok(Self::Vector { values }),
            _ => {
                let expected =
                    "outputs of shape (channels, rows, columns) or (values), none of them 0";
                let got = format!("{:?} from {}", layer.output, layer.name);
                Err(Error::argument("network", expected, got))
            }
        }
    }

    fn rows(&self) -> usize {
        match *self {
            Self::Maps { rows, columns, .. } => rows.max(columns),
            Self::Vector { .. } => 0,
        }
    }

    fn values(&self) -> usize {
        match *self {
            Self::Maps { .. } => 0,
            Self::Vector { values } => values,
        }
    }

    fn size(&self, scale: f64, longest: f64) -> (f64, f64) {
        match *self {
            Self::Maps {
                channels,
                rows,
                columns,
            } => {
                let behind = MAP_OFFSET * (channels.min(MOST_MAPS) - 1) as f64;
                (
                    columns as f64 * scale + behind,
                    rows as f64 * scale + behind,
                )
            }
            Self::Vector { values } => {
                let share = (values as f64 / longest).sqrt();
                (
                    VECTOR_WIDTH,
                    SHORTEST_VECTOR + share * (LONGEST_VECTOR - SHORTEST_VECTOR),
                )
            }
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Maps {
                channels,
                rows,
                columns,
            } => write!(f, "{channels} × {rows} × {columns}"),
            Self::Vector { values } => f.write_str(&thousands(*values)),
        }
    }
}

/// Fill and outline.
#[derive(Debug, Clone, Copy)]
struct Looks {
    fill: Color,
    outline: Color,
}

impl Looks {
    const INPUT: Self = Self {
        fill: Color([238, 238, 238]),
        outline: Color::FRAME,
    };
    const LEARNING: Self = Self {
        fill: Color([211, 229, 243]),
        outline: Color::BLUE,
    };
    const FIXED: Self = Self {
        fill: Color([255, 232, 208]),
        outline: Color::ORANGE,
    };

    fn of(layer: &Row) -> Self {
        if layer.parameters > 0 {
            Self::LEARNING
        } else {
            Self::FIXED
        }
    }
}

/// An output at its place on the drawing.
struct Placed {
    form: Form,
    corner: Point,
    size: (f64, f64),
    scale: f64,
}

impl Placed {
    fn draw(&self, drawing: &mut Drawing, looks: Looks) {
        let mut sheet = |corner: Point, size: (f64, f64)| {
            drawing.rect(corner, size, looks.fill);
            drawing.frame(corner, size, STROKE, looks.outline);
        };
        match self.form {
            Form::Maps {
                channels,
                rows,
                columns,
            } => {
                let size = (columns as f64 * self.scale, rows as f64 * self.scale);
                let count = channels.min(MOST_MAPS);
                // The first map stands at the back and to the upper right, the last at the front.
                for map in 0..count {
                    let back = MAP_OFFSET * (count - 1 - map) as f64;
                    let forth = MAP_OFFSET * map as f64;
                    sheet((self.corner.0 + back, self.corner.1 + forth), size);
                }
            }
            Form::Vector { .. } => sheet(self.corner, self.size),
        }
    }

    /// The upper left corner of the front map.
    fn front(&self) -> Point {
        match self.form {
            Form::Maps { rows, .. } => (
                self.corner.0,
                self.corner.1 + self.size.1 - rows as f64 * self.scale,
            ),
            Form::Vector { .. } => self.corner,
        }
    }

    /// The window on this output that makes one value of the next, or lines from end to end between vectors.
    fn connect(&self, next: &Placed, learning: bool, drawing: &mut Drawing) {
        match (self.form, next.form) {
            (
                Form::Maps { rows, .. },
                Form::Maps {
                    rows: next_rows, ..
                },
            ) if next_rows < rows => {
                // A convolution without padding loses a row less than its window has; a pooling divides.
                let (window, step) = if learning {
                    (rows - next_rows + 1, 1)
                } else {
                    (rows / next_rows, rows / next_rows)
                };
                let place = ((next_rows - 1) as f64 * WINDOW_PLACE).round();
                let (front, next_front) = (self.front(), next.front());
                let start = place * step as f64 * self.scale;
                let corner = (front.0 + start, front.1 + start);
                let side = window as f64 * self.scale;
                let target = (
                    next_front.0 + place * next.scale,
                    next_front.1 + place * next.scale,
                );
                drawing.frame(corner, (side, side), WINDOW_STROKE, Color::INK);
                for y in [corner.1, corner.1 + side] {
                    let end = (
                        target.0,
                        target.1 + if y > corner.1 { next.scale } else { 0.0 },
                    );
                    drawing.line(&[(corner.0 + side, y), end], WINDOW_STROKE, Color::INK);
                }
                drawing.rect(target, (next.scale, next.scale), Color::INK);
            }
            _ => {
                // From the back map's upper right corner, and from the front map's lower right one.
                let (right, bottom) = (self.corner.0 + self.size.0, self.corner.1 + self.size.1);
                let front_right = match self.form {
                    Form::Maps { columns, .. } => self.corner.0 + columns as f64 * self.scale,
                    Form::Vector { .. } => right,
                };
                let next_bottom = next.corner.1 + next.size.1;
                drawing.line(
                    &[(right, self.corner.1), next.corner],
                    WINDOW_STROKE,
                    Color::FRAME,
                );
                drawing.line(
                    &[(front_right, bottom), (next.corner.0, next_bottom)],
                    WINDOW_STROKE,
                    Color::FRAME,
                );
            }
        }
    }
}

/// Name, shape, kind, activation and parameters, each on its own line.
fn write_words(drawing: &mut Drawing, (middle, top): Point, layer: &Row, form: &Form) {
    let style = TextStyle::new(WORDS_SIZE, Align::Middle);
    let at = |line: f64| {
        (
            middle,
            top + LABEL_SIZE * LINE_HEIGHT + (line + 0.5) * WORDS_SIZE * LINE_HEIGHT,
        )
    };
    let name_at = (middle, top + LABEL_SIZE * LINE_HEIGHT / 2.0);
    drawing.text(
        name_at,
        layer.name.as_str(),
        TextStyle::new(LABEL_SIZE, Align::Middle),
    );
    drawing.text(at(0.0), form.to_string(), style);
    if layer.kind != layer.name {
        drawing.text(at(1.0), layer.kind.as_str(), style.color(Color::FRAME));
    }
    if !layer.activation.is_empty() {
        drawing.text(
            at(2.0),
            layer.activation.as_str(),
            style.color(Color::FRAME),
        );
    }
    if layer.parameters > 0 {
        drawing.text(
            at(3.0),
            thousands(layer.parameters),
            style.color(Color::BLUE),
        );
    }
}

/// What the colours mean, and the number of all parameters.
fn write_key(drawing: &mut Drawing, font: &Font, y: f64, total: usize) {
    let entries = [
        (
            Looks::LEARNING,
            format!(
                "learns; its number of parameters in blue, {} in all",
                thousands(total)
            ),
        ),
        (Looks::FIXED, "computes without learning".to_string()),
    ];
    let entry_width = |text: &str| 2.0 * LABEL_SIZE + font.width(text, SMALL_SIZE) + 2.0 * GAP;
    let width: f64 = entries.iter().map(|(_, text)| entry_width(text)).sum();
    let mut x = (drawing.width - width) / 2.0;
    for (looks, text) in entries {
        let corner = (x, y - SMALL_SIZE / 2.0);
        drawing.rect(corner, (SMALL_SIZE, SMALL_SIZE), looks.fill);
        drawing.frame(corner, (SMALL_SIZE, SMALL_SIZE), STROKE, looks.outline);
        let step = entry_width(&text);
        drawing.text(
            (x + 1.5 * LABEL_SIZE, y),
            text,
            TextStyle::new(SMALL_SIZE, Align::Start),
        );
        x += step;
    }
}

fn in_words(layers: &[&Row], forms: &[Form], total: usize) -> String {
    let each = |(layer, form): (&&Row, &Form)| format!("{} ({}) {form}", layer.name, kind(layer));
    let path: Vec<_> = layers.iter().zip(forms).map(each).collect();
    format!(
        "The network, layer by layer: {}. {} parameters in all.",
        path.join(" → "),
        thousands(total)
    )
}

/// What the layer is, with its activation.
fn kind(layer: &Row) -> String {
    if layer.activation.is_empty() {
        layer.kind.clone()
    } else {
        format!("{}, {}", layer.kind, layer.activation)
    }
}
