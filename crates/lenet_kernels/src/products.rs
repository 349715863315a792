//! The two sums of products that every layer is made of.
//!
//! Both keep a tile of sums in registers, so that each value loaded takes part in several products. Their pointers and
//! lengths come from the layers, which have checked them.

use crate::simd::{Kernel, Simd};

/// How often a sum steps in an outer and an inner loop, and how far each step moves in memory.
pub(crate) type Steps<T> = [T; 2];

/// Rows as sums of other rows: `to[r][c]` becomes the sum of `a[r][i][j] * b[i][j][c]` over all `i` and `j`, or is
/// increased by it. In a dense layer `i` alone counts, in a convolution `i` is a channel and `j` a row of a filter.
pub(crate) struct SumRows {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Products of the same size, and how far `a`, `b` and `to` are from one to the next.
    pub(crate) batch: usize,
    pub(crate) next: [usize; 3],
    /// How many `i` and `j` there are.
    pub(crate) terms: Steps<usize>,
    pub(crate) a: *const f32,
    pub(crate) a_row: usize,
    pub(crate) a_term: Steps<usize>,
    pub(crate) b: *const f32,
    pub(crate) b_term: Steps<isize>,
    pub(crate) to: *mut f32,
    pub(crate) to_row: usize,
    /// Whether to add to what is there.
    pub(crate) add: bool,
}

impl Kernel for SumRows {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let whole = self.columns / S::LANES;
        let mut column = 0;
        for tile in Tiles::of(whole, if S::REGISTERS >= 32 { 4 } else { 2 }) {
            match tile {
                4 if S::REGISTERS >= 32 => self.columns::<S, 4>(column, S::LANES),
                3 if S::REGISTERS >= 32 => self.columns::<S, 3>(column, S::LANES),
                2 => self.columns::<S, 2>(column, S::LANES),
                _ => self.columns::<S, 1>(column, S::LANES),
            }
            column += tile * S::LANES;
        }
        if column < self.columns {
            self.columns::<S, 1>(column, self.columns - column);
        }
    }
}

impl SumRows {
    /// All rows of `C` vectors from `column` on, the first `count` lanes of each.
    #[inline(always)]
    unsafe fn columns<S: Simd, const C: usize>(&self, column: usize, count: usize) {
        let mut row = 0;
        for tile in Tiles::of(self.rows, if S::REGISTERS >= 16 { 6 } else { 2 }) {
            match tile {
                6 if S::REGISTERS >= 16 => self.tile::<S, 6, C>(row, column, count),
                5 if S::REGISTERS >= 16 => self.tile::<S, 5, C>(row, column, count),
                4 if S::REGISTERS >= 16 => self.tile::<S, 4, C>(row, column, count),
                3 if S::REGISTERS >= 16 => self.tile::<S, 3, C>(row, column, count),
                2 => self.tile::<S, 2, C>(row, column, count),
                _ => self.tile::<S, 1, C>(row, column, count),
            }
            row += tile;
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(&self, row: usize, column: usize, count: usize) {
        if C == 1 && count < S::LANES {
            return S::call(&Tile::<R, C, false>(self, row, column, count));
        }
        S::call(&Tile::<R, C, true>(self, row, column, count));
    }
}

/// `R` rows and `C` vectors of columns.
struct Tile<'a, const R: usize, const C: usize, const WHOLE: bool>(&'a SumRows, usize, usize, usize);

impl<const R: usize, const C: usize, const WHOLE: bool> Kernel for Tile<'_, R, C, WHOLE> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Self(all, row, column, count) = *self;
        let (mut a, mut b) = (all.a.add(row * all.a_row), all.b.add(column));
        let mut to = all.to.add(row * all.to_row + column);
        for _ in 0..all.batch {
            tile::<S, R, C, WHOLE>(all, a, b, to, count);
            a = a.wrapping_add(all.next[0]);
            b = b.wrapping_add(all.next[1]);
            to = to.wrapping_add(all.next[2]);
        }
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const C: usize, const WHOLE: bool>(
    all: &SumRows,
    mut a: *const f32,
    mut b: *const f32,
    to: *mut f32,
    count: usize,
) {
    let mut sums = [[S::splat(0.0); C]; R];
    for _ in 0..all.terms[0] {
        let (mut a_term, mut b_term) = (a, b);
        for _ in 0..all.terms[1] {
            let mut values = [S::splat(0.0); C];
            for (c, value) in values.iter_mut().enumerate() {
                *value = load::<S, WHOLE>(count, b_term.add(c * S::LANES));
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let factor = S::splat(*a_term.add(r * all.a_row));
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = value.fma(factor, *sum);
                }
            }
            a_term = a_term.wrapping_add(all.a_term[1]);
            b_term = b_term.wrapping_offset(all.b_term[1]);
        }
        a = a.wrapping_add(all.a_term[0]);
        b = b.wrapping_offset(all.b_term[0]);
    }
    for (r, sums) in sums.into_iter().enumerate() {
        for (c, mut sum) in sums.into_iter().enumerate() {
            let to = to.add(r * all.to_row + c * S::LANES);
            if all.add {
                sum = sum.add(load::<S, WHOLE>(count, to));
            }
            if WHOLE {
                sum.store(to);
            } else {
                sum.store_first(count, to);
            }
        }
    }
}

#[inline(always)]
unsafe fn load<S: Simd, const WHOLE: bool>(count: usize, from: *const f32) -> S {
    if WHOLE {
        S::load(from)
    } else {
        S::load_first(count, from)
    }
}

/// Products of rows with rows, summed lane by lane: the vector `to[r][c]` becomes the sum of `a[r][k] * b[c][k]` over all
/// vectors `k`, or is increased by it. The columns `c` lie in two loops, as the terms of [`SumRows`] do, and the vectors in
/// `runs` of `len` vectors side by side.
pub(crate) struct Dots {
    pub(crate) rows: usize,
    pub(crate) columns: Steps<usize>,
    /// Products of the same size, and how far `a`, `b` and `to` are from one to the next.
    pub(crate) batch: usize,
    pub(crate) next: [usize; 3],
    pub(crate) runs: usize,
    pub(crate) len: usize,
    pub(crate) a: *const f32,
    pub(crate) a_row: usize,
    pub(crate) a_run: usize,
    pub(crate) b: *const f32,
    pub(crate) b_column: Steps<usize>,
    pub(crate) b_run: usize,
    pub(crate) to: *mut f32,
    /// Whether to add to what is there.
    pub(crate) add: bool,
}

impl Kernel for Dots {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        for at in 0..self.batch {
            let mut row = 0;
            for tile in Tiles::of(self.rows, Self::rows_at_once::<S>()) {
                match tile {
                    4 if S::REGISTERS >= 32 => self.rows::<S, 4>(at, row),
                    3 if S::REGISTERS >= 32 => self.rows::<S, 3>(at, row),
                    2 => self.rows::<S, 2>(at, row),
                    _ => self.rows::<S, 1>(at, row),
                }
                row += tile;
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

    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize>(&self, at: usize, row: usize) {
        let mut column = 0;
        for tile in Tiles::of(self.columns[0] * self.columns[1], if S::REGISTERS >= 16 { 6 } else { 2 }) {
            match tile {
                6 if S::REGISTERS >= 16 => S::call(&DotTile::<R, 6>(self, at, row, column)),
                5 if S::REGISTERS >= 16 => S::call(&DotTile::<R, 5>(self, at, row, column)),
                4 if S::REGISTERS >= 16 => S::call(&DotTile::<R, 4>(self, at, row, column)),
                3 if S::REGISTERS >= 16 => S::call(&DotTile::<R, 3>(self, at, row, column)),
                2 => S::call(&DotTile::<R, 2>(self, at, row, column)),
                _ => S::call(&DotTile::<R, 1>(self, at, row, column)),
            }
            column += tile;
        }
    }
}

/// `R` rows and `C` columns.
struct DotTile<'a, const R: usize, const C: usize>(&'a Dots, usize, usize, usize);

impl<const R: usize, const C: usize> Kernel for DotTile<'_, R, C> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self) {
        let Self(all, at, row, column) = *self;
        let columns = all.columns[0] * all.columns[1];
        let mut b = [all.b.add(at * all.next[1]); C];
        for (c, b) in b.iter_mut().enumerate() {
            let [outer, inner] = [(column + c) / all.columns[1], (column + c) % all.columns[1]];
            *b = b.add(outer * all.b_column[0] + inner * all.b_column[1]);
        }
        let mut a = all.a.add(at * all.next[0] + row * all.a_row);
        let to = all.to.add(at * all.next[2] + (row * columns + column) * S::LANES);
        let mut sums = [[S::splat(0.0); C]; R];
        if all.add {
            for (r, sums) in sums.iter_mut().enumerate() {
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(to.add((r * columns + c) * S::LANES));
                }
            }
        }
        for _ in 0..all.runs {
            for k in 0..all.len {
                let mut values = [S::splat(0.0); R];
                for (r, value) in values.iter_mut().enumerate() {
                    *value = S::load(a.add(r * all.a_row + k * S::LANES));
                }
                for (c, b) in b.iter().enumerate() {
                    let b = S::load(b.add(k * S::LANES));
                    for (sums, value) in sums.iter_mut().zip(values) {
                        sums[c] = b.fma(value, sums[c]);
                    }
                }
            }
            a = a.wrapping_add(all.a_run);
            for b in &mut b {
                *b = b.wrapping_add(all.b_run);
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                sum.store(to.add((r * columns + c) * S::LANES));
            }
        }
    }
}

/// Cuts a length into tiles of nearly the same size: a tile with few sums would wait for itself.
#[derive(Clone, Copy)]
pub(crate) struct Tiles {
    left: usize,
    tiles: usize,
}

impl Tiles {
    pub(crate) fn of(len: usize, most: usize) -> Self {
        Self { left: len, tiles: len.div_ceil(most) }
    }
}

impl Iterator for Tiles {
    type Item = usize;
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.tiles == 0 {
            return None;
        }
        let tile = self.left.div_ceil(self.tiles);
        self.left -= tile;
        self.tiles -= 1;
        Some(tile)
    }
}
