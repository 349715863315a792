//! What a network is: layers whose shapes fit, in a tuple, or in tuples of tuples.

use std::borrow::Cow;

use dfdx::prelude::{Const, ConstDim, Cpu, CpuError, Dim, Gradients, HasShape, Tape, Tensor, TensorFromVec};
pub use lenet_kernels::Activation;
use lenet_kernels::Pooling;

use crate::shape::{Arriving, Batch, BatchOf, Maps, Takes, Values};
pub use crate::slices::Parameter;

/// What a layer does, with the numbers of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the numbers are those of the layers' types, which explain them
pub enum LayerKind {
    Input { channels: usize, side: usize },
    Conv2D { inputs: usize, outputs: usize, kernel: usize },
    AvgPool2D { window: usize },
    MaxPool2D { window: usize },
    ZeroPad2D { padding: usize },
    Flatten,
    Linear { inputs: usize, outputs: usize },
    Activation(Activation),
    Dropout { percent: usize },
}

impl LayerKind {
    /// The shape that the layer makes of one that it takes, both without the batch.
    pub(crate) fn output(self, input: &[usize]) -> Vec<usize> {
        let (maps, side) = (input[0], input[input.len() - 1]);
        let square = |maps, side| vec![maps, side, side];
        match self {
            Self::Input { .. } | Self::Activation(_) | Self::Dropout { .. } => input.to_vec(),
            Self::Conv2D { outputs, kernel, .. } => square(outputs, side + 1 - kernel),
            Self::AvgPool2D { window } | Self::MaxPool2D { window } => square(maps, side / window),
            Self::ZeroPad2D { padding } => square(maps, side + 2 * padding),
            Self::Flatten => vec![input.iter().product()],
            Self::Linear { outputs, .. } => vec![outputs],
        }
    }

    pub(crate) fn activation(self) -> Option<Activation> {
        match self {
            Self::Activation(activation) => Some(activation),
            _ => None,
        }
    }

    pub(crate) fn pooling(self) -> Option<(Pooling, usize)> {
        match self {
            Self::AvgPool2D { window } => Some((Pooling::Average, window)),
            Self::MaxPool2D { window } => Some((Pooling::Max, window)),
            _ => None,
        }
    }
}

/// A layer, or a tuple of up to 16 layers: what it consists of, and its parameters.
///
/// A layer lists its weight before its bias, and a tuple its layers from first to last, as dfdx does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer of lenet_core",
    label = "layers are those of the prelude, and tuples of 1 to 16 of them"
)]
pub trait Layer: Sized {
    /// Adds what this is made of.
    fn kinds(kinds: &mut Vec<LayerKind>);

    /// Makes it of tensors of parameters, each with the values that `values` gives for its sizes.
    fn from_parameters(values: &mut dyn FnMut(&[usize]) -> Vec<f32>) -> Self;

    /// Adds its tensors of parameters.
    fn parameters<'a>(&'a self, all: &mut Vec<&'a dyn Parameter>);

    /// Adds its tensors of parameters, to be changed.
    fn parameters_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter>);
}

/// The next tensor of parameters, of the shape that its type names.
pub(crate) fn parameter<S: dfdx::shapes::ConstShape>(
    values: &mut dyn FnMut(&[usize]) -> Vec<f32>,
) -> Tensor<S, f32, Cpu> {
    let shape = S::default();
    let sizes: Vec<usize> = shape.concrete().into_iter().collect();
    Cpu::default().tensor_from_vec(values(&sizes), shape)
}

/// What arrives at the first layer. Where nothing else is said, that is an image of 28x28 pixels, in as many channels as
/// the first convolution looks at; an [`Input`](crate::layers::Input) in front of all layers says else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer of lenet_core",
    label = "layers are those of the prelude, and tuples of 1 to 16 of them"
)]
pub trait Begins {
    /// [`Maps`] or [`Values`].
    type With: Arriving;
}

/// Layers that fit from one to the next: every tuple of them is such a chain, there is nothing to implement by hand.
#[diagnostic::on_unimplemented(
    message = "this is no network: a tuple holds 1 to 16 layers, or tuples of layers",
    label = "put some of them into tuples of their own"
)]
pub trait Chain: Layer + Begins + Takes<<Self as Begins>::With> + Clone + Send + Sync + 'static {}

impl<N> Chain for N where N: Layer + Begins + Takes<<N as Begins>::With> + Clone + Send + Sync + 'static {}

/// A [`Chain`] from images to one value for each class, the logits.
///
/// ```
/// use lenet_core::{layers::{Conv2D, Flatten, Linear, Tanh}, network::Network};
/// type Small = (Conv2D<1, 4, 5>, Tanh, Flatten, Linear<2304, 10>);
/// fn is_a_network<N: Network>() {}
/// is_a_network::<Small>();
/// ```
pub trait Network: Chain {
    /// The classes.
    type Classes: ConstDim;
}

impl<N: Chain> Network for N
where
    N::With: Image,
    <N as Takes<N::With>>::Out: Logits,
{
    type Classes = <<N as Takes<N::With>>::Out as Logits>::Classes;
}

/// A batch of images as the network `N` takes them: `(images, channels, side, side)`.
#[diagnostic::on_unimplemented(
    message = "these are no images for a network: wanted is f32 of shape (N, channels, side, side), where N is 1 for one image",
    label = "this is `{Self}`: `normalize` makes bytes f32, `reshape` adds axes"
)]
pub trait ImagesFor<N> {
    /// The number of images.
    type Images: Dim;
    /// That number.
    fn images(&self) -> Self::Images;
    /// All values.
    fn values(&self) -> Cow<'_, [f32]>;
}

impl<N: Network, B: Dim, const C: usize, const S: usize> ImagesFor<N>
    for Tensor<(B, Const<C>, Const<S>, Const<S>), f32, Cpu>
where
    N::With: AreTaken<C, S>,
{
    type Images = B;
    fn images(&self) -> B {
        self.shape().0
    }
    fn values(&self) -> Cow<'_, [f32]> {
        crate::slices::values(self)
    }
}

/// That images of `C` channels of `S` x `S` are what a network begins with.
pub trait AreTaken<const C: usize, const S: usize> {}

impl<const WANTED: usize, const SIDE: usize, const C: usize, const S: usize> AreTaken<C, S> for Maps<WANTED, SIDE> where
    (): SameSizes<WANTED, SIDE, C, S>
{
}

/// That two sizes of images are the same.
#[diagnostic::on_unimplemented(
    message = "this network takes images of {WANTED}x{SIDE}x{SIDE}, but these have {C}x{S}x{S} values",
    label = "channels, height and width"
)]
pub trait SameSizes<const WANTED: usize, const SIDE: usize, const C: usize, const S: usize> {}

impl<const C: usize, const S: usize> SameSizes<C, S, C, S> for () {}

/// What a network begins with: an image.
#[diagnostic::on_unimplemented(
    message = "a network begins with an image, but the first layer of this one takes values",
    label = "put `Flatten` in front of the first `Linear`"
)]
pub trait Image: Arriving {}

impl<const C: usize, const S: usize> Image for Maps<C, S> {}

/// What a network ends with: one value for each class.
#[diagnostic::on_unimplemented(
    message = "a network ends with one value for each class, but this one ends with maps",
    label = "end with `Flatten` and a `Linear` that gives as many values as there are classes"
)]
pub trait Logits: Arriving {
    /// Their number.
    type Classes: ConstDim;
}

impl<const N: usize> Logits for Values<N> {
    type Classes = Const<N>;
}

/// Sending a batch through a layer or a network.
pub trait Forward {
    /// What the layers make of `batch`, of shape `(images, channels, side, side)` or `(images, values)`, with or without a
    /// tape.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let network = LeNet5::glorot_uniform(0);
    /// let images = Cpu::default().zeros::<Rank4<2, 1, 28, 28>>();
    /// let logits: Tensor<Rank2<2, 10>, f32, Cpu> = network.forward(images);
    /// ```
    ///
    /// # Panics
    /// If there is no memory for the tensors.
    fn forward<X: Batch>(&self, batch: X) -> BatchOf<Self::Out, X::Images, X::Tape>
    where
        Self: Takes<X::Arriving>;
}

impl<N> Forward for N {
    fn forward<X: Batch>(&self, batch: X) -> BatchOf<N::Out, X::Images, X::Tape>
    where
        N: Takes<X::Arriving>,
    {
        match self.run(batch.tensor()) {
            Ok(output) => output,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The kinds of a network's layers, in order.
pub(crate) fn kinds<N: Layer>() -> Vec<LayerKind> {
    let mut kinds = Vec::new();
    N::kinds(&mut kinds);
    kinds
}

/// The tensors of a network's parameters, in order.
pub(crate) fn parameters<N: Layer>(network: &N) -> Vec<&dyn Parameter> {
    let mut all = Vec::new();
    network.parameters(&mut all);
    all
}

/// All parameters of a network in one vector.
pub(crate) fn flat<N: Layer>(network: &N) -> Vec<f32> {
    let values = parameters(network).into_iter().map(|parameter| parameter.values());
    values.flat_map(Cow::into_owned).collect()
}

/// Sets all parameters of a network from one vector.
pub(crate) fn set_flat<N: Layer>(network: &mut N, mut from: &[f32]) {
    let mut all = Vec::new();
    network.parameters_mut(&mut all);
    for parameter in all {
        let values = parameter.values_mut();
        values.copy_from_slice(from.split_off(..values.len()).unwrap_or_default());
    }
}

/// The gradients of all parameters of a network in one vector.
///
/// # Errors
/// If dfdx cannot make room for one that is missing.
pub(crate) fn flat_gradient<N: Layer>(network: &N, gradients: &mut Gradients<f32, Cpu>) -> Result<Vec<f32>, CpuError> {
    let mut flat = Vec::new();
    for parameter in parameters(network) {
        flat.extend_from_slice(parameter.gradient(gradients)?);
    }
    Ok(flat)
}

/// Tuples: what arrives at a layer is what the layer before it gives.
macro_rules! tuples {
    ($($first:ident $($previous:ident $layer:ident)* => $last:ident;)*) => { $(
        impl<$first: Begins, $($layer),*> Begins for ($first, $($layer,)*) {
            type With = $first::With;
        }

        impl<X: Arriving, $first: Takes<X>, $($layer: Takes<$previous::Out>),*> Takes<X> for ($first, $($layer,)*) {
            type Out = $last::Out;

            #[allow(non_snake_case)]
            fn run<Images: Dim, Recorder: Tape<f32, Cpu>>(
                &self,
                x: BatchOf<X, Images, Recorder>,
            ) -> Result<BatchOf<Self::Out, Images, Recorder>, CpuError> {
                let ($first, $($layer,)*) = self;
                let x = $first.run(x)?;
                $(let x = $layer.run(x)?;)*
                Ok(x)
            }
        }

        impl<$first: Layer, $($layer: Layer),*> Layer for ($first, $($layer,)*) {
            fn kinds(kinds: &mut Vec<LayerKind>) {
                $first::kinds(kinds);
                $($layer::kinds(kinds);)*
            }
            fn from_parameters(values: &mut dyn FnMut(&[usize]) -> Vec<f32>) -> Self {
                ($first::from_parameters(values), $($layer::from_parameters(values),)*)
            }
            #[allow(non_snake_case)]
            fn parameters<'a>(&'a self, all: &mut Vec<&'a dyn Parameter>) {
                let ($first, $($layer,)*) = self;
                $first.parameters(all);
                $($layer.parameters(all);)*
            }
            #[allow(non_snake_case)]
            fn parameters_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn Parameter>) {
                let ($first, $($layer,)*) = self;
                $first.parameters_mut(all);
                $($layer.parameters_mut(all);)*
            }
        }
    )* };
}

tuples! {
    A => A;
    A A B => B;
    A A B B C => C;
    A A B B C C D => D;
    A A B B C C D D E => E;
    A A B B C C D D E E F => F;
    A A B B C C D D E E F F G => G;
    A A B B C C D D E E F F G G H => H;
    A A B B C C D D E E F F G G H H I => I;
    A A B B C C D D E E F F G G H H I I J => J;
    A A B B C C D D E E F F G G H H I I J J K => K;
    A A B B C C D D E E F F G G H H I I J J K K L => L;
    A A B B C C D D E E F F G G H H I I J J K K L L M => M;
    A A B B C C D D E E F F G G H H I I J J K K L L M M N => N;
    A A B B C C D D E E F F G G H H I I J J K K L L M M N N O => O;
    A A B B C C D D E E F F G G H H I I J J K K L L M M N N O O P => P;
}
