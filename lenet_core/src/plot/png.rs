//! A PNG file from red, green and blue bytes (PNG specification, third edition, W3C 2025).
//!
//! The crate `png` would do the same; as its encoder is generic, compiling it here took seconds of every kernel start.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::{Error, Result};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Eight bits for each of red, green and blue; then the only compression, filter method and (no) interlacing.
const FORMAT: [u8; 5] = [8, 2, 0, 0, 0];
const CHANNELS: usize = 3;
/// Filter types of a row (section 9.2): as it is, or the difference to the row above.
const AS_IS: u8 = 0;
const DIFFERENCE_TO_ROW_ABOVE: u8 = 2;
/// Room for compressed bytes, made as often as needed.
const ROOM: usize = 1 << 16;

/// A PNG file of `width` by `height` pixels; `rgb` holds three bytes for each, row by row.
pub(super) fn encode((width, height): (usize, usize), rgb: &[u8]) -> Result<Vec<u8>> {
    let too_large = |_| {
        Error::Draw(format!(
            "{width} by {height} pixels are too many for a PNG file"
        ))
    };
    let sides = [
        u32::try_from(width).map_err(too_large)?,
        u32::try_from(height).map_err(too_large)?,
    ];
    let header = [
        &sides[0].to_be_bytes()[..],
        &sides[1].to_be_bytes(),
        &FORMAT,
    ]
    .concat();
    let mut file = SIGNATURE.to_vec();
    push_chunk(&mut file, b"IHDR", &header);
    push_chunk(
        &mut file,
        b"IDAT",
        &compressed(&filtered(width * CHANNELS, rgb))?,
    );
    push_chunk(&mut file, b"IEND", &[]);
    Ok(file)
}

/// The rows, each after the number of its filter. A row like the one above becomes zeros, which compress best.
fn filtered(row_length: usize, rgb: &[u8]) -> Vec<u8> {
    let mut rows = Vec::with_capacity(rgb.len() + rgb.len() / row_length.max(1));
    let mut above: &[u8] = &[];
    for row in rgb.chunks(row_length.max(1)) {
        if row == above {
            rows.push(DIFFERENCE_TO_ROW_ABOVE);
            rows.resize(rows.len() + row.len(), 0);
        } else {
            rows.push(AS_IS);
            rows.extend_from_slice(row);
        }
        above = row;
    }
    rows
}

/// The bytes as a zlib stream.
fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut stream = Compress::new(Compression::default(), true);
    let mut output = Vec::new();
    loop {
        output.reserve(ROOM);
        let rest = &bytes[stream.total_in() as usize..];
        let status = stream.compress_vec(rest, &mut output, FlushCompress::Finish);
        match status.map_err(|problem| Error::Draw(problem.to_string()))? {
            Status::StreamEnd => return Ok(output),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Length, name, data, and the checksum of name and data.
fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    file.extend_from_slice(name);
    file.extend_from_slice(data);
    let mut checksum = Crc::new();
    checksum.update(name);
    checksum.update(data);
    file.extend_from_slice(&checksum.sum().to_be_bytes());
}
