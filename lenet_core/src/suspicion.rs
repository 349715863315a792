//! What is suspicious about images and probabilities, in a sentence. It is said once, beside the answer, and changes nothing.

use rayon::prelude::*;

/// Prints what is suspicious, if anything.
pub(crate) fn say(suspicion: Option<String>) {
    if let Some(suspicion) = suspicion {
        println!("a word of warning: {suspicion}");
    }
}

/// What is suspicious about planes of `side` x `side` pixels.
pub(crate) fn of_images(images: &[f32], side: usize) -> Option<String> {
    let most = images.par_chunks(side * side).map(largest).max().unwrap_or(0);
    let most = f32::from_bits(most);
    let bright: usize = images.par_chunks_exact(side * side).map(|plane| bright_edge(plane, side)).sum();
    // Each plane has four edges of `side` pixels.
    let edges = 4 * images.len() / side;
    if !most.is_finite() {
        Some("not every pixel is finite".into())
    } else if most > 1.0 {
        Some(format!("pixels go up to {most}: `normalize` scales bytes to 0..=1"))
    } else if 2 * bright > edges {
        Some("most edges are bright, but MNIST's digits are white on black: `-x + 1.0` turns images around".into())
    } else {
        None
    }
}

/// What is suspicious about rows of `classes` values each.
pub(crate) fn of_probabilities(rows: &[f32], classes: usize) -> Option<String> {
    let sound = |row: &[f32]| {
        let sum: f32 = row.iter().sum();
        row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3
    };
    let wrong = rows.chunks_exact(classes).position(|row| !sound(row))?;
    Some(format!("row {wrong} holds no probabilities, which sum to 1: `model.predict` makes them of logits"))
}

/// The largest absolute value, as bits: NaN is above infinity.
pub(crate) fn largest(values: &[f32]) -> u32 {
    values.iter().map(|value| value.abs().to_bits()).fold(0, u32::max)
}

/// The bright pixels of the first and the last row and column, a corner twice.
fn bright_edge(plane: &[f32], side: usize) -> usize {
    let rows = plane[..side].iter().chain(&plane[plane.len() - side..]);
    let columns = plane.chunks_exact(side).flat_map(|row| [&row[0], &row[side - 1]]);
    rows.chain(columns).filter(|pixel| **pixel > 0.5).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_as_mnist_has_them_are_beyond_suspicion_and_others_are_not() {
        let stroke = Vec::from_iter((0..784).map(|at| if (10..20).contains(&(at % 28)) { 0.9 } else { 0.0 }));
        let with = |change: fn(&f32) -> f32| of_images(&Vec::from_iter(stroke.iter().map(change)), 28);
        assert_eq!(with(|ink| *ink), None);
        assert!(with(|ink| 255.0 * ink).unwrap().starts_with("pixels go up to 229.5: `normalize`"));
        assert!(with(|ink| 1.0 - ink).unwrap().contains("white on black"));
        assert!(with(|ink| ink / 0.0).unwrap().contains("finite"));
        assert_eq!(of_images(&[], 28), None);
    }

    #[test]
    fn logits_are_no_probabilities() {
        assert_eq!(of_probabilities(&[0.25, 0.75, 1.0, 0.0], 2), None);
        assert!(of_probabilities(&[0.25, 0.75, 2.0, -1.0], 2).unwrap().starts_with("row 1"));
        assert!(of_probabilities(&[f32::NAN, 0.5], 2).is_some());
    }
}
