//! Between the order of a tensor (image by image) and the order of a block (images side by side).

use std::mem::MaybeUninit;

use super::buffer::Pool;
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Writes the transpose of a `rows` x `columns` matrix whose rows start `stride` apart:
/// `to[column * stride_to + row] = from[row * stride + column]`.
#[inline(always)]
pub(crate) unsafe fn transpose<S: Simd>(
    from: *const f32,
    (rows, columns, stride): (usize, usize, usize),
    to: *mut f32,
    stride_to: usize,
) {
    let (whole_rows, whole_columns) = (rows - rows % S::LANES, columns - columns % S::LANES);
    for row in (0..whole_rows).step_by(S::LANES) {
        for column in (0..whole_columns).step_by(S::LANES) {
            S::transpose(
                from.add(row * stride + column),
                stride,
                to.add(column * stride_to + row),
                stride_to,
            );
        }
    }
    for row in 0..rows {
        let done = if row < whole_rows { whole_columns } else { 0 };
        for column in done..columns {
            *to.add(column * stride_to + row) = *from.add(row * stride + column);
        }
    }
}

/// Puts the numbers of up to `LANES` images, `len` of each, side by side:
/// `block[i * LANES + n] = images[n * len + i]`, with zeros in the lanes that have no image.
pub(crate) fn gather(isa: Isa, images: &[f32], len: usize, block: &mut [f32]) {
    struct Gather<'a>(&'a [f32], usize, &'a mut [f32]);
    impl Kernel for Gather<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let Self(images, len, block) = self;
            let count = images.len() / len;
            if count < S::LANES {
                block.fill(0.0);
            }
            let size = (count, len, len);
            transpose::<S>(images.as_ptr(), size, block.as_mut_ptr(), S::LANES);
        }
    }
    assert!(images.len() <= isa.lanes() * len && images.len().is_multiple_of(len));
    assert_eq!(block.len(), isa.lanes() * len);
    // SAFETY: with the lengths just checked, every index of the transpose is inside both slices.
    unsafe { isa.run(Gather(images, len, block)) }
}

/// The way back: `images[n * len + i] = block[i * LANES + n]`. Every number of `images` is written.
pub(crate) fn scatter(isa: Isa, block: &[f32], len: usize, images: &mut [MaybeUninit<f32>]) {
    struct Scatter<'a>(&'a [f32], usize, &'a mut [MaybeUninit<f32>]);
    impl Kernel for Scatter<'_> {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let Self(block, len, images) = self;
            let count = images.len() / len;
            transpose::<S>(
                block.as_ptr(),
                (len, count, S::LANES),
                images.as_mut_ptr().cast(),
                len,
            );
        }
    }
    assert!(images.len() <= isa.lanes() * len && images.len().is_multiple_of(len));
    assert_eq!(block.len(), isa.lanes() * len);
    // SAFETY: with the lengths just checked, every index of the transpose is inside both slices.
    unsafe { isa.run(Scatter(block, len, images)) }
}

/// As [`scatter`], where numbers stand already.
pub(crate) fn scatter_over(isa: Isa, block: &[f32], len: usize, images: &mut [f32]) {
    // SAFETY: the types have the same layout, and `scatter` leaves no number unwritten.
    let room = unsafe { &mut *(std::ptr::from_mut(images) as *mut [MaybeUninit<f32>]) };
    scatter(isa, block, len, room);
}

/// As [`scatter`], but adds to what stands there.
pub(crate) fn scatter_add(isa: Isa, pool: &Pool, block: &[f32], len: usize, images: &mut [f32]) {
    let mut summand = pool.take(images.len());
    scatter_over(isa, block, len, &mut summand);
    for (to, from) in images.iter_mut().zip(&*summand) {
        *to += from;
    }
}
