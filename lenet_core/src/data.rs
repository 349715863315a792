//! Images and their targets, ready for a network.

use dfdx::prelude::*;
use flate2::Crc;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::kernels::prefetch::prefetch;
use crate::network::{Batch, Logits, CLASSES, PIXELS, SIDE};
use crate::view::{values, values_mut};

/// So many images before it is copied, an image is asked for: shuffled ones come from far away in memory.
const AHEAD: usize = 2;

/// Normalised images with one-hot targets. Making one, or a clone of one, copies no pixels.
///
/// A pair of tensors becomes one by `into`, where the types make sure that there is a target for
/// each image:
///
/// ```
/// use lenet_core::{dfdx::prelude::*, Data};
/// let dev = Cpu::default();
/// let images = dev.zeros::<Rank4<3, 1, 28, 28>>();
/// let targets = dev.zeros::<Rank2<3, 10>>();
/// let data: Data = (&images, &targets).into();
/// assert_eq!(data.len(), 3);
/// ```
///
/// Four targets for three images do not compile:
///
/// ```compile_fail
/// # use lenet_core::{dfdx::prelude::*, Data};
/// # let dev = Cpu::default();
/// # let images = dev.zeros::<Rank4<3, 1, 28, 28>>();
/// let targets = dev.zeros::<Rank2<4, 10>>();
/// let data: Data = (&images, &targets).into();
/// ```
#[derive(Debug, Clone)]
pub struct Data {
    images: Batch,
    targets: Logits,
}

/// Images that there are targets for, as many of them: `(N, 1, 28, 28)` and `(N, 10)`.
#[diagnostic::on_unimplemented(
    message = "these are no images with a target for each",
    label = "wanted is a pair `(&images, &targets)`",
    note = "images have the shape `(N, 1, 28, 28)` and are `f32`: `reshape` and `normalize` make them so",
    note = "targets have the shape `(N, 10)` with the same `N`: `to_categorical` makes them of labels"
)]
pub trait Images<Targets> {
    /// Images and targets in one.
    fn with(&self, targets: &Targets) -> Data;
}

impl<N: Dim> Images<Tensor<(N, Const<CLASSES>), f32, Cpu>>
    for Tensor<(N, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu>
{
    fn with(&self, targets: &Tensor<(N, Const<CLASSES>), f32, Cpu>) -> Data {
        Data {
            images: any_number(self),
            targets: any_number(targets),
        }
    }
}

/// The same tensor with its first size taken out of its type. Unlike a reshape it brings no kernels into the cell that
/// asks for it.
fn any_number<S, R>(tensor: &Tensor<S, f32, Cpu>) -> Tensor<R, f32, Cpu>
where
    S: Shape + RealizeShapeTo<R>,
    R: Shape<Concrete = S::Concrete>,
{
    let Ok(tensor) = tensor.clone().try_realize() else {
        unreachable!("the other sizes are the same in both types");
    };
    tensor
}

impl<I: Images<T>, T> From<(&I, &T)> for Data {
    fn from((images, targets): (&I, &T)) -> Self {
        images.with(targets)
    }
}

impl Data {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.images.shape().0
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of the first `images` images and their targets, for a quick try.
    ///
    /// # Errors
    /// [`Error::Argument`] if `images` is 0 or more than there are.
    pub fn first(&self, images: usize) -> Result<Self> {
        if images == 0 || images > self.len() {
            let expected = format!("1 to {}, the images that there are", self.len());
            return Err(Error::argument("images", expected, images.to_string()));
        }
        self.part(0..images)
    }

    /// Cuts the images in two: the first `1 - fraction` of them to train on, the rest to validate on,
    /// as Keras' `validation_split` does. Shuffle first if the order means something.
    ///
    /// # Errors
    /// [`Error::Argument`] if either part would be empty.
    pub fn split(&self, fraction: f64) -> Result<(Self, Self)> {
        let first = (self.len() as f64 * (1.0 - fraction)).round() as usize;
        if !(0.0..1.0).contains(&fraction) || first == 0 || first >= self.len() {
            let expected = format!("such that both parts of {} images have some", self.len());
            return Err(Error::argument("fraction", expected, fraction.to_string()));
        }
        Ok((self.part(0..first)?, self.part(first..self.len())?))
    }

    fn part(&self, range: std::ops::Range<usize>) -> Result<Self> {
        let order: Vec<usize> = range.collect();
        let (mut images, mut targets) = batch(self.device(), order.len())?;
        self.gather(&order, &mut images, &mut targets);
        Ok(Self { images, targets })
    }

    /// # Errors
    /// Where the data cannot be trained or evaluated on.
    pub(crate) fn check(&self) -> Result<()> {
        let complain = |expected: &str, got: String| Err(Error::argument("data", expected, got));
        let targets = self.targets.shape().0;
        if targets != self.len() {
            return complain(
                "a target for each image",
                format!("{} images and {targets} targets", self.len()),
            );
        }
        if self.is_empty() {
            return complain("at least one image", "none".into());
        }
        let images = values(&self.images);
        let images = images.par_chunks_exact(PIXELS);
        if let Some(at) = images.position_first(|pixels| !all_finite(pixels)) {
            let expected = "finite pixels; NaN and infinity cannot be trained on";
            return complain(expected, format!("one that is not finite in image {at}"));
        }
        if let Some(at) = values(&self.targets)
            .chunks_exact(CLASSES)
            .position(|row| !all_finite(row))
        {
            return complain(
                "finite targets",
                format!("one that is not finite for image {at}"),
            );
        }
        Ok(())
    }

    /// What tells this data from other data, in words: how many images, and a checksum of all numbers.
    pub(crate) fn fingerprint(&self) -> String {
        let mut checksum = Crc::new();
        let mut bytes = Vec::with_capacity(PIXELS * size_of::<f32>());
        for numbers in [values(&self.images), values(&self.targets)] {
            for numbers in numbers.chunks(PIXELS) {
                bytes.clear();
                bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
                checksum.update(&bytes);
            }
        }
        format!("{} images with CRC-32 {:08x}", self.len(), checksum.sum())
    }

    /// Copies the images and targets at `order` into a batch of that size.
    pub(crate) fn gather(&self, order: &[usize], images: &mut Batch, targets: &mut Logits) {
        self.gather_with(order, images, targets, |image, copy, _| {
            copy.copy_from_slice(image)
        });
    }

    /// Lets `draw` make each image of a batch from the image at its place in `order`, which is its
    /// third argument, and copies the targets.
    pub(crate) fn gather_with(
        &self,
        order: &[usize],
        images: &mut Batch,
        targets: &mut Logits,
        draw: impl Fn(&[f32], &mut [f32], usize),
    ) {
        let (from_images, from_targets) = (values(&self.images), values(&self.targets));
        let images = values_mut(images).chunks_exact_mut(PIXELS);
        let targets = values_mut(targets).chunks_exact_mut(CLASSES);
        let from_image = |at: usize| &from_images[at * PIXELS..][..PIXELS];
        for (i, (image, target)) in images.zip(targets).enumerate() {
            let at = order[i];
            if let Some(&later) = order.get(i + AHEAD) {
                prefetch(from_image(later));
            }
            draw(from_image(at), image, at);
            target.copy_from_slice(&from_targets[at * CLASSES..][..CLASSES]);
        }
    }

    /// Has the CPU look up where the images at `order` lie, which are wanted soon: their first and last pixels tell.
    pub(crate) fn expect(&self, order: &[usize]) {
        let images = values(&self.images);
        for at in order {
            let image = &images[at * PIXELS..][..PIXELS];
            prefetch(&image[..1]);
            prefetch(&image[PIXELS - 1..]);
        }
    }

    pub(crate) fn device(&self) -> &Cpu {
        self.images.device()
    }
}

/// Whether no number is NaN or infinite. Those have the largest exponent, and so the largest bits:
/// a maximum of integers finds them, which runs in vectors.
pub(crate) fn all_finite(numbers: &[f32]) -> bool {
    let largest = numbers
        .iter()
        .map(|number| number.abs().to_bits())
        .fold(0, u32::max);
    largest < f32::INFINITY.to_bits()
}

/// Room for a batch of `size` images and targets.
pub(crate) fn batch(device: &Cpu, size: usize) -> Result<(Batch, Logits)> {
    Ok((
        device.try_zeros_like(&(size, Const, Const, Const))?,
        device.try_zeros_like(&(size, Const))?,
    ))
}
