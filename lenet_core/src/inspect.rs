//! Looking at a tensor in a notebook.

use std::fmt;

use dfdx::prelude::{Cpu, HasShape, Shape, Tensor, Unit};

use crate::slices::values;

/// Short answers about a tensor.
pub trait Inspect {
    /// The type of the tensor's elements.
    type Element;

    /// The sizes of its axes, as in `(60000, 28, 28)`.
    fn dims(&self) -> Dims;

    /// The same under NumPy's name.
    fn shape(&self) -> Dims {
        self.dims()
    }

    /// Its type as it would be written, without the paths of modules.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let images = Cpu::default().tensor_from_vec(vec![0u8; 4], (Const::<2>, Const::<2>));
    /// assert_eq!(images.type_name(), "Tensor<(Const<2>, Const<2>), u8, Cpu>");
    /// assert_eq!(format!("{:?}", images.dims()), "(2, 2)");
    /// ```
    fn type_name(&self) -> String;

    /// The numbers at `index` of the first axis, in row-major order.
    ///
    /// # Panics
    /// If `index` is not below the size of the first axis.
    fn row(&self, index: usize) -> Vec<Self::Element>;
}

impl<S: Shape, E: Unit, T> Inspect for Tensor<S, E, Cpu, T> {
    type Element = E;

    fn dims(&self) -> Dims {
        Dims(HasShape::shape(self).concrete().into_iter().collect())
    }

    fn type_name(&self) -> String {
        let full = format!("Tensor<{}, {}, Cpu>", name::<S>(), name::<E>());
        without_paths(&full)
    }

    fn row(&self, index: usize) -> Vec<E> {
        let rows = self.dims()[0];
        assert!(index < rows, "row {index} of a tensor that has {rows}");
        let len = values(self).len() / rows;
        values(self)[index * len..][..len].to_vec()
    }
}

fn name<T>() -> &'static str {
    std::any::type_name::<T>()
}

/// Leaves of each path in a type's name only its last part.
fn without_paths(full: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for letter in full.chars() {
        if letter.is_alphanumeric() || letter == '_' || letter == ':' {
            word.push(letter);
        } else {
            short += word.rsplit("::").next().unwrap_or_default();
            word.clear();
            short.push(letter);
        }
    }
    short + &word
}

/// The sizes of a tensor's axes.
#[derive(Clone, PartialEq, Eq)]
pub struct Dims(Vec<usize>);

impl std::ops::Deref for Dims {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Dims {
    fn eq(&self, sizes: &[usize; N]) -> bool {
        self.0 == sizes
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("");
        for size in &self.0 {
            tuple.field(size);
        }
        tuple.finish()
    }
}
