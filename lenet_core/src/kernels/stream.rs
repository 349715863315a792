//! Handing numbers to another core.
//!
//! To write to a cache line that another core has read, a core must first have that core drop it. Line by line
//! this takes several times as long as reading what another core wrote, and longer yet where the two do not
//! share a cache. Numbers that are written to memory itself, past the caches, spare both of them that.

use super::buffer::LINE;
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Where numbers for another core are written, run by run. The other core may read when this is dropped.
pub(crate) struct Writer<'a> {
    isa: Isa,
    /// Where the next run goes.
    left: &'a mut [f32],
}

impl<'a> Writer<'a> {
    /// `to` begins on a cache line, as each run in it does.
    pub(crate) fn new(isa: Isa, to: &'a mut [f32]) -> Self {
        assert!(to.as_ptr().addr().is_multiple_of(LINE * size_of::<f32>()));
        Self { isa, left: to }
    }

    /// Writes a run of numbers.
    pub(crate) fn put(&mut self, from: &[f32]) {
        let len = from.len();
        let to = self.left.split_off_mut(..len.next_multiple_of(LINE));
        let to = &mut to.unwrap_or_default()[..len];
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        // SAFETY: both are `len` numbers, and `to` begins on a cache line.
        unsafe { self.isa.run(Copy { len, from, to }) };
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        // SAFETY: it has no pointers.
        unsafe { self.isa.run(Done) };
    }
}

struct Copy {
    len: usize,
    from: *const f32,
    to: *mut f32,
}

impl Kernel for Copy {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self { len, from, to } = self;
        let whole = len - len % S::LANES;
        for at in (0..whole).step_by(S::LANES) {
            S::load(from.add(at)).stream(to.add(at));
        }
        for at in whole..len {
            *to.add(at) = *from.add(at);
        }
    }
}

struct Done;

impl Kernel for Done {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        S::streamed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::buffer::Pool;

    #[test]
    fn all_numbers_arrive_and_no_others() {
        let from: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for isa in Isa::available() {
            for len in 0..from.len() {
                let run = len.next_multiple_of(LINE);
                let mut to = Pool::default().take(2 * run);
                to.fill(-1.0);
                let mut writer = Writer::new(isa, &mut to);
                writer.put(&from[1..][..len]);
                writer.put(&from[..len]);
                drop(writer);
                for (run, from) in [(&to[..run], &from[1..]), (&to[run..], &from)] {
                    let expected = |i| if i < len { from[i] } else { -1.0 };
                    assert!(run.iter().enumerate().all(|(i, &x)| x == expected(i)));
                }
            }
        }
    }
}
