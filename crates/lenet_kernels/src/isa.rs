//! Which instruction set the kernels use, decided when the program runs.

#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Kernel, Portable, Simd};

/// An instruction set that the kernels are compiled for and that this CPU has.
///
/// All sets compute the same sums; their order, and so the last bits, may differ between sets, never between two runs
/// on the same set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Set);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// What the compiler's base target has.
    Portable,
    /// 256-bit vectors with fused multiply-add, on x86-64 CPUs since about 2013.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors, on x86-64 server CPUs since 2017 and some others.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit vectors with fused multiply-add, on every 64-bit ARM CPU.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Evaluates an expression with `$S` for the vectors of an instruction set.
macro_rules! with {
    ($isa:expr, $S:ident => $value:expr) => {
        match $isa.0 {
            Set::Portable => {
                type $S = Portable;
                $value
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => {
                type $S = Avx2;
                $value
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => {
                type $S = Avx512;
                $value
            }
            #[cfg(target_arch = "aarch64")]
            Set::Neon => {
                type $S = Neon;
                $value
            }
        }
    };
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

impl Isa {
    /// The instruction sets that this CPU has, slowest first.
    ///
    /// ```
    /// use lenet_kernels::Isa;
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
        with!(self, S => S::NAME)
    }

    /// The set for a pass of `images`: AVX2 in place of AVX-512 for so few that half a block would stay empty.
    pub fn for_images(self, images: usize) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 if images <= Avx2::LANES => Self(Set::Avx2),
            _ => self,
        }
    }

    /// Values in a vector, and images in a block.
    pub fn lanes(self) -> usize {
        with!(self, S => S::LANES)
    }

    /// Runs `kernel`, compiled for this instruction set.
    ///
    /// # Safety
    /// Pointers held by the kernel must be valid for what it documents.
    pub(crate) unsafe fn run<K: Kernel>(self, kernel: &K) {
        // SAFETY: an `Isa` is made by `available` alone, after it has seen that the CPU has the instruction set.
        with!(self, S => S::call(kernel))
    }
}
