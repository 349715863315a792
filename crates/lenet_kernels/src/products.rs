//! The two sums of products that every layer is made of.
//!
//! Both keep a tile of sums in registers, so that each value loaded takes part in several products. Their pointers and
//! lengths come from the layers, which have checked them.

use crate::simd::{Kernel, Simd};

/// Calls `tile` with constants for its rows and columns, of those that the registers have room for.
macro_rules! tile {
    ($S:ident, $self:ident, ($rows:expr, $columns:expr), $arguments:tt, $($registers:literal: $([$r:literal $c:literal])*),*) => {
        match ($rows, $columns) {
            $($(($r, $c) if $S::REGISTERS >= $registers => $self.tile::<$S, $r, $c> $arguments,)*)*
            _ => unreachable!("no tile is larger than the registers"),
        }
    };
}

/// Rows as sums of other rows: `to[r][c]` becomes the sum of `a[r][i][j] * b[i][j][c]` over all `i` and `j`, or is
/// increased by it. In a dense layer `j` alone counts, in a convolution `i` is a channel and `j` a row of a filter.
pub(crate) struct SumRows {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Products of the same size, and how far `a`, `b` and `to` are from one to the next.
    pub(crate) batch: usize,
    pub(crate) next: [usize; 3],
    /// How many `i` and `j` there are, and how far it is to the next ones.
    pub(crate) terms: [usize; 2],
    pub(crate) a: *const f32,
    pub(crate) a_row: usize,
    pub(crate) a_term: [usize; 2],
    pub(crate) b: *const f32,
    pub(crate) b_term: [isize; 2],
    pub(crate) to: *mut f32,
    pub(crate) to_row: usize,
    /// Whether to add to what is there.
    pub(crate) add: bool,
}

impl Kernel for SumRows {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let (most_rows, most_columns) = match S::REGISTERS {
            32.. => (6, 4),
            16.. => (6, 2),
            _ => (2, 2),
        };
        let whole = self.columns / S::LANES;
        let part = (!self.columns.is_multiple_of(S::LANES)).then_some((whole, 1));
        for (vector, columns) in tiles(whole, most_columns).chain(part) {
            let column = vector * S::LANES;
            let count = S::LANES.min(self.columns - column);
            for (row, rows) in tiles(self.rows, most_rows) {
                if count < S::LANES {
                    // The compiler does not know by itself that these vectors are not whole.
                    tile!(S, self, (rows, columns), (row, column, count.min(S::LANES - 1)),
                        8: [1 1] [2 1], 16: [3 1] [4 1] [5 1] [6 1]);
                } else {
                    tile!(S, self, (rows, columns), (row, column, S::LANES),
                        8: [1 1] [2 1] [1 2] [2 2],
                        16: [3 1] [4 1] [5 1] [6 1] [3 2] [4 2] [5 2] [6 2],
                        32: [1 3] [2 3] [3 3] [4 3] [5 3] [6 3] [1 4] [2 4] [3 4] [4 4] [5 4] [6 4]);
                }
            }
        }
    }
}

impl SumRows {
    /// `R` rows and `C` vectors of columns, the first `count` lanes of each.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(&self, row: usize, column: usize, count: usize) {
        for at in 0..self.batch {
            let (mut a, mut b) =
                (self.a.add(at * self.next[0] + row * self.a_row), self.b.add(at * self.next[1] + column));
            let to = self.to.add(at * self.next[2] + row * self.to_row + column);
            let mut sums = [[S::splat(0.0); C]; R];
            for _ in 0..self.terms[0] {
                let (mut a_term, mut b_term) = (a, b);
                for _ in 0..self.terms[1] {
                    let mut values = [S::splat(0.0); C];
                    for (c, value) in values.iter_mut().enumerate() {
                        *value = S::load_at_most(count, b_term.add(c * S::LANES));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let factor = S::splat(*a_term.add(r * self.a_row));
                        for (sum, value) in sums.iter_mut().zip(values) {
                            *sum = value.fma(factor, *sum);
                        }
                    }
                    a_term = a_term.wrapping_add(self.a_term[1]);
                    b_term = b_term.wrapping_offset(self.b_term[1]);
                }
                a = a.wrapping_add(self.a_term[0]);
                b = b.wrapping_offset(self.b_term[0]);
            }
            for (r, sums) in sums.into_iter().enumerate() {
                for (c, mut sum) in sums.into_iter().enumerate() {
                    let to = to.add(r * self.to_row + c * S::LANES);
                    if self.add {
                        sum = sum.add(S::load_at_most(count, to));
                    }
                    sum.store_at_most(count, to);
                }
            }
        }
    }
}

/// Products of rows with rows, summed lane by lane: the vector `to[r][c]` becomes the sum of `a[r][k] * b[c][k]` over all
/// vectors `k`, or is increased by it. The columns `c` lie in two loops, as the terms of [`SumRows`] do, and the vectors in
/// `runs` of `len` vectors side by side.
pub(crate) struct Dots {
    pub(crate) rows: usize,
    pub(crate) columns: [usize; 2],
    /// Products of the same size, and how far `a`, `b` and `to` are from one to the next.
    pub(crate) batch: usize,
    pub(crate) next: [usize; 3],
    pub(crate) runs: usize,
    pub(crate) len: usize,
    pub(crate) a: *const f32,
    pub(crate) a_row: usize,
    pub(crate) a_run: usize,
    pub(crate) b: *const f32,
    pub(crate) b_column: [usize; 2],
    pub(crate) b_run: usize,
    pub(crate) to: *mut f32,
    /// Whether to add to what is there.
    pub(crate) add: bool,
}

impl Kernel for Dots {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let most_columns = if S::REGISTERS >= 16 { 6 } else { 2 };
        for at in 0..self.batch {
            for (row, rows) in tiles(self.rows, Self::rows_at_once::<S>()) {
                for (column, columns) in tiles(self.columns[0] * self.columns[1], most_columns) {
                    tile!(S, self, (rows, columns), (at, row, column),
                        8: [1 1] [2 1] [1 2] [2 2],
                        16: [1 3] [1 4] [1 5] [1 6] [2 3] [2 4] [2 5] [2 6],
                        32: [3 1] [3 2] [3 3] [3 4] [3 5] [3 6] [4 1] [4 2] [4 3] [4 4] [4 5] [4 6]);
                }
            }
        }
    }
}

impl Dots {
    /// Rows of a tile, at most.
    pub(crate) const fn rows_at_once<S: Simd>() -> usize {
        if S::REGISTERS >= 32 {
            4
        } else {
            2
        }
    }

    /// `R` rows and `C` columns.
    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(&self, at: usize, row: usize, column: usize) {
        let columns = self.columns[0] * self.columns[1];
        let mut b = [self.b.add(at * self.next[1]); C];
        for (c, b) in b.iter_mut().enumerate() {
            let [outer, inner] = [(column + c) / self.columns[1], (column + c) % self.columns[1]];
            *b = b.add(outer * self.b_column[0] + inner * self.b_column[1]);
        }
        let mut a = self.a.add(at * self.next[0] + row * self.a_row);
        let to = self.to.add(at * self.next[2] + (row * columns + column) * S::LANES);
        let mut sums = [[S::splat(0.0); C]; R];
        for _ in 0..self.runs {
            for k in 0..self.len {
                let mut values = [S::splat(0.0); R];
                for (r, value) in values.iter_mut().enumerate() {
                    *value = S::load(a.add(r * self.a_row + k * S::LANES));
                }
                for (c, b) in b.iter().enumerate() {
                    let b = S::load(b.add(k * S::LANES));
                    for (sums, value) in sums.iter_mut().zip(values) {
                        sums[c] = b.fma(value, sums[c]);
                    }
                }
            }
            a = a.wrapping_add(self.a_run);
            for b in &mut b {
                *b = b.wrapping_add(self.b_run);
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, mut sum) in sums.into_iter().enumerate() {
                let to = to.add((r * columns + c) * S::LANES);
                // Sums of sums round less than one long sum.
                if self.add {
                    sum = sum.add(S::load(to));
                }
                sum.store(to);
            }
        }
    }
}

/// Cuts a length into tiles of nearly the same size, as a tile with few sums would wait for itself: where each begins, and
/// its size.
#[inline(always)]
pub(crate) fn tiles(len: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = len.div_ceil(most);
    let (size, larger) = (len / count.max(1), len % count.max(1));
    (0..count).map(move |tile| (tile * size + tile.min(larger), size + usize::from(tile < larger)))
}
