//! Handing numbers to another core.
//!
//! To write to a cache line that another core has read, a core must first have that core drop it. Line by line
//! this takes several times as long as reading what another core wrote, and longer yet where the two do not
//! share a cache. Numbers that are written to memory itself, past the caches, spare both of them that.

use std::ops::Range;

use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Copies numbers for another core to read.
pub(crate) fn copy(isa: Isa, from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    // SAFETY: both are so long.
    unsafe {
        isa.run(Copy {
            len: from.len(),
            from: from.as_ptr(),
            to: to.as_mut_ptr(),
        });
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
        let whole = whole_vectors::<S>(to, len);
        for at in whole.clone().step_by(S::LANES) {
            S::load(from.add(at)).stream(to.add(at));
        }
        for at in (0..whole.start).chain(whole.end..len) {
            *to.add(at) = *from.add(at);
        }
        S::streamed();
    }
}

/// Which of the `len` numbers at `to` fill vectors that lie on a multiple of their size.
#[inline(always)]
pub(crate) fn whole_vectors<S: Simd>(to: *const f32, len: usize) -> Range<usize> {
    let start = (to.addr() / size_of::<f32>()).wrapping_neg() % S::LANES;
    let start = start.min(len);
    start..len - (len - start) % S::LANES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_arrive_wherever_they_lie() {
        let from: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for isa in Isa::available() {
            for start in 0..20 {
                for end in start..from.len() {
                    let mut to = vec![-1.0; from.len() + 1];
                    copy(isa, &from[start..end], &mut to[start..end]);
                    let expected = |i| {
                        if (start..end).contains(&i) {
                            i as f32
                        } else {
                            -1.0
                        }
                    };
                    assert!(to.iter().enumerate().all(|(i, &x)| x == expected(i)));
                }
            }
        }
    }
}
