//! Which instruction set the kernels use, decided when the program runs.

#[cfg(target_arch = "aarch64")]
use super::simd::Neon;
#[cfg(target_arch = "x86_64")]
use super::simd::{Avx2, Avx512, Avx512Short};
use super::simd::{Portable, Simd};

/// An instruction set that the kernels are compiled for and that this CPU has.
///
/// All of them compute the same sums; their order, and so the last bits, may differ between sets,
/// never between two runs on the same set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Set);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// What the compiler's base target has.
    Portable,
    /// 256-bit vectors with fused multiply-add, on x86-64 CPUs since about 2013.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// The same vectors where the CPU has longer ones, and more registers.
    #[cfg(target_arch = "x86_64")]
    Avx512Short,
    /// 512-bit vectors, on x86-64 server CPUs since 2017 and some others.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit vectors with fused multiply-add, on every 64-bit ARM CPU.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl std::fmt::Debug for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for Isa {
    fn default() -> Self {
        Self::best()
    }
}

/// Work that can be done with any instruction set.
pub(crate) trait Kernel {
    /// Does the work. Implementations are `#[inline(always)]`, so that they are compiled for the
    /// instruction set of the caller.
    ///
    /// # Safety
    /// The CPU must have the instruction set of `S`; pointers held by `self` must be valid.
    unsafe fn run<S: Simd>(self);
}

impl Isa {
    /// The instruction sets that this CPU has, slowest first.
    ///
    /// ```
    /// use lenet_core::Isa;
    /// assert_eq!(Isa::available()[0].name(), "portable");
    /// assert_eq!(Isa::available().last(), Some(&Isa::best()));
    /// ```
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut sets = vec![Self(Set::Portable)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            sets.push(Self(Set::Avx2));
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                sets.push(Self(Set::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        sets.push(Self(Set::Neon));
        sets
    }

    /// The fastest instruction set that this CPU has.
    pub fn best() -> Self {
        *Self::available().last().unwrap_or(&Self(Set::Portable))
    }

    /// Its name: `portable`, `avx2`, `avx512` or `neon`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Short | Set::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "neon",
        }
    }

    /// Images side by side in a block: the lanes of a vector.
    pub(crate) fn lanes(self) -> usize {
        match self.0 {
            Set::Portable => Portable::LANES,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 | Set::Avx512Short => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => Avx512::LANES,
            #[cfg(target_arch = "aarch64")]
            Set::Neon => Neon::LANES,
        }
    }

    /// The same with vectors of half the length, if it has them, for few images.
    pub(crate) fn short(self) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => Self(Set::Avx512Short),
            _ => self,
        }
    }

    /// Runs `kernel`, compiled for this instruction set.
    ///
    /// # Safety
    /// Pointers held by the kernel must be valid for what it documents.
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: K) {
        // SAFETY: an `Isa` is made by `available` alone, after it has seen
        // that the CPU has the instruction set.
        match self.0 {
            Set::Portable => kernel.run::<Portable>(),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => run_avx2(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Short => run_avx512_short(kernel),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => run_avx512(kernel),
            #[cfg(target_arch = "aarch64")]
            Set::Neon => kernel.run::<Neon>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) {
    kernel.run::<Avx2>();
}

// Without `avx512vl` the compiler can take parts of a vector, as a sum over its lanes does, only out of
// half of the registers, and moves the others to and fro.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn run_avx512<K: Kernel>(kernel: K) {
    kernel.run::<Avx512>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn run_avx512_short<K: Kernel>(kernel: K) {
    kernel.run::<Avx512Short>();
}
