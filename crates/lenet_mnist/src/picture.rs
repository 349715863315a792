//! One's own digits: pictures read from PNG and JPEG files and prepared as MNIST's were.
//!
//! MNIST's digits are white on black, scaled into a box of 20 x 20 pixels with their shape kept, and put with their centre of
//! mass on the middle of 28 x 28 (LeCun 1998, section III.A). A network that learned from them reads a photograph of a digit
//! only when the same is done to it.
//!
//! A picture's way:
//! - `decode.rs`: the file becomes upright [`Grey`] pixels
//! - `map.rs`: large pictures become smaller
//! - `paper.rs`: the paper's shade and its noise go, ink becomes white, whether it was dark or bright
//! - `shapes.rs`: specks and lines at the edge go; several digits, or none, are told
//! - `strokes.rs`: hair-thin strokes become bolder, fat ones thinner
//! - `place`, below: into the box, and to the middle

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::input::Input;
use crate::{Error, Result, SIDE};

mod decode;
mod map;
mod paper;
mod shapes;
mod strokes;

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
    fn sized((width, height): (usize, usize), pixels: Vec<u8>) -> Self {
        Self { width, height, pixels }
    }
}

/// A digit as MNIST would have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// 28 x 28 pixels, row by row, from 0 (paper) to 1 (ink).
    pub pixels: [f32; SIDE * SIDE],
    /// What was done to the picture.
    pub words: String,
}

/// A file's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// As it was, upright and grey.
    pub original: Grey,
    /// As the network sees it.
    pub prepared: Prepared,
}

/// Why a picture is no digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Nothing stands out from the paper.
    Empty,
    /// Two shapes, each as large as a digit.
    Several,
    /// A shape of a few pixels.
    Small,
    /// A shape more than twice as wide as high.
    Wide,
    /// A spot without strokes.
    Blob,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "shows nothing that stands out from the paper",
            Self::Several => "shows several digits, and one is read",
            Self::Small => "shows a speck and no digit",
            Self::Wide => "shows a shape too wide for one digit",
            Self::Blob => "shows a spot without strokes",
        })
    }
}

/// Prepares a grey picture of a digit as MNIST's digits were.
///
/// # Errors
/// When it shows no digit, or several.
///
/// # Panics
/// If there are not `width * height` pixels.
pub fn prepare(grey: &Grey) -> Result<Prepared, Problem> {
    /// Large pictures are made so small first.
    const MOST_SIDE: usize = 600;
    assert_eq!(grey.pixels.len(), grey.width * grey.height);
    if grey.pixels.is_empty() {
        return Err(Problem::Empty);
    }
    let step = (grey.width.max(grey.height) as f64 / MOST_SIDE as f64).max(1.0);
    let size = |length: usize| ((length as f64 / step).round() as usize).max(1);
    let ink = paper::ink(&reduced(grey, step, size(grey.width), size(grey.height))).ok_or(Problem::Empty)?;
    let (digit, frame, left_out) = shapes::digit(&ink)?;
    let (bold, width) = strokes::bold(&digit, frame)?;
    let (digit, frame) = match bold {
        Some(map) => {
            let frame = map.frame_above(0.1).ok_or(Problem::Empty)?;
            (map, frame)
        }
        None => (digit, frame),
    };
    let words = format!("{} {width:.1} {left_out}", ink.dark);
    Ok(Prepared { pixels: place(&digit, frame), words })
}

fn reduced(grey: &Grey, step: f64, width: usize, height: usize) -> Map {
    let all = Map::new(grey.width, grey.height, |at| f64::from(grey.pixels[at]));
    if step == 1.0 { all } else { all.means(all.frame(), step, width, height) }
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
    let middle = SIDE as f64 / 2.0;
    let (right, down) = ((middle - x / mass).round() as isize, (middle - y / mass).round() as isize);
    let mut pixels = [0.0; SIDE * SIDE];
    for (at, level) in small.values.iter().enumerate() {
        let column = ((at % BOX) as isize + right) as usize;
        let row = ((at / BOX) as isize + down) as usize;
        // A lopsided digit may reach beyond the edge.
        if column < SIDE && row < SIDE {
            pixels[row * SIDE + column] = level.min(1.0) as f32;
        }
    }
    pixels
}

/// Reads.
pub fn read_bytes(bytes: &[u8]) -> Result<Picture, String> {
    let original = decode::decode(bytes)?;
    let prepared = prepare(&original).map_err(|problem| problem.to_string())?;
    Ok(Picture { original, prepared })
}
