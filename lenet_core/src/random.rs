//! Random numbers that depend on a seed and on what they are for, on nothing else.

use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng};

/// What random numbers are drawn for. Each purpose has a stream of its own, so that drawing more of
/// one kind does not change another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// A network's initial weights.
    Weights = 1,
    /// The order of the images in an epoch.
    Shuffle = 2,
    /// How an image is distorted.
    Distortion = 3,
    /// Which values dropout sets to zero.
    Dropout = 4,
}

/// The generator for `purpose`, and within it for one `index`: the epoch for shuffling, the
/// image's turn for distortions; for dropout the step and the image, and the operation.
pub(crate) fn generator(seed: u64, purpose: Purpose, index: [u64; 2]) -> StdRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index[0].to_le_bytes());
    key[24..].copy_from_slice(&index[1].to_le_bytes());
    StdRng::from_seed(key)
}

/// What dropout's random numbers follow from in a pass of a training step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<'a> {
    pub(crate) seed: u64,
    /// The step, counted from the model's first.
    pub(crate) step: u64,
    /// The images of the pass, by their places in the data.
    pub(crate) images: &'a [usize],
}

impl Sample<'_> {
    /// A factor for each of an operation's `len` values of each image, image after image: 0 with the probability `rate`, to
    /// 1/256, else what keeps the mean as it was.
    pub(crate) fn factors(&self, rate: f32, operation: usize, len: usize, factors: &mut [f32]) {
        let (limit, kept) = ((rate * 256.0).round() as u16, 1.0 / (1.0 - rate));
        let mut bytes = vec![0; len];
        for (image, factors) in self.images.iter().zip(factors.chunks_mut(len)) {
            // Below 2^32 steps and images, no two of them share random numbers.
            let index = [self.step << 32 | *image as u64, operation as u64];
            generator(self.seed, Purpose::Dropout, index).fill_bytes(&mut bytes);
            for (factor, byte) in factors.iter_mut().zip(&bytes) {
                *factor = if u16::from(*byte) >= limit { kept } else { 0.0 };
            }
        }
    }
}
