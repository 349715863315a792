//! Looking at a tensor in a notebook.

use std::fmt;

use dfdx::prelude::{Cpu, HasShape, Shape, Tensor, Unit};

use crate::metrics::largest;
use crate::slices::values;

/// Values that are shown at each end of a long row.
pub(crate) const ENDS: usize = 8;

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

/// A type of a tensor's elements that shows itself.
pub trait Element: Unit + fmt::Display {
    /// The element, and as ink from 0 to 1 if it is that of a pixel.
    fn number(self) -> f64;
    /// The largest value of a pixel.
    const WHITE: f64;
    /// The smallest, the largest and the mean of some elements. It is compiled with this crate, not in an unoptimised cell.
    fn range(all: &[Self]) -> [f64; 3];
}

macro_rules! elements {
    ($($type:ty, $white:literal, |$value:ident| $number:expr;)*) => { $(
        impl Element for $type {
            const WHITE: f64 = $white;
            fn number(self) -> f64 {
                let $value = self;
                $number
            }
            fn range(all: &[Self]) -> [f64; 3] {
                let start = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
                let (least, most, sum) = all.iter().fold(start, |(least, most, sum), value| {
                    let value = value.number();
                    (value.min(least), value.max(most), sum + value)
                });
                [least, most, sum / all.len() as f64]
            }
        }
    )* };
}

elements! {
    u8, 255.0, |value| f64::from(value);
    f32, 1.0, |value| f64::from(value);
    f64, 1.0, |value| value;
    i32, 1.0, |value| f64::from(value);
    i64, 1.0, |value| value as f64;
    usize, 1.0, |value| value as f64;
    bool, 1.0, |value| f64::from(u8::from(value));
}

/// What elements have in common, and some of them.
pub(crate) fn describe<E: Element>(all: &[E], sizes: &[usize]) -> String {
    let [least, most, mean] = E::range(all).map(short);
    let words = |values: &[E]| Vec::from_iter(values.iter().map(|value| short(value.number()))).join(", ");
    let row = match all.len() {
        0..=24 => words(all),
        len => format!("{}, … {}", words(&all[..ENDS]), words(&all[len - ENDS..])),
    };
    format!("[{row}]{}\nsmallest {least}, largest {most}, mean {mean}", classes(all, sizes))
}

/// The classes of the first rows, where rows are one-hot or probabilities.
fn classes<E: Element>(all: &[E], sizes: &[usize]) -> String {
    let mut text = String::new();
    let [_, classes @ 2..=100] = *sizes else { return text };
    for (index, row) in all.chunks_exact(classes).take(ENDS).enumerate() {
        let row = Vec::from_iter(row.iter().map(|value| value.number() as f32));
        let (class, sum) = (largest(&row), row.iter().sum::<f32>());
        if row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3 {
            text += &format!("\nrow {index}: class {class}");
            if row[class] < 1.0 {
                text += &format!(" with {:.1} %", 100.0 * row[class]);
            }
        }
    }
    text
}

/// A number with four digits behind the point, or four in all where it is small.
fn short(value: f64) -> String {
    match format!("{value:.4}") {
        _ if value != 0.0 && value.abs() < 1e-3 => format!("{value:.1e}"),
        text if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        text => text,
    }
}
