//! Initial weights.

use dfdx::prelude::*;
use rand::distributions::{Distribution, Uniform};
use rand::rngs::StdRng;

use crate::random::{generator, Purpose};

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
        let mut glorot = Glorot(generator(seed, Purpose::Weights, 0));
        let built = Self::iter_tensors(&mut RecursiveWalker {
            m: (),
            f: &mut glorot,
        });
        match built {
            Ok(network) => network.expect("the visitor makes every tensor"),
            Err(never) => match never {},
        }
    }
}

impl<M: BuildModule<Cpu, f32>> GlorotUniform for M {}

struct Glorot(StdRng);

impl TensorVisitor<f32, Cpu> for Glorot {
    type Viewer = ();
    type Err = std::convert::Infallible;
    type E2 = f32;
    type D2 = Cpu;

    fn visit<S: Shape>(
        &mut self,
        options: TensorOptions<S, f32, Cpu>,
        (): (),
    ) -> std::result::Result<Option<Tensor<S, f32, Cpu>>, Self::Err> {
        let shape = options.shape.concrete();
        let mut sizes = [1; 4];
        for axis in 0..S::NUM_DIMS.min(4) {
            sizes[axis] = shape[axis];
        }
        let values = self.draw(S::NUM_DIMS, sizes);
        Ok(Some(Cpu::default().tensor_from_vec(values, options.shape)))
    }
}

impl Glorot {
    /// Zeros for a bias (one axis), random numbers for weights (two axes, or four with the filters' rows
    /// and columns).
    fn draw(&mut self, axes: usize, sizes: [usize; 4]) -> Vec<f32> {
        let [outputs, inputs, rows, columns] = sizes;
        let count = sizes.iter().product();
        if axes < 2 {
            return vec![0.0; count];
        }
        let fans = (inputs + outputs) * rows * columns;
        let limit = (6.0 / fans as f32).sqrt();
        let uniform = Uniform::new_inclusive(-limit, limit);
        (0..count).map(|_| uniform.sample(&mut self.0)).collect()
    }
}
