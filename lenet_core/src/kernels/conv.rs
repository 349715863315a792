//! A convolution layer with tanh and 2 x 2 average pooling, forward and backward, on one block of
//! images that lie side by side: `x[((channel * height + y) * width + x) * LANES + image]`.
//!
//! With the images in the lanes of a vector, every tap of a convolution is one weight times one
//! contiguous vector, at every image size and without a remainder.

mod direct;
mod winograd;

use super::buffer::Pool;
use super::isa::Isa;

/// One layer. The convolution is valid (no padding) with stride 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Channels of the input.
    pub(crate) inputs: usize,
    /// Filters.
    pub(crate) outputs: usize,
    /// Side of a filter.
    pub(crate) kernel: usize,
    /// Height of the input.
    pub(crate) height: usize,
    /// Width of the input.
    pub(crate) width: usize,
    /// Whether tanh and pooling follow; only a benchmark of the convolution alone leaves them out.
    pub(crate) bending: bool,
}

impl Shape {
    /// Numbers of one image going in.
    pub(crate) fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }
    /// The same layer for a piece of the output, of which so many lie one below the other and side by side, if that
    /// can be computed as fast.
    pub(crate) fn piece(&self, (down, across): (usize, usize)) -> Option<Self> {
        let overlap = self.kernel - 1;
        let part = |side: usize, pieces: usize| (side - overlap) / pieces + overlap;
        let piece = Self {
            height: part(self.height, down),
            width: part(self.width, across),
            ..*self
        };
        let fits = winograd::fits(self) && winograd::fits(&piece);
        (fits || (down, across) == (1, 1)).then_some(piece)
    }
    fn weights_per_filter(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }
    /// Weights of the layer, without biases.
    pub(crate) fn weights(&self) -> usize {
        self.outputs * self.weights_per_filter()
    }
    /// Height and width of the pooled output.
    pub(crate) fn pooled(&self) -> (usize, usize) {
        (
            (self.height + 1 - self.kernel) / 2,
            (self.width + 1 - self.kernel) / 2,
        )
    }
    /// Numbers of one image coming out.
    pub(crate) fn output_len(&self) -> usize {
        let (height, width) = self.pooled();
        self.outputs * height * width
    }
    /// Activations of one image between tanh and pooling, less the odd row or column that pooling
    /// drops.
    pub(crate) fn activations(&self) -> usize {
        4 * self.output_len()
    }
    /// Numbers that the kernels make of one image, to multiply them with the [`factors`].
    fn values(&self) -> usize {
        if winograd::fits(self) {
            winograd::values_len(self)
        } else {
            self.input_len()
        }
    }
    /// Numbers of one image that [`backward`] needs of [`forward`]: activations, and values.
    pub(crate) fn kept_len(&self) -> usize {
        self.activations() + self.values()
    }
    /// Numbers that the kernels make of the weights: see [`factors`].
    pub(crate) fn factors(&self) -> usize {
        if winograd::fits(self) {
            winograd::factors_len(self)
        } else {
            self.weights()
        }
    }
    /// Numbers of working memory that [`forward`] needs for each lane.
    pub(crate) fn forward_len(&self) -> usize {
        if winograd::fits(self) {
            winograd::forward_len(self)
        } else {
            0
        }
    }
    /// Numbers of working memory that [`backward`] needs for each lane.
    pub(crate) fn backward_len(&self) -> usize {
        if winograd::fits(self) {
            winograd::backward_len(self)
        } else {
            direct::backward_len(self)
        }
    }
}

/// Makes of the weights the factors that the kernels multiply with.
pub(crate) fn factors(isa: Isa, pool: &Pool, shape: Shape, weight: &[f32], factors: &mut [f32]) {
    assert_eq!(weight.len(), shape.weights());
    assert_eq!(factors.len(), shape.factors());
    if winograd::fits(&shape) {
        winograd::evaluate(isa, pool, shape, weight, factors);
    } else {
        factors.copy_from_slice(weight);
    }
}

/// The [`factors`] with those of a filter side by side, as the input's gradient needs them.
pub(crate) fn by_filter(isa: Isa, shape: Shape, factors: &[f32], to: &mut [f32]) {
    assert_eq!(factors.len(), shape.factors());
    assert_eq!(to.len(), shape.factors());
    if winograd::fits(&shape) {
        winograd::by_filter(isa, shape, factors, to);
    } else {
        to.copy_from_slice(factors);
    }
}

/// Adds to the weights' gradient what the gradient of their [`factors`] amounts to.
pub(crate) fn add_gradient(
    isa: Isa,
    pool: &Pool,
    shape: Shape,
    factors: &[f32],
    weight: &mut [f32],
) {
    assert_eq!(weight.len(), shape.weights());
    assert_eq!(factors.len(), shape.factors());
    if winograd::fits(&shape) {
        winograd::add_gradient(isa, pool, shape, factors, weight);
    } else {
        for (weight, factor) in weight.iter_mut().zip(factors) {
            *weight += factor;
        }
    }
}

/// Computes the pooled output of a block. [`backward`] needs what is `kept`, `Shape::kept_len` vectors;
/// where nothing is learned it is working memory, as `scratch` is with its `Shape::forward_len` vectors.
pub(crate) fn forward(
    isa: Isa,
    shape: Shape,
    x: &[f32],
    (factors, bias): (&[f32], &[f32]),
    (kept, scratch): (&mut [f32], &mut [f32]),
    pooled: &mut [f32],
) {
    let lanes = isa.lanes();
    assert_eq!(x.len(), shape.input_len() * lanes);
    assert_eq!(factors.len(), shape.factors());
    assert_eq!(bias.len(), shape.outputs);
    assert_eq!(kept.len(), shape.kept_len() * lanes);
    assert_eq!(pooled.len(), shape.output_len() * lanes);
    assert_eq!(scratch.len(), shape.forward_len() * lanes);
    let (activations, values) = kept.split_at_mut(shape.activations() * lanes);
    let block = ForwardBlock {
        shape,
        x: x.as_ptr(),
        factors: factors.as_ptr(),
        bias: bias.as_ptr(),
        activations: activations.as_mut_ptr(),
        values: values.as_mut_ptr(),
        pooled: pooled.as_mut_ptr(),
        scratch: scratch.as_mut_ptr(),
    };
    // SAFETY: the lengths just checked are those that the kernels read and write.
    unsafe {
        if winograd::fits(&shape) {
            isa.run(winograd::Forward(block));
        } else {
            isa.run(direct::Forward(block));
        }
    }
}

/// What [`forward`] has checked the lengths of.
pub(crate) struct ForwardBlock {
    shape: Shape,
    x: *const f32,
    factors: *const f32,
    bias: *const f32,
    /// The four activations of each pooling window, one after the other. The order of the windows of a
    /// filter is the kernel's own.
    activations: *mut f32,
    /// What the factors are multiplied with.
    values: *mut f32,
    pooled: *mut f32,
    scratch: *mut f32,
}

/// What [`backward`] adds to or writes.
pub(crate) struct Gradients<'a> {
    /// The gradient of the weights' [`factors`], to which the block's is added.
    pub(crate) factors: &'a mut [f32],
    /// The biases' gradient, to which the block's is added.
    pub(crate) bias: &'a mut [f32],
    /// The input's gradient, overwritten, if it is wanted; the first layer wants none. It is made with the factors
    /// [`by_filter`].
    pub(crate) x: Option<(&'a [f32], &'a mut [f32])>,
}

/// From the gradient of a block's pooled output to those of weights and biases, and of the input if it is
/// wanted. What the forward pass has `kept` is overwritten; `scratch` is working memory of
/// `Shape::backward_len` vectors.
pub(crate) fn backward(
    isa: Isa,
    shape: Shape,
    (kept, scratch): (&mut [f32], &mut [f32]),
    pooled: &[f32],
    gradients: Gradients<'_>,
) {
    let lanes = isa.lanes();
    assert_eq!(kept.len(), shape.kept_len() * lanes);
    assert_eq!(scratch.len(), shape.backward_len() * lanes);
    assert_eq!(pooled.len(), shape.output_len() * lanes);
    assert_eq!(gradients.factors.len(), shape.factors());
    assert_eq!(gradients.bias.len(), shape.outputs);
    let x_gradient = gradients.x.map(|(factors, gradient)| {
        assert_eq!(factors.len(), shape.factors());
        assert_eq!(gradient.len(), shape.input_len() * lanes);
        (factors.as_ptr(), gradient.as_mut_ptr())
    });
    let (activations, values) = kept.split_at_mut(shape.activations() * lanes);
    let block = BackwardBlock {
        shape,
        activations: activations.as_ptr(),
        values: values.as_mut_ptr(),
        pooled: pooled.as_ptr(),
        factor_gradient: gradients.factors.as_mut_ptr(),
        bias_gradient: gradients.bias.as_mut_ptr(),
        x_gradient,
        scratch: scratch.as_mut_ptr(),
    };
    // SAFETY: the lengths just checked are those that the kernels read and write.
    unsafe {
        if winograd::fits(&shape) {
            isa.run(winograd::Backward::new(block, lanes));
        } else {
            isa.run(direct::Backward(block));
        }
    }
}

/// What [`backward`] has checked the lengths of.
pub(crate) struct BackwardBlock {
    shape: Shape,
    activations: *const f32,
    /// What the factors were multiplied with; the gradient may take its place.
    values: *mut f32,
    /// The gradient of the pooled output.
    pooled: *const f32,
    factor_gradient: *mut f32,
    bias_gradient: *mut f32,
    /// The factors by filter, and where the input's gradient goes.
    x_gradient: Option<(*const f32, *mut f32)>,
    scratch: *mut f32,
}
