//! Matrix products for the dense layers, one panel of columns at a time.
//!
//! A panel of `B` is packed so that its rows are whole vectors; each element of the product is then
//! summed by one thread in the order of `k`, so the result does not depend on the number of threads.

use super::buffer::Pool;
use super::isa::{Isa, Kernel};
use super::simd::Simd;
use super::tanh::tanh;
use super::transpose::transpose;
use crate::threads::{parts, share};

/// Below this many multiply-adds a product is not worth sharing among threads.
const WORTH_SHARING: usize = 200_000;
/// Rows of the largest tile.
const TILE_ROWS: usize = 8;

/// A matrix of which only the way through memory is known: element (i, j) stands at
/// `i * row + j * column`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` numbers, one after the other.
    pub(crate) fn rows(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            row: columns,
            column: 1,
        }
    }

    /// The transpose, without moving a number.
    pub(crate) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1) * self.row + (columns - 1) * self.column < self.values.len()
    }
}

/// What happens to a sum before it is written.
#[derive(Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// It is added to what stands there.
    Add,
    /// The column's bias is added.
    Bias(&'a [f32]),
    /// The column's bias is added, and tanh taken.
    BiasTanh(&'a [f32]),
}

/// `c = finish(a * b)`, with `a` of `m` x `k`, `b` of `k` x `n` and `c` of `m` x `n`, row by row.
pub(crate) struct Product<'a> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: Matrix<'a>,
    pub(crate) b: Matrix<'a>,
    pub(crate) c: &'a mut [f32],
    pub(crate) finish: Finish<'a>,
}

/// Computes all `products`, sharing their panels, or rows of them, among the threads of the current rayon pool.
pub(crate) fn multiply<const P: usize>(isa: Isa, pool: &Pool, products: [Product<'_>; P]) {
    let width = isa.panel_width();
    let work: usize = products.iter().map(|p| p.m * p.n * p.k).sum();
    let count = products.iter().map(|p| p.n.div_ceil(width)).sum();
    let parts = if work < WORTH_SHARING {
        1
    } else {
        parts(count)
    };
    let mut panels = Vec::new();
    for product in products {
        let Product {
            m,
            n,
            k,
            a,
            b,
            c,
            finish,
        } = product;
        assert!(a.holds(m, k) && b.holds(k, n));
        assert!((a.row == 1 || a.column == 1) && (b.row == 1 || b.column == 1));
        assert_eq!(c.len(), m * n);
        if let Finish::Bias(bias) | Finish::BiasTanh(bias) = finish {
            assert_eq!(bias.len(), n);
        }
        let c = Place(c.as_mut_ptr());
        let rows = m.div_ceil(parts).next_multiple_of(TILE_ROWS);
        for first in (0..n).step_by(width) {
            panels.extend((0..m).step_by(rows).map(|row| Panel {
                size: (m, n, k),
                a,
                b,
                c,
                finish,
                rows: (row, m.min(row + rows)),
                first,
                columns: width.min(n - first),
            }));
        }
    }
    let compute = |panel: Panel<'_>| {
        let mut packed = pool.take(panel.size.2 * width);
        // SAFETY: the lengths were checked above, and no two panels write the same rows and columns.
        unsafe {
            isa.run(Run {
                panel,
                packed: packed.as_mut_ptr(),
            })
        };
    };
    if work < WORTH_SHARING {
        panels.into_iter().for_each(compute);
    } else {
        share(panels, compute);
    }
}

/// Where the product goes; panels of it are written by several threads.
#[derive(Clone, Copy)]
struct Place(*mut f32);

// SAFETY: `multiply` holds the unique borrow behind the pointer until all panels are done, and each
// panel writes rows and columns of its own.
unsafe impl Send for Place {}
unsafe impl Sync for Place {}

struct Panel<'a> {
    size: (usize, usize, usize),
    a: Matrix<'a>,
    b: Matrix<'a>,
    c: Place,
    finish: Finish<'a>,
    /// The rows that are computed: from the one to before the other.
    rows: (usize, usize),
    first: usize,
    columns: usize,
}

struct Run<'a> {
    panel: Panel<'a>,
    packed: *mut f32,
}

impl Kernel for Run<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { panel, packed } = self;
        let (_, _, k) = panel.size;
        let (mut row, end) = panel.rows;
        let width = S::COLUMNS * S::LANES;
        pack::<S>(&panel, packed);
        // Full tiles have S::ROWS rows; the array sizes are constants of the instruction set.
        while row < end {
            row += match (S::ROWS, S::COLUMNS) {
                (6, 2) if end - row >= 6 => tile::<S, 6, 2>(&panel, packed, row, k, width),
                (8, 2) if end - row >= 8 => tile::<S, 8, 2>(&panel, packed, row, k, width),
                (_, 2) if end - row >= 4 => tile::<S, 4, 2>(&panel, packed, row, k, width),
                (_, 2) => tile::<S, 1, 2>(&panel, packed, row, k, width),
                (2, 1) if end - row >= 2 => tile::<S, 2, 1>(&panel, packed, row, k, width),
                _ => tile::<S, 1, 1>(&panel, packed, row, k, width),
            };
        }
    }
}

/// Copies the panel's columns of `b`: `packed[k * width + j] = b(k, first + j)`, zeros beyond `n`.
#[inline(always)]
unsafe fn pack<S: Simd>(panel: &Panel<'_>, packed: *mut f32) {
    let (_, _, k) = panel.size;
    let width = S::COLUMNS * S::LANES;
    let Panel {
        b, first, columns, ..
    } = *panel;
    if columns < width {
        std::slice::from_raw_parts_mut(packed, k * width).fill(0.0);
    }
    let from = b.values.as_ptr().add(first * b.column);
    if b.column == 1 {
        for i in 0..k {
            std::ptr::copy_nonoverlapping(from.add(i * b.row), packed.add(i * width), columns);
        }
    } else {
        transpose::<S>(from, (columns, k, b.column), packed, width);
    }
}

/// `R` rows of the panel's product, starting at `row`. Returns `R`.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const C: usize>(
    panel: &Panel<'_>,
    packed: *const f32,
    row: usize,
    k: usize,
    width: usize,
) -> usize {
    let Panel {
        a,
        c,
        finish,
        first,
        columns,
        size: (_, n, _),
        ..
    } = *panel;
    let from = a.values.as_ptr().add(row * a.row);
    let mut sums = [[S::splat(0.0); C]; R];
    for i in 0..k {
        let mut right = [S::splat(0.0); C];
        for (j, value) in right.iter_mut().enumerate() {
            *value = S::load(packed.add(i * width + j * S::LANES));
        }
        for (r, sums) in sums.iter_mut().enumerate() {
            let left = S::splat(*from.add(r * a.row + i * a.column));
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = right.fma(left, *sum);
            }
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        let to = c.0.add((row + r) * n + first);
        for (j, sum) in sums.into_iter().enumerate() {
            let at = j * S::LANES;
            if at >= columns {
                break;
            }
            let count = S::LANES.min(columns - at);
            if count == S::LANES {
                finished(sum, finish, first + at, to.add(at)).store(to.add(at));
            } else {
                // A vector that sticks out is finished in a buffer.
                let (mut there, mut bias) = ([0.0; 16], [0.0; 16]);
                std::ptr::copy_nonoverlapping(to.add(at), there.as_mut_ptr(), count);
                let padded = match finish {
                    Finish::Add => Finish::Add,
                    Finish::Bias(values) => {
                        bias[..count].copy_from_slice(&values[first + at..]);
                        Finish::Bias(&bias)
                    }
                    Finish::BiasTanh(values) => {
                        bias[..count].copy_from_slice(&values[first + at..]);
                        Finish::BiasTanh(&bias)
                    }
                };
                let sum = finished(sum, padded, 0, there.as_ptr());
                sum.store(there.as_mut_ptr());
                std::ptr::copy_nonoverlapping(there.as_ptr(), to.add(at), count);
            }
        }
    }
    R
}

#[inline(always)]
unsafe fn finished<S: Simd>(sum: S, finish: Finish<'_>, column: usize, there: *const f32) -> S {
    match finish {
        Finish::Add => S::load(there).add(sum),
        Finish::Bias(bias) => sum.add(S::load(bias.as_ptr().add(column))),
        Finish::BiasTanh(bias) => tanh(sum.add(S::load(bias.as_ptr().add(column)))),
    }
}
