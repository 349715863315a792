//! From bytes to what a network takes.

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::slices::values;

/// The brightest pixel of a byte image.
const WHITE: f32 = 255.0;

/// Images of `C` channels, as many as a file holds: `(images, C, H, W)`.
pub type DynRank4<const C: usize, const H: usize, const W: usize> = (usize, Const<C>, Const<H>, Const<W>);

/// A shape whose sizes the compiler knows, all of them or all but the first, which then is a `usize`.
#[diagnostic::on_unimplemented(
    message = "the compiler does not know the sizes of `{Self}`: a `reshape` takes `Rank4<N, 1, 28, 28>`, or `DynRank4<1, 28, 28>`",
    label = "only the first size may be a `usize`"
)]
pub trait Known: Shape {
    /// Whether the first size is known, too.
    const FIRST: bool;
    /// The product of the known sizes.
    const ELEMENTS: usize;
    /// The shape of so many elements.
    fn of(elements: usize) -> Self;
}

macro_rules! known {
    ($($size:ident)*) => {
        impl<const N: usize, $(const $size: usize),*> Known for (Const<N>, $(Const<$size>,)*) {
            const FIRST: bool = true;
            const ELEMENTS: usize = N $(* $size)*;
            fn of(_: usize) -> Self {
                Self::default()
            }
        }
        impl<$(const $size: usize),*> Known for (usize, $(Const<$size>,)*) {
            const FIRST: bool = false;
            const ELEMENTS: usize = 1 $(* $size)*;
            fn of(elements: usize) -> Self {
                (elements / Self::ELEMENTS.max(1), $(Const::<$size>,)*)
            }
        }
    };
}

known!();
known!(A);
known!(A B);
known!(A B C);
known!(A B C D);
known!(A B C D E);

/// Reshaping checked by the compiler.
pub trait Reshape<S: Known, E: Unit> {
    /// The same values in the same order under another shape. A shape with another number of values
    /// does not compile.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let images = Cpu::default().tensor([[[0u8, 1], [2, 3]]; 5]);
    /// assert!(images.reshape::<Rank4<5, 1, 2, 2>>().dims() == [5, 1, 2, 2]);
    ///
    /// // Images that are counted at run time.
    /// let some = Cpu::default().tensor_from_vec(vec![0u8; 12], (3, Const::<2>, Const::<2>));
    /// assert!(some.reshape::<DynRank4<1, 2, 2>>().dims() == [3, 1, 2, 2]);
    /// ```
    ///
    /// ```compile_fail
    /// use lenet_core::prelude::*;
    /// let images = Cpu::default().tensor([[[0u8, 1], [2, 3]]; 5]);
    /// images.reshape::<Rank4<5, 1, 2, 3>>();
    /// ```
    fn reshape<Dst: Known>(&self) -> Tensor<Dst, E, Cpu>;
}

impl<S: Known, E: Unit> Reshape<S, E> for Tensor<S, E, Cpu> {
    fn reshape<Dst: Known>(&self) -> Tensor<Dst, E, Cpu> {
        const {
            assert!(
                S::FIRST == Dst::FIRST,
                "images that are counted at run time fit `DynRank4<1, 28, 28>`, others `Rank4`"
            );
            assert!(
                S::ELEMENTS == Dst::ELEMENTS,
                "a reshape keeps the number of elements: the shapes' products differ"
            );
        }
        let values = values(self).into_owned();
        let shape = Dst::of(values.len());
        self.device().tensor_from_vec(values, shape)
    }
}

/// What [`normalize`] takes: bytes, and nothing that has been normalised already.
#[diagnostic::on_unimplemented(
    message = "pixels of type `{Self}` are no bytes: `normalize` has been here before",
    label = "already normalised",
    note = "to begin again, run the cells from `mnist::load_data` on"
)]
pub trait Byte: Unit {
    /// The pixels as bytes.
    fn bytes(pixels: &[Self]) -> &[u8];
}

impl Byte for u8 {
    fn bytes(pixels: &[Self]) -> &[u8] {
        pixels
    }
}

/// Scales bytes to 0..=1: `x / 255`, from `u8` to `f32`. The types make sure that nobody does it
/// twice.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, preprocess::normalize};
/// let bytes = Cpu::default().tensor_from_vec(vec![0u8, 51, 255], (Const::<3>,));
/// assert_eq!(normalize(&bytes).array(), [0.0, 0.2, 1.0]);
/// ```
///
/// ```compile_fail
/// use lenet_core::{dfdx::prelude::*, preprocess::normalize};
/// let bytes = Cpu::default().tensor_from_vec(vec![0u8, 51, 255], (Const::<3>,));
/// normalize(&normalize(&bytes));
/// ```
pub fn normalize<S: Shape, E: Byte>(bytes: &Tensor<S, E, Cpu>) -> Tensor<S, f32, Cpu> {
    let pixels = scale(E::bytes(&values(bytes)));
    bytes.device().tensor_from_vec(pixels, *bytes.shape())
}

fn scale(bytes: &[u8]) -> Vec<f32> {
    let shades: [f32; 256] = std::array::from_fn(|byte| byte as f32 / WHITE);
    bytes.iter().map(|&byte| shades[usize::from(byte)]).collect()
}

/// Labels as one-hot rows: `(N,)` becomes `(N, C)`, all zeros but a one at the label.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, preprocess::to_categorical};
/// let labels = Cpu::default().tensor_from_vec(vec![1u8, 0], (Const::<2>,));
/// assert_eq!(to_categorical::<3, _>(&labels)?.array(), [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] for a label that is not below `C`; [`Error::Device`] if dfdx cannot make a
/// tensor.
pub fn to_categorical<const C: usize, L: ClassLabels>(labels: &L) -> Result<Tensor<(L::Images, Const<C>), f32, Cpu>> {
    let labels = labels.tensor();
    let rows = one_hot(&values(labels), C)?;
    let shape = (labels.shape().0, Const);
    Ok(labels.device().try_tensor_from_vec(rows, shape)?)
}

/// What [`to_categorical`] takes: a class for each image, and no one-hot rows.
#[diagnostic::on_unimplemented(
    message = "these are no labels, one u8 for each image: has `to_categorical` been here before?",
    label = "this is `{Self}`"
)]
pub trait ClassLabels {
    /// The number of images.
    type Images: Dim;
    /// The labels.
    fn tensor(&self) -> &Tensor<(Self::Images,), u8, Cpu>;
}

impl<N: Dim> ClassLabels for Tensor<(N,), u8, Cpu> {
    type Images = N;
    fn tensor(&self) -> &Self {
        self
    }
}

/// A row of `classes` numbers for each label: zeros, but a one at the label.
fn one_hot(labels: &[u8], classes: usize) -> Result<Vec<f32>> {
    let mut rows = vec![0.0; labels.len() * classes];
    for (index, &label) in labels.iter().enumerate() {
        let place = usize::from(label);
        if place >= classes {
            let expected = format!("below {classes}, the number of classes");
            let got = format!("{label} at index {index}");
            return Err(Error::argument("labels", expected, got));
        }
        rows[index * classes + place] = 1.0;
    }
    Ok(rows)
}
