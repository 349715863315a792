//! A network as a table and as a picture: each layer's output in its shape, from the image to the classes.

use plotters::style::text_anchor::HPos::{Center, Left};
use plotters::style::RGBColor;

use crate::page::{letters, tint, widest, Page, Point};
use crate::page::{BLUE, FRAME, INK, LABEL, MARGIN, ORANGE, PAGE_WIDTH, SMALL};
use crate::{thousands, Error, Figure, Result, Table};

/// A layer of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Its name in the paper: C1, S2, …
    pub name: String,
    /// `Conv2D 5x5`, `Linear`, …
    pub kind: String,
    /// `tanh`, `relu`, …, or nothing.
    pub activation: String,
    /// (channels, rows, columns) or (values).
    pub output: Vec<usize>,
    /// How many weights and biases it has.
    pub parameters: usize,
    /// How they are counted, or nothing.
    pub formula: String,
}

impl Row {
    /// What the layer is, with its activation.
    fn what(&self) -> String {
        let parts = [&self.kind, &self.activation].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    fn dims(&self, between: &str) -> String {
        let sides: Vec<_> = self.output.iter().map(|&side| thousands(side)).collect();
        sides.join(between)
    }
}

/// The layers (without the input) with output shapes and parameters, as Keras' `summary()` prints them.
pub fn layer_table(rows: &[Row]) -> Table<4> {
    let headings = ["Layer (type)", "Output Shape", "Param #", "Counted as"];
    let mut table = Table::new("The network's layers and their parameters", headings);
    for row in rows {
        let named = format!("{} ({})", row.name, row.what());
        let layer = if row.name == row.kind { row.name.clone() } else { named };
        let shape = format!("(None, {})", row.dims(", "));
        table.row([layer, shape, thousands(row.parameters), row.formula.clone()]);
    }
    let total = thousands(rows.iter().map(|row| row.parameters).sum());
    table.line(format!("Total params: {total}"));
    table.line(format!("Trainable params: {total}"));
    table.line("Non-trainable params: 0");
    table
}

/// Pixels for the rows of the largest map, and from a map to the one behind it. More maps than these are drawn as these.
const LARGEST_MAP: f64 = 142.0;
const MAP_OFFSET: f64 = 5.0;
const MOST_MAPS: usize = 20;

/// The network from left to right: each layer's output in its shape, and below it what the layer does, that shape and its
/// number of parameters. A window shows what a convolution or a pooling looks at to make one value.
///
/// The first of `rows` is the input.
///
/// # Errors
/// If an output is neither (channels, rows, columns) nor (values).
pub fn architecture(rows: &[Row]) -> Result<Figure> {
    /// Least width of a column, and a vector's width.
    const COLUMN: f64 = 140.0;
    const VECTOR: f64 = 20.0;
    /// Heights of vectors of no values and of the longest; between them the root of the number of values counts.
    const SHORTEST: f64 = 20.0;
    const LONGEST: f64 = 250.0;
    const TOP: f64 = 28.0;
    const GAP: f64 = 16.0;
    const EM: f64 = 18.0;
    const LINE: f64 = 1.35;
    let shape = |row: &Row| match row.output[..] {
        [channels, rows, columns] if channels * rows * columns > 0 => Ok([channels, rows, columns]),
        [values] if values > 0 => Ok([0, values, 0]),
        _ => {
            let got = format!("{:?} from {}", row.output, row.name);
            Err(Error::argument("outputs", "(channels, rows, columns) or (values), none of them 0", got))
        }
    };
    let shapes = rows.iter().map(shape).collect::<Result<Vec<_>>>()?;
    let most = |maps: bool| {
        let shapes = shapes.iter().filter(|shape| (shape[0] > 0) == maps);
        shapes.map(|shape| shape[1].max(shape[2])).max().unwrap_or(1) as f64
    };
    let (scale, longest) = (LARGEST_MAP / most(true), most(false));
    let output = |&shape: &[usize; 3]| {
        let [maps, rows, columns] = shape.map(|side| side as f64);
        let map = match shape[0] {
            0 => (VECTOR, SHORTEST + (rows / longest).sqrt() * (LONGEST - SHORTEST)),
            _ => (columns * scale, rows * scale),
        };
        let behind = MAP_OFFSET * (maps.clamp(1.0, MOST_MAPS as f64) - 1.0);
        Output { shape, map, size: (map.0 + behind, map.1 + behind), corner: (0.0, 0.0) }
    };
    let outputs: Vec<Output> = shapes.iter().map(output).collect();
    let height = outputs.iter().map(|output| output.size.1).fold(0.0, f64::max);
    let wide = outputs.iter().map(|output| output.size.0.max(COLUMN) + GAP).sum::<f64>() - GAP;
    let page = PAGE_WIDTH.max(wide + 2.0 * MARGIN);
    let words_top = TOP + height + GAP;
    let key_top = words_top + LABEL * LINE + 4.0 * EM * LINE + 1.5 * LABEL;
    let total = thousands(rows.iter().map(|row| row.parameters).sum());
    let each = |row: &Row| format!("{} ({}) {}", row.name, row.what(), row.dims(" × "));
    let path = rows.iter().map(each).collect::<Vec<_>>().join(" → ");
    let words = format!("The network, layer by layer: {path}. {total} parameters in all.");
    Page::figure((page, key_top + LABEL + MARGIN), words, &|page| {
        let mut left = (page.width() - wide) / 2.0;
        let mut before: Option<Output> = None;
        for (row, output) in rows.iter().zip(&outputs) {
            let middle = left + output.size.0.max(COLUMN) / 2.0;
            let corner = (middle - output.size.0 / 2.0, TOP + (height - output.size.1) / 2.0);
            let output = Output { corner, ..*output };
            let color = if row.parameters > 0 { BLUE } else { ORANGE };
            output.draw(page, if before.is_none() { FRAME } else { color })?;
            if let Some(before) = before {
                before.connect(page, &output, row.parameters > 0)?;
            }
            before = Some(output);
            page.text((middle, words_top + LABEL * LINE / 2.0), &row.name, LABEL, Center)?;
            let kind = if row.kind == row.name { "" } else { &row.kind };
            let parameters = if row.parameters > 0 { thousands(row.parameters) } else { String::new() };
            let lines = [(&*row.dims(" × "), INK), (kind, FRAME), (&row.activation, FRAME), (&parameters, BLUE)];
            let mut y = words_top + (LABEL + EM / 2.0) * LINE;
            for (text, color) in lines {
                page.write((middle, y), text, &letters(EM, color))?;
                y += EM * LINE;
            }
            left += output.size.0.max(COLUMN) + GAP;
        }
        let learns = format!("learns; its number of parameters in blue, {total} in all");
        let keys = [(BLUE, &*learns), (ORANGE, "computes without learning")];
        let step = |text: &str| Ok::<f64, Error>(2.0 * LABEL + widest(&[text], SMALL)? + 2.0 * GAP);
        let mut x = (page.width() - step(keys[0].1)? - step(keys[1].1)?) / 2.0;
        for (color, text) in keys {
            sheet(page, (x, key_top - SMALL / 2.0), (SMALL, SMALL), color)?;
            page.text((x + 1.5 * LABEL, key_top), text, SMALL, Left)?;
            x += step(text)?;
        }
        Ok(())
    })
}

/// A pale rectangle with an outline.
fn sheet(page: &Page<'_, '_>, corner: Point, (width, height): Point, color: RGBColor) -> Result<()> {
    const STROKE: f64 = 1.5;
    let (x, y) = (corner.0 - STROKE / 2.0, corner.1 - STROKE / 2.0);
    let inside = tint(color, if color == FRAME { 0.12 } else { 0.19 });
    page.rect((x, y), (width + STROKE, height + STROKE), color)?;
    page.rect((x + STROKE, y + STROKE), (width - STROKE, height - STROKE), inside)
}

/// A layer's output on the page: maps, one behind the other, or a vector.
#[derive(Clone, Copy)]
struct Output {
    /// Maps, rows and columns; a vector has no maps, and as many rows as values.
    shape: [usize; 3],
    /// The size of one map, and of all.
    map: Point,
    size: Point,
    corner: Point,
}

impl Output {
    /// The upper left corner of the front map.
    fn front(&self) -> Point {
        (self.corner.0, self.corner.1 + self.size.1 - self.map.1)
    }

    fn draw(&self, page: &Page<'_, '_>, color: RGBColor) -> Result<()> {
        // The first map stands at the back and to the upper right, the last at the front.
        let (front, maps) = (self.front(), self.shape[0].clamp(1, MOST_MAPS));
        for back in (0..maps).rev().map(|map| MAP_OFFSET * map as f64) {
            sheet(page, (front.0 + back, front.1 - back), self.map, color)?;
        }
        Ok(())
    }

    /// The window on this output that makes one value of the next, or lines from end to end between vectors.
    fn connect(&self, page: &Page<'_, '_>, next: &Output, learning: bool) -> Result<()> {
        const THIN: f64 = 1.0;
        /// How far from its map's upper left corner a window stands, as a share of the free rows.
        const PLACE: f64 = 0.62;
        let ([maps, rows, _], [next_maps, next_rows, _]) = (self.shape, next.shape);
        if maps > 0 && next_maps > 0 && next_rows < rows {
            // A convolution without padding loses a row less than its window has; a pooling divides.
            let (window, step) = match learning {
                true => (rows - next_rows + 1, 1),
                false => (rows / next_rows, rows / next_rows),
            };
            let row = self.map.1 / rows as f64;
            let place = ((next_rows - 1) as f64 * PLACE).round();
            let (start, side) = (place * step as f64 * row, window as f64 * row);
            let (front, next) = (self.front(), next.front());
            let (x, y) = (front.0 + start, front.1 + start);
            let target = (next.0 + place * row, next.1 + place * row);
            page.line(&[(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)], THIN, INK)?;
            page.line(&[(x + side, y), target], THIN, INK)?;
            page.line(&[(x + side, y + side), (target.0, target.1 + row)], THIN, INK)?;
            return page.rect(target, (row, row), INK);
        }
        // From the back map's upper right corner, and from the front map's lower right one.
        let (x, y) = self.corner;
        page.line(&[(x + self.size.0, y), next.corner], THIN, FRAME)?;
        let below = (next.corner.0, next.corner.1 + next.size.1);
        page.line(&[(x + self.map.0, y + self.size.1), below], THIN, FRAME)
    }
}
