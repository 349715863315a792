//! The subsampling layers.

use super::{takes, without_parameters};
use crate::network::{Begins, LayerKind};
use crate::shape::{Maps, Pooled};

macro_rules! pool2d {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Debug, Default, Clone, Copy)]
        pub struct $name<const K: usize>;

        without_parameters!([const K: usize] $name<K>, LayerKind::$name { window: K });

        takes! {
            [const K: usize, const C: usize, const S: usize]
            $name<K>, Maps<C, S> => <() as Pooled<K, S>>::Out<C>
            where (): Pooled<K, S>
        }

        impl<const K: usize> Begins for $name<K> {
            type With = Maps<1, 28>;
        }
    };
}

pool2d! {
    /// The mean of each `K` x `K` window, with stride `K`; `K` is at most 4.
    ///
    /// Input `(B, C, S, S)`, output `(B, C, S / K, S / K)`, rounded down: a last row or column that does not fill a window
    /// is left out, as in Keras and PyTorch.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let x = Cpu::default().tensor([[[[1.0, 2.0], [3.0, 6.0]]]]);
    /// assert_eq!(AvgPool2D::<2>.forward(x).array(), [[[[3.0]]]]);
    /// ```
    AvgPool2D
}

pool2d! {
    /// The largest value of each `K` x `K` window, with stride `K`; `K` is at most 4.
    ///
    /// Input `(B, C, S, S)`, output `(B, C, S / K, S / K)`, rounded down. The gradient goes to the first of several
    /// largest values, as in PyTorch.
    ///
    /// ```
    /// use lenet_core::prelude::*;
    /// let x = Cpu::default().tensor([[[[1.0, 2.0], [3.0, 6.0]]]]);
    /// assert_eq!(MaxPool2D::<2>.forward(x).array(), [[[[6.0]]]]);
    /// ```
    MaxPool2D
}
