//! A convolution layer on blocks of images.

use crate::activation::Activation;
use crate::blocks::{to_blocks, to_rows};
use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::naive;
use crate::pool::{Pool, Pooling};

/// A convolution layer without padding, with stride 1, and what follows it: an activation, pooling, both or neither. It works
/// on blocks of images; the weights are `[output][input][row][column]`.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// The instruction set, which decides how many images a block has.
    pub isa: Isa,
    /// Channels of the input.
    pub inputs: usize,
    /// Height of the input.
    pub height: usize,
    /// Width of the input.
    pub width: usize,
    /// Filters, and maps of the output.
    pub outputs: usize,
    /// Side of a filter, 1 to 7.
    pub kernel: usize,
    /// The function that is applied to each value of the maps.
    pub activation: Option<Activation>,
    /// What windows of the maps become, and the side of a window, 2 to 4.
    pub pool: Option<(Pooling, usize)>,
}

impl Conv {
    fn shape(&self) -> naive::Shape {
        let Self {
            inputs,
            height,
            width,
            outputs,
            kernel,
            ..
        } = *self;
        naive::Shape {
            inputs,
            height,
            width,
            outputs,
            kernel,
        }
    }

    fn pooling(&self) -> Option<Pool> {
        let (height, width) = (self.height + 1 - self.kernel, self.width + 1 - self.kernel);
        self.pool.map(|(kind, window)| Pool {
            isa: self.isa,
            kind,
            window,
            channels: self.outputs,
            height,
            width,
        })
    }

    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.shape().input_len()
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        self.pooling()
            .map_or(self.shape().output_len(), |pool| pool.output_len())
    }

    /// Values of one image that [`Conv::backward`] needs beside input and output.
    pub fn saved_len(&self) -> usize {
        self.shape().output_len()
    }

    /// Values that [`Conv::prepare`] makes of the weights.
    pub fn prepared_len(&self) -> usize {
        self.shape().weights()
    }

    /// Brings the weights into the form in which they are multiplied, once for all passes with the same weights.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        prepared.copy_from_slice(weight);
    }

    /// Writes the output `y` of the blocks `x`, and what is `saved` for [`Conv::backward`].
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward(
        &self,
        x: &[f32],
        prepared: &[f32],
        bias: &[f32],
        y: &mut [f32],
        saved: &mut [f32],
        _: &mut Buffer,
    ) {
        let mut rows = vec![0.0; x.len()];
        to_rows(self.isa, x, self.input_len(), &mut rows);
        let mut maps = vec![0.0; saved.len()];
        naive::forward(self.shape(), &rows, prepared, bias, &mut maps);
        to_blocks(self.isa, &maps, self.shape().output_len(), saved);
        if let Some(activation) = self.activation {
            activation.forward(self.isa, saved);
        }
        match self.pooling() {
            Some(pool) => pool.forward(saved, y),
            None => y.copy_from_slice(saved),
        }
    }

    /// From the gradient of the output, `dy`, to those of weights and biases, which it is added to, and of the input,
    /// which is written if it is wanted. What is `saved` is used up.
    ///
    /// # Panics
    /// If a slice has another length.
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        x: &[f32],
        _y: &[f32],
        saved: &mut [f32],
        dy: &[f32],
        prepared: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
        dx: Option<&mut [f32]>,
        _: &mut Buffer,
    ) {
        let mut dz = dy.to_vec();
        if let Some(pool) = self.pooling() {
            dz = vec![0.0; saved.len()];
            pool.backward(saved, dy, &mut dz);
        }
        if let Some(activation) = self.activation {
            activation.backward(self.isa, saved, &mut dz);
        }
        let (mut x_rows, mut dz_rows) = (vec![0.0; x.len()], vec![0.0; dz.len()]);
        to_rows(self.isa, x, self.input_len(), &mut x_rows);
        to_rows(self.isa, &dz, self.shape().output_len(), &mut dz_rows);
        naive::weight_gradient(self.shape(), &x_rows, &dz_rows, dw);
        naive::bias_gradient(self.shape(), &dz_rows, db);
        if let Some(dx) = dx {
            naive::input_gradient(self.shape(), prepared, &dz_rows, &mut x_rows);
            to_blocks(self.isa, &x_rows, self.input_len(), dx);
        }
    }
}
