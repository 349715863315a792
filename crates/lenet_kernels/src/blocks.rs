//! Between images as rows and images as blocks.

use crate::isa::Isa;
use crate::simd::{Kernel, Simd};

/// Turns images that lie one after the other, `len` values each, into blocks of `isa.lanes()` images side by side:
/// `blocks[(block * len + i) * lanes + lane] = rows[(block * lanes + lane) * len + i]`, with zeros in the lanes of the last
/// block that have no image.
pub fn to_blocks(isa: Isa, rows: &[f32], len: usize, blocks: &mut [f32]) {
    check(isa, rows.len(), len, blocks.len());
    let block_len = isa.lanes() * len;
    for (rows, block) in rows.chunks(block_len).zip(blocks.chunks_mut(block_len)) {
        let count = rows.len() / len;
        if count < isa.lanes() {
            block.fill(0.0);
        }
        let (from, to) = ((rows.as_ptr(), len), (block.as_mut_ptr(), isa.lanes()));
        // SAFETY: a block has `len` rows of `lanes` values, of which `count` at most are written.
        unsafe { isa.run(&Transpose { rows: count, columns: len, from, to }) };
    }
}

/// The way back from [`to_blocks`]; lanes without an image are left out.
pub fn to_rows(isa: Isa, blocks: &[f32], len: usize, rows: &mut [f32]) {
    check(isa, rows.len(), len, blocks.len());
    let block_len = isa.lanes() * len;
    for (rows, block) in rows.chunks_mut(block_len).zip(blocks.chunks(block_len)) {
        let count = rows.len() / len;
        let (from, to) = ((block.as_ptr(), isa.lanes()), (rows.as_mut_ptr(), len));
        // SAFETY: as in `to_blocks`.
        unsafe { isa.run(&Transpose { rows: len, columns: count, from, to }) };
    }
}

fn check(isa: Isa, rows: usize, len: usize, blocks: usize) {
    assert!(len > 0 && rows.is_multiple_of(len), "whole images of {len} values, not {rows} values");
    let needed = (rows / len).div_ceil(isa.lanes()) * isa.lanes() * len;
    assert_eq!(blocks, needed, "values of the blocks for {} images of {len} values", rows / len);
}

/// `to[column][row] = from[row][column]`; each pair is a place and how far it is to the next row.
pub(crate) struct Transpose {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) from: (*const f32, usize),
    pub(crate) to: (*mut f32, usize),
}

impl Kernel for Transpose {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Self { rows, columns, from: (from, from_row), to: (to, to_row) } = *self;
        let (whole_rows, whole_columns) = (rows - rows % S::LANES, columns - columns % S::LANES);
        for row in (0..whole_rows).step_by(S::LANES) {
            for column in (0..whole_columns).step_by(S::LANES) {
                S::transpose(from.add(row * from_row + column), from_row, to.add(column * to_row + row), to_row);
            }
        }
        for row in 0..rows {
            let done = if row < whole_rows { whole_columns } else { 0 };
            for column in done..columns {
                *to.add(column * to_row + row) = *from.add(row * from_row + column);
            }
        }
    }
}
