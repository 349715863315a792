//! Handing numbers to another core.
//!
//! To write to a cache line that another core has read, a core must first have that core drop it. Line by line
//! this takes several times as long as reading what another core wrote, and longer yet where the two do not
//! share a cache. Numbers that are written to memory itself, past the caches, spare both of them that.

use super::buffer::LINE;
use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Copies numbers for another core to read. `to` begins on a cache line.
pub(crate) fn copy(isa: Isa, from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len());
    assert!(to.as_ptr().addr().is_multiple_of(LINE * size_of::<f32>()));
    // SAFETY: both are so long, and `to` lies as the kernel wants.
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
        let whole = len - len % S::LANES;
        for at in (0..whole).step_by(S::LANES) {
            S::load(from.add(at)).stream(to.add(at));
        }
        for at in whole..len {
            *to.add(at) = *from.add(at);
        }
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
                let mut to = Pool::default().take(from.len());
                to.fill(-1.0);
                copy(isa, &from[1..][..len], &mut to[..len]);
                let expected = |i| if i < len { i as f32 + 1.0 } else { -1.0 };
                assert!(to.iter().enumerate().all(|(i, &x)| x == expected(i)));
            }
        }
    }
}
