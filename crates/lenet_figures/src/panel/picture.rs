//! The panel as it looks once a 7 is drawn, for where scripts don't run.

use plotters::style::text_anchor::HPos::{Center, Left, Right};
use plotters::style::WHITE;

use super::{seven, Layer, Stage, SIDE};
use crate::classes::{best, share_bars};
use crate::maps::{colors, key};
use crate::page::{fitting, letters, percent, tint, Page, Point, Raster};
use crate::page::{BLUE, FRAME, INK, LABEL, ORANGE};
use crate::{Figure, Result};

const WIDTH: f64 = 1040.0;
const MARGIN: f64 = 16.0;
/// Heights of letters.
const EM: f64 = 15.0;
const SMALL: f64 = 12.0;
/// Sides of the drawing and of what the network sees of it.
const PAPER: f64 = 280.0;
const SEEN: f64 = 112.0;
/// Where the middle column has its middle, and where the bars begin.
const MIDDLE: f64 = MARGIN + PAPER + 110.0;
const TRACK: f64 = MIDDLE + 130.0;
/// Room for a bar's share.
const SHARE: f64 = 80.0;
/// Width of the layers' rows, and where the lens begins.
const LAYERS: f64 = 600.0;
const LENS: f64 = MARGIN + LAYERS + 32.0;
/// Free space between maps, and a map's largest side.
const GAP: f64 = 8.0;
const MAP: f64 = 92.0;
/// A vector's largest cell, and the height of the logits' bars.
const CELL: f64 = 15.0;
const BAR: f64 = 44.0;
/// A cell of the lens.
const NUMBER: Point = (36.0, 24.0);

/// The drawing, what the network sees, the answer, and a row for each stage, with a lens on the first if that is a convolution.
pub(super) fn paint(names: &[String], stages: &[Stage<'_>], parameters: &[f32], logits: &[f32]) -> Result<Figure> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.iter().map(|logit| (logit - largest).exp());
    let sum: f32 = powers.clone().sum();
    let probabilities = Vec::from_iter(powers.map(|power| power / sum));
    let best = best(&probabilities);
    let answer = format!("with {}", percent(probabilities[best]));
    let listed = Vec::from_iter(stages.iter().map(|stage| stage.name)).join(", ");
    let words = format!(
        "A panel to draw a digit in, with a drawn 7: the strokes, the 28 by 28 pixels that the network sees of them, a bar for \
         the probability of each class, and what the layers {listed} make of it. It is read as {} {answer}. This is a picture \
         of the panel; in JupyterLab or in the exported page the panel itself stands here.",
        names[best]
    );
    let top = PAPER + 2.0 * MARGIN + 2.0 * EM;
    let rows = stages.iter().scan(top, |y, stage| {
        let at = *y;
        *y += row_height(stage) + 2.6 * EM;
        Some(at)
    });
    let rows = Vec::from_iter(rows);
    let below = rows.last().map_or(top, |y| y + row_height(&stages[stages.len() - 1]) + 1.2 * EM);
    let inner = stages.iter().filter(|stage| stage.name != "Output").flat_map(|stage| stage.values);
    let strongest = inner.fold(1.0, |most: f32, value| most.max(value.abs()));
    Page::figure((WIDTH, below + 2.0 * MARGIN), words, &|page| {
        paint_answer(page, names, &probabilities, &answer)?;
        page.line(&[(MARGIN, top - 1.6 * EM), (WIDTH - MARGIN, top - 1.6 * EM)], 1.0, tint(FRAME, 0.4))?;
        for (stage, &y) in stages.iter().zip(&rows) {
            page.text((MARGIN, y), stage.name, EM, Left)?;
            page.text((MARGIN + 66.0, y), &stage.words(), EM, Left)?;
            let top = y + 0.9 * EM;
            match stage.shape {
                [.., 1, 1] if stage.name == "Output" => paint_bars(page, names, stage.values, top)?,
                _ => paint_maps(page, stage, strongest, top)?,
            }
        }
        if let Some(first @ Stage { layer: Layer::Conv2D(_, side), .. }) = stages.first() {
            if first.shape[1] + side == SIDE + 1 && *side <= 5 {
                paint_lens(page, first, *side, parameters, (rows[0], strongest))?;
            }
        }
        let ends = [format!("−{strongest:.0}"), format!("{strongest:.0}")];
        key(page, (LENS + 5.0 * NUMBER.0 + 6.0, below - EM), &ends)
    })
}

impl Stage<'_> {
    /// What the stage makes, and how.
    fn words(&self) -> String {
        let [maps, rows, columns] = self.shape;
        let made =
            if rows * columns == 1 { format!("{maps} values") } else { format!("{maps} maps of {rows}×{columns}") };
        let how = match self.layer {
            Layer::Conv2D(_, side) => format!("{side}×{side} convolution"),
            Layer::AvgPool2D(side) => format!("mean of {side}×{side}"),
            Layer::MaxPool2D(side) => format!("largest of {side}×{side}"),
            _ => "dense".into(),
        };
        let activation = self.activation.map_or(String::new(), |layer| format!(", {layer:?}"));
        format!(
            "{made}: {how}{}",
            if self.activation == Some(Layer::ReLU) { activation } else { activation.to_lowercase() }
        )
    }
}

/// Lines and columns of a stage's maps or values, and the side of one.
fn grid(stage: &Stage<'_>) -> (usize, usize, f64) {
    let [maps, rows, _] = stage.shape;
    let (least, most, gap) = if rows == 1 { (8.0, CELL, 0.0) } else { (30.0, MAP, GAP) };
    let side = |per: usize| (LAYERS + gap) / per as f64 - gap;
    let lines = (1..=maps).find(|lines| side(maps.div_ceil(*lines)) >= least).unwrap_or(maps);
    let per = maps.div_ceil(lines);
    (lines, per, side(per).min(most))
}

fn row_height(stage: &Stage<'_>) -> f64 {
    let (lines, _, side) = grid(stage);
    match stage.shape {
        [.., 1, 1] if stage.name == "Output" => BAR + 1.4 * SMALL,
        [.., 1, 1] => lines as f64 * side,
        _ => lines as f64 * (side + GAP) - GAP,
    }
}

/// The drawing, what is seen of it, and a bar for each class.
fn paint_answer(page: &Page<'_, '_>, names: &[String], probabilities: &[f32], answer: &str) -> Result<()> {
    let (step, best) = (PAPER / names.len().max(10) as f64, best(probabilities));
    let squares = [(MARGIN, PAPER as usize, PAPER, 3.0), (MIDDLE - SEEN / 2.0, SIDE, SEEN, 0.0)];
    for (left, side, width, up) in squares {
        let pixel = width / side as f64;
        page.picture((left, MARGIN), (pixel, pixel), &Raster::grey(side, &seven(side, up)))?;
    }
    let line = |lines: f64| (MIDDLE, MARGIN + SEEN + lines * LABEL);
    page.text(line(0.8), "what the network sees", EM, Center)?;
    page.text(line(3.2), &names[best], 2.0 * LABEL, Center)?;
    page.text(line(5.0), answer, EM, Center)?;
    share_bars(page, (TRACK, MARGIN), (WIDTH - MARGIN - SHARE - TRACK, step), names, probabilities, BLUE, EM)
}

fn paint_maps(page: &Page<'_, '_>, stage: &Stage<'_>, strongest: f32, top: f64) -> Result<()> {
    let [_, rows, columns] = stage.shape;
    let (_, per, side) = grid(stage);
    if rows * columns == 1 {
        return stage.values.chunks(per).enumerate().try_for_each(|(line, values)| {
            let at = (MARGIN, top + line as f64 * side);
            page.picture(at, (side, side), &colors(values.len(), values, strongest))
        });
    }
    let pixel = side / rows.max(columns) as f64;
    let pitch = if per > 1 { ((LAYERS - side) / (per - 1) as f64).min(1.5 * side) } else { 0.0 };
    stage.values.chunks(rows * columns).enumerate().try_for_each(|(map, values)| {
        let at = (MARGIN + (map % per) as f64 * pitch, top + (map / per) as f64 * (side + GAP));
        page.picture(at, (pixel, pixel), &colors(columns, values, strongest))
    })
}

/// The logits: bars up from the middle for positive ones, down for negative ones.
fn paint_bars(page: &Page<'_, '_>, names: &[String], values: &[f32], top: f64) -> Result<()> {
    let (step, middle) = (LAYERS / values.len() as f64, top + BAR / 2.0);
    let most = values.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
    let em = fitting(names, EM, step - 4.0)?;
    for (class, (&value, name)) in values.iter().zip(names).enumerate() {
        let (left, height) = (MARGIN + class as f64 * step, f64::from(value.abs() / most) * BAR / 2.0);
        let up = if value > 0.0 { height } else { 0.0 };
        page.rect((left + 0.2 * step, middle - up), (0.6 * step, height), if value > 0.0 { BLUE } else { ORANGE })?;
        page.text((left + 0.5 * step, top + BAR + SMALL), name, em, Center)?;
    }
    page.line(&[(MARGIN, middle), (MARGIN + LAYERS, middle)], 1.0, FRAME)
}

/// How a value of the first convolution's first map came about, in the middle of the map's upper stroke.
fn paint_lens(
    page: &Page<'_, '_>,
    stage: &Stage<'_>,
    side: usize,
    parameters: &[f32],
    (y, strongest): (f64, f32),
) -> Result<()> {
    const MAP: usize = 0;
    let (row, column) = (5, 11);
    let seen = seven(SIDE, 0.0);
    let taps = side * side;
    let weights = &parameters[MAP * taps..][..taps];
    let values = Vec::from_iter((0..taps).map(|tap| seen[(row + tap / side) * SIDE + column + tap % side]));
    let products = Vec::from_iter(values.iter().zip(weights).map(|(value, weight)| value * weight));
    let (sum, bias) = (products.iter().sum::<f32>(), parameters[stage.shape[0] * taps + MAP]);
    let value = stage.values[(MAP * stage.shape[1] + row) * stage.shape[2] + column];
    let title = format!("{}, map {MAP}, row {row}, column {column}: {}", stage.name, written(value, 3));
    page.text((LENS, y), &title, EM, Left)?;
    let size = (side as f64 * NUMBER.0, side as f64 * NUMBER.1);
    let (right, lower) = (LENS + size.0 + 12.0, y + 0.9 * EM + size.1 + 2.4 * EM);
    let most = weights.iter().fold(f32::MIN_POSITIVE, |most, weight| most.max(weight.abs()));
    let upper = y + 0.9 * EM;
    let tables = [
        ((LENS, upper), &values[..], strongest, "window in the image"),
        ((right, upper), weights, most, "× filter"),
        ((LENS, lower), &products[..], strongest, "= products"),
    ];
    for (corner, values, most, caption) in tables {
        page.picture(corner, NUMBER, &colors(side, values, most))?;
        for (tap, &value) in values.iter().enumerate() {
            let place = |at: usize, start: f64, cell: f64| start + (at as f64 + 0.5) * cell;
            let at = (place(tap % side, corner.0, NUMBER.0), place(tap / side, corner.1, NUMBER.1));
            let color = if value / most > 0.7 { WHITE } else { INK };
            page.write(at, &written(value, 2), &letters(SMALL, color))?;
        }
        page.text((corner.0, corner.1 + size.1 + 0.9 * EM), caption, EM, Left)?;
    }
    let mut steps = vec![(format!("{taps} products"), sum), ("+ bias".into(), bias), ("sum".into(), sum + bias)];
    if let Some(activation) = stage.activation {
        steps.push((format!("{}({})", format!("{activation:?}").to_lowercase(), written(sum + bias, 3)), value));
    }
    for (line, (words, value)) in steps.iter().enumerate() {
        let y = lower + (line as f64 * 1.5 + 0.6) * EM;
        page.text((right, y), words, EM, Left)?;
        page.text((right + size.0, y), &written(*value, 3), EM, Right)?;
    }
    // Where the window lies, and the value.
    let pixel = SEEN / SIDE as f64;
    let corner = (MIDDLE - SEEN / 2.0 + column as f64 * pixel, MARGIN + row as f64 * pixel);
    page.line(&square(corner, side as f64 * pixel), 2.0, ORANGE)?;
    let (_, _, map) = grid(stage);
    let cell = map / stage.shape[1] as f64;
    let corner = (MARGIN + column as f64 * cell, y + 0.9 * EM + row as f64 * cell);
    page.line(&square((corner.0 - 1.0, corner.1 - 1.0), cell + 2.0), 2.0, INK)
}

/// The outline of a square.
fn square((x, y): Point, side: f64) -> [Point; 5] {
    [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]
}

/// A value with so many digits behind the point and a true minus.
fn written(value: f32, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        format!("−{text}")
    } else {
        text
    }
}
