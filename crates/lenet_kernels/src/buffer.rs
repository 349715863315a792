//! Memory that kernels work in.

use std::ops::{Deref, DerefMut};

/// Values in a cache line.
pub(crate) const LINE: usize = 16;

/// A cache line of values; it exists for its alignment.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Values aligned to cache lines, in memory that is used again and again.
///
/// ```
/// let mut buffer = lenet_kernels::Buffer::new();
/// buffer.resized(100).fill(1.0);
/// assert_eq!(buffer.len(), 100);
/// assert_eq!(buffer.resized(50).len(), 50);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The buffer with room for `len` values, whose contents are unspecified. Memory is only ever added.
    pub fn resized(&mut self, len: usize) -> &mut [f32] {
        let lines = len.div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0.0; LINE]));
        }
        self.len = len;
        self
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is `repr(C)` around an array of f32, so the lines are one run of f32, at least `len`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; the borrow is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
