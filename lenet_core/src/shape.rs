//! Shapes, computed by the compiler, and its refusals in plain words.
//!
//! [`Maps`] and [`Values`] are what travels from layer to layer; [`Takes`] is the rule by which a layer turns one into the
//! next. Stable Rust cannot write `Const<{S - K + 1}>` for a generic `S`, so the arithmetic stands in tables of trait
//! implementations, made by macros. Where two layers do not meet, rustc's first line is the sentence that stands in
//! `on_unimplemented` of the smallest trait that fails.

use dfdx::prelude::{Const, Cpu, CpuError, Dim, NoneTape, Shape, Tape, Tensor};

/// `C` feature maps, or channels, of `S` x `S` values.
pub struct Maps<const C: usize, const S: usize>;

/// A vector of `N` values.
pub struct Values<const N: usize>;

/// What arrives at a layer, for one image: [`Maps`] or [`Values`].
pub trait Arriving: 'static {
    /// The shape of a tensor that holds this for a batch of `B` images.
    type Shape<B: Dim>: Shape;

    /// That shape as a value.
    fn shape<B: Dim>(batch: B) -> Self::Shape<B>;

    /// The number of images of such a shape.
    fn batch<B: Dim>(shape: &Self::Shape<B>) -> B;

    /// Its sizes for one image: `[channels, side, side]` or `[values]`.
    fn sizes() -> Vec<usize>;
}

impl<const C: usize, const S: usize> Arriving for Maps<C, S> {
    type Shape<B: Dim> = (B, Const<C>, Const<S>, Const<S>);

    fn shape<B: Dim>(batch: B) -> Self::Shape<B> {
        (batch, Const, Const, Const)
    }

    fn batch<B: Dim>(shape: &Self::Shape<B>) -> B {
        shape.0
    }

    fn sizes() -> Vec<usize> {
        vec![C, S, S]
    }
}

impl<const N: usize> Arriving for Values<N> {
    type Shape<B: Dim> = (B, Const<N>);

    fn shape<B: Dim>(batch: B) -> Self::Shape<B> {
        (batch, Const)
    }

    fn batch<B: Dim>(shape: &Self::Shape<B>) -> B {
        shape.0
    }

    fn sizes() -> Vec<usize> {
        vec![N]
    }
}

/// A tensor that can go through a network: a batch of [`Maps`] or [`Values`], with or without a tape.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no batch for a network: wanted is f32 of shape (images, channels, side, side) or (images, values)",
    label = "`normalize` makes bytes f32, `reshape` adds the axis for the channels"
)]
pub trait Batch {
    /// What arrives, for one image.
    type Arriving: Arriving;
    /// The number of images.
    type Images: Dim;
    /// dfdx's tape, or `NoneTape`.
    type Tape: Tape<f32, Cpu>;

    /// The same tensor under the type that its parts make.
    fn tensor(self) -> BatchOf<Self::Arriving, Self::Images, Self::Tape>;
}

/// A tensor with `X` for each of `B` images.
pub type BatchOf<X, B, T> = Tensor<<X as Arriving>::Shape<B>, f32, Cpu, T>;

impl<B: Dim, const C: usize, const S: usize, T: Tape<f32, Cpu>> Batch
    for Tensor<(B, Const<C>, Const<S>, Const<S>), f32, Cpu, T>
{
    type Arriving = Maps<C, S>;
    type Images = B;
    type Tape = T;

    fn tensor(self) -> Self {
        self
    }
}

/// A reference will do where nothing is to be learned.
impl<X> Batch for &X
where
    X: Batch<Tape = NoneTape> + Clone,
{
    type Arriving = X::Arriving;
    type Images = X::Images;
    type Tape = NoneTape;

    fn tensor(self) -> BatchOf<X::Arriving, X::Images, NoneTape> {
        self.clone().tensor()
    }
}

impl<B: Dim, const N: usize, T: Tape<f32, Cpu>> Batch for Tensor<(B, Const<N>), f32, Cpu, T> {
    type Arriving = Values<N>;
    type Images = B;
    type Tape = T;

    fn tensor(self) -> Self {
        self
    }
}

/// A layer, or a tuple of layers, that takes `X` and gives [`Takes::Out`].
///
/// ```
/// use lenet_core::{prelude::*, shape::{Maps, Takes, Values}};
/// fn takes<L: Takes<Maps<1, 28>, Out = Values<10>>>() {}
/// takes::<LeNet5>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot follow here: `{X}` arrives",
    label = "these layers do not meet (`Flatten` makes values of maps)"
)]
pub trait Takes<X: Arriving> {
    /// What it gives.
    type Out: Arriving;

    /// Sends a batch through, and writes down on its tape, if it has one, how gradients come back.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    fn run<B: Dim, T: Tape<f32, Cpu>>(&self, x: BatchOf<X, B, T>) -> Result<BatchOf<Self::Out, B, T>, CpuError>;
}

/// That as many channels arrive at a `Conv2D<I, O, K>` as its filters look at. (The message spells the layer out: rustc
/// would write the whole path, as dfdx has layers of the same names.)
#[diagnostic::on_unimplemented(
    message = "`Conv2D<{I}, {O}, {K}>` takes {I} channels, but {GOT} arrive",
    label = "write {GOT} as the first number of this `Conv2D`, or {I} as the second of the one before it"
)]
pub trait TakesChannels<const I: usize, const O: usize, const K: usize, const GOT: usize> {}

/// That as many values arrive at a `Linear<I, O>` as it has weights for.
#[diagnostic::on_unimplemented(
    message = "`Linear<{I}, {O}>` takes {I} values, but {GOT} arrive",
    label = "write {GOT} as the first number of this `Linear`"
)]
pub trait TakesValues<const I: usize, const O: usize, const GOT: usize> {}

/// A side that something changes: a `K` x `K` convolution to `S - K + 1`.
#[diagnostic::on_unimplemented(
    message = "a {K}x{K} convolution does not fit on maps of {S}x{S}",
    label = "filters have sides of 1 to 7, maps of at most 64, and a filter fits into the map"
)]
pub trait Convolved<const K: usize, const S: usize> {
    /// `O` maps of the new side.
    type Out<const O: usize>: Arriving;
}

/// A `K` x `K` pooling with stride `K`, to `S / K`, rounded down.
#[diagnostic::on_unimplemented(
    message = "a {K}x{K} pooling does not fit on maps of {S}x{S}",
    label = "windows have sides of 1 to 4, maps of at most 64, and a window fits into the map"
)]
pub trait Pooled<const K: usize, const S: usize> {
    /// `C` maps of the new side.
    type Out<const C: usize>: Arriving;
}

/// `P` zeros on each side, to `S + 2 P`.
#[diagnostic::on_unimplemented(
    message = "a padding of {P} around maps of {S}x{S} is not provided",
    label = "paddings go from 1 to 4, around maps of at most 60x60"
)]
pub trait Padded<const P: usize, const S: usize> {
    /// `C` maps of the new side.
    type Out<const C: usize>: Arriving;
}

/// That a [`Dropout`](crate::layers::Dropout) of `PERCENT` leaves some of the values.
#[diagnostic::on_unimplemented(
    message = "`Dropout<{PERCENT}>` leaves no values: it takes 0 to 99 per cent of them",
    label = "write a number below 100, as in `Dropout<25>`"
)]
pub trait Leaves<const PERCENT: usize> {}

/// `C` maps of `S` x `S`, as one vector.
#[diagnostic::on_unimplemented(
    message = "`Flatten` has no row in its table for {C} maps of {S}x{S}",
    label = "sides of 1 to 16, 24, 26, 28 and 32, with 1 to 32, 40, 48, 50, 64, 84, 96, 120 or 128 maps, are provided"
)]
pub trait Flattened<const C: usize, const S: usize> {
    /// All values.
    type Out: Arriving;
}

/// Hands each number its sides: the first all that follow, the next one less, as a larger window fits on fewer.
macro_rules! sides {
    ($rule:ident $($number:literal)*) => { sides! { @ $rule $($number)*;
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43
        44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
    } };
    (@ $rule:ident; $($side:literal)*) => {};
    (@ $rule:ident $number:literal $($more:literal)*; $first:literal $($side:literal)*) => {
        $rule! { $number: $first $($side)* }
        sides! { @ $rule $($more)*; $($side)* }
    };
}

macro_rules! convolved {
    ($kernel:literal: $($side:literal)*) => { $(
        impl Convolved<$kernel, $side> for () {
            type Out<const O: usize> = Maps<O, { $side + 1 - $kernel }>;
        }
    )* };
}

macro_rules! pooled {
    ($window:literal: $($side:literal)*) => { $(
        impl Pooled<$window, $side> for () {
            type Out<const C: usize> = Maps<C, { $side / $window }>;
        }
    )* };
}

macro_rules! padded {
    ($padding:literal: $($side:literal)*) => { $(
        impl Padded<$padding, $side> for () {
            type Out<const C: usize> = Maps<C, { $side + 2 * $padding }>;
        }
    )* };
}

macro_rules! flattened {
    ($($side:literal)*) => { $( flattened! { $side:
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 40 48 50 64 84 96 120 128
    } )* };
    ($side:literal: $($maps:literal)*) => { $(
        impl Flattened<$maps, $side> for () {
            type Out = Values<{ $maps * $side * $side }>;
        }
    )* };
}

macro_rules! leaves {
    ($($tens:literal)*) => { $( leaves! { $tens: 0 1 2 3 4 5 6 7 8 9 } )* };
    ($tens:literal: $($ones:literal)*) => { $(
        impl Leaves<{ 10 * $tens + $ones }> for () {}
    )* };
}

leaves! { 0 1 2 3 4 5 6 7 8 9 }
sides! { convolved 1 2 3 4 5 6 7 }
sides! { pooled 1 2 3 4 }
sides! { padded 1 2 3 4 }
flattened! { 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 26 28 32 }
