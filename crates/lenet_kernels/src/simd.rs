//! Vectors of `f32`, one type for each instruction set.
//!
//! A kernel is written once, generic over [`Simd`], and marked `#[inline(always)]` like the functions it is made of, so that
//! all of it is compiled for the instruction set of [`Simd::call`], which calls it.

/// Lanes of the longest vectors.
pub(crate) const MOST_LANES: usize = 16;

/// Work that can be done with any instruction set.
pub(crate) trait Kernel {
    /// Does the work. Implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The CPU must have the instruction set of `S`; pointers held by `self` must be valid.
    unsafe fn run<S: Simd>(&self);
}

/// A vector of [`Simd::LANES`] values.
///
/// # Safety
/// Every method may be called only where the CPU has the instruction set of the implementing type;
/// `load` and `store` need `LANES` valid values behind the pointer.
#[allow(clippy::missing_safety_doc)] // the trait's own section speaks for all methods
pub(crate) unsafe trait Simd: Copy {
    const NAME: &'static str;
    /// Values in a vector.
    const LANES: usize;
    /// Vectors that the registers hold.
    const REGISTERS: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// The smaller value; `other` where one is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// The larger value; `other` where one is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// `self * factor + addend`, rounded once where the CPU can.
    unsafe fn fma(self, factor: Self, addend: Self) -> Self;
    /// `addend - self * factor`, rounded once where the CPU can.
    unsafe fn fnma(self, factor: Self, addend: Self) -> Self;
    /// `yes` where `self >= other`, else `no`, as where one is NaN.
    unsafe fn if_at_least(self, other: Self, yes: Self, no: Self) -> Self;
    /// Runs `kernel`, compiled for this instruction set.
    unsafe fn call<K: Kernel>(kernel: &K);

    /// Reads a vector. The standard library's own functions are slow with a debug build's checks.
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        (*from.cast::<Unaligned<Self>>()).0
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        (*to.cast::<Unaligned<Self>>()).0 = self;
    }
    /// The first `count` lanes from memory, zeros in the others.
    #[inline(always)]
    unsafe fn load_first(count: usize, from: *const f32) -> Self {
        let mut lanes = [0.0; MOST_LANES];
        std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count);
        Self::load(lanes.as_ptr())
    }
    /// The first `count` lanes to memory.
    #[inline(always)]
    unsafe fn store_first(self, count: usize, to: *mut f32) {
        let mut lanes = [0.0; MOST_LANES];
        self.store(lanes.as_mut_ptr());
        std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, count);
    }
    /// A vector if `count` is `LANES`, else as [`Self::load_first`].
    #[inline(always)]
    unsafe fn load_at_most(count: usize, from: *const f32) -> Self {
        if count == Self::LANES {
            return Self::load(from);
        }
        Self::load_first(count, from)
    }
    #[inline(always)]
    unsafe fn store_at_most(self, count: usize, to: *mut f32) {
        if count == Self::LANES {
            return self.store(to);
        }
        self.store_first(count, to);
    }
    /// The sum of the lanes, always in the same order.
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let mut lanes = [0.0; MOST_LANES];
        self.store(lanes.as_mut_ptr());
        lanes.iter().sum()
    }
    /// The sum of the lanes of each of `LANES` vectors, always in the same order.
    #[inline(always)]
    unsafe fn sums(from: *const f32) -> Self {
        let mut sums = [0.0; MOST_LANES];
        for (i, sum) in sums.iter_mut().enumerate().take(Self::LANES) {
            *sum = Self::load(from.add(i * Self::LANES)).sum();
        }
        Self::load(sums.as_ptr())
    }
    /// Writes the transpose of `LANES` x `LANES` values: row `r` is read at `from + r * stride_from` and written as
    /// column `r` of rows that start `stride_to` apart.
    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
        for row in 0..Self::LANES {
            for column in 0..Self::LANES {
                *to.add(column * stride_to + row) = *from.add(row * stride_from + column);
            }
        }
    }
}

/// Values that need not lie on a multiple of their size.
#[repr(C, packed)]
struct Unaligned<V>(V);

/// Defines a vector type: its name, register, lanes, number of registers and target features; then the functions behind the
/// methods of one, two and three vectors; then other methods in full.
macro_rules! vector {
    ($(#[$doc:meta])* $type:ident, $name:literal, $register:ty, $lanes:literal, $registers:literal $(, $features:literal)?;
     $splat:path; $([$one:ident $one_is:path])*; $([$two:ident $two_is:path])*; $([$three:ident $three_is:path])*;
     $(unsafe fn $other:ident($($argument:tt)*) $(-> $result:ty)? $body:block)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $type($register);

        // SAFETY: the functions need no other features than those named, which the caller vouches for.
        unsafe impl Simd for $type {
            const NAME: &'static str = $name;
            const LANES: usize = $lanes;
            const REGISTERS: usize = $registers;

            #[inline(always)]
            unsafe fn splat(x: f32) -> Self {
                Self($splat(x))
            }
            $(#[inline(always)]
            unsafe fn $one(self) -> Self {
                Self($one_is(self.0))
            })*
            $(#[inline(always)]
            unsafe fn $two(self, other: Self) -> Self {
                Self($two_is(self.0, other.0))
            })*
            $(#[inline(always)]
            unsafe fn $three(self, factor: Self, addend: Self) -> Self {
                Self($three_is(self.0, factor.0, addend.0))
            })*
            #[inline(always)]
            unsafe fn call<K: Kernel>(kernel: &K) {
                $(#[target_feature(enable = $features)])?
                #[inline(never)]
                unsafe fn apart<K: Kernel>(kernel: &K) {
                    kernel.run::<$type>();
                }
                apart(kernel);
            }
            $(#[inline(always)]
            unsafe fn $other($($argument)*) $(-> $result)? $body)*
        }
    };
}

vector! {
    /// Four values in an array, for CPUs without an instruction set that is named below. The compiler turns it into
    /// what the target has (SSE2 on x86-64).
    Portable, "portable", [f32; 4], 4, 16;
    plain::splat; [sqrt plain::sqrt];
    [add plain::add] [sub plain::sub] [mul plain::mul] [div plain::div] [min plain::min] [max plain::max];
    [fma plain::fma] [fnma plain::fnma];
    unsafe fn if_at_least(self, other: Self, yes: Self, no: Self) -> Self {
        let pick = |i: usize| if self.0[i] >= other.0[i] { yes.0[i] } else { no.0[i] };
        Self(std::array::from_fn(pick))
    }
}

/// The arithmetic of [`Portable`], element by element.
mod plain {
    macro_rules! plain {
        ($($name:ident($($argument:ident),*) = $value:expr;)*) => {
            $(#[inline(always)]
            pub(super) fn $name($($argument: [f32; 4]),*) -> [f32; 4] {
                std::array::from_fn(|i| {
                    $(let $argument = $argument[i];)*
                    $value
                })
            })*
        };
    }
    plain! {
        sqrt(a) = a.sqrt();
        add(a, b) = a + b;
        sub(a, b) = a - b;
        mul(a, b) = a * b;
        div(a, b) = a / b;
        min(a, b) = if a < b { a } else { b };
        max(a, b) = if a > b { a } else { b };
        fma(a, b, c) = a * b + c;
        fnma(a, b, c) = c - a * b;
    }
    pub(super) fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Kernel, Simd};

    vector! {
        /// Eight values in a 256-bit register, with fused multiply-add.
        Avx2, "avx2", __m256, 8, 16, "avx2,fma";
        _mm256_set1_ps; [sqrt _mm256_sqrt_ps];
        [add _mm256_add_ps] [sub _mm256_sub_ps] [mul _mm256_mul_ps] [div _mm256_div_ps] [min _mm256_min_ps]
        [max _mm256_max_ps];
        [fma _mm256_fmadd_ps] [fnma _mm256_fnmadd_ps];
        unsafe fn if_at_least(self, other: Self, yes: Self, no: Self) -> Self {
            Self(_mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<_CMP_GE_OQ>(self.0, other.0)))
        }
        unsafe fn load_first(count: usize, from: *const f32) -> Self {
            Self(_mm256_maskload_ps(from, mask(count)))
        }
        unsafe fn store_first(self, count: usize, to: *mut f32) {
            _mm256_maskstore_ps(to, mask(count), self.0);
        }
        unsafe fn sums(from: *const f32) -> Self {
            Self(sums_of_rows(|row| Self::load(from.add(row * 8)).0))
        }
        unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
            // Quarters first: 4 x 4 parts are placed by 128-bit loads, then transposed in place.
            for column in [0, 4] {
                let from = from.add(column);
                let a = row_pair(from, stride_from);
                let b = row_pair(from.add(stride_from), stride_from);
                let c = row_pair(from.add(2 * stride_from), stride_from);
                let d = row_pair(from.add(3 * stride_from), stride_from);
                let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let to = to.add(column * stride_to);
                Self(_mm256_shuffle_ps::<0x44>(ab_low, cd_low)).store(to);
                Self(_mm256_shuffle_ps::<0xee>(ab_low, cd_low)).store(to.add(stride_to));
                Self(_mm256_shuffle_ps::<0x44>(ab_high, cd_high)).store(to.add(2 * stride_to));
                Self(_mm256_shuffle_ps::<0xee>(ab_high, cd_high)).store(to.add(3 * stride_to));
            }
        }
    }

    /// A mask of the first `count` lanes.
    #[inline(always)]
    unsafe fn mask(count: usize) -> __m256i {
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
    }

    /// Four values of a row, and four of the row that is four further down.
    #[inline(always)]
    unsafe fn row_pair(from: *const f32, stride: usize) -> __m256 {
        let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
        _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * stride)))
    }

    /// The sums of eight rows.
    #[inline(always)]
    unsafe fn sums_of_rows(row: impl Fn(usize) -> __m256) -> __m256 {
        let low = sums_of_four([row(0), row(1), row(2), row(3)]);
        let high = sums_of_four([row(4), row(5), row(6), row(7)]);
        _mm256_add_ps(_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high))
    }

    /// The sums of four vectors: in each half of the result, the sums of their halves.
    #[inline(always)]
    unsafe fn sums_of_four([a, b, c, d]: [__m256; 4]) -> __m256 {
        let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        let (ab, cd) = (_mm256_castps_pd(ab), _mm256_castps_pd(cd));
        let (low, high) = (_mm256_unpacklo_pd(ab, cd), _mm256_unpackhi_pd(ab, cd));
        _mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high))
    }

    // Without `avx512vl` the compiler can take parts of a vector, as a sum over its lanes does, only out of half of
    // the registers, and moves the others to and fro.
    vector! {
        /// Sixteen values in a 512-bit register.
        Avx512, "avx512", __m512, 16, 32, "avx512f,avx512vl,avx2,fma";
        _mm512_set1_ps; [sqrt _mm512_sqrt_ps];
        [add _mm512_add_ps] [sub _mm512_sub_ps] [mul _mm512_mul_ps] [div _mm512_div_ps] [min _mm512_min_ps]
        [max _mm512_max_ps];
        [fma _mm512_fmadd_ps] [fnma _mm512_fnmadd_ps];
        unsafe fn if_at_least(self, other: Self, yes: Self, no: Self) -> Self {
            Self(_mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, other.0), no.0, yes.0))
        }
        unsafe fn load_first(count: usize, from: *const f32) -> Self {
            Self(_mm512_maskz_loadu_ps(((1u32 << count) - 1) as __mmask16, from))
        }
        unsafe fn store_first(self, count: usize, to: *mut f32) {
            _mm512_mask_storeu_ps(to, ((1u32 << count) - 1) as __mmask16, self.0);
        }
        unsafe fn sums(from: *const f32) -> Self {
            let half = |row: usize, half: usize| Avx2::load(from.add(row * 16 + half * 8));
            let low = sums_of_rows(|row| half(row, 0).add(half(row, 1)).0);
            let high = sums_of_rows(|row| half(row + 8, 0).add(half(row + 8, 1)).0);
            let both = _mm512_castps_pd(_mm512_castps256_ps512(low));
            Self(_mm512_castpd_ps(_mm512_insertf64x4::<1>(both, _mm256_castps_pd(high))))
        }
        unsafe fn transpose(from: *const f32, stride_from: usize, to: *mut f32, stride_to: usize) {
            for (row, column) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
                let (from, to) = (from.add(row * stride_from + column), to.add(column * stride_to + row));
                Avx2::transpose(from, stride_from, to, stride_to);
            }
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::aarch64::*;

    use super::{Kernel, Simd};

    vector! {
        /// Four values in a 128-bit register, with fused multiply-add.
        Neon, "neon", float32x4_t, 4, 32, "neon";
        vdupq_n_f32; [sqrt vsqrtq_f32];
        [add vaddq_f32] [sub vsubq_f32] [mul vmulq_f32] [div vdivq_f32] [min min] [max max];
        [fma fma] [fnma fnma];
        unsafe fn if_at_least(self, other: Self, yes: Self, no: Self) -> Self {
            Self(vbslq_f32(vcgeq_f32(self.0, other.0), yes.0, no.0))
        }
    }

    #[inline(always)]
    unsafe fn min(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        vbslq_f32(vcltq_f32(a, b), a, b)
    }
    #[inline(always)]
    unsafe fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        vbslq_f32(vcgtq_f32(a, b), a, b)
    }
    #[inline(always)]
    unsafe fn fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        vfmaq_f32(c, a, b)
    }
    #[inline(always)]
    unsafe fn fnma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        vfmsq_f32(c, a, b)
    }
}
