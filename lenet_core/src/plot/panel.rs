//! The picture of the panel to draw in, for viewers that can't show the panel itself.

use super::drawing::{Align, Color, Drawing, TextStyle};
use super::figure::Figure;
use super::page::{LABEL_SIZE, SMALL_SIZE};
use crate::network::CLASSES;
use crate::Result;

const MARGIN: f64 = 16.0;
const PAPER: f64 = 280.0;
const SEEN: f64 = 112.0;
const GAP: f64 = 32.0;
const TRACK: f64 = 200.0;
const STEP: f64 = PAPER / CLASSES as f64;
const BLACK: Color = Color([0; 3]);
const HINT: Color = Color([190; 3]);
const STROKE: f64 = 1.0;

const WORDS: &str = "A panel to draw a digit in: a black square, the 28 by 28 pixels that the network sees of it, and a bar \
                     for the probability of each digit. This is a picture of it; in JupyterLab or in the exported page \
                     the panel itself stands here.";

/// The empty panel.
pub(crate) fn drawing_panel() -> Result<Figure> {
    let caption = TextStyle::new(SMALL_SIZE, Align::Middle);
    let seen_left = MARGIN + PAPER + GAP;
    let caption_width = 1.9 * SEEN;
    let bars_left = seen_left + caption_width + GAP;
    let mut drawing = Drawing::new(bars_left + GAP + TRACK + MARGIN, PAPER + 2.0 * MARGIN);
    drawing.rect((MARGIN, MARGIN), (PAPER, PAPER), BLACK);
    let middle = MARGIN + PAPER / 2.0;
    drawing.text((middle, middle), "draw here", caption.color(HINT));
    let seen_middle = seen_left + caption_width / 2.0;
    let seen = (seen_middle - SEEN / 2.0, MARGIN);
    drawing.rect(seen, (SEEN, SEEN), BLACK);
    let below = (seen_middle, MARGIN + SEEN + LABEL_SIZE);
    drawing.text(below, "what the network sees", caption);
    for digit in 0..CLASSES {
        let y = MARGIN + (digit as f64 + 0.5) * STEP;
        let name = TextStyle::new(LABEL_SIZE, Align::Middle);
        drawing.text((bars_left, y), digit.to_string(), name);
    }
    let track = bars_left + GAP / 2.0;
    drawing.line(
        &[(track, MARGIN), (track, MARGIN + PAPER)],
        STROKE,
        Color::FRAME,
    );
    drawing.frame((track, MARGIN), (TRACK, PAPER), STROKE, Color::GRID);
    Figure::new(&drawing, WORDS.into())
}
