//! Images and their targets, ready for a network.

use std::borrow::Cow;

use dfdx::prelude::*;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::slices::{values, values_mut};
use crate::suspicion;

/// Copies an image, as it is or distorted; the third argument is its place in the data.
pub(crate) type CopyImage<'a> = dyn Fn(&[f32], &mut [f32], usize) + Sync + 'a;

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
#[derive(Clone)]
pub struct Data {
    images: Tensor<(usize, usize, usize, usize), f32, Cpu>,
    targets: Tensor<(usize, usize), f32, Cpu>,
}

/// A batch of images that a network can learn from: f32 of shape `(N, channels, side, side)`.
#[diagnostic::on_unimplemented(
    message = "the first of the pair, `{Self}`, are no images for a network: `reshape` gives them the shape (N, channels, side, side), `normalize` makes bytes f32",
    label = "wanted is a pair `(&images, &targets)`"
)]
pub trait Images {
    /// The number of images.
    type Count: Dim;
    /// The same tensor without its sizes in its type.
    fn images(&self) -> Tensor<(usize, usize, usize, usize), f32, Cpu>;
}

impl<N: Dim, C: Dim, H: Dim, W: Dim> Images for Tensor<(N, C, H, W), f32, Cpu> {
    type Count = N;
    fn images(&self) -> Tensor<(usize, usize, usize, usize), f32, Cpu> {
        any_sizes(self)
    }
}

/// One-hot rows, a row for each image: f32 of shape `(N, classes)`.
#[diagnostic::on_unimplemented(
    message = "the second of the pair, `{Self}`, are no one-hot rows: `to_categorical::<10, _>(&labels)?` makes them of labels",
    label = "wanted is a pair `(&images, &targets)`"
)]
pub trait Targets {
    /// The number of rows.
    type Count: Dim;
    /// The same tensor without its sizes in its type.
    fn targets(&self) -> Tensor<(usize, usize), f32, Cpu>;
}

impl<N: Dim, K: Dim> Targets for Tensor<(N, K), f32, Cpu> {
    type Count = N;
    fn targets(&self) -> Tensor<(usize, usize), f32, Cpu> {
        any_sizes(self)
    }
}

/// That there are as many images as targets.
pub trait AsManyAs<M> {}

impl AsManyAs<usize> for usize {}

impl<const N: usize, const M: usize> AsManyAs<Const<M>> for Const<N> where (): Equal<N, M> {}

/// That two numbers are the same.
#[diagnostic::on_unimplemented(
    message = "there are {N} images, but {M} targets",
    label = "training images belong to training labels, test images to test labels"
)]
pub trait Equal<const N: usize, const M: usize> {}

impl<const N: usize> Equal<N, N> for () {}

/// The same tensor with its sizes taken out of its type. Unlike a reshape it brings no kernels into the cell that
/// asks for it.
fn any_sizes<S, R>(tensor: &Tensor<S, f32, Cpu>) -> Tensor<R, f32, Cpu>
where
    S: Shape + RealizeShapeTo<R>,
    R: Shape<Concrete = S::Concrete>,
{
    let Ok(tensor) = tensor.clone().try_realize() else {
        unreachable!("any size is a `usize`");
    };
    tensor
}

impl<I: Images, T: Targets> From<(&I, &T)> for Data
where
    I::Count: AsManyAs<T::Count>,
{
    fn from((images, targets): (&I, &T)) -> Self {
        Self { images: images.images(), targets: targets.targets() }
    }
}

impl From<&Data> for Data {
    fn from(data: &Data) -> Self {
        data.clone()
    }
}

/// What `fit` and `evaluate` take: [`Data`], or a pair of references to images and targets.
#[diagnostic::on_unimplemented(
    message = "images and targets go in as one pair of references, as in `(&x_train, &y_train)`",
    label = "this is `{Self}`"
)]
pub trait IntoData {
    /// The images with their targets.
    fn into_data(self) -> Data;
}

impl IntoData for Data {
    fn into_data(self) -> Data {
        self
    }
}

impl IntoData for &Data {
    fn into_data(self) -> Data {
        self.clone()
    }
}

impl<I: Images, T: Targets> IntoData for (&I, &T)
where
    I::Count: AsManyAs<T::Count>,
{
    fn into_data(self) -> Data {
        self.into()
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

    /// The sizes of an image: channels, height and width.
    pub(crate) fn image_sizes(&self) -> [usize; 3] {
        let (_, channels, height, width) = *self.images.shape();
        [channels, height, width]
    }

    /// The number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.targets.shape().1
    }

    /// The values of an image.
    fn pixels(&self) -> usize {
        self.image_sizes().iter().product()
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
    /// ```
    /// use lenet_core::prelude::*;
    /// let images = Cpu::default().zeros::<Rank4<8, 1, 28, 28>>();
    /// let targets = Cpu::default().zeros::<Rank2<8, 10>>();
    /// let (train, validation) = Data::from((&images, &targets)).split(0.25)?;
    /// assert_eq!((train.len(), validation.len()), (6, 2));
    /// # Ok::<(), lenet_core::Error>(())
    /// ```
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
        let ([channels, height, width], classes) = (self.image_sizes(), self.classes());
        let (count, pixels) = (range.len(), self.pixels());
        let images = values(&self.images)[range.start * pixels..range.end * pixels].to_vec();
        let targets = values(&self.targets)[range.start * classes..range.end * classes].to_vec();
        let device = self.images.device();
        Ok(Self {
            images: device.try_tensor_from_vec(images, (count, channels, height, width))?,
            targets: device.try_tensor_from_vec(targets, (count, classes))?,
        })
    }

    /// Whether a network can be trained or evaluated on this, that takes images of these sizes and knows these `classes`.
    /// Returns what is suspicious about the images, if anything.
    ///
    /// # Errors
    /// [`Error::Argument`] if it cannot.
    pub(crate) fn check(&self, sizes: &[usize], classes: usize) -> Result<Option<String>> {
        let complain = |expected: String, got: String| Err(Error::argument("data", expected, got));
        let (images, targets) = (self.images(), self.targets());
        let by = |sizes: &[usize]| Vec::from_iter(sizes.iter().map(usize::to_string)).join("x");
        if sizes != self.image_sizes() || classes != self.classes() {
            let words = |sizes: &[usize], classes| format!("images of {} with {classes} classes", by(sizes));
            return complain(
                format!("{}, as the network takes them", words(sizes, classes)),
                words(&self.image_sizes(), self.classes()),
            );
        }
        let rows = self.targets.shape().0;
        if rows != self.len() {
            return complain("a target for each image".into(), format!("{} images and {rows} targets", self.len()));
        }
        if self.is_empty() {
            return complain("at least one image".into(), "none".into());
        }
        let finite = |values: &[f32]| suspicion::largest(values) < f32::INFINITY.to_bits();
        let chunks = images.par_chunks_exact(self.pixels());
        if let Some(at) = chunks.position_first(|pixels| !finite(pixels)) {
            return complain(
                "finite pixels; NaN and infinity cannot be trained on".into(),
                format!("one that is not finite in image {at}"),
            );
        }
        if let Some(at) = targets.chunks_exact(classes).position(|row| !finite(row)) {
            return complain("finite targets".into(), format!("one that is not finite for image {at}"));
        }
        Ok(suspicion::of_images(&images, sizes[1]))
    }

    /// A copy of some of the images, with rows and columns exchanged, and their targets.
    pub(crate) fn transposed(&self, most: usize) -> Result<Self> {
        let mut part = self.part(0..most.min(self.len()))?;
        let [_, side, _] = self.image_sizes();
        let from = part.images().into_owned();
        for (at, pixel) in values_mut(&mut part.images).iter_mut().enumerate() {
            let (plane, row, column) = (at / (side * side), at / side % side, at % side);
            *pixel = from[(plane * side + column) * side + row];
        }
        Ok(part)
    }

    /// The values of all images.
    pub(crate) fn images(&self) -> Cow<'_, [f32]> {
        values(&self.images)
    }

    /// The values of all targets.
    pub(crate) fn targets(&self) -> Cow<'_, [f32]> {
        values(&self.targets)
    }

    /// Has `copy` write each of the images at these places.
    pub(crate) fn gather(&self, places: &[usize], images: &mut [f32], copy: &CopyImage<'_>) {
        let (from, pixels) = (self.images(), self.pixels());
        for (at, image) in places.iter().zip(images.chunks_exact_mut(pixels)) {
            copy(&from[at * pixels..][..pixels], image, *at);
        }
    }

    /// Copies the targets at these places.
    pub(crate) fn gather_targets(&self, places: &[usize], targets: &mut Vec<f32>) {
        let (from, classes) = (self.targets(), self.classes());
        targets.clear();
        for at in places {
            targets.extend_from_slice(&from[at * classes..][..classes]);
        }
    }
}
