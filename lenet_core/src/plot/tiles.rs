//! Pictures side by side, each with words above it.

use super::drawing::{Align, Color, Drawing, Point, Raster, TextStyle};

/// Stroke of the frame around a picture.
const FRAME_STROKE: f64 = 1.0;
/// Free space around a picture.
pub(super) const SPACE: f64 = 12.0;
const CAPTION_SIZE: f64 = 18.0;
const CAPTION_HEIGHT: f64 = 25.0;

/// A picture and the lines above it.
pub(super) struct Tile {
    pub captions: Vec<String>,
    pub picture: Raster,
}

/// A page of tiles, `columns` in a row, a picture's pixel drawn as `pixel` by `pixel`.
///
/// All tiles have pictures of one size and as many lines of caption.
pub(super) fn page(tiles: Vec<Tile>, columns: usize, pixel: f64) -> Drawing {
    let (size, lines) = tiles.first().map_or(((0.0, 0.0), 0), |tile| {
        (size(&tile.picture, pixel), tile.captions.len())
    });
    let caption_height = lines as f64 * CAPTION_HEIGHT;
    let step = (size.0 + SPACE, size.1 + SPACE + caption_height);
    let rows = tiles.len().div_ceil(columns);
    let mut drawing = Drawing::new(
        SPACE + columns as f64 * step.0,
        SPACE + rows as f64 * step.1,
    );
    for (index, tile) in tiles.into_iter().enumerate() {
        let (row, column) = ((index / columns) as f64, (index % columns) as f64);
        let (left, top) = (SPACE + column * step.0, SPACE / 2.0 + row * step.1);
        for (line, caption) in tile.captions.into_iter().enumerate() {
            let at = (
                left + size.0 / 2.0,
                top + (line as f64 + 0.5) * CAPTION_HEIGHT,
            );
            drawing.text(at, caption, TextStyle::new(CAPTION_SIZE, Align::Middle));
        }
        framed(
            &mut drawing,
            (left, top + caption_height),
            size,
            tile.picture,
        );
    }
    drawing
}

/// Width and height of a picture on the drawing.
pub(super) fn size(picture: &Raster, pixel: f64) -> (f64, f64) {
    (picture.width as f64 * pixel, picture.height as f64 * pixel)
}

/// A picture inside a thin frame.
pub(super) fn framed(drawing: &mut Drawing, corner: Point, size: (f64, f64), picture: Raster) {
    let half = FRAME_STROKE / 2.0;
    let outer = (size.0 + FRAME_STROKE, size.1 + FRAME_STROKE);
    drawing.frame(
        (corner.0 - half, corner.1 - half),
        outer,
        FRAME_STROKE,
        Color::FRAME,
    );
    drawing.raster(corner, size, picture);
}
