//! Memory that kernels work in, aligned to cache lines and used again step after step.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbers in a cache line.
pub(crate) const LINE: usize = 16;

/// A cache line of numbers; it exists for its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Shelves of a pool.
const SHELVES: usize = 16;

/// A pool of buffers. A clone of a pool hands out the same buffers. Each thread has a shelf of its own, with
/// buffers that its core's caches may still hold, unless there are many threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<[Shelf; SHELVES]>);

/// Far enough from the next one that two threads do not write to the same cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shelf(Mutex<Vec<Vec<Line>>>);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Pool {
    /// A buffer of `len` numbers with unspecified contents. It goes back to the pool when dropped.
    pub(crate) fn take(&self, len: usize) -> Buffer {
        let mut lines = self.shelf().pop().unwrap_or_default();
        let needed = len.div_ceil(LINE);
        if lines.len() < needed {
            lines.resize(needed, Line([0.0; LINE]));
        }
        Buffer {
            lines,
            len,
            pool: self.clone(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Vec<Vec<Line>>> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        let shelf = self.0[thread % SHELVES].0.lock();
        shelf.unwrap_or_else(PoisonError::into_inner)
    }
}

/// `len` numbers on a cache-line boundary, lent by a [`Pool`].
#[derive(Debug)]
pub(crate) struct Buffer {
    lines: Vec<Line>,
    len: usize,
    pool: Pool,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.pool.shelf().push(lines);
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is `repr(C)` around an array of f32, so the lines are one run of f32, and
        // `take` made sure that they are at least `len`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
