//! Output shapes, computed by the compiler.
//!
//! Stable Rust cannot yet write `Const<{N - K + 1}>` for a generic `N`, so the arithmetic stands in
//! tables of trait implementations. A size that is not in the table is refused by the compiler with
//! the sentence in `on_unimplemented`.

use dfdx::shapes::{Const, ConstDim};

/// A side that a valid `K` x `K` convolution with stride 1 fits on: `Out = Self - K + 1`.
///
/// ```
/// use lenet_core::{dfdx::shapes::{Const, ConstDim}, shape::Convolved};
/// assert_eq!(<Const<28> as Convolved<5>>::Out::SIZE, 24);
/// ```
#[diagnostic::on_unimplemented(
    message = "a {K}x{K} valid convolution does not fit an image side of `{Self}`",
    label = "the image that arrives here is too small, or of a size that is not in the table",
    note = "kernels of side 1, 3, 5 and 7 are provided, for images with sides of up to 64"
)]
pub trait Convolved<const K: usize>: ConstDim {
    /// The output's side.
    type Out: ConstDim;
}

/// A side that is divided by a `K` x `K` pooling with stride `K`: `Out = Self / K`, rounded down.
///
/// ```
/// use lenet_core::{dfdx::shapes::{Const, ConstDim}, shape::Pooled};
/// assert_eq!(<Const<24> as Pooled<2>>::Out::SIZE, 12);
/// ```
#[diagnostic::on_unimplemented(
    message = "a {K}x{K} pooling does not fit an image side of `{Self}`",
    label = "the image that arrives here is too small, or of a size that is not in the table",
    note = "pooling windows of side 2, 3 and 4 are provided, for images with sides of up to 64"
)]
pub trait Pooled<const K: usize>: ConstDim {
    /// The output's side.
    type Out: ConstDim;
}

/// Channels, height and width that are flattened to one dimension of their product.
///
/// ```
/// use lenet_core::{dfdx::shapes::{Const, ConstDim}, shape::Flattened};
/// assert_eq!(<(Const<16>, Const<4>, Const<4>) as Flattened>::Out::SIZE, 256);
/// ```
#[diagnostic::on_unimplemented(
    message = "`Flatten` does not know the product of the image shape `{Self}`",
    note = "square images with sides of 1 to 14, 24, 26 or 28 and 1 to 20, 24, 28, 32, 48 or 64 channels are provided"
)]
pub trait Flattened {
    /// The number of pixels in all channels.
    type Out: ConstDim;
}

macro_rules! convolved {
    ($($kernel:literal: $($side:literal)*;)*) => { $($(
        impl Convolved<$kernel> for Const<$side> {
            type Out = Const<{ $side - $kernel + 1 }>;
        }
    )*)* };
}

convolved! {
    1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
    3: 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
    5: 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
    7: 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
}

macro_rules! pooled {
    ($($window:literal: $($side:literal)*;)*) => { $($(
        impl Pooled<$window> for Const<$side> {
            type Out = Const<{ $side / $window }>;
        }
    )*)* };
}

pooled! {
    2: 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
    3: 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
    4: 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36
        37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64;
}

macro_rules! flattened {
    ($($side:literal)*) => { $( flattened! {
        $side: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 24 28 32 48 64
    } )* };
    ($side:literal: $($channels:literal)*) => { $(
        impl Flattened for (Const<$channels>, Const<$side>, Const<$side>) {
            type Out = Const<{ $channels * $side * $side }>;
        }
    )* };
}

flattened!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 24 26 28);
