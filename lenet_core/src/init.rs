//! Initial weights.

use rand::distributions::{Distribution, Uniform};
use rand::rngs::StdRng;

use crate::network::Chain;
use crate::random::{generator, Purpose};

/// Making a network with Glorot-uniform weights, as Keras does by default.
pub trait GlorotUniform: Sized {
    /// A network whose weights are drawn by Glorot's uniform rule from `seed`, and whose biases are
    /// zero. The same seed gives the same bits. Layers that do not fit one another are refused here, by the compiler.
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
    fn glorot_uniform(seed: u64) -> Self
    where
        Self: Chain;
}

impl<N> GlorotUniform for N {
    fn glorot_uniform(seed: u64) -> Self
    where
        Self: Chain,
    {
        let mut random = generator(seed, Purpose::Weights, [0, 0]);
        Self::from_parameters(&mut |sizes| sample(sizes, &mut random))
    }
}

/// Zeros for a bias (one axis), random values for weights (outputs, inputs, and where there are filters their rows and
/// columns).
fn sample(sizes: &[usize], random: &mut StdRng) -> Vec<f32> {
    let count = sizes.iter().product();
    let [outputs, inputs, filter @ ..] = sizes else {
        return vec![0.0; count];
    };
    let fans = (inputs + outputs) * filter.iter().product::<usize>();
    let limit = (6.0 / fans as f32).sqrt();
    let uniform = Uniform::new_inclusive(-limit, limit);
    (0..count).map(|_| uniform.sample(random)).collect()
}
