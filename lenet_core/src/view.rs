//! A tensor's numbers as a slice, without a copy.
//!
//! dfdx 0.13 lends no slice of a tensor on the CPU. It does lend each element, and keeps all of them
//! in one `Vec`; from the first element's address the rest follows.

use std::borrow::Cow;

use dfdx::prelude::{Cpu, HasShape, Shape, Tensor, Unit};

/// The tensor's numbers in row-major order: borrowed where they lie so, else copied.
pub(crate) fn values<S: Shape, E: Unit, T>(tensor: &Tensor<S, E, Cpu, T>) -> Cow<'_, [E]> {
    let len = tensor.shape().num_elements();
    if len == 0 {
        return Cow::Borrowed(&[]);
    }
    if !is_row_major(tensor) {
        return Cow::Owned(tensor.as_vec());
    }
    let first = std::ptr::from_ref(&tensor[Default::default()]);
    // SAFETY: the elements lie one after the other in one allocation, as `is_row_major` has seen
    // from their addresses, and the borrow of the tensor keeps it alive and unchanged.
    Cow::Borrowed(unsafe { std::slice::from_raw_parts(first, len) })
}

/// The tensor's numbers in row-major order, to be written.
///
/// As with any mutable access, dfdx copies them first if another tensor shares them.
///
/// # Panics
/// For a tensor that is permuted or broadcast; only freshly made tensors are passed here.
pub(crate) fn values_mut<S: Shape, E: Unit, T>(tensor: &mut Tensor<S, E, Cpu, T>) -> &mut [E] {
    let len = tensor.shape().num_elements();
    if len == 0 {
        return &mut [];
    }
    assert!(is_row_major(tensor));
    let first = std::ptr::from_mut(&mut tensor[Default::default()]);
    // SAFETY: as in `values`; mutable indexing has made the tensor the only owner.
    unsafe { std::slice::from_raw_parts_mut(first, len) }
}

/// Whether neighbours along every axis are as far apart as row-major order wants.
fn is_row_major<S: Shape, E: Unit, T>(tensor: &Tensor<S, E, Cpu, T>) -> bool {
    let sizes = tensor.shape().concrete();
    let origin = S::Concrete::default();
    let address = |index: S::Concrete| std::ptr::from_ref(&tensor[index]).addr();
    let mut stride = 1;
    for axis in (0..S::NUM_DIMS).rev() {
        if sizes[axis] > 1 {
            let mut neighbour = origin;
            neighbour[axis] = 1;
            if address(neighbour).wrapping_sub(address(origin)) != stride * size_of::<E>() {
                return false;
            }
        }
        stride *= sizes[axis];
    }
    true
}

#[cfg(test)]
mod tests {
    use dfdx::prelude::*;

    use super::*;

    #[test]
    fn a_fresh_tensor_is_borrowed_and_others_are_copied_in_order() {
        let dev = Cpu::default();
        let a = dev.tensor([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert!(matches!(
            values(&a),
            Cow::Borrowed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        ));
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
