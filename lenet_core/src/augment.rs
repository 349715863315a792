//! Distorted copies of the training images, a new one each time an image is shown.

use rand::rngs::StdRng;
use rand::Rng;

use crate::error::{Error, Result};
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
    /// How smooth the bending is: the standard deviation of the bell that blurs the displacements, in pixels.
    pub smoothness: f32,
    /// Epochs with distortions, counted from the model's first. Later ones show the images as they are: what the network is to
    /// read in the end.
    pub epochs: usize,
}

impl Default for Augment {
    fn default() -> Self {
        Self { rotation: 6.0, shift: 1.0, scale: 0.08, shear: 0.2, elastic: 0.4, smoothness: 3.0, epochs: usize::MAX }
    }
}

impl Augment {
    /// Stronger distortions, as [`Fit::short`](crate::Fit::short) and [`Fit::long`](crate::Fit::long) have them: the more often
    /// an image is shown, the more its copies have to differ to be news.
    ///
    /// ```
    /// use lenet_core::Augment;
    /// assert!(Augment::strong().rotation > Augment::default().rotation);
    /// ```
    pub fn strong() -> Self {
        Self { rotation: 10.0, shift: 1.5, scale: 0.12, elastic: 0.6, ..Self::default() }
    }

    /// Distorted copies of one image, one after the other: what training shows instead of the image, to look at.
    ///
    /// `image` holds the pixels of a square image of one channel row by row, in 0..=1. The same seed draws the same copies.
    ///
    /// ```
    /// use lenet_core::Augment;
    /// let mut image = vec![0.0; 784];
    /// image[406] = 1.0;
    /// let copies = Augment::default().copies(&image, 3, 0)?;
    /// assert_eq!(copies.len(), 3);
    /// assert_ne!(copies[0], image);
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Argument`] if the image is not square.
    pub fn copies(&self, image: &[f32], copies: usize, seed: u64) -> Result<Vec<Vec<f32>>> {
        let side = image.len().isqrt();
        if side * side != image.len() || side < 2 {
            let got = format!("{} pixels", image.len());
            return Err(Error::argument("image", "a square of at least 2x2 pixels", got));
        }
        let distorter = Distorter::new(*self, [1, side, side]);
        let copy = |index| {
            let mut copy = vec![0.0; image.len()];
            distorter.distort(image, &mut copy, &mut generator(seed, Purpose::Distortion, [index, 0]));
            copy
        };
        Ok((0..copies as u64).map(copy).collect())
    }
}

/// The variance of values drawn evenly from -1..1.
const UNIFORM_VARIANCE: f32 = 1.0 / 3.0;

/// An [`Augment`] for images of one size.
///
/// Displacements are cubic B-splines over a coarse grid of random values (Rueckert et al. 1999, "Nonrigid registration
/// using free-form deformations"): as smooth as noise that is drawn and blurred pixel by pixel, for less work.
#[derive(Debug, Clone)]
pub(crate) struct Distorter {
    limits: Augment,
    height: usize,
    width: usize,
    /// How much each point of the grid counts: for each row of pixels a weight for each row of the grid.
    rows: Vec<f32>,
    /// For each column of the grid a weight for each column of pixels.
    columns: Vec<f32>,
    /// The largest value of a point of the grid.
    strength: f32,
}

impl Distorter {
    /// For images of these sizes: channels, height, width. All channels of an image are distorted alike.
    pub(crate) fn new(limits: Augment, [_, height, width]: [usize; 3]) -> Self {
        let [rows, columns] = [height, width].map(|pixels| spline(pixels, limits.smoothness));
        let mean_square = |weights: &[f32], pixels| weights.iter().map(|w| w * w).sum::<f32>() / pixels as f32;
        let variance = UNIFORM_VARIANCE * mean_square(&rows, height) * mean_square(&columns, width);
        let points = columns.len() / width;
        let columns = (0..points).flat_map(|point| columns[point..].iter().step_by(points).copied()).collect();
        Self { limits, height, width, rows, columns, strength: limits.elastic / variance.sqrt() }
    }

    /// Writes a distorted copy of `image` to `copy`.
    pub(crate) fn distort(&self, image: &[f32], copy: &mut [f32], random: &mut StdRng) {
        let Augment { rotation, shift, scale, shear, .. } = self.limits;
        let mut sample = |limit: f32| random.gen_range(-1.0..=1.0f32) * limit;
        let (sin, cos) = sample(rotation.to_radians()).sin_cos();
        let (scale_y, scale_x) = (1.0 + sample(scale), 1.0 + sample(scale));
        let (shear, shift_y, shift_x) = (sample(shear), sample(shift), sample(shift));
        // Where a pixel of the copy comes from: turn, shear and scale about the middle, then shift.
        let (yy, yx) = (cos * scale_y, -sin * scale_x);
        let (xy, xx) = ((sin + shear * cos) * scale_y, (cos - shear * sin) * scale_x);
        let displacements = self.displacements(random);
        let [middle_y, middle_x] = [self.height, self.width].map(|side| (side - 1) as f32 / 2.0);
        let pixels = self.height * self.width;
        for (image, copy) in image.chunks_exact(pixels).zip(copy.chunks_exact_mut(pixels)) {
            let image = Framed::new(image, self.height, self.width);
            let rows = copy.chunks_exact_mut(self.width).zip(displacements.chunks_exact(2 * self.width));
            for (row, (copy, displacements)) in rows.enumerate() {
                let (bend_y, bend_x) = displacements.split_at(self.width);
                let y = row as f32 - middle_y;
                let (start_y, start_x) = (yy * y + middle_y + shift_y, xy * y + middle_x + shift_x);
                for ((column, pixel), (bend_y, bend_x)) in copy.iter_mut().enumerate().zip(bend_y.iter().zip(bend_x)) {
                    let x = column as f32 - middle_x;
                    *pixel = image.sample(start_y + yx * x + bend_y, start_x + xx * x + bend_x);
                }
            }
        }
    }

    /// Smooth random values: for each row of pixels how far below each of them its value is taken from, then how far to the
    /// right of it.
    fn displacements(&self, random: &mut StdRng) -> Vec<f32> {
        let [down, across] = [self.rows.len() / self.height, self.columns.len() / self.width];
        let grid: Vec<f32> = (0..2 * down * across).map(|_| self.strength * random.gen_range(-1.0..=1.0f32)).collect();
        product(&self.rows, &product(&grid, &self.columns, across), down)
    }
}

/// The weights of cubic B-splines of this standard deviation, or a little more than half a pixel at the least: for each
/// pixel one for each point of a grid.
fn spline(pixels: usize, deviation: f32) -> Vec<f32> {
    // The spline is the density of a sum of four values drawn evenly from an interval as long as the points are apart.
    let spacing = (deviation * 3f32.sqrt()).max(1.0);
    let points = ((pixels - 1) as f32 / spacing) as usize + 4;
    let weight = |pixel: usize, point: usize| {
        let distance = (pixel as f32 / spacing + 1.0 - point as f32).abs();
        match distance {
            0.0..1.0 => (4.0 + 3.0 * distance * distance * (distance - 2.0)) / 6.0,
            1.0..2.0 => (2.0 - distance).powi(3) / 6.0,
            _ => 0.0,
        }
    };
    (0..pixels).flat_map(|pixel| (0..points).map(move |point| weight(pixel, point))).collect()
}

/// The product of two matrices, of which the left one has mostly zeros; it has `inner` columns.
fn product(left: &[f32], right: &[f32], inner: usize) -> Vec<f32> {
    let width = right.len() / inner;
    let mut product = vec![0.0; left.len() / inner * width];
    for (weights, row) in left.chunks_exact(inner).zip(product.chunks_exact_mut(width)) {
        for (weight, right) in weights.iter().zip(right.chunks_exact(width)).filter(|(weight, _)| **weight != 0.0) {
            for (value, right) in row.iter_mut().zip(right) {
                *value += weight * right;
            }
        }
    }
    product
}

/// An image with a margin of one pixel at the top and left, and two at the bottom and right, so that the four neighbours of any
/// place on it exist. The margin is as dark as the darkest pixel: black, whatever number black is.
struct Framed {
    pixels: Vec<f32>,
    height: f32,
    width: usize,
}

impl Framed {
    fn new(image: &[f32], height: usize, width: usize) -> Self {
        let darkest = image.iter().copied().fold(f32::INFINITY, f32::min);
        let mut pixels = vec![darkest; (height + 3) * (width + 3)];
        let rows = pixels.chunks_exact_mut(width + 3).skip(1);
        for (to, from) in rows.zip(image.chunks_exact(width)) {
            to[1..=width].copy_from_slice(from);
        }
        Self { pixels, height: height as f32, width }
    }

    /// The brightness between four pixels, by bilinear interpolation; dark outside.
    fn sample(&self, y: f32, x: f32) -> f32 {
        let (y, x) = (y.clamp(-1.0, self.height) + 1.0, x.clamp(-1.0, self.width as f32) + 1.0);
        let (top, left) = (y as i32, x as i32);
        let (down, right) = (y - top as f32, x - left as f32);
        let row = self.width + 3;
        let pixels = &self.pixels[top as usize * row + left as usize..][..row + 2];
        let above = pixels[0] + (pixels[1] - pixels[0]) * right;
        let below = pixels[row] + (pixels[row + 1] - pixels[row]) * right;
        above + (below - above) * down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 28;
    const PIXELS: usize = SIDE * SIDE;
    const SIZES: [usize; 3] = [1, SIDE, SIDE];

    fn random(index: u64) -> StdRng {
        generator(0, Purpose::Distortion, [index, 0])
    }

    fn blob() -> Vec<f32> {
        let bright = |at: usize| (8..20).contains(&(at / SIDE)) && (11..17).contains(&(at % SIDE));
        (0..PIXELS).map(|at| f32::from(u8::from(bright(at)))).collect()
    }

    #[test]
    fn without_limits_nothing_changes() {
        let none = Augment { rotation: 0.0, shift: 0.0, scale: 0.0, shear: 0.0, elastic: 0.0, ..Augment::default() };
        let mut copy = vec![1.0; PIXELS];
        Distorter::new(none, SIZES).distort(&blob(), &mut copy, &mut random(0));
        for (a, b) in copy.iter().zip(blob()) {
            assert!((a - b).abs() < 1e-5);
        }
    }

    #[test]
    fn what_comes_in_at_the_edges_is_as_dark_as_the_image() {
        let (image, mut copies) = (blob(), [vec![0.0; PIXELS], vec![0.0; PIXELS]]);
        let darker: Vec<f32> = image.iter().map(|pixel| pixel - 0.5).collect();
        let distorter = Distorter::new(Augment { shift: 9.0, ..Augment::default() }, SIZES);
        for (image, copy) in [&image, &darker].into_iter().zip(&mut copies) {
            distorter.distort(image, copy, &mut random(3));
        }
        let [copy, darker] = copies;
        assert!(copy.iter().zip(darker).all(|(a, b)| (a - 0.5 - b).abs() < 1e-5));
    }

    #[test]
    fn displacements_have_the_strength_that_was_asked_for() {
        let distorter = Distorter::new(Augment::default(), SIZES);
        let all: Vec<f32> = (0..300).flat_map(|index| distorter.displacements(&mut random(index))).collect();
        let mean = all.iter().sum::<f32>() / all.len() as f32;
        let deviation = (all.iter().map(|d| d * d).sum::<f32>() / all.len() as f32).sqrt();
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((deviation - 0.4).abs() < 0.02, "{deviation}");
    }

    #[test]
    fn distortions_keep_the_ink_and_stay_within_range() {
        let distorter = Distorter::new(Augment::default(), SIZES);
        let ink: f32 = blob().iter().sum();
        for index in 0..100 {
            let mut copy = vec![0.0; PIXELS];
            distorter.distort(&blob(), &mut copy, &mut random(index));
            let distorted: f32 = copy.iter().sum();
            assert!((0.6..1.6).contains(&(distorted / ink)), "{index}: {distorted} of {ink}");
            assert!(copy.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
            assert_ne!(copy, blob());
        }
    }
}
