//! How many multiply-adds this CPU can do at most: the measure of every other kernel.

use super::isa::{Isa, Kernel};
use super::simd::Simd;

/// Independent sums, enough to hide the latency of one multiply-add behind the others.
const SUMS: usize = 12;
const ROUNDS: usize = 100_000;

/// Multiply-adds that [`run`] does.
pub(crate) fn multiply_adds(isa: Isa) -> usize {
    SUMS * ROUNDS * isa.lanes()
}

/// Multiplies and adds in registers alone.
pub(crate) fn run(isa: Isa) {
    struct Run;
    impl Kernel for Run {
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            let factor = S::splat(std::hint::black_box(0.5));
            let mut sums = [S::splat(std::hint::black_box(1.0)); SUMS];
            for _ in 0..ROUNDS {
                for sum in &mut sums {
                    *sum = sum.fma(factor, factor);
                }
            }
            for sum in sums {
                std::hint::black_box(sum.sum());
            }
        }
    }
    // SAFETY: the kernel touches no memory.
    unsafe { isa.run(Run) }
}
