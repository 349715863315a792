//! A dense layer on images as rows.

use crate::isa::Isa;

/// A dense layer, `y = x W^T + b`, on images as rows. The weights are `[output][input]`.
#[derive(Debug, Clone, Copy)]
pub struct Dense {
    /// The instruction set.
    pub isa: Isa,
    /// Values of one image going in.
    pub inputs: usize,
    /// Values of one image coming out.
    pub outputs: usize,
}

impl Dense {
    /// Values that [`Dense::prepare`] makes of the weights.
    pub fn prepared_len(&self) -> usize {
        self.inputs * self.outputs
    }

    /// Turns the weights around, so that those of an input lie side by side.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        assert_eq!(weight.len(), self.inputs * self.outputs);
        assert_eq!(prepared.len(), self.prepared_len());
        for (at, weight) in weight.iter().enumerate() {
            prepared[at % self.inputs * self.outputs + at / self.inputs] = *weight;
        }
    }

    /// Writes the outputs `y` of the images `x`.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn forward(&self, x: &[f32], prepared: &[f32], bias: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.outputs)) {
            y.copy_from_slice(bias);
            for (x, weights) in x.iter().zip(prepared.chunks_exact(self.outputs)) {
                y.iter_mut().zip(weights).for_each(|(y, weight)| *y += x * weight);
            }
        }
    }

    /// Adds to the gradients of weights and biases, and writes that of the input if it is wanted, from that of the
    /// output, `dy`.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn backward(
        &self,
        x: &[f32],
        dy: &[f32],
        weight: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
        dx: Option<&mut [f32]>,
    ) {
        for (x, dy) in x.chunks_exact(self.inputs).zip(dy.chunks_exact(self.outputs)) {
            for ((dw, db), dy) in dw.chunks_exact_mut(self.inputs).zip(&mut *db).zip(dy) {
                *db += dy;
                dw.iter_mut().zip(x).for_each(|(dw, x)| *dw += x * dy);
            }
        }
        let Some(dx) = dx else { return };
        for (dx, dy) in dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(self.outputs)) {
            dx.fill(0.0);
            for (weights, dy) in weight.chunks_exact(self.inputs).zip(dy) {
                dx.iter_mut().zip(weights).for_each(|(dx, weight)| *dx += weight * dy);
            }
        }
    }
}
