//! dfdx's tensors, lent as slices without a copy. All of this crate's `unsafe` stands here.
//!
//! dfdx 0.13 lends no slice of a tensor on the CPU. It does lend each element, and keeps all of them
//! in one `Vec`; from the first element's address the rest follows.

use std::borrow::Cow;

use dfdx::prelude::*;

/// dfdx's largest number of axes.
const MOST_AXES: usize = 6;

/// The tensor's values in row-major order: borrowed where they lie so, else copied.
pub(crate) fn values<S: Shape, E: Unit, T>(tensor: &Tensor<S, E, Cpu, T>) -> Cow<'_, [E]> {
    let layout = Layout::of(tensor);
    if layout.len() == 0 {
        return Cow::Borrowed(&[]);
    }
    if !layout.is_row_major() {
        return Cow::Owned(tensor.as_vec());
    }
    let first = std::ptr::from_ref(&tensor[Default::default()]);
    // SAFETY: the elements lie one after the other in one allocation, as their addresses say, and
    // the borrow of the tensor keeps it alive and unchanged.
    Cow::Borrowed(unsafe { std::slice::from_raw_parts(first, layout.len()) })
}

/// The tensor's values in row-major order, to be written.
///
/// As with any mutable access, dfdx copies them first if another tensor shares them.
///
/// # Panics
/// For a tensor that is permuted or broadcast; only freshly made tensors are passed here.
pub(crate) fn values_mut<S: Shape, E: Unit, T>(tensor: &mut Tensor<S, E, Cpu, T>) -> &mut [E] {
    let layout = Layout::of(tensor);
    if layout.len() == 0 {
        return &mut [];
    }
    assert!(layout.is_row_major());
    let first = std::ptr::from_mut(&mut tensor[Default::default()]);
    // SAFETY: as in `values`; mutable indexing has made the tensor the only owner.
    unsafe { std::slice::from_raw_parts_mut(first, layout.len()) }
}

/// A tensor of parameters, weights or biases, whatever its shape: what is done with all parameters of a network is compiled
/// once, with this crate, and not for each shape in each cell of a notebook that trains. Only dfdx's tensors are one.
pub trait Parameter: sealed::AnyShape {}

impl<S: ConstShape> Parameter for Tensor<S, f32, Cpu> {}

pub(crate) mod sealed {
    use super::*;

    pub trait AnyShape: Send + Sync {
        /// The sizes of its axes, as in `[6, 1, 5, 5]`.
        fn sizes(&self) -> Vec<usize>;
        /// Its values in row-major order.
        fn values(&self) -> Cow<'_, [f32]>;
        /// Its values in row-major order, to be written.
        fn values_mut(&mut self) -> &mut [f32];
        /// Its gradient in `gradients`; zeros, if there is none yet.
        fn gradient<'a>(&self, gradients: &'a mut Gradients<f32, Cpu>) -> Result<&'a mut Vec<f32>, CpuError>;
        /// The same tensor in a box: dfdx knows it by its id.
        fn boxed(&self) -> Box<dyn Parameter>;
    }

    impl<S: ConstShape> AnyShape for Tensor<S, f32, Cpu> {
        fn sizes(&self) -> Vec<usize> {
            self.shape().concrete().into_iter().collect()
        }
        fn values(&self) -> Cow<'_, [f32]> {
            values(self)
        }
        fn values_mut(&mut self) -> &mut [f32] {
            values_mut(self)
        }
        fn gradient<'a>(&self, gradients: &'a mut Gradients<f32, Cpu>) -> Result<&'a mut Vec<f32>, CpuError> {
            Ok(&mut **gradients.get_or_alloc_mut(self)?)
        }
        fn boxed(&self) -> Box<dyn Parameter> {
            Box::new(self.clone())
        }
    }
}

/// How a tensor's elements lie in memory.
struct Layout {
    axes: usize,
    sizes: [usize; MOST_AXES],
    /// Elements from one neighbour to the next along each axis.
    strides: [usize; MOST_AXES],
}

impl Layout {
    fn of<S: Shape, E: Unit, T>(tensor: &Tensor<S, E, Cpu, T>) -> Self {
        let mut layout = Self { axes: S::NUM_DIMS, sizes: [1; MOST_AXES], strides: [0; MOST_AXES] };
        for (size, axis) in layout.sizes.iter_mut().zip(tensor.shape().concrete()) {
            *size = axis;
        }
        if layout.len() == 0 {
            return layout;
        }
        let address = |index: S::Concrete| std::ptr::from_ref(&tensor[index]).addr();
        let origin = address(Default::default());
        for axis in 0..S::NUM_DIMS {
            if layout.sizes[axis] > 1 {
                let mut neighbour = S::Concrete::default();
                neighbour[axis] = 1;
                layout.strides[axis] = (address(neighbour) - origin) / size_of::<E>();
            }
        }
        layout
    }

    fn len(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether neighbours along every axis are as far apart as row-major order wants.
    fn is_row_major(&self) -> bool {
        let mut wanted = 1;
        (0..self.axes).rev().all(|axis| {
            let fits = self.sizes[axis] == 1 || self.strides[axis] == wanted;
            wanted *= self.sizes[axis];
            fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_tensor_is_borrowed_and_others_are_copied_in_order() {
        let dev = Cpu::default();
        let a = dev.tensor([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert!(matches!(values(&a), Cow::Borrowed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])));
        let transposed = a.permute::<_, Axes2<1, 0>>();
        assert!(matches!(values(&transposed), Cow::Owned(_)));
        assert_eq!(*values(&transposed), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let rows: Tensor<Rank2<2, 3>, f32, _> = dev.tensor([7.0, 8.0, 9.0]).broadcast();
        assert_eq!(*values(&rows), [7.0, 8.0, 9.0, 7.0, 8.0, 9.0]);
    }

    #[test]
    fn writing_leaves_clones_alone() {
        let dev = Cpu::default();
        let mut a = dev.tensor([1.0f32, 2.0]);
        let b = a.clone();
        values_mut(&mut a)[1] = 5.0;
        assert_eq!((a.array(), b.array()), ([1.0, 5.0], [1.0, 2.0]));
    }
}
