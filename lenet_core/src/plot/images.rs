//! What can be shown as a picture: tensors of grey values, before and after normalising.

use dfdx::shapes::{Const, Dim, HasShape, Unit};
use dfdx::tensor::{Cpu, Tensor};

/// The type of a tensor's grey values.
pub trait Pixel: Unit {
    /// The grey value from 0 (background) to 1 (ink).
    fn ink(self) -> f32;
}

impl Pixel for u8 {
    fn ink(self) -> f32 {
        f32::from(self) / f32::from(u8::MAX)
    }
}

impl Pixel for f32 {
    fn ink(self) -> f32 {
        self
    }
}

/// A batch of grey pictures: a tensor of u8 (0 to 255) or f32 (0 to 1), of shape (rows, columns),
/// (images, rows, columns) or (images, 1, rows, columns).
pub trait Images {
    /// How many images there are.
    fn count(&self) -> usize;

    /// Rows and columns of each image.
    fn size(&self) -> (usize, usize);

    /// The ink at a place of an image, from 0 to 1. Image, row and column must be in range.
    fn ink(&self, image: usize, row: usize, column: usize) -> f32;
}

impl<R: Dim, C: Dim, P: Pixel, T> Images for Tensor<(R, C), P, Cpu, T> {
    fn count(&self) -> usize {
        1
    }

    fn size(&self) -> (usize, usize) {
        (self.shape().0.size(), self.shape().1.size())
    }

    fn ink(&self, _: usize, row: usize, column: usize) -> f32 {
        self[[row, column]].ink()
    }
}

impl<N: Dim, R: Dim, C: Dim, P: Pixel, T> Images for Tensor<(N, R, C), P, Cpu, T> {
    fn count(&self) -> usize {
        self.shape().0.size()
    }

    fn size(&self) -> (usize, usize) {
        (self.shape().1.size(), self.shape().2.size())
    }

    fn ink(&self, image: usize, row: usize, column: usize) -> f32 {
        self[[image, row, column]].ink()
    }
}

impl<N: Dim, R: Dim, C: Dim, P: Pixel, T> Images for Tensor<(N, Const<1>, R, C), P, Cpu, T> {
    fn count(&self) -> usize {
        self.shape().0.size()
    }

    fn size(&self) -> (usize, usize) {
        (self.shape().2.size(), self.shape().3.size())
    }

    fn ink(&self, image: usize, row: usize, column: usize) -> f32 {
        self[[image, 0, row, column]].ink()
    }
}

/// One class from 0 for each image: a tensor or a slice of u8.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no labels: a figure takes a class for each image, as `mnist::load_data` gives it",
    label = "not one class for each image",
    note = "one-hot rows are labels no more: to draw again, load the data again"
)]
pub trait Labels {
    /// How many labels there are.
    fn count(&self) -> usize;

    /// The label of an image. The image must be in range.
    fn label(&self, image: usize) -> u8;
}

impl<N: Dim, T> Labels for Tensor<(N,), u8, Cpu, T> {
    fn count(&self) -> usize {
        self.shape().0.size()
    }

    fn label(&self, image: usize) -> u8 {
        self[[image]]
    }
}

impl Labels for [u8] {
    fn count(&self) -> usize {
        self.len()
    }

    fn label(&self, image: usize) -> u8 {
        self[image]
    }
}

impl Labels for Vec<u8> {
    fn count(&self) -> usize {
        self.len()
    }

    fn label(&self, image: usize) -> u8 {
        self[image]
    }
}
