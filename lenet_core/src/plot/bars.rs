//! A share for each digit, as bars.

use super::drawing::{Align, Color, Drawing, TextStyle};
use super::figure::Figure;
use super::page::{percent, LABEL_SIZE, MARGIN, SMALL_SIZE, TITLE_SIZE};
use crate::network::CLASSES;
use crate::{Error, Result};

const LEFT: f64 = 60.0;
const TOP: f64 = 84.0;
const STEP: f64 = 84.0;
const BAR: f64 = 56.0;
const HEIGHT: f64 = 240.0;
const STROKE: f64 = 1.5;
const FAINT: f64 = 0.55;

/// A bar for each digit: ten shares between 0 and 1, as ten probabilities or the accuracy for each class.
///
/// The largest share stands out. Each bar carries its share in per cent.
///
/// # Errors
/// [`Error::Argument`] if a share is not between 0 and 1.
///
/// # Example
/// ```
/// use lenet_core::plot;
///
/// let mut probabilities = [0.01; 10];
/// probabilities[7] = 0.91;
/// let figure = plot::bars("What the network sees", &probabilities)?;
/// assert!(figure.text().contains("largest: 7 with 91.0 %"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn bars(title: &str, shares: &[f32; CLASSES]) -> Result<Figure> {
    if let Some((digit, share)) = shares
        .iter()
        .enumerate()
        .find(|(_, share)| !(0.0..=1.0).contains(*share))
    {
        let got = format!("{share} for {digit}");
        return Err(Error::argument("shares", "between 0 and 1", got));
    }
    let largest = (1..CLASSES).fold(0, |best, digit| {
        if shares[digit] > shares[best] {
            digit
        } else {
            best
        }
    });
    let width = STEP * CLASSES as f64;
    let (bottom, right) = (TOP + HEIGHT, LEFT + width);
    let mut drawing = Drawing::new(right + LEFT, bottom + 2.0 * LABEL_SIZE + MARGIN);
    drawing.text(
        (LEFT + width / 2.0, TITLE_SIZE),
        title,
        TextStyle::new(TITLE_SIZE, Align::Middle),
    );
    for (digit, &share) in shares.iter().enumerate() {
        let middle = LEFT + (digit as f64 + 0.5) * STEP;
        let height = f64::from(share) * HEIGHT;
        let color = if digit == largest {
            Color::BLUE
        } else {
            Color::BLUE.tint(FAINT)
        };
        drawing.rect((middle - BAR / 2.0, bottom - height), (BAR, height), color);
        let above = (middle, bottom - height - SMALL_SIZE);
        drawing.text(
            above,
            percent(f64::from(share)),
            TextStyle::new(SMALL_SIZE, Align::Middle),
        );
        let below = (middle, bottom + LABEL_SIZE);
        drawing.text(
            below,
            digit.to_string(),
            TextStyle::new(LABEL_SIZE, Align::Middle),
        );
    }
    drawing.line(&[(LEFT, bottom), (right, bottom)], STROKE, Color::FRAME);

    let each: Vec<_> = shares
        .iter()
        .enumerate()
        .map(|(digit, &share)| format!("{digit}: {}", percent(f64::from(share))))
        .collect();
    let words = format!(
        "{title}; largest: {largest} with {}. {}.",
        percent(f64::from(shares[largest])),
        each.join(", ")
    );
    Figure::new(&drawing, words)
}
