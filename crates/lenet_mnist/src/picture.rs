//! One's own digits: pictures read from PNG and JPEG files, and prepared as MNIST's digits were.
//!
//! MNIST's digits are white on black, scaled into a box of 20 x 20 pixels with their shape kept, and lie with their centre of
//! mass in the middle of 28 x 28 (LeCun 1998, section III.A). A network that learned from them reads a photograph of a digit
//! once the same is done to it.
//!
//! A picture's way:
//! - `files.rs`: files and folders ([`read_picture`], [`read_pictures`])
//! - `decode.rs`: a file's bytes become upright [`Grey`] pixels
//! - `map.rs`: a large picture becomes smaller
//! - `paper.rs`: the paper's shade and its noise go; ink becomes white, whether it was dark or bright
//! - `shapes.rs`: specks and lines at the edge go; several digits, or none, are told
//! - `strokes.rs`: hair-thin strokes become bolder, fat ones thinner
//! - [`prepare`]: all that, and the digit put into the box and in the middle

use std::fmt;

use crate::SIDE;

mod decode;
mod files;
mod map;
mod paper;
mod shapes;
mod strokes;

pub use files::{label, read_picture, read_pictures, Picture};
use map::{Frame, Map};

/// Height and width of the box that a digit is scaled into.
const BOX: usize = 20;

/// A grey picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height * width` pixels, row by row, from 0 (black) to 255 (white).
    pub pixels: Vec<u8>,
}

impl Grey {
    /// The same picture with at most `most` pixels in a row or a column, each the mean of those that it covers, from 0 (black)
    /// to 1 (white), and how many there are in a row: to be shown.
    ///
    /// # Example
    /// ```
    /// let picture = lenet_mnist::picture::Grey { width: 4, height: 1, pixels: vec![0, 255, 255, 255] };
    /// assert_eq!(picture.reduced(2), (vec![0.5, 1.0], 2));
    /// ```
    pub fn reduced(&self, most: usize) -> (Vec<f32>, usize) {
        let map = Map::of(self, most);
        (map.levels(), map.width)
    }

    /// The same picture squashed into 28 x 28 pixels as it is, from 0 (black) to 1 (white): what a network sees of it where
    /// nothing is prepared.
    ///
    /// # Example
    /// ```
    /// let picture = lenet_mnist::picture::Grey { width: 56, height: 1, pixels: [[0, 255]; 28].concat() };
    /// assert_eq!(picture.squashed(), [0.5; 784]);
    /// ```
    pub fn squashed(&self) -> Vec<f32> {
        Map::squashed(self, SIDE, SIDE).levels()
    }
}

/// A digit as MNIST would have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// 28 x 28 pixels, row by row, from 0 (paper) to 1 (ink).
    pub pixels: [f32; SIDE * SIDE],
    /// What was done to the picture, in a line.
    pub words: String,
}

/// Why a picture is not read as a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Nothing stands out from the paper.
    Empty,
    /// Two shapes side by side, each as large as a digit.
    Several,
    /// A shape of a few pixels.
    Small,
    /// A shape much wider than high.
    Wide,
    /// A spot without strokes.
    Blob,
}

impl Problem {
    /// What is wrong, and what to do next.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Empty => ("shows nothing that stands out from the paper", "write with a darker pen"),
            Self::Several => ("shows several digits", "cut out one"),
            Self::Small => ("shows a speck of a few pixels", "give a larger picture of the digit"),
            Self::Wide => ("shows a shape too wide for one digit", "cut out one digit"),
            Self::Blob => ("shows a spot without strokes", "write larger, or with a thinner pen"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (problem, advice) = self.words();
        write!(f, "the picture {problem}; {advice}")
    }
}

impl std::error::Error for Problem {}

/// Prepares a grey picture of a digit as MNIST's digits were.
///
/// # Errors
/// When it shows no digit, or several.
///
/// # Panics
/// If there are not `height * width` pixels.
///
/// # Example
/// ```
/// use lenet_mnist::picture::{prepare, Grey};
///
/// // A black line, 60 pixels high and 6 wide, on grey paper.
/// let ink = |at: usize| (20..80).contains(&(at / 100)) && (40..46).contains(&(at % 100));
/// let pixels = (0..100 * 100).map(|at| if ink(at) { 0 } else { 200 }).collect();
/// let one = prepare(&Grey { width: 100, height: 100, pixels })?;
///
/// assert_eq!(one.words, "dark ink on bright paper turned white on black, strokes 1.8 pixels wide");
/// let rows: Vec<f32> = one.pixels.chunks(28).map(|row| row.iter().sum()).collect();
/// assert_eq!(rows.iter().filter(|ink| **ink > 0.0).count(), 20);
/// # Ok::<(), lenet_mnist::picture::Problem>(())
/// ```
pub fn prepare(grey: &Grey) -> Result<Prepared, Problem> {
    /// Larger pictures are made so small first.
    const MOST_SIDE: usize = 600;
    assert_eq!(grey.pixels.len(), grey.width * grey.height);
    if grey.pixels.is_empty() {
        return Err(Problem::Empty);
    }
    let ink = paper::ink(&Map::of(grey, MOST_SIDE)).ok_or(Problem::Empty)?;
    let mut words = String::from(if ink.dark {
        "dark ink on bright paper turned white on black"
    } else {
        "bright ink on dark paper"
    });
    let (digit, frame, left_out) = shapes::digit(ink)?;
    let strokes = strokes::measured(&digit, frame)?;
    words += &format!(", strokes {:.1} pixels wide", strokes.width);
    if strokes.changed.is_some() {
        words += &format!(" and made {:.1}", strokes::MEAN);
    }
    if left_out > 0 {
        let s = if left_out == 1 { "" } else { "s" };
        words += &format!(", {left_out} speck{s} or line{s} left out");
    }
    let pixels = match strokes.changed {
        Some(digit) => place(&digit, digit.frame_above(strokes::FAINT).ok_or(Problem::Empty)?),
        None => place(&digit, frame),
    };
    Ok(Prepared { pixels, words })
}

/// The digit scaled into the box, on 28 x 28 pixels, moved by whole pixels so that its centre of mass comes to the middle.
fn place(digit: &Map, frame: Frame) -> [f32; SIDE * SIDE] {
    let small = digit.means(frame, frame.side() as f64 / BOX as f64, BOX, BOX);
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (at, level) in small.values.iter().enumerate() {
        mass += level;
        x += level * (at % BOX) as f64;
        y += level * (at / BOX) as f64;
    }
    // Rounded as JavaScript's Math.round does, for the same is done in the page.
    let shift = |moment: f64| (SIDE as f64 / 2.0 - moment / mass + 0.5).floor() as isize;
    let (right, down) = (shift(x), shift(y));
    let mut pixels = [0.0; SIDE * SIDE];
    for (at, level) in small.values.iter().enumerate() {
        let (column, row) = ((at % BOX).wrapping_add_signed(right), (at / BOX).wrapping_add_signed(down));
        // A lopsided digit may reach beyond the edge.
        if column < SIDE && row < SIDE {
            pixels[row * SIDE + column] = level.min(1.0) as f32;
        }
    }
    pixels
}
