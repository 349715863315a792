//! All weights of a network, tensor by tensor.
//!
//! A tensor's shape is forgotten here, so that what is done with all weights is compiled once, with this crate, and not
//! for each shape in each cell of a notebook that trains.

use std::borrow::Cow;
use std::ops::Range;

use dfdx::prelude::*;

use crate::error::Result;
use crate::gradient::{Gradient, Halves, Stretch};
use crate::network::Layer;
use crate::view::{values, values_mut, Sizes};

/// The range of all weights.
pub(crate) const ALL: Range<usize> = 0..usize::MAX;

/// What is done with neighbouring weights.
pub(crate) type VisitWeights<'a> = &'a mut dyn FnMut(Stretch<'_>);
/// What is done with their gradients, or with a tensor's [`Factors`](crate::kernels::dense::Factors) where it has these.
pub(crate) type VisitGradients<'a> = &'a mut dyn FnMut(Halves<&mut [f32]>);
/// What both halves of a batch have given, or one of them.
pub(crate) type BothGradients<'a> = Halves<&'a mut Gradients<f32, Cpu>>;

/// A tensor of weights, whatever its shape. Those of dfdx are the only ones.
pub trait WeightTensor: sealed::AnyShape {}

impl<S: ConstShape> WeightTensor for Tensor<S, f32, Cpu> {}

mod sealed {
    use super::*;

    pub trait AnyShape {
        /// The sizes of its axes.
        fn sizes(&self) -> Sizes;
        /// Its numbers in row-major order.
        fn numbers(&self) -> Cow<'_, [f32]>;
        /// Its numbers in row-major order, to be written.
        fn numbers_mut(&mut self) -> &mut [f32];
        /// What it has in `gradients`; zeros, if that was nothing.
        fn gradient<'a>(
            &self,
            gradients: &'a mut Gradients<f32, Cpu>,
        ) -> std::result::Result<&'a mut Vec<f32>, CpuError>;
        /// Makes room for its gradient in `gradients`, room that is kept from pass to pass.
        fn keep_gradient(
            &self,
            gradients: &mut Gradients<f32, Cpu>,
        ) -> std::result::Result<(), CpuError>;
        /// Moves it to another device, away from those that it is a copy of.
        fn move_to(&mut self, device: &Cpu) -> std::result::Result<(), CpuError>;
    }

    impl<S: ConstShape> AnyShape for Tensor<S, f32, Cpu> {
        fn sizes(&self) -> Sizes {
            Sizes::of(self.shape())
        }
        fn numbers(&self) -> Cow<'_, [f32]> {
            values(self)
        }
        fn numbers_mut(&mut self) -> &mut [f32] {
            values_mut(self)
        }
        fn gradient<'a>(
            &self,
            gradients: &'a mut Gradients<f32, Cpu>,
        ) -> std::result::Result<&'a mut Vec<f32>, CpuError> {
            Ok(&mut **gradients.get_or_alloc_mut(self)?)
        }
        fn keep_gradient(
            &self,
            gradients: &mut Gradients<f32, Cpu>,
        ) -> std::result::Result<(), CpuError> {
            self.try_zero_grads(gradients)
        }
        fn move_to(&mut self, device: &Cpu) -> std::result::Result<(), CpuError> {
            let mut moved = device.try_zeros_like(self)?;
            values_mut(&mut moved).copy_from_slice(&values(self));
            *self = moved;
            Ok(())
        }
    }
}

/// Makes the tensors of a network's weights, one after the other.
pub struct TensorMaker<'a>(Numbers<'a>);

/// The numbers of a tensor with axes of such sizes.
type Numbers<'a> = &'a mut dyn FnMut(&[usize]) -> Vec<f32>;

impl<'a> TensorMaker<'a> {
    /// `numbers` gives those of each tensor, as many as there is room for in axes of such sizes.
    pub(crate) fn new(numbers: Numbers<'a>) -> Self {
        Self(numbers)
    }

    /// The next tensor.
    pub fn make<S: ConstShape>(&mut self) -> Tensor<S, f32, Cpu> {
        let shape = S::default();
        let numbers = (self.0)(&Sizes::of(&shape));
        Cpu::default().tensor_from_vec(numbers, shape)
    }
}

/// The tensors of a network's weights, layer by layer.
#[derive(Default)]
pub struct Tensors<'a>(Vec<&'a dyn WeightTensor>);

/// The tensors of a network's weights, layer by layer, to be changed.
#[derive(Default)]
pub struct TensorsMut<'a>(Vec<&'a mut dyn WeightTensor>);

impl<'a> Tensors<'a> {
    /// Those of `network`.
    pub fn of(network: &'a impl Layer) -> Self {
        let mut all = Self::default();
        network.tensors(&mut all);
        all
    }

    /// Adds the next one.
    pub fn push(&mut self, tensor: &'a dyn WeightTensor) {
        self.0.push(tensor);
    }

    /// Room for the gradients of all.
    ///
    /// dfdx's `alloc_grads` does the same, layer by layer: whoever compiles that, compiles how a layer is
    /// filled with random numbers, too.
    ///
    /// # Errors
    /// If dfdx cannot make room for a gradient.
    pub(crate) fn gradients(&self) -> Result<Gradients<f32, Cpu>> {
        let mut gradients = Gradients::leaky();
        for tensor in &self.0 {
            tensor.keep_gradient(&mut gradients)?;
        }
        Ok(gradients)
    }

    /// The sizes and the numbers of each.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Sizes, Cow<'a, [f32]>)> + use<'a, '_> {
        self.0
            .iter()
            .map(|tensor| (tensor.sizes(), tensor.numbers()))
    }

    /// Visits the gradients, in each of `gradients`, of the weights in `range`.
    ///
    /// # Errors
    /// If dfdx cannot make room for a gradient.
    pub(crate) fn each_gradient(
        &self,
        range: Range<usize>,
        mut gradients: BothGradients<'_>,
        visit: VisitGradients<'_>,
    ) -> Result<()> {
        let mut at = At { next: 0, range };
        for tensor in &self.0 {
            let len = tensor.sizes().elements();
            if let Some((_, here)) = at.step(len) {
                visit(all(*tensor, &mut gradients)?.map(|half| {
                    half.map(|all| match all.len() {
                        factors if factors < len => &mut all[..],
                        _ => &mut all[here.clone()],
                    })
                }));
            }
        }
        Ok(())
    }

    /// Visits what each tensor has in `gradients`, and beside it what the same tensor of a network of the same type has in
    /// its own ones.
    ///
    /// # Errors
    /// If dfdx cannot make room for a gradient.
    pub(crate) fn each_pair(
        &self,
        gradients: &mut Gradients<f32, Cpu>,
        (others, theirs): (&Tensors<'_>, &mut Gradients<f32, Cpu>),
        visit: &mut dyn FnMut(&mut Vec<f32>, &mut Vec<f32>),
    ) -> Result<()> {
        for (tensor, other) in self.0.iter().zip(&others.0) {
            visit(tensor.gradient(gradients)?, other.gradient(theirs)?);
        }
        Ok(())
    }
}

impl<'a> TensorsMut<'a> {
    /// Those of `network`.
    pub fn of(network: &'a mut impl Layer) -> Self {
        let mut all = Self::default();
        network.tensors_mut(&mut all);
        all
    }

    /// Adds the next one.
    pub fn push(&mut self, tensor: &'a mut dyn WeightTensor) {
        self.0.push(tensor);
    }

    /// The numbers of each, to be written.
    pub(crate) fn into_numbers(self) -> impl Iterator<Item = &'a mut [f32]> {
        self.0.into_iter().map(|tensor| tensor.numbers_mut())
    }

    /// Visits the weights in `range`, with their gradients in each of `gradients`.
    ///
    /// # Errors
    /// If dfdx cannot make room for a gradient.
    pub(crate) fn each_weight(
        &mut self,
        range: Range<usize>,
        mut gradients: BothGradients<'_>,
        visit: VisitWeights<'_>,
    ) -> Result<()> {
        let mut at = At { next: 0, range };
        for tensor in &mut self.0 {
            let sizes = tensor.sizes();
            if let Some((at, here)) = at.step(sizes.elements()) {
                let row = sizes.last().copied().unwrap_or(1);
                let shape = [sizes.elements() / row, row];
                let gradients = all(&**tensor, &mut gradients)?
                    .map(|half| half.map(|all| Gradient::of(all, shape, here.clone())));
                visit(Stretch {
                    at,
                    axes: sizes.axes(),
                    row,
                    weights: &mut tensor.numbers_mut()[here],
                    gradients,
                });
            }
        }
        Ok(())
    }

    /// Moves all weights to a device of their own, away from those that they are a copy of.
    ///
    /// A device counts its tensors, and threads that share one wait for each other to count.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(crate) fn move_to_own_device(&mut self) -> Result<()> {
        let device = Cpu::default();
        for tensor in &mut self.0 {
            tensor.move_to(&device)?;
        }
        Ok(())
    }
}

/// All that a tensor has in `gradients`.
fn all<'a>(
    tensor: &dyn WeightTensor,
    [left, right]: &'a mut BothGradients<'_>,
) -> Result<Halves<&'a mut Vec<f32>>> {
    let all = |half: &'a mut Option<&mut Gradients<f32, Cpu>>| {
        let gradients = half.as_mut();
        gradients
            .map(|gradients| tensor.gradient(gradients))
            .transpose()
    };
    Ok([all(left)?, all(right)?])
}

/// Where a walk is.
struct At {
    /// The number of the next tensor's first weight.
    next: usize,
    range: Range<usize>,
}

impl At {
    /// Which of the `len` numbers of the next tensor are visited, if any, and the number of their first among all.
    fn step(&mut self, len: usize) -> Option<(usize, Range<usize>)> {
        let begin = self.next;
        self.next += len;
        let start = self.range.start.max(begin);
        let end = self.range.end.min(self.next);
        (start < end).then(|| (start, start - begin..end - begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::GlorotUniform as _;
    use crate::LeNet5;

    /// The numbers of all tensors, as dfdx walks them.
    struct Walk(Vec<Vec<f32>>);

    impl TensorVisitor<f32, Cpu> for Walk {
        type Viewer = ViewTensorRef;
        type Err = CpuError;
        type E2 = f32;
        type D2 = Cpu;

        fn visit<S: Shape>(
            &mut self,
            _: TensorOptions<S, f32, Cpu>,
            tensor: &Tensor<S, f32, Cpu>,
        ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, CpuError> {
            self.0.push(tensor.as_vec());
            Ok(None)
        }
    }

    fn walk(network: &LeNet5) -> Vec<Vec<f32>> {
        let mut walk = Walk(Vec::new());
        LeNet5::iter_tensors(&mut RecursiveWalker {
            m: network,
            f: &mut walk,
        })
        .unwrap();
        walk.0
    }

    #[test]
    fn a_network_is_made_of_tensors_in_the_order_of_dfdx() {
        let mut tensors = 0u8;
        let network = LeNet5::from_tensors(&mut TensorMaker::new(&mut |sizes| {
            tensors += 1;
            vec![f32::from(tensors); sizes.iter().product()]
        }));
        let walk = walk(&network);
        assert_eq!(walk.len(), usize::from(tensors));
        for (number, numbers) in (1u8..).zip(walk) {
            assert!(numbers.iter().all(|got| *got == f32::from(number)));
        }
    }

    #[test]
    fn tensors_are_those_of_dfdx_in_its_order() {
        let mut network = LeNet5::glorot_uniform(0);
        let expected = walk(&network);
        let tensors = Tensors::of(&network);
        let numbers = tensors.each().map(|(_, numbers)| numbers.into_owned());
        assert_eq!(Vec::from_iter(numbers), expected);
        let numbers = TensorsMut::of(&mut network).into_numbers();
        assert_eq!(
            Vec::from_iter(numbers.map(|numbers| numbers.to_vec())),
            expected
        );
    }
}
