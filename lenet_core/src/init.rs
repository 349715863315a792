//! Initial weights.

use dfdx::prelude::*;
use rand::distributions::{Distribution, Uniform};
use rand::rngs::StdRng;

use crate::random::{generator, Purpose};
use crate::view::values_mut;

/// Making a network with Glorot-uniform weights, as Keras does by default.
pub trait GlorotUniform: BuildModule<Cpu, f32> {
    /// A network whose weights are drawn by Glorot's uniform rule from `seed`, and whose biases are
    /// zero. The same seed gives the same bits.
    ///
    /// Weights are uniform in `-limit..=limit` with `limit = sqrt(6 / (fan_in + fan_out))`, where a
    /// convolution's fans count the pixels under its filter (Glorot and Bengio 2010, "Understanding
    /// the difficulty of training deep feedforward neural networks", equation 16).
    ///
    /// ```
    /// use lenet_core::{dfdx::prelude::*, init::GlorotUniform as _, layers::Conv2D};
    /// let c1 = Conv2D::<1, 6, 5>::glorot_uniform(0);
    /// let limit = (6.0f32 / (25.0 + 150.0)).sqrt();
    /// assert!(c1.weight.as_vec().iter().all(|w| w.abs() <= limit));
    /// assert_eq!(c1.bias.array(), [0.0; 6]);
    /// ```
    fn glorot_uniform(seed: u64) -> Self {
        let mut network = Self::build(&Cpu::default());
        let mut glorot = Glorot(generator(seed, Purpose::Weights, 0));
        let walked = Self::iter_tensors(&mut RecursiveWalker {
            m: &mut network,
            f: &mut glorot,
        });
        match walked {
            Ok(_) => network,
            Err(never) => match never {},
        }
    }
}

impl<M: BuildModule<Cpu, f32>> GlorotUniform for M {}

struct Glorot(StdRng);

impl TensorVisitor<f32, Cpu> for Glorot {
    type Viewer = ViewTensorMut;
    type Err = std::convert::Infallible;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        _: TensorOptions<S, f32, Cpu>,
        tensor: &mut Tensor<S, f32, Cpu>,
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, Self::Err> {
        let shape = tensor.shape().concrete();
        let values = values_mut(tensor);
        if S::NUM_DIMS < 2 {
            values.fill(0.0);
            return Ok(None);
        }
        let pixels: usize = (2..S::NUM_DIMS).map(|axis| shape[axis]).product();
        let (fan_out, fan_in) = (shape[0] * pixels, shape[1] * pixels);
        let limit = (6.0 / (fan_in + fan_out) as f32).sqrt();
        let uniform = Uniform::new_inclusive(-limit, limit);
        values.fill_with(|| uniform.sample(&mut self.0));
        Ok(None)
    }
}
