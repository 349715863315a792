//! The layers: one file each, with its type, its shape rule and its arithmetic's name.
//!
//! Every layer is a dfdx module and works on dfdx's tape. Its arithmetic is that of the program that training runs.

mod activation;
mod conv2d;
mod dropout;
mod flatten;
mod input;
mod linear;
mod pool2d;
mod zero_pad2d;

pub use activation::{ReLU, Sigmoid, Tanh};
pub use conv2d::Conv2D;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use input::Input;
pub use linear::Linear;
pub use pool2d::{AvgPool2D, MaxPool2D};
pub use zero_pad2d::ZeroPad2D;

/// Makes a layer a dfdx module for each batch that it takes.
macro_rules! module {
    ([$($generics:tt)*] $layer:ty) => {
        impl<$($generics)*> dfdx::nn::NonMutableModule for $layer {}

        impl<X: crate::shape::Batch, $($generics)*> dfdx::nn::Module<X> for $layer
        where
            Self: crate::shape::Takes<X::Arriving>,
        {
            type Output = crate::shape::BatchOf<<Self as crate::shape::Takes<X::Arriving>>::Out, X::Images, X::Tape>;
            type Error = dfdx::tensor::CpuError;

            fn try_forward(&self, x: X) -> Result<Self::Output, Self::Error> {
                crate::shape::Takes::run(self, x.tensor())
            }
        }
    };
}

/// Writes a layer's `Takes`: what it takes and gives, and that it runs as `kind` with these parameters.
macro_rules! takes {
    ([$($generics:tt)*] $layer:ty, $takes:ty => $gives:ty $(where $($bounds:tt)*)?) => {
        impl<$($generics)*> crate::shape::Takes<$takes> for $layer $(where $($bounds)*)? {
            type Out = $gives;

            fn run<Images: dfdx::shapes::Dim, Recorder: dfdx::tensor::Tape<f32, dfdx::tensor::Cpu>>(
                &self,
                x: crate::shape::BatchOf<$takes, Images, Recorder>,
            ) -> Result<crate::shape::BatchOf<Self::Out, Images, Recorder>, dfdx::tensor::CpuError> {
                crate::tape::apply::<$takes, Self::Out, Images, Recorder, Self>(self, x)
            }
        }
    };
}

/// Makes a type without parameters a layer of a kind.
macro_rules! without_parameters {
    ([$($generics:tt)*] $layer:ty, $kind:expr) => {
        impl<$($generics)*> dfdx::nn::ZeroSizedModule for $layer {}

        impl<$($generics)*> crate::network::Layer for $layer {
            fn kinds(kinds: &mut Vec<crate::network::LayerKind>) {
                kinds.push($kind);
            }
            fn from_parameters(_: &mut dyn FnMut(&[usize]) -> Vec<f32>) -> Self {
                Self
            }
            fn parameters<'a>(&'a self, _: &mut Vec<&'a dyn crate::network::Parameter>) {}
            fn parameters_mut<'a>(&'a mut self, _: &mut Vec<&'a mut dyn crate::network::Parameter>) {}
        }

        crate::layers::module!([$($generics)*] $layer);
    };
}

/// Makes a type with a weight and a bias a layer of a kind, and a collection of tensors as dfdx wants it.
macro_rules! with_parameters {
    ($name:ident <$($number:ident),*>, $kind:expr) => {
        impl<$(const $number: usize),*> crate::network::Layer for $name<$($number),*> {
            fn kinds(kinds: &mut Vec<crate::network::LayerKind>) {
                kinds.push($kind);
            }
            fn from_parameters(values: &mut dyn FnMut(&[usize]) -> Vec<f32>) -> Self {
                let (weight, bias) = (crate::network::parameter(values), crate::network::parameter(values));
                Self { weight, bias }
            }
            fn parameters<'a>(&'a self, all: &mut Vec<&'a dyn crate::network::Parameter>) {
                all.push(&self.weight);
                all.push(&self.bias);
            }
            fn parameters_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn crate::network::Parameter>) {
                all.push(&mut self.weight);
                all.push(&mut self.bias);
            }
        }

        impl<$(const $number: usize,)* E: Dtype, D: Device<E>> TensorCollection<E, D> for $name<$($number,)* E, D> {
            type To<E2: Dtype, D2: Device<E2>> = $name<$($number,)* E2, D2>;

            fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
                visitor: &mut V,
            ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
                let zeros = TensorOptions::reset_to_zeros();
                let weight = Self::tensor("weight", |layer| &layer.weight, |layer| &mut layer.weight, zeros);
                let zeros = TensorOptions::reset_to_zeros();
                let bias = Self::tensor("bias", |layer| &layer.bias, |layer| &mut layer.bias, zeros);
                visitor.visit_fields((weight, bias), |(weight, bias)| $name { weight, bias })
            }
        }

        crate::layers::module!([$(const $number: usize),*] $name<$($number),*>);
    };
}

pub(crate) use {module, takes, with_parameters, without_parameters};
