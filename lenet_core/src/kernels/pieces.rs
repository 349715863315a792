//! Images in a block, whole or in pieces. Where images are few, their pieces fill the lanes.

use std::mem::MaybeUninit;

use super::buffer::Pool;
use super::isa::Isa;
use super::transpose::{gather, scatter, scatter_add};

/// How maps of images, `[channel][row][column]`, lie in the lanes of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) isa: Isa,
    pub(crate) channels: usize,
    /// Height and width of a map.
    pub(crate) whole: (usize, usize),
    /// Those of the maps in a lane. If they are smaller, a map's four corners lie in neighbouring lanes; they may overlap.
    pub(crate) piece: (usize, usize),
}

/// Pieces of an image, where it is cut.
pub(crate) const PIECES: usize = 4;

impl Layout {
    /// Numbers of an image.
    fn len(&self) -> usize {
        self.channels * self.whole.0 * self.whole.1
    }

    /// Numbers of a block.
    pub(crate) fn block_len(&self) -> usize {
        self.channels * self.piece.0 * self.piece.1 * self.isa.lanes()
    }

    /// Puts images side by side, with zeros in the lanes that have none.
    pub(crate) fn gather(&self, images: &[f32], block: &mut [f32]) {
        if self.piece == self.whole {
            return gather(self.isa, images, self.len(), block);
        }
        block.fill(0.0);
        self.each(images.len() / self.len(), |at, from| {
            block[at..][..PIECES].copy_from_slice(&from.map(|from| images[from]));
        });
    }

    /// The way back. Every number of `images` is written.
    pub(crate) fn scatter(&self, block: &[f32], images: &mut [MaybeUninit<f32>]) {
        if self.piece == self.whole {
            return scatter(self.isa, block, self.len(), images);
        }
        self.each(images.len() / self.len(), |at, to| {
            for (to, number) in to.into_iter().zip(&block[at..][..PIECES]) {
                images[to].write(*number);
            }
        });
    }

    /// As [`Self::scatter`], but adds to what stands there.
    pub(crate) fn scatter_add(&self, pool: &Pool, block: &[f32], images: &mut [f32]) {
        if self.piece == self.whole {
            return scatter_add(self.isa, pool, block, self.len(), images);
        }
        self.each(images.len() / self.len(), |at, to| {
            for (to, number) in to.into_iter().zip(&block[at..][..PIECES]) {
                images[to] += number;
            }
        });
    }

    /// Calls `visit` with each place in the block where the numbers of an image's pieces lie side by side, and with those
    /// numbers' places in the images.
    #[inline(always)]
    fn each(&self, images: usize, mut visit: impl FnMut(usize, [usize; PIECES])) {
        let lanes = self.isa.lanes();
        let ((height, width), (rows, columns)) = (self.whole, self.piece);
        let (down, right) = ((height - rows) * width, width - columns);
        for image in 0..images {
            let mut at = image * PIECES;
            for map in image * self.channels..(image + 1) * self.channels {
                for row in 0..rows {
                    let corner = (map * height + row) * width;
                    for corner in corner..corner + columns {
                        let pieces = [0, right, down, down + right];
                        visit(at, pieces.map(|offset| corner + offset));
                        at += lanes;
                    }
                }
            }
        }
    }
}
