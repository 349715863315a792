//! Images in a block, whole or in pieces. Where images are few, their pieces fill the lanes.

use std::mem::MaybeUninit;

use super::buffer::Pool;
use super::isa::Isa;
use super::transpose::{gather, scatter, scatter_add, scatter_over};

/// How maps of images, `[channel][row][column]`, lie in the lanes of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) isa: Isa,
    pub(crate) channels: usize,
    /// Height and width of a map.
    pub(crate) whole: (usize, usize),
    /// Those of the maps in a lane. Lower ones are the upper or lower half of a map; those that are narrower, too, its corners.
    /// The pieces of a map lie in neighbouring lanes, and may overlap.
    pub(crate) piece: (usize, usize),
}

/// Into what a map is cut.
enum Cut {
    Whole,
    Halves,
    Corners,
}

/// Corners of a map.
const CORNERS: usize = 4;

impl Layout {
    /// Numbers of an image.
    fn len(&self) -> usize {
        self.channels * self.whole.0 * self.whole.1
    }

    /// Numbers of what lies in a lane.
    fn piece_len(&self) -> usize {
        self.channels * self.piece.0 * self.piece.1
    }

    /// Numbers of a block.
    pub(crate) fn block_len(&self) -> usize {
        self.piece_len() * self.isa.lanes()
    }

    fn cut(&self) -> Cut {
        match self.whole {
            whole if whole == self.piece => Cut::Whole,
            (_, width) if width == self.piece.1 => Cut::Halves,
            _ => Cut::Corners,
        }
    }

    /// Puts images side by side, with zeros in the lanes that have none.
    pub(crate) fn gather(&self, pool: &Pool, images: &[f32], block: &mut [f32]) {
        let count = images.len() / self.len();
        match self.cut() {
            Cut::Whole => gather(self.isa, images, self.len(), block),
            Cut::Halves => {
                let mut halves = pool.take(self.block_len());
                let end = self.each_run(count, |half, image, len| {
                    halves[half..][..len].copy_from_slice(&images[image..][..len]);
                });
                halves[end..].fill(0.0);
                gather(self.isa, &halves, self.piece_len(), block);
            }
            Cut::Corners => {
                block.fill(0.0);
                self.each_four(count, |at, from| {
                    block[at..][..CORNERS].copy_from_slice(&from.map(|from| images[from]));
                });
            }
        }
    }

    /// The way back. Every number of `images` is written.
    pub(crate) fn scatter(&self, pool: &Pool, block: &[f32], images: &mut [MaybeUninit<f32>]) {
        let count = images.len() / self.len();
        match self.cut() {
            Cut::Whole => scatter(self.isa, block, self.len(), images),
            Cut::Halves => {
                let mut halves = pool.take(self.block_len());
                scatter_over(self.isa, block, self.piece_len(), &mut halves);
                self.each_run(count, |half, image, len| {
                    images[image..][..len].write_copy_of_slice(&halves[half..][..len]);
                });
            }
            Cut::Corners => self.each_four(count, |at, to| {
                for (to, number) in to.into_iter().zip(&block[at..][..CORNERS]) {
                    images[to].write(*number);
                }
            }),
        }
    }

    /// As [`Self::scatter`], but adds to what stands there.
    pub(crate) fn scatter_add(&self, pool: &Pool, block: &[f32], images: &mut [f32]) {
        let count = images.len() / self.len();
        match self.cut() {
            Cut::Whole => scatter_add(self.isa, pool, block, self.len(), images),
            Cut::Halves => {
                let mut halves = pool.take(self.block_len());
                scatter_over(self.isa, block, self.piece_len(), &mut halves);
                self.each_run(count, |half, image, len| {
                    let numbers = &halves[half..][..len];
                    for (to, number) in images[image..][..len].iter_mut().zip(numbers) {
                        *to += number;
                    }
                });
            }
            Cut::Corners => self.each_four(count, |at, to| {
                for (to, number) in to.into_iter().zip(&block[at..][..CORNERS]) {
                    images[to] += number;
                }
            }),
        }
    }

    /// Calls `visit` with each run of numbers that lie one after the other in a half and in its image: where it begins, in
    /// the halves of all images and in the images, and its length. Returns where the last half ends.
    #[inline(always)]
    fn each_run(&self, images: usize, mut visit: impl FnMut(usize, usize, usize)) -> usize {
        let ((height, width), (rows, _)) = (self.whole, self.piece);
        let len = rows * width;
        let mut at = 0;
        for image in 0..images {
            for top in [0, height - rows] {
                for map in image * self.channels..(image + 1) * self.channels {
                    visit(at, (map * height + top) * width, len);
                    at += len;
                }
            }
        }
        at
    }

    /// Calls `visit` with each place in the block where the numbers of an image's corners lie side by side, and with those
    /// numbers' places in the images.
    #[inline(always)]
    fn each_four(&self, images: usize, mut visit: impl FnMut(usize, [usize; CORNERS])) {
        let lanes = self.isa.lanes();
        let ((height, width), (rows, columns)) = (self.whole, self.piece);
        let (down, right) = ((height - rows) * width, width - columns);
        for image in 0..images {
            let mut at = image * CORNERS;
            for map in image * self.channels..(image + 1) * self.channels {
                for row in 0..rows {
                    let corner = (map * height + row) * width;
                    for corner in corner..corner + columns {
                        let corners = [0, right, down, down + right];
                        visit(at, corners.map(|offset| corner + offset));
                        at += lanes;
                    }
                }
            }
        }
    }
}
