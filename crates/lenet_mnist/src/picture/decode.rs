//! From a file's bytes to grey pixels.

use std::io::Cursor;
use std::panic::catch_unwind;

use png::{ColorType, Transformations};
use zune_jpeg::zune_core::{bytestream::ZCursor, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::Grey;

/// The most pixels of a picture. A progressive JPEG of so many takes 200 MB to decode.
const MOST_PIXELS: usize = 20_000_000;

/// The grey picture in the bytes of a PNG or JPEG file, upright; else what is wrong with them, if it is known.
pub(super) fn decode(bytes: &[u8]) -> Result<Grey, Option<String>> {
    let decoder = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png,
        [0xff, 0xd8, 0xff, ..] => jpeg,
        _ => return Err(kind(bytes).map(|kind| format!("is {kind}"))),
    };
    // No damaged file is known to make the decoders panic; one that does is not to end what a learner runs.
    let decoded = catch_unwind(|| decoder(bytes));
    let (picture, exif) = decoded.unwrap_or_else(|_| Err("is damaged so that its decoder fails".into()))?;
    Ok(upright(picture, orientation(&exif).unwrap_or(1)))
}

/// The name of another format of pictures.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [b'G', b'I', b'F', b'8', ..] => "a GIF picture",
        [b'B', b'M', ..] => "a BMP picture",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "a WebP picture",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "a TIFF picture",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "a HEIC or AVIF picture",
        _ => return None,
    })
}

/// Refuses a picture by the sizes that its header tells, before any memory is taken for its pixels.
fn check((width, height): (usize, usize)) -> Result<(), String> {
    match width.checked_mul(height) {
        Some(1..=MOST_PIXELS) => Ok(()),
        _ => {
            Err(format!("is {width} x {height} pixels large, and at most {} million are read", MOST_PIXELS / 1_000_000))
        }
    }
}

fn png(bytes: &[u8]) -> Result<(Grey, Vec<u8>), String> {
    let damaged = |error| format!("is no sound PNG file ({error})");
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    // Palettes and few bits become 8 bits, 16 become 8, a transparent colour an alpha channel.
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (header.width as usize, header.height as usize);
    check((width, height))?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    // png 0.18.1 panics on such a palette.
    if reader.info().palette.as_ref().is_some_and(|palette| palette.len() % 3 != 0) {
        return Err("is no sound PNG file (its palette ends within a colour)".into());
    }
    let size = reader.output_buffer_size().unwrap_or_default();
    let mut samples = vec![0; size];
    let frame = reader.next_frame(&mut samples).map_err(damaged)?;
    samples.truncate(frame.buffer_size());
    // The exif chunk may stand behind the pixels; damage there does no harm.
    let _ = reader.finish();
    let exif = reader.info().exif_metadata.as_deref().unwrap_or_default();
    let (exif, sizes) = (exif.to_vec(), (frame.width as usize, frame.height as usize));
    let pixels = match frame.color_type {
        ColorType::Grayscale | ColorType::Indexed => samples,
        ColorType::Rgb => samples.as_chunks().0.iter().map(luma).collect(),
        ColorType::GrayscaleAlpha => {
            let all = samples.as_chunks().0.iter();
            on_paper(all.map(|&[grey, alpha]| [grey, alpha]))
        }
        ColorType::Rgba => {
            let all = samples.as_chunks().0.iter();
            on_paper(all.map(|&[r, g, b, alpha]| [luma(&[r, g, b]), alpha]))
        }
    };
    Ok((Grey { width: sizes.0, height: sizes.1, pixels }, exif))
}

fn jpeg(bytes: &[u8]) -> Result<(Grey, Vec<u8>), String> {
    let damaged = |error| format!("is no sound JPEG file ({error})");
    // As large as the format allows: how many pixels there may be is said below.
    const SIDE: usize = u16::MAX as usize;
    let options = DecoderOptions::default();
    let options = options.set_max_width(SIDE).set_max_height(SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let sizes = decoder.dimensions().unwrap_or_default();
    check(sizes)?;
    let samples = decoder.decode().map_err(damaged)?;
    let exif = decoder.exif().cloned().unwrap_or_default();
    let channels = decoder.output_colorspace().map_or(0, |space| space.num_components());
    let pixels = match channels {
        1 => samples,
        3 => samples.as_chunks().0.iter().map(luma).collect(),
        _ => return Err("has colours of an unknown kind".into()),
    };
    Ok((Grey { width: sizes.0, height: sizes.1, pixels }, exif))
}

/// The brightness of red, green and blue (ITU-R BT.601).
fn luma(&[red, green, blue]: &[u8; 3]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

/// Pixels of grey and alpha, laid on paper. Where what is opaque has two shades, it holds its paper: their median. Where it has
/// one, it is the ink, and lies on white or on black, whichever is farther from it.
fn on_paper(pixels: impl Iterator<Item = [u8; 2]> + Clone) -> Vec<u8> {
    const TWO_SHADES: u8 = 128;
    let mut counts = [0usize; 256];
    for [grey, alpha] in pixels.clone() {
        counts[usize::from(grey)] += usize::from(alpha > 127);
    }
    let total: usize = counts.iter().sum();
    let quantile = |percent: usize| {
        let mut seen = 0;
        let reaches = |count: &usize| {
            seen += count;
            100 * seen > percent * total
        };
        counts.iter().position(reaches).unwrap_or(0) as u8
    };
    let (low, median, high) = (quantile(2), quantile(50), quantile(98));
    let paper = match median {
        _ if high - low >= TWO_SHADES => median,
        0..=127 => u8::MAX,
        _ => 0,
    };
    let mix = |[grey, alpha]: [u8; 2]| {
        let [grey, alpha, paper] = [grey, alpha, paper].map(u32::from);
        ((grey * alpha + paper * (255 - alpha) + 127) / 255) as u8
    };
    pixels.map(mix).collect()
}

/// The orientation tag of EXIF data: 1 to 8, as the rows and columns of a camera lie (Exif 3.0, section 4.6.5).
fn orientation(exif: &[u8]) -> Option<u16> {
    const TAG: u16 = 0x0112;
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let little = match exif.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let two = [*exif.get(at)?, *exif.get(at.checked_add(1)?)?];
        Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let long = |at: usize| {
        let (first, second) = (u32::from(short(at)?), u32::from(short(at + 2)?));
        Some(if little { second << 16 | first } else { first << 16 | second })
    };
    let directory = long(4)? as usize;
    let entries = (0..usize::from(short(directory)?)).map(|entry| directory + 2 + 12 * entry);
    let found = entries.take_while(|at| at + 12 <= exif.len()).find(|at| short(*at) == Some(TAG))?;
    short(found + 8).filter(|value| (1..=8).contains(value))
}

/// The picture as it is meant to be looked at.
fn upright(picture: Grey, orientation: u16) -> Grey {
    if orientation == 1 {
        return picture;
    }
    let (rows, columns) = (picture.height, picture.width);
    let turned = orientation >= 5;
    let (width, height) = if turned { (rows, columns) } else { (columns, rows) };
    let source = |at: usize| {
        let (y, x) = (at / width, at % width);
        let (row, column) = if turned { (x, y) } else { (y, x) };
        let row = if matches!(orientation, 3 | 4 | 6 | 7) { rows - 1 - row } else { row };
        let column = if matches!(orientation, 2 | 3 | 7 | 8) { columns - 1 - column } else { column };
        picture.pixels[row * columns + column]
    };
    // 6 is turned clockwise to look at: its first column, read upwards, becomes the first row.
    let pixels = (0..width * height).map(source).collect();
    Grey { width, height, pixels }
}
