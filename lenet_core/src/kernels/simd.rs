//! Vectors of `f32`, one type for each instruction set that the kernels are compiled for.
//!
//! A kernel is written once, generic over [`Simd`], and marked `#[inline(always)]`. The entry points
//! in [`super::isa`] instantiate it inside a function that has the instruction set enabled, so
//! that the intrinsics below melt into it.

use super::isa::Kernel;

/// Lanes of the longest vectors.
pub(crate) const MOST_LANES: usize = 16;

/// A vector of [`Simd::LANES`] numbers.
///
/// # Safety
/// Every method may be called only where the CPU has the instruction set of the implementing type;
/// `load` and `store` need `LANES` valid numbers behind the pointer.
#[allow(clippy::missing_safety_doc)] // the trait's own section speaks for all methods
pub(crate) unsafe trait Simd: Copy {
    /// Numbers in a vector.
    const LANES: usize;
    /// Filters that a convolution tile computes at once, in two rows each: as many as fit the
    /// registers, with room for the rows' values and a weight.
    const FILTERS: usize;
    /// Vectors that the registers hold. With 32 of them tiles have twice the rows, or more filters and
    /// channels, so that each number loaded is used more often.
    const REGISTERS: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// The first `count` lanes from memory, zeros in the others.
    #[inline(always)]
    unsafe fn load_first(count: usize, from: *const f32) -> Self {
        if count == Self::LANES {
            return Self::load(from);
        }
        let mut lanes = [0.0; MOST_LANES];
        std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
        Self::load(lanes.as_ptr())
    }
    /// The first `count` lanes to memory.
    #[inline(always)]
    unsafe fn store_first(self, count: usize, to: *mut f32) {
        if count == Self::LANES {
            return self.store(to);
        }
        let mut lanes = [0.0; MOST_LANES];
        self.store(lanes.as_mut_ptr());
        std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, count);
    }
    /// Stores to memory itself where the CPU can, for another core to read; `to` lies on a multiple of the
    /// vector's size. [`Self::streamed`] must come before another thread is told.
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        self.store(to);
    }
    /// Waits until what was stored by [`Self::stream`] can be seen by all.
    #[inline(always)]
    unsafe fn streamed() {}
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
    /// `self * factor + addend`, rounded once where the CPU can.
    unsafe fn fma(self, factor: Self, addend: Self) -> Self;
    /// `addend - self * factor`, rounded once where the CPU can.
    unsafe fn fnma(self, factor: Self, addend: Self) -> Self;
    /// The sum of the lanes, always in the same order.
    unsafe fn sum(self) -> f32;
    /// The sum of the lanes of each of `LANES` vectors, always in the same order.
    unsafe fn sums(from: *const f32) -> Self;
    /// Writes the transpose of `LANES` x `LANES` numbers: row `r` is read at `from + r * stride_from`,
    /// and written as column `r` of rows that start `stride_to` apart.
    unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize);
    /// Runs `kernel` as a function of its own, compiled for this instruction set. The compiler hands
    /// out registers best in a small function.
    unsafe fn call<K: Kernel>(kernel: K);
}

/// Numbers that need not lie on a multiple of their size.
#[repr(C, packed)]
struct Unaligned<V>(V);

/// Reads a vector. The compiler's own functions for this are slow with a debug build's checks: they compare where the
/// vector comes from with where it goes, and so put it on the stack.
#[inline(always)]
unsafe fn read<V: Copy>(from: *const f32) -> V {
    (*from.cast::<Unaligned<V>>()).0
}

/// Writes a vector; see [`read`].
#[inline(always)]
unsafe fn write<V: Copy>(to: *mut f32, vector: V) {
    (*to.cast::<Unaligned<V>>()).0 = vector;
}

/// Eight numbers in an array, for CPUs without an instruction set that is named below.
/// The compiler turns it into what the target has (SSE2 on x86-64).
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 8]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

// SAFETY: no special instruction is used; `load` and `store` touch exactly `LANES` numbers.
unsafe impl Simd for Portable {
    const LANES: usize = 8;
    const FILTERS: usize = 2;
    const REGISTERS: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(read(from))
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        write(to, self.0);
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        self.zip(self, |a, _| a.sqrt())
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn fma(self, factor: Self, addend: Self) -> Self {
        self.mul(factor).add(addend)
    }
    #[inline(always)]
    unsafe fn fnma(self, factor: Self, addend: Self) -> Self {
        addend.zip(self.mul(factor), |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
    #[inline(always)]
    unsafe fn sums(from: *const f32) -> Self {
        Self(std::array::from_fn(|i| {
            Self::load(from.add(i * Self::LANES)).sum()
        }))
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                *to.add(column * stride_to + row) = *from.add(row * stride_from + column);
            }
        }
    }
    #[inline(never)]
    unsafe fn call<K: Kernel>(kernel: K) {
        kernel.run::<Self>();
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512, Avx512Short};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{read, write, Kernel, Simd};

    /// Eight numbers in one of so many 256-bit registers, with fused multiply-add.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx<const REGISTERS: usize>(__m256);

    pub(crate) type Avx2 = Avx<16>;
    /// With AVX-512VL there are more of them.
    pub(crate) type Avx512Short = Avx<32>;

    // SAFETY: intrinsics of AVX, AVX2 and FMA only; `load` and `store` touch exactly `LANES` numbers.
    unsafe impl<const REGISTERS: usize> Simd for Avx<REGISTERS> {
        const LANES: usize = 8;
        const FILTERS: usize = 6;
        const REGISTERS: usize = REGISTERS;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            Self(_mm256_set1_ps(x))
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(read(from))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            write(to, self.0);
        }
        #[inline(always)]
        unsafe fn stream(self, to: *mut f32) {
            _mm256_stream_ps(to, self.0);
        }
        #[inline(always)]
        unsafe fn streamed() {
            _mm_sfence();
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(_mm256_add_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(_mm256_sub_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(_mm256_mul_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(_mm256_div_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            Self(_mm256_sqrt_ps(self.0))
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(_mm256_min_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(_mm256_max_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn fma(self, factor: Self, addend: Self) -> Self {
            Self(_mm256_fmadd_ps(self.0, factor.0, addend.0))
        }
        #[inline(always)]
        unsafe fn fnma(self, factor: Self, addend: Self) -> Self {
            Self(_mm256_fnmadd_ps(self.0, factor.0, addend.0))
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            let halves = _mm_add_ps(
                _mm256_castps256_ps128(self.0),
                _mm256_extractf128_ps::<1>(self.0),
            );
            let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
            _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        }
        #[inline(always)]
        unsafe fn sums(from: *const f32) -> Self {
            let (a, b) = (sums_of_four_256(from), sums_of_four_256(from.add(32)));
            Self(_mm256_add_ps(
                _mm256_permute2f128_ps::<0x20>(a, b),
                _mm256_permute2f128_ps::<0x31>(a, b),
            ))
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
            // Quarters first: 4 x 4 blocks are placed by 128-bit loads, then transposed in place.
            for column in [0, 4] {
                let from = from.add(column);
                let a = row_pair(from, stride_from);
                let b = row_pair(from.add(stride_from), stride_from);
                let c = row_pair(from.add(2 * stride_from), stride_from);
                let d = row_pair(from.add(3 * stride_from), stride_from);
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let to = to.add(column * stride_to);
                write(to, _mm256_shuffle_ps::<0x44>(ab_low, cd_low));
                write(to.add(stride_to), _mm256_shuffle_ps::<0xee>(ab_low, cd_low));
                write(
                    to.add(2 * stride_to),
                    _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                );
                write(
                    to.add(3 * stride_to),
                    _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
                );
            }
        }
        #[inline(always)]
        unsafe fn call<K: Kernel>(kernel: K) {
            if REGISTERS == Avx2::REGISTERS {
                call_avx2(kernel);
            } else {
                call_avx512_short(kernel);
            }
        }
    }

    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn call_avx2<K: Kernel>(kernel: K) {
        kernel.run::<Avx2>();
    }

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    unsafe fn call_avx512_short<K: Kernel>(kernel: K) {
        kernel.run::<Avx512Short>();
    }

    /// Four numbers of a row, and four of the row that is four further down.
    #[inline(always)]
    unsafe fn row_pair(from: *const f32, stride: usize) -> __m256 {
        let low = _mm256_castps128_ps256(read(from));
        _mm256_insertf128_ps::<1>(low, read(from.add(4 * stride)))
    }

    /// The sums of four vectors: in each half of the result, the sums of their halves.
    #[inline(always)]
    unsafe fn sums_of_four_256(from: *const f32) -> __m256 {
        let (a, b) = (read(from), read(from.add(8)));
        let (c, d) = (read(from.add(16)), read(from.add(24)));
        let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
        let (low, high) = (_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
        _mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high))
    }

    /// Sixteen numbers in a 512-bit register.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512);

    // SAFETY: intrinsics of AVX-512F (which implies AVX2 and FMA) only; `load` and `store` touch
    // exactly `LANES` numbers.
    unsafe impl Simd for Avx512 {
        const LANES: usize = 16;
        const FILTERS: usize = 6;
        const REGISTERS: usize = 32;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            Self(_mm512_set1_ps(x))
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(read(from))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            write(to, self.0);
        }
        #[inline(always)]
        unsafe fn load_first(count: usize, from: *const f32) -> Self {
            Self(_mm512_maskz_loadu_ps(first(count), from))
        }
        #[inline(always)]
        unsafe fn store_first(self, count: usize, to: *mut f32) {
            _mm512_mask_storeu_ps(to, first(count), self.0);
        }
        #[inline(always)]
        unsafe fn stream(self, to: *mut f32) {
            _mm512_stream_ps(to, self.0);
        }
        #[inline(always)]
        unsafe fn streamed() {
            _mm_sfence();
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(_mm512_add_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(_mm512_sub_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(_mm512_mul_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(_mm512_div_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            Self(_mm512_sqrt_ps(self.0))
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(_mm512_min_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(_mm512_max_ps(self.0, other.0))
        }
        #[inline(always)]
        unsafe fn fma(self, factor: Self, addend: Self) -> Self {
            Self(_mm512_fmadd_ps(self.0, factor.0, addend.0))
        }
        #[inline(always)]
        unsafe fn fnma(self, factor: Self, addend: Self) -> Self {
            Self(_mm512_fnmadd_ps(self.0, factor.0, addend.0))
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            _mm512_reduce_add_ps(self.0)
        }
        #[inline(always)]
        unsafe fn sums(from: *const f32) -> Self {
            let (a, b) = (sums_of_four_512(from), sums_of_four_512(from.add(64)));
            let (c, d) = (
                sums_of_four_512(from.add(128)),
                sums_of_four_512(from.add(192)),
            );
            Self(add_quarters(add_quarters(a, b), add_quarters(c, d)))
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
            for row in [0, 8] {
                for column in [0, 8] {
                    let from = from.add(row * stride_from + column);
                    Avx2::transpose(
                        from,
                        stride_from,
                        to.add(column * stride_to + row),
                        stride_to,
                    );
                }
            }
        }
        #[inline(always)]
        unsafe fn call<K: Kernel>(kernel: K) {
            call_avx512(kernel);
        }
    }

    /// A mask of the first `count` lanes.
    #[inline(always)]
    fn first(count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }

    /// The sums of four vectors: in each quarter of the result, the sums of their quarters.
    #[inline(always)]
    unsafe fn sums_of_four_512(from: *const f32) -> __m512 {
        let (a, b) = (read(from), read(from.add(16)));
        let (c, d) = (read(from.add(32)), read(from.add(48)));
        let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
        let (low, high) = (_mm512_unpacklo_pd(ab, cd), _mm512_unpackhi_pd(ab, cd));
        _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high))
    }

    /// Adds neighbouring quarters; those of `a` come first.
    #[inline(always)]
    unsafe fn add_quarters(a: __m512, b: __m512) -> __m512 {
        let even = _mm512_shuffle_f32x4::<0x88>(a, b);
        _mm512_add_ps(even, _mm512_shuffle_f32x4::<0xdd>(a, b))
    }

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    unsafe fn call_avx512<K: Kernel>(kernel: K) {
        kernel.run::<Avx512>();
    }
}

#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Kernel, Simd};

    /// Eight numbers in two 128-bit registers, with fused multiply-add.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon(float32x4_t, float32x4_t);

    // SAFETY: intrinsics of NEON only, which every aarch64 CPU has; `load` and `store` touch exactly
    // `LANES` numbers.
    unsafe impl Simd for Neon {
        const LANES: usize = 8;
        const FILTERS: usize = 4;
        const REGISTERS: usize = 16;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            Self(vdupq_n_f32(x), vdupq_n_f32(x))
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(vld1q_f32(from), vld1q_f32(from.add(4)))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            vst1q_f32(to, self.0);
            vst1q_f32(to.add(4), self.1);
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(vaddq_f32(self.0, other.0), vaddq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            Self(vsubq_f32(self.0, other.0), vsubq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            Self(vmulq_f32(self.0, other.0), vmulq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            Self(vdivq_f32(self.0, other.0), vdivq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            Self(vsqrtq_f32(self.0), vsqrtq_f32(self.1))
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            Self(vminq_f32(self.0, other.0), vminq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(vmaxq_f32(self.0, other.0), vmaxq_f32(self.1, other.1))
        }
        #[inline(always)]
        unsafe fn fma(self, factor: Self, addend: Self) -> Self {
            Self(
                vfmaq_f32(addend.0, self.0, factor.0),
                vfmaq_f32(addend.1, self.1, factor.1),
            )
        }
        #[inline(always)]
        unsafe fn fnma(self, factor: Self, addend: Self) -> Self {
            Self(
                vfmsq_f32(addend.0, self.0, factor.0),
                vfmsq_f32(addend.1, self.1, factor.1),
            )
        }
        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            vaddvq_f32(vaddq_f32(self.0, self.1))
        }
        #[inline(always)]
        unsafe fn sums(from: *const f32) -> Self {
            let sum = |i: usize| Self::load(from.add(i * Self::LANES)).sum();
            let sums: [f32; 8] = std::array::from_fn(sum);
            Self::load(sums.as_ptr())
        }
        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
            for row in 0..Self::LANES {
                for column in 0..Self::LANES {
                    *to.add(column * stride_to + row) = *from.add(row * stride_from + column);
                }
            }
        }
        #[inline(never)]
        unsafe fn call<K: Kernel>(kernel: K) {
            kernel.run::<Self>();
        }
    }
}
