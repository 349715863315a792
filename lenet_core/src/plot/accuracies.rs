//! The accuracy for each digit, as points.

use super::axes::{Axes, Scale};
use super::drawing::{Align, Color, Drawing, TextStyle};
use super::figure::Figure;
use super::font::Font;
use super::page::{percent, MARGIN, SMALL_SIZE, TITLE_SIZE};
use crate::network::CLASSES;
use crate::{Error, Result};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 130.0;
const TOP: f64 = 2.5 * TITLE_SIZE;
const BOTTOM: f64 = 84.0;
const RADIUS: f64 = 8.0;
/// Free space above and below the points, as a share of their span; their numbers stand there.
const FREE: f64 = 0.25;
/// Accuracies that lie closer together, in per cent, are not drawn further apart.
const LEAST_SPAN: f64 = 1.0;

/// The share of each digit's images that is read right: ten numbers from 0 to 1, as
/// [`metrics::accuracy_by_class`](crate::metrics::accuracy_by_class) gives them.
///
/// The scale begins where the accuracies do, so that their differences can be seen. The lowest stands out.
///
/// # Errors
/// [`Error::Argument`] if a share is not between 0 and 1.
///
/// # Example
/// ```
/// let mut shares = [0.99; 10];
/// shares[8] = 0.972;
/// let figure = lenet_core::plot::accuracy_by_class(&shares)?;
/// assert!(figure.text().contains("lowest: 8 with 97.2 %"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn accuracy_by_class(shares: &[f32; CLASSES]) -> Result<Figure> {
    let outside = |share: &f32| !(0.0..=1.0).contains(share);
    if let Some(digit) = shares.iter().position(outside) {
        let got = format!("{} for {digit}", shares[digit]);
        return Err(Error::argument("shares", "between 0 and 1", got));
    }
    let shares = shares.map(f64::from);
    let mut order: Vec<usize> = (0..CLASSES).collect();
    order.sort_by(|&a, &b| shares[a].total_cmp(&shares[b]));
    let (lowest, highest) = (order[0], order[CLASSES - 1]);
    let (low, high) = (100.0 * shares[lowest], 100.0 * shares[highest]);
    let free = FREE * (high - low).max(LEAST_SPAN);

    let axes = Axes {
        corner: (LEFT, TOP),
        size: (WIDTH - LEFT - MARGIN, HEIGHT - TOP - BOTTOM),
        x: Scale::classes(CLASSES),
        y: Scale::values(low - free, high + free, 100.0),
    };
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let title = "Accuracy by class";
    axes.draw(&mut drawing, &Font::load()?, title, "Digit", "Accuracy (%)");
    for (digit, share) in shares.into_iter().enumerate() {
        let (x, y) = axes.place(digit as f64, 100.0 * share);
        let color = if digit == lowest {
            Color::ORANGE
        } else {
            Color::BLUE
        };
        drawing.circle((x, y), RADIUS, color);
        let above = (x, y - RADIUS - SMALL_SIZE);
        drawing.text(
            above,
            percent(share),
            TextStyle::new(SMALL_SIZE, Align::Middle),
        );
    }

    let each: Vec<_> = shares
        .iter()
        .enumerate()
        .map(|(digit, &share)| format!("{digit}: {}", percent(share)))
        .collect();
    let words = format!(
        "{title}; lowest: {lowest} with {}. {}.",
        percent(shares[lowest]),
        each.join(", ")
    );
    Figure::new(&drawing, words)
}
