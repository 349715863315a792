//! What a network is, and what it says of itself.

use dfdx::prelude::*;

use crate::layers::{AvgPool2D, Conv2D, Flatten, Fused, Linear, Tanh};
use crate::summary::Summary;
pub use crate::tensors::{TensorMaker, Tensors, TensorsMut, WeightTensor};

/// Height and width of an MNIST image, in pixels.
pub const SIDE: usize = 28;
/// Pixels of an MNIST image.
pub const PIXELS: usize = SIDE * SIDE;
/// Classes: the ten digits.
pub const CLASSES: usize = 10;

/// A batch of images with pixels in 0..=1, `(B, 1, 28, 28)`: channels first, as in PyTorch.
pub type Batch<T = NoneTape> = Tensor<(usize, Const<1>, Const<SIDE>, Const<SIDE>), f32, Cpu, T>;
/// The network's output for a batch, `(B, 10)`: a number for each class, before softmax.
pub type Logits<T = NoneTape> = Tensor<(usize, Const<CLASSES>), f32, Cpu, T>;
/// dfdx's record of what was computed, for the gradients.
pub type GradientTape = OwnedTape<f32, Cpu>;

/// A network from images to logits.
///
/// Every tuple of layers whose shapes fit is one; there is nothing to implement by hand.
///
/// ```
/// use lenet_core::{layers::{Conv2D, Flatten, Linear, Tanh}, network::Network};
/// type Small = (Conv2D<1, 4, 5>, Tanh, Flatten, Linear<2304, 10>);
/// fn is_a_network<N: Network>() {}
/// is_a_network::<Small>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no network from 28x28 images to 10 logits",
    note = "the layers' shapes must fit from one to the next: for `Linear<I, O>`, `I` is what arrives"
)]
pub trait Network:
    TensorCollection<f32, Cpu, To<f32, Cpu> = Self>
    + Module<Batch, Output = Logits, Error = CpuError>
    + Module<Batch<GradientTape>, Output = Logits<GradientTape>, Error = CpuError>
    + Layer
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<N> Network for N where
    N: TensorCollection<f32, Cpu, To<f32, Cpu> = Self>
        + Module<Batch, Output = Logits, Error = CpuError>
        + Module<Batch<GradientTape>, Output = Logits<GradientTape>, Error = CpuError>
        + Layer
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// A layer that can describe itself, and be made of tensors of weights.
pub trait Layer {
    /// Adds what this layer does to the outline, whose last shape is the layer's input.
    fn outline(outline: &mut Outline);

    /// The layer table, as Keras prints it.
    fn summary(&self) -> Summary
    where
        Self: Sized,
    {
        Summary::of::<Self>()
    }

    /// A layer with tensors of weights from `maker`, in the order of [`Layer::tensors`].
    fn from_tensors(maker: &mut TensorMaker<'_>) -> Self
    where
        Self: Sized;

    /// Adds the layer's tensors of weights to `all`, in the order in which dfdx has them: weights before biases.
    fn tensors<'a>(&'a self, all: &mut Tensors<'a>);

    /// Adds the layer's tensors of weights to `all`, as [`Layer::tensors`] does, to be changed.
    fn tensors_mut<'a>(&'a mut self, all: &mut TensorsMut<'a>);

    /// Whether the gradient for this layer's input is left out, as a network's first layer may.
    fn skip_input_gradient(&mut self, _skip: bool) {}

    /// Whether dense layers leave the gradient of their weights as the factors of a product, where those are fewer numbers
    /// for so many images. Only training, which knows what to do with them, asks for that.
    fn leave_factors(&mut self, _images: Option<usize>) {}

    /// Whether what a pass adds to the gradients of the layer's weights is summed up before it is added. Then the same bits
    /// come out where a pass is added right away as where it begins with zeros elsewhere and is added later.
    fn adds_once(&self) -> bool {
        false
    }
}

/// A row of a network's outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name, as in the paper: `C1`, `S2`, …, `Output`.
    pub name: String,
    /// What the layer is, as in `Conv2D 5x5`.
    pub kind: String,
    /// The activation that follows, as in `tanh`; empty for none.
    pub activation: String,
    /// The output's shape without the batch: `[channels, height, width]` or `[features]`.
    pub output: Vec<usize>,
    /// The trainable parameters, weights and biases.
    pub parameters: usize,
    /// How the parameters are counted, as in `(5*5*1 + 1) * 6`; empty where there are none.
    pub formula: String,
}

/// The layers of a network, in order, with their shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The input's shape without the batch.
    pub input: Vec<usize>,
    /// A row for each layer; activations stand in the row of the layer they follow.
    pub rows: Vec<Row>,
}

impl Outline {
    /// The outline of `N`, for MNIST's images.
    ///
    /// Names follow the paper: C for a convolution, S for subsampling, F for a dense layer, with the
    /// position counted from 1. A dense layer that follows [`Flatten`] is a convolution over the whole
    /// feature map and named C as there (LeCun 1998, section II.B on C5); the last one is Output.
    ///
    /// ```
    /// use lenet_core::{LeNet5, network::Outline};
    /// let outline = Outline::of::<LeNet5>();
    /// let names: Vec<_> = outline.rows.iter().map(|row| row.name.as_str()).collect();
    /// assert_eq!(names, ["C1", "S2", "C3", "S4", "Flatten", "C5", "F6", "Output"]);
    /// assert_eq!(outline.parameters(), 44_426);
    /// ```
    pub fn of<N: Layer>() -> Self {
        let mut outline = Self {
            input: vec![1, SIDE, SIDE],
            rows: Vec::new(),
        };
        N::outline(&mut outline);
        outline.name_layers();
        outline
    }

    /// All trainable parameters.
    pub fn parameters(&self) -> usize {
        self.rows.iter().map(|row| row.parameters).sum()
    }

    /// The shape that arrives at the next layer.
    fn last(&self) -> &[usize] {
        self.rows.last().map_or(&self.input, |row| &row.output)
    }

    fn push(&mut self, kind: String, output: Vec<usize>, parameters: usize, formula: String) {
        let (name, activation) = (String::new(), String::new());
        self.rows.push(Row {
            name,
            kind,
            activation,
            output,
            parameters,
            formula,
        });
    }

    fn name_layers(&mut self) {
        let mut position = 0;
        let mut flattened = false;
        let last_dense = self.rows.iter().rposition(|row| row.kind == LINEAR);
        for (index, row) in self.rows.iter_mut().enumerate() {
            if row.kind == FLATTEN {
                row.name = FLATTEN.into();
                flattened = true;
                continue;
            }
            position += 1;
            row.name = match row.kind.as_str() {
                _ if Some(index) == last_dense => "Output".into(),
                LINEAR if flattened => format!("C{position}"),
                LINEAR => format!("F{position}"),
                kind if kind.starts_with(CONV) => format!("C{position}"),
                _ => format!("S{position}"),
            };
            flattened = false;
        }
    }
}

pub(crate) const CONV: &str = "Conv2D";
pub(crate) const AVG_POOL: &str = "AvgPool2D";
pub(crate) const LINEAR: &str = "Linear";
pub(crate) const FLATTEN: &str = "Flatten";

impl<const I: usize, const O: usize, const K: usize> Layer for Conv2D<I, O, K> {
    fn outline(outline: &mut Outline) {
        let sides = outline.last()[1..].iter().map(|side| side + 1 - K);
        let output = std::iter::once(O).chain(sides).collect();
        let formula = format!("({K}*{K}*{I} + 1) * {O}");
        outline.push(
            format!("{CONV} {K}x{K}"),
            output,
            (K * K * I + 1) * O,
            formula,
        );
    }
    fn from_tensors(maker: &mut TensorMaker<'_>) -> Self {
        let (weight, bias) = (maker.make(), maker.make());
        Self { weight, bias }
    }
    fn tensors<'a>(&'a self, all: &mut Tensors<'a>) {
        all.push(&self.weight);
        all.push(&self.bias);
    }
    fn tensors_mut<'a>(&'a mut self, all: &mut TensorsMut<'a>) {
        all.push(&mut self.weight);
        all.push(&mut self.bias);
    }
}

impl<const K: usize> Layer for AvgPool2D<K> {
    fn outline(outline: &mut Outline) {
        let shape = outline.last();
        let sides = shape[1..].iter().map(|side| side / K);
        let output = std::iter::once(shape[0]).chain(sides).collect();
        outline.push(format!("{AVG_POOL} {K}x{K}"), output, 0, String::new());
    }
    fn from_tensors(_: &mut TensorMaker<'_>) -> Self {
        Self
    }
    fn tensors<'a>(&'a self, _: &mut Tensors<'a>) {}
    fn tensors_mut<'a>(&'a mut self, _: &mut TensorsMut<'a>) {}
    fn adds_once(&self) -> bool {
        true
    }
}

impl Layer for Flatten {
    fn outline(outline: &mut Outline) {
        let product = outline.last().iter().product();
        outline.push(FLATTEN.into(), vec![product], 0, String::new());
    }
    fn from_tensors(_: &mut TensorMaker<'_>) -> Self {
        Self
    }
    fn tensors<'a>(&'a self, _: &mut Tensors<'a>) {}
    fn tensors_mut<'a>(&'a mut self, _: &mut TensorsMut<'a>) {}
    fn adds_once(&self) -> bool {
        true
    }
}

impl<const I: usize, const O: usize> Layer for Linear<I, O> {
    fn outline(outline: &mut Outline) {
        outline.push(
            LINEAR.into(),
            vec![O],
            (I + 1) * O,
            format!("({I} + 1) * {O}"),
        );
    }
    fn from_tensors(maker: &mut TensorMaker<'_>) -> Self {
        let (weight, bias) = (maker.make(), maker.make());
        Self { weight, bias }
    }
    fn tensors<'a>(&'a self, all: &mut Tensors<'a>) {
        all.push(&self.weight);
        all.push(&self.bias);
    }
    fn tensors_mut<'a>(&'a mut self, all: &mut TensorsMut<'a>) {
        all.push(&mut self.weight);
        all.push(&mut self.bias);
    }
}

impl Layer for Tanh {
    fn outline(outline: &mut Outline) {
        if let Some(row) = outline.rows.last_mut() {
            row.activation = "tanh".into();
        }
    }
    fn from_tensors(_: &mut TensorMaker<'_>) -> Self {
        Self
    }
    fn tensors<'a>(&'a self, _: &mut Tensors<'a>) {}
    fn tensors_mut<'a>(&'a mut self, _: &mut TensorsMut<'a>) {}
    fn adds_once(&self) -> bool {
        true
    }
}

impl<M: Layer> Layer for Fused<M> {
    fn outline(outline: &mut Outline) {
        M::outline(outline);
    }
    fn from_tensors(maker: &mut TensorMaker<'_>) -> Self {
        Self::new(M::from_tensors(maker))
    }
    fn tensors<'a>(&'a self, all: &mut Tensors<'a>) {
        (**self).tensors(all);
    }
    fn tensors_mut<'a>(&'a mut self, all: &mut TensorsMut<'a>) {
        (**self).tensors_mut(all);
    }
    fn skip_input_gradient(&mut self, skip: bool) {
        self.set_skip_input_gradient(skip);
    }
    fn leave_factors(&mut self, images: Option<usize>) {
        self.set_leave_factors(images);
    }
    fn adds_once(&self) -> bool {
        true
    }
}

macro_rules! tuple_layers {
    ($($first:ident $($rest:ident)*;)*) => { $(
        impl<$first: Layer, $($rest: Layer),*> Layer for ($first, $($rest,)*) {
            fn outline(outline: &mut Outline) {
                $first::outline(outline);
                $($rest::outline(outline);)*
            }
            fn from_tensors(maker: &mut TensorMaker<'_>) -> Self {
                ($first::from_tensors(maker), $($rest::from_tensors(maker),)*)
            }
            #[allow(non_snake_case)]
            fn tensors<'a>(&'a self, all: &mut Tensors<'a>) {
                let ($first, $($rest,)*) = self;
                $first.tensors(all);
                $($rest.tensors(all);)*
            }
            #[allow(non_snake_case)]
            fn tensors_mut<'a>(&'a mut self, all: &mut TensorsMut<'a>) {
                let ($first, $($rest,)*) = self;
                $first.tensors_mut(all);
                $($rest.tensors_mut(all);)*
            }
            fn skip_input_gradient(&mut self, skip: bool) {
                self.0.skip_input_gradient(skip);
            }
            #[allow(non_snake_case)]
            fn leave_factors(&mut self, images: Option<usize>) {
                let ($first, $($rest,)*) = self;
                $first.leave_factors(images);
                $($rest.leave_factors(images);)*
            }
            #[allow(non_snake_case)]
            fn adds_once(&self) -> bool {
                let ($first, $($rest,)*) = self;
                $first.adds_once() $(&& $rest.adds_once())*
            }
        }
    )* };
}

tuple_layers! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}
