//! Distorted copies of the training images, a new one each time an image is shown.

use dfdx::prelude::{Const, Cpu, Tensor, TensorFromVec};
use rand::rngs::StdRng;
use rand::{Rng, RngCore};

use crate::error::{Error, Result};
use crate::network::{PIXELS, SIDE};
use crate::random::{generator, Purpose};

/// How far images are distorted at most: shifted, turned, scaled and sheared as a whole (LeCun 1998,
/// section III.A), and bent pixel by pixel (Simard, Steinkraus and Platt 2003, "Best practices for
/// convolutional neural networks applied to visual document analysis").
///
/// Each amount is drawn evenly between minus and plus the maximum, for each image anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Turn, in degrees.
    pub rotation: f32,
    /// Shift along each axis, in pixels.
    pub shift: f32,
    /// Scaling of each axis, as a share of its size.
    pub scale: f32,
    /// Shear: columns that a row moves for each row away from the middle.
    pub shear: f32,
    /// Bending: the standard deviation of each pixel's displacement along each axis, in pixels.
    pub elastic: f32,
    /// How smooth the bending is: the standard deviation of the Gaussian that blurs the
    /// displacements, in pixels.
    pub smoothness: f32,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            rotation: 6.0,
            shift: 1.0,
            scale: 0.08,
            shear: 0.2,
            elastic: 0.4,
            smoothness: 3.0,
        }
    }
}

impl Augment {
    /// Stronger distortions, for long trainings: the more often an image is shown, the more its copies
    /// have to differ to be news.
    ///
    /// ```
    /// use lenet_core::Augment;
    /// assert!(Augment::strong().rotation > Augment::default().rotation);
    /// ```
    pub fn strong() -> Self {
        Self {
            rotation: 10.0,
            shift: 1.5,
            scale: 0.12,
            elastic: 0.6,
            ..Self::default()
        }
    }

    /// Distorted copies of one image, `(copies, 28, 28)`: what training shows instead of the image, to look at.
    ///
    /// `image` holds its 784 pixels row by row, in 0..=1. The same seed draws the same copies.
    ///
    /// ```
    /// use lenet_core::Augment;
    /// let mut image = vec![0.0; 784];
    /// image[406] = 1.0;
    /// let copies = Augment::default().copies(&image, 3, 0)?;
    /// assert_ne!(copies.as_vec()[..784], image);
    /// # use lenet_core::dfdx::prelude::*;
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] if the image has not 784 pixels.
    pub fn copies(
        &self,
        image: &[f32],
        copies: usize,
        seed: u64,
    ) -> Result<Tensor<(usize, Const<SIDE>, Const<SIDE>), f32, Cpu>> {
        if image.len() != PIXELS {
            let (expected, got) = (format!("{PIXELS} pixels"), image.len().to_string());
            return Err(Error::argument("image", expected, got));
        }
        let distorter = Distorter::new(*self);
        let mut pixels = vec![0.0; copies * PIXELS];
        for (index, copy) in pixels.chunks_exact_mut(PIXELS).enumerate() {
            let mut random = generator(seed, Purpose::Distortion, index as u64);
            distorter.distort(image, copy, &mut random);
        }
        Ok(Cpu::default().tensor_from_vec(pixels, (copies, Const, Const)))
    }
}

/// The middle of an image, in pixels.
const MIDDLE: f32 = (SIDE - 1) as f32 / 2.0;
/// How many standard deviations of the Gaussian are kept on either side.
const REACH: f32 = 2.5;
/// The variance of numbers drawn evenly from -1..1.
const UNIFORM_VARIANCE: f32 = 1.0 / 3.0;

/// An [`Augment`] with its blur worked out.
#[derive(Debug, Clone)]
pub(crate) struct Distorter {
    limits: Augment,
    /// The Gaussian's weights, scaled so that a blur with it along both axes gives displacements of
    /// the wanted strength.
    blur: Vec<f32>,
}

impl Distorter {
    pub(crate) fn new(limits: Augment) -> Self {
        let reach = ((REACH * limits.smoothness).ceil() as usize).min(SIDE / 2 - 1);
        let exponent = |at: usize| {
            let distance = at as f32 - reach as f32;
            -0.5 * (distance / limits.smoothness.max(f32::MIN_POSITIVE)).powi(2)
        };
        let gaussian: Vec<f32> = (0..=2 * reach).map(|at| exponent(at).exp()).collect();
        // Blurring uncorrelated noise along both axes leaves this share of its standard deviation.
        let share: f32 = gaussian.iter().map(|weight| weight * weight).sum();
        let gain = (limits.elastic / (UNIFORM_VARIANCE.sqrt() * share)).sqrt();
        Self {
            limits,
            blur: gaussian.into_iter().map(|weight| weight * gain).collect(),
        }
    }

    /// Writes a distorted copy of `image`, 28x28 pixels, to `copy`.
    pub(crate) fn distort(&self, image: &[f32], copy: &mut [f32], random: &mut StdRng) {
        let Augment {
            rotation,
            shift,
            scale,
            shear,
            elastic,
            ..
        } = self.limits;
        let mut draw = |limit: f32| random.gen_range(-1.0..=1.0f32) * limit;
        let (sin, cos) = draw(rotation.to_radians()).sin_cos();
        let (scale_y, scale_x) = (1.0 + draw(scale), 1.0 + draw(scale));
        let (shear, shift_y, shift_x) = (draw(shear), draw(shift), draw(shift));
        // Where a pixel of the copy comes from: turn, shear and scale about the middle, then shift.
        let (yy, yx) = (cos * scale_y, -sin * scale_x);
        let (xy, xx) = ((sin + shear * cos) * scale_y, (cos - shear * sin) * scale_x);
        let bend = elastic > 0.0;
        let [bend_y, bend_x] = if bend {
            [self.displacements(random), self.displacements(random)]
        } else {
            [[0.0; PIXELS]; 2]
        };
        let image = Framed::new(image);
        for (index, pixel) in copy.iter_mut().enumerate() {
            let (y, x) = (
                (index / SIDE) as f32 - MIDDLE,
                (index % SIDE) as f32 - MIDDLE,
            );
            let from_y = yy * y + yx * x + MIDDLE + shift_y + bend_y[index];
            let from_x = xy * y + xx * x + MIDDLE + shift_x + bend_x[index];
            *pixel = image.sample(from_y, from_x);
        }
    }

    /// Smooth random numbers, one for each pixel. The image's opposite edges count as neighbours, so
    /// that the strength is the same everywhere.
    fn displacements(&self, random: &mut StdRng) -> [f32; PIXELS] {
        let mut noise = [0; PIXELS];
        random.fill_bytes(&mut noise);
        let reach = self.blur.len() / 2;
        let mut along_rows = [0.0; PIXELS];
        let mut padded = [0.0; 2 * SIDE];
        for (noise, blurred) in noise
            .chunks_exact(SIDE)
            .zip(along_rows.chunks_exact_mut(SIDE))
        {
            for (at, value) in padded[..SIDE + 2 * reach].iter_mut().enumerate() {
                *value = f32::from(noise[(at + SIDE - reach) % SIDE]) / 127.5 - 1.0;
            }
            for (tap, weight) in self.blur.iter().enumerate() {
                for (blurred, value) in blurred.iter_mut().zip(&padded[tap..tap + SIDE]) {
                    *blurred += weight * value;
                }
            }
        }
        let mut along_both = [0.0; PIXELS];
        for (row, blurred) in along_both.chunks_exact_mut(SIDE).enumerate() {
            for (tap, weight) in self.blur.iter().enumerate() {
                let from = (row + tap + SIDE - reach) % SIDE * SIDE;
                for (blurred, value) in blurred.iter_mut().zip(&along_rows[from..from + SIDE]) {
                    *blurred += weight * value;
                }
            }
        }
        along_both
    }
}

/// An image with a black margin of one pixel at the top and left, and two at the bottom and right, so
/// that the four neighbours of any place on it exist.
struct Framed([f32; FRAMED_SIDE * FRAMED_SIDE]);

const FRAMED_SIDE: usize = SIDE + 3;

impl Framed {
    fn new(image: &[f32]) -> Self {
        let mut framed = [0.0; FRAMED_SIDE * FRAMED_SIDE];
        let rows = framed.chunks_exact_mut(FRAMED_SIDE).skip(1);
        for (to, from) in rows.zip(image.chunks_exact(SIDE)) {
            to[1..=SIDE].copy_from_slice(from);
        }
        Self(framed)
    }

    /// The brightness between four pixels, by bilinear interpolation; black outside.
    fn sample(&self, y: f32, x: f32) -> f32 {
        let (y, x) = (
            y.clamp(-1.0, SIDE as f32) + 1.0,
            x.clamp(-1.0, SIDE as f32) + 1.0,
        );
        let (top, left) = (y as usize, x as usize);
        let (down, right) = (y - top as f32, x - left as f32);
        let pixels = &self.0[top * FRAMED_SIDE + left..][..FRAMED_SIDE + 2];
        let above = pixels[0] + (pixels[1] - pixels[0]) * right;
        let (left, next) = (pixels[FRAMED_SIDE], pixels[FRAMED_SIDE + 1]);
        let below = left + (next - left) * right;
        above + (below - above) * down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(index: u64) -> StdRng {
        generator(0, Purpose::Distortion, index)
    }

    fn blob() -> Vec<f32> {
        let bright = |at: usize| (8..20).contains(&(at / SIDE)) && (11..17).contains(&(at % SIDE));
        (0..PIXELS)
            .map(|at| f32::from(u8::from(bright(at))))
            .collect()
    }

    #[test]
    fn without_limits_nothing_changes() {
        let none = Augment {
            rotation: 0.0,
            shift: 0.0,
            scale: 0.0,
            shear: 0.0,
            elastic: 0.0,
            smoothness: 3.0,
        };
        let mut copy = vec![1.0; PIXELS];
        Distorter::new(none).distort(&blob(), &mut copy, &mut random(0));
        for (a, b) in copy.iter().zip(blob()) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn displacements_have_the_strength_that_was_asked_for() {
        let distorter = Distorter::new(Augment::default());
        let all: Vec<f32> = (0..300)
            .flat_map(|index| distorter.displacements(&mut random(index)))
            .collect();
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        let deviation = (all.iter().map(|d| d * d).sum::<f32>() / all.len() as f32).sqrt();
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((deviation - 0.4).abs() < 0.02, "{deviation}");
    }

    #[test]
    fn distortions_keep_the_ink_and_stay_within_range() {
        let distorter = Distorter::new(Augment::default());
        let ink: f32 = blob().iter().sum();
        for index in 0..100 {
            let mut copy = vec![0.0; PIXELS];
            distorter.distort(&blob(), &mut copy, &mut random(index));
            let distorted: f32 = copy.iter().sum();
            assert!(
                (0.6..1.6).contains(&(distorted / ink)),
                "{index}: {distorted} of {ink}"
            );
            assert!(copy.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
            assert_ne!(copy, blob());
        }
    }
}
