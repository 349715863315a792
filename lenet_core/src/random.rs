//! Random numbers that depend on a seed and on what they are for, on nothing else.

use rand::rngs::StdRng;
use rand::SeedableRng;

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
