//! How bold the strokes are, and how they become as bold as MNIST's.

use super::map::{Frame, Map};
use super::{Problem, BOX};

/// Pixels of the canvas for each pixel of the box, and free ones around the box for strokes that grow.
const SCALE: usize = 5;
const MARGIN: usize = 20;

/// The mean width of MNIST's strokes, in pixels of the box of 20 x 20.
pub(super) const MEAN: f64 = 2.5;

/// Fainter edges of strokes do not count.
pub(super) const FAINT: f64 = 0.1;

/// How bold a digit is.
pub(super) struct Strokes {
    /// Pixels of the box of 20 x 20.
    pub width: f64,
    /// The digit with strokes as bold as MNIST's, if they were much bolder or thinner.
    pub changed: Option<Map>,
}

/// Measures the strokes, and changes them if they are unusual.
pub(super) fn measured(map: &Map, frame: Frame) -> Result<Strokes, Problem> {
    /// The widths of nearly all of MNIST's strokes.
    const USUAL: std::ops::Range<f64> = 1.7..4.0;
    /// What strokes keep that are thinner than others of the same digit.
    const LEAST: f64 = 1.0;
    /// Bolder than any digit.
    const BLOB: f64 = 9.0;
    let step = frame.side() as f64 / (BOX * SCALE) as f64;
    let canvas = map.smooth(frame, step, MARGIN, BOX * SCALE + 2 * MARGIN);
    let width = width(&canvas) / SCALE as f64;
    if width > BLOB {
        return Err(Problem::Blob);
    }
    if USUAL.contains(&width) {
        return Ok(Strokes { width, changed: None });
    }
    let mut levels: Vec<f64> = canvas.values.iter().copied().filter(|level| *level > 0.01).collect();
    levels.sort_unstable_by(f64::total_cmp);
    // A stroke thinner than a pixel is grey.
    let half = 0.5 * levels.get(levels.len() * 9 / 10).copied().unwrap_or(1.0);
    let mut inked: Vec<bool> = canvas.values.iter().map(|level| *level >= half).collect();
    let scale = SCALE as f64;
    if width < MEAN {
        let changed = Some(grown(&inked, canvas.width, (MEAN - width) / 2.0 * scale));
        return Ok(Strokes { width, changed });
    }
    let paper: Vec<bool> = inked.iter().map(|inked| !inked).collect();
    let paper = grown(&paper, canvas.width, (width - MEAN) / 2.0 * scale);
    thin(&mut inked, canvas.width);
    let mut lines = grown(&inked, canvas.width, LEAST / 2.0 * scale);
    for (line, paper) in lines.values.iter_mut().zip(&paper.values) {
        *line = line.max(1.0 - paper);
    }
    Ok(Strokes { width, changed: Some(lines) })
}

/// The strokes' width. A long stroke of width w and length l covers an area of w l, and its two sides, where grey levels change
/// from 0 to 1, are 2 l long: twice the ink over the sum of the gradient's lengths.
fn width(map: &Map) -> f64 {
    let (mut ink, mut change) = (0.0, 0.0);
    for y in 0..map.height - 1 {
        for x in 0..map.width - 1 {
            let here = map.values[y * map.width + x];
            let right = map.values[y * map.width + x + 1] - here;
            let down = map.values[(y + 1) * map.width + x] - here;
            ink += here;
            change += (right * right + down * down).sqrt();
        }
    }
    2.0 * ink / f64::max(change, f64::MIN_POSITIVE)
}

/// All that is nearer to the ink than `radius`, with a soft edge.
fn grown(inked: &[bool], width: usize, radius: f64) -> Map {
    let mut map = Map::new(width, inked.len() / width, |_| 0.0);
    let reach = radius.ceil() as usize + 1;
    for at in (0..inked.len()).filter(|at| inked[*at]) {
        let (x, y) = (at % width, at / width);
        let inside = x > 0 && y > 0 && x + 1 < width && y + 1 < map.height;
        let inner = inside && [at - 1, at + 1, at - width, at + width].iter().all(|at| inked[*at]);
        // Neighbours reach farther than what they enclose.
        let reach = if inner { 0 } else { reach };
        for row in y.saturating_sub(reach)..(y + reach + 1).min(map.height) {
            for column in x.saturating_sub(reach)..(x + reach + 1).min(width) {
                let (across, down) = (column.abs_diff(x), row.abs_diff(y));
                let distance = ((across * across + down * down) as f64).sqrt();
                let level = (radius + 0.5 - distance).clamp(0.0, 1.0);
                let value = &mut map.values[row * width + column];
                *value = value.max(level);
            }
        }
    }
    map
}

/// Takes the ink away from its edges until lines of one pixel are left (T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm
/// for thinning digital patterns", 1984). No ink may touch the edges of the map.
fn thin(inked: &mut [bool], width: usize) {
    // The eight neighbours, clockwise from above.
    let around = |at: usize| {
        let (above, below) = (at - width, at + width);
        [above, above + 1, at + 1, below + 1, below, below - 1, at - 1, above - 1]
    };
    loop {
        let mut changed = false;
        for pass in [0, 2] {
            let spare = |at: &usize| {
                let near = around(*at).map(|at| inked[at]);
                let count = near.iter().filter(|inked| **inked).count();
                let ends = (0..8).filter(|i| !near[*i] && near[(i + 1) % 8]).count();
                // Above, right and below, or right, below and left; then the other two sides.
                let sides = |sides: [usize; 3]| sides.iter().any(|side| !near[*side]);
                let free = match pass {
                    0 => sides([0, 2, 4]) && sides([2, 4, 6]),
                    _ => sides([0, 2, 6]) && sides([0, 4, 6]),
                };
                (2..=6).contains(&count) && ends == 1 && free
            };
            let spare: Vec<usize> = (0..inked.len()).filter(|at| inked[*at]).filter(spare).collect();
            changed |= !spare.is_empty();
            spare.iter().for_each(|at| inked[*at] = false);
        }
        if !changed {
            return;
        }
    }
}
