//! From grey levels to ink: the paper's shade and the noise on it taken off.

use super::map::Map;

/// How much ink there is at each pixel, from 0 (paper) to 1.
pub(super) struct Ink {
    pub map: Map,
    /// From here on a pixel is surely ink.
    pub sure: f64,
    /// Whether the ink is darker than the paper.
    pub dark: bool,
}

/// Terms of the paper's shade at a place: 1, x, y, x², xy, y².
const TERMS: usize = 6;

fn terms(x: f64, y: f64) -> [f64; TERMS] {
    [1.0, x, y, x * x, x * y, y * y]
}

/// The ink of a picture in grey levels from 0 (black) to 255 (white). None where nothing stands out from the paper.
pub(super) fn ink(grey: &Map) -> Option<Ink> {
    /// Ink differs from paper by so many grey levels, and by so many of the noise's standard deviations.
    const LEAST_CONTRAST: f64 = 20.0;
    const OVER_NOISE: f64 = 5.0;
    /// Fainter than this share of the ink's level, or than so many standard deviations of the noise, is no ink.
    const FAINT: f64 = 0.1;
    const NOISE: f64 = 3.0;
    let border = border(grey);
    let shade = shade(grey, &border);
    let over = |at: usize| {
        let (x, y) = place(grey, at);
        let paper: f64 = terms(x, y).iter().zip(&shade).map(|(term, factor)| term * factor).sum();
        grey.values[at] - paper.clamp(0.0, 255.0)
    };
    let over = Map::new(grey.width, grey.height, over);
    // The median of the border's distances from the paper is 0.6745 standard deviations of the noise.
    let mut noise: Vec<f64> = border.iter().map(|&at| over.values[at].abs()).collect();
    noise.sort_unstable_by(f64::total_cmp);
    let noise = noise[noise.len() / 2] / 0.6745;
    let squares = |sign: f64| over.values.iter().map(|over| (sign * over).max(0.0).powi(2)).sum::<f64>();
    let dark = squares(-1.0) > squares(1.0);
    let sign = if dark { -1.0 } else { 1.0 };
    let amounts: Vec<f64> = over.values.iter().map(|over| (sign * over).clamp(0.0, 255.0)).collect();
    let (threshold, contrast) = otsu(&amounts);
    if contrast < LEAST_CONTRAST.max(OVER_NOISE * noise) {
        return None;
    }
    // Strokes have soft edges and the ink is uneven: nine tenths of it are fainter than the level that counts as 1.
    let mut sure: Vec<f64> = amounts.iter().copied().filter(|amount| *amount >= threshold).collect();
    sure.sort_unstable_by(f64::total_cmp);
    let level = sure[sure.len() * 9 / 10];
    let faint = (FAINT * level).max(NOISE * noise).min(threshold);
    let value = |at: usize| {
        let amount = amounts[at];
        if amount < faint {
            0.0
        } else {
            (amount / level).min(1.0)
        }
    };
    Some(Ink { map: Map::new(grey.width, grey.height, value), sure: threshold / level, dark })
}

/// The place of a pixel, from -1 to 1 along both axes.
fn place(map: &Map, at: usize) -> (f64, f64) {
    let along = |at: usize, size: usize| (2 * at + 1) as f64 / size as f64 - 1.0;
    (along(at % map.width, map.width), along(at / map.width, map.height))
}

/// The pixels near the picture's edges.
fn border(map: &Map) -> Vec<usize> {
    const SHARE: usize = 16;
    let (width, height) = (map.width, map.height);
    let breadth = (width.min(height) / SHARE).max(1);
    let near = |at: usize, size: usize| at < breadth || at + breadth >= size;
    (0..width * height).filter(|at| near(at % width, width) || near(at / width, height)).collect()
}

/// The paper's shade as a smooth surface: the polynomial of degree 2 that fits the border best by absolute differences, so
/// that a line or a stroke at the edge does not bend it. (Weighted least squares, again and again: each weight is one over the
/// last difference.)
fn shade(grey: &Map, border: &[usize]) -> [f64; TERMS] {
    const ROUNDS: usize = 8;
    /// The most pixels that are looked at.
    const MOST: usize = 4096;
    let few = || border.iter().step_by(border.len().div_ceil(MOST));
    let mut levels: Vec<f64> = few().map(|&at| grey.values[at]).collect();
    levels.sort_unstable_by(f64::total_cmp);
    let mut shade = [0.0; TERMS];
    shade[0] = levels[levels.len() / 2];
    for _ in 0..ROUNDS {
        let mut sums = [[0.0; TERMS + 1]; TERMS];
        for &at in few() {
            let (x, y) = place(grey, at);
            let terms = terms(x, y);
            let paper: f64 = terms.iter().zip(&shade).map(|(term, factor)| term * factor).sum();
            let weight = 1.0 / ((grey.values[at] - paper).abs() + 1.0);
            for (row, term) in sums.iter_mut().zip(terms) {
                for (sum, other) in row.iter_mut().zip(terms) {
                    *sum += weight * term * other;
                }
                row[TERMS] += weight * term * grey.values[at];
            }
        }
        shade = solve(sums);
    }
    shade
}

/// Solves the equations by Gauss' elimination. Where they don't settle a term, it stays near 0.
fn solve(mut sums: [[f64; TERMS + 1]; TERMS]) -> [f64; TERMS] {
    const LITTLE: f64 = 1e-6;
    for (row, sums) in sums.iter_mut().enumerate() {
        sums[row] += LITTLE;
    }
    for pivot in 0..TERMS {
        let line = sums[pivot];
        for row in (0..TERMS).filter(|row| *row != pivot) {
            let factor = sums[row][pivot] / line[pivot];
            for (value, of_pivot) in sums[row].iter_mut().zip(line) {
                *value -= factor * of_pivot;
            }
        }
    }
    std::array::from_fn(|term| sums[term][TERMS] / sums[term][term])
}

/// The threshold that parts the amounts from 0 to 255 into two classes as far apart as can be (N. Otsu, "A threshold selection
/// method from gray-level histograms", 1979), and the distance of their means.
fn otsu(amounts: &[f64]) -> (f64, f64) {
    let mut counts = [0.0; 256];
    for amount in amounts {
        counts[*amount as usize] += 1.0;
    }
    let levels = || counts.iter().enumerate().map(|(level, count)| (level as f64, *count));
    let total: f64 = counts.iter().sum();
    let moment: f64 = levels().map(|(level, count)| level * count).sum();
    let (mut below, mut moment_below, mut best) = (0.0, 0.0, (0.0, 0.0, 0.0));
    for (level, count) in levels() {
        below += count;
        moment_below += level * count;
        let above = total - below;
        if below > 0.0 && above > 0.0 {
            let distance = (moment - moment_below) / above - moment_below / below;
            let apart = below * above * distance * distance;
            if apart > best.0 {
                best = (apart, level + 1.0, distance);
            }
        }
    }
    (best.1, best.2)
}
