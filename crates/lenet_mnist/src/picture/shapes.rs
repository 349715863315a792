//! The connected shapes of the ink: which of them are the digit.

use super::map::{Frame, Map};
use super::paper::Ink;
use super::Problem;

/// This share of the picture's side is near an edge.
const STRIP: f64 = 0.08;
/// This share of an edge's pixels makes a line.
const LINE: f64 = 0.8;

/// Pixels of ink that touch each other, at a side or a corner.
struct Shape {
    frame: Frame,
    pixels: Vec<usize>,
    ink: f64,
    /// Whether it lies along an edge of the picture.
    at_edge: bool,
}

/// The ink of the digit alone, its frame, and the number of specks and lines that were left out.
pub(super) fn digit(mut ink: Ink) -> Result<(Map, Frame, usize), Problem> {
    /// As shares of the digit so far: a shape with less ink is a speck; a shape with less is one if it lies apart by more.
    const SPECK: f64 = 0.01;
    const SMALL: f64 = 0.25;
    const APART: f64 = 0.25;
    /// Another shape of as much ink and of such a size, apart by so much, is another digit.
    const OTHER_INK: f64 = 0.3;
    const OTHER_SIDE: f64 = 0.6;
    const OTHER_GAP: f64 = 0.1;
    /// Pixels of the least digit, and how much wider than high it may be.
    const LEAST_SIDE: usize = 6;
    const WIDE: f64 = 2.5;
    let lines = without_lines(&mut ink.map);
    let mut shapes = shapes(&ink);
    let all = shapes.len() + lines;
    if shapes.iter().any(|shape| !shape.at_edge) {
        shapes.retain(|shape| !shape.at_edge);
    }
    shapes.sort_by(|a, b| b.ink.total_cmp(&a.ink));
    let mut rest = shapes.into_iter();
    let main = rest.next().ok_or(Problem::Empty)?;
    let (mut frame, mut digit, mut rest) = (main.frame, vec![main], Vec::from_iter(rest));
    let (most, side) = (digit[0].ink, frame.side() as f64);
    let other = |shape: &Shape| {
        shape.ink > OTHER_INK * most
            && shape.frame.side() as f64 > OTHER_SIDE * side
            && shape.frame.gap_across(&digit[0].frame) as f64 > OTHER_GAP * side
    };
    if rest.iter().any(other) {
        return Err(Problem::Several);
    }
    // What lies near belongs to the digit, and what lies near that.
    loop {
        let side = frame.side() as f64;
        let belongs = |shape: &mut Shape| {
            let near = (shape.frame.gap(&frame) as f64) < APART * side;
            shape.ink > SMALL * most || shape.ink > SPECK * most && near
        };
        let found: Vec<Shape> = rest.extract_if(.., belongs).collect();
        if found.is_empty() {
            break;
        }
        frame = found.iter().fold(frame, |frame, shape| frame.with(&shape.frame));
        digit.extend(found);
    }
    if frame.side() < LEAST_SIDE {
        return Err(Problem::Small);
    }
    if frame.width() as f64 > WIDE * frame.height() as f64 {
        return Err(Problem::Wide);
    }
    let mut map = Map::new(ink.map.width, ink.map.height, |_| 0.0);
    for &at in digit.iter().flat_map(|shape| &shape.pixels) {
        map.values[at] = ink.map.values[at];
    }
    Ok((map, frame, all - digit.len()))
}

/// Takes away the lines that run along a whole edge, even if the digit touches them, and tells how many there were. Where ink
/// touches the opposite edge too, the picture is cut close to the digit, and the line may be the bar of a 7.
fn without_lines(map: &mut Map) -> usize {
    let (width, height) = (map.width, map.height);
    let depth = (STRIP * width.min(height) as f64).ceil() as usize;
    // The pixels at so many from the top, the bottom, the left and the right.
    let pixels = |edge: usize, depth: usize| -> Vec<usize> {
        match edge {
            0 => (0..width).map(|x| depth * width + x).collect(),
            1 => (0..width).map(|x| (height - 1 - depth) * width + x).collect(),
            2 => (0..height).map(|y| y * width + depth).collect(),
            _ => (0..height).map(|y| y * width + width - 1 - depth).collect(),
        }
    };
    let share = |edge: usize, depth: usize| {
        let pixels = pixels(edge, depth);
        pixels.iter().filter(|at| map.values[**at] > 0.0).count() as f64 / pixels.len() as f64
    };
    let opposite = [1, 0, 3, 2].map(|edge| share(edge, 0));
    let line = |edge: usize| {
        let free = opposite[edge] == 0.0 || opposite[edge] > LINE;
        (0..depth).take_while(|depth| free && share(edge, *depth) > LINE).count()
    };
    let lines = [0, 1, 2, 3].map(line);
    for (edge, line) in lines.into_iter().enumerate() {
        (0..line).flat_map(|depth| pixels(edge, depth)).for_each(|at| map.values[at] = 0.0);
    }
    lines.iter().filter(|line| **line > 0).count()
}

/// All shapes that have a pixel which is surely ink.
fn shapes(ink: &Ink) -> Vec<Shape> {
    /// What lies along an edge: this share of the ink is near the edges, or all of it is thin.
    const MOST: f64 = 0.8;
    let Map { width, height, ref values } = ink.map;
    let strip = STRIP * width.min(height) as f64;
    let from_edge = |at: usize| {
        let (x, y) = (at % width, at / width);
        x.min(y).min(width - 1 - x).min(height - 1 - y)
    };
    let (mut free, mut shapes): (Vec<bool>, _) = (values.iter().map(|value| *value > 0.0).collect(), Vec::new());
    for start in 0..values.len() {
        if !free[start] {
            continue;
        }
        free[start] = false;
        let (mut pixels, mut next) = (vec![start], 0);
        let mut frame = Frame { left: width, top: height, right: 0, bottom: 0 };
        let (mut sum, mut along, mut touches, mut sure) = (0.0, 0.0, false, false);
        while let Some(&at) = pixels.get(next) {
            next += 1;
            let (x, y) = (at % width, at / width);
            frame = frame.with(&Frame { left: x, top: y, right: x + 1, bottom: y + 1 });
            sum += values[at];
            sure |= values[at] >= ink.sure;
            touches |= from_edge(at) == 0;
            along += if (from_edge(at) as f64) < strip { values[at] } else { 0.0 };
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::take(&mut free[y * width + x]) {
                        pixels.push(y * width + x);
                    }
                }
            }
        }
        let thin = (frame.width().min(frame.height()) as f64) < strip;
        let at_edge = touches && (along > MOST * sum || thin);
        if sure {
            shapes.push(Shape { frame, pixels, ink: sum, at_edge });
        }
    }
    shapes
}
