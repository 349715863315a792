//! The loss: softmax and cross-entropy in one.

use dfdx::prelude::*;

use crate::slices::{values, values_mut};

/// Mean cross-entropy between the softmax of `logits` and one-hot `targets`, both `(B, C)`.
///
/// `loss = mean over b of - sum over c of target[b, c] * ln softmax(logits[b])[c]`, computed from
/// `logits - max` so that no exponential overflows. Its gradient is
/// `(softmax(logits) - target) / B`, for targets that sum to 1.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, loss::cross_entropy};
/// let dev = Cpu::default();
/// let logits = dev.tensor([[0.0, 0.0], [1000.0, 0.0]]);
/// let targets = dev.tensor([[1.0, 0.0], [1.0, 0.0]]);
/// let loss = cross_entropy(logits, &targets).unwrap();
/// assert!((loss.array() - 2f32.ln() / 2.0).abs() < 1e-6);
/// ```
///
/// # Errors
/// If dfdx cannot make a tensor.
pub fn cross_entropy<B: Dim, C: Dim, T: Tape<f32, Cpu>>(
    logits: Tensor<(B, C), f32, Cpu, T>,
    targets: &Tensor<(B, C), f32, Cpu>,
) -> Result<Tensor<Rank0, f32, Cpu, T>, CpuError> {
    let (logits, mut tape) = logits.split_tape();
    let (images, classes) = (logits.shape().0.size(), logits.shape().1.size());
    let mut loss: Tensor<Rank0, f32, Cpu> = logits.device().try_zeros_like(&())?;
    let mut slope = values(&logits).into_owned();
    let total = cross_entropy_and_slope(&mut slope, &values(targets), classes, images);
    values_mut(&mut loss)[0] = (total / images as f64) as f32;

    let out = loss.clone();
    tape.add_backward_op(move |gradients| {
        let upstream = gradients.get_or_alloc_mut(&out)?[0];
        let gradient = gradients.get_or_alloc_mut(&logits)?;
        for (gradient, slope) in gradient.iter_mut().zip(slope) {
            *gradient += upstream * slope;
        }
        Ok(())
    });
    Ok(loss.put_tape(tape))
}

/// The cross-entropies of some rows of logits, summed, and in their place the slope of the mean over all `images` of the
/// mini-batch: `(softmax(logits) - target) / images`.
pub(crate) fn cross_entropy_and_slope(logits: &mut [f32], targets: &[f32], classes: usize, images: usize) -> f64 {
    let mut total = 0.0;
    let rows = logits.chunks_exact_mut(classes);
    for (row, target) in rows.zip(targets.chunks_exact(classes)) {
        total += f64::from(row_loss(row, target));
        for (slope, target) in row.iter_mut().zip(target) {
            *slope = (*slope - target) / images as f32;
        }
    }
    total
}

/// The cross-entropy of one image's logits, which are turned into probabilities.
pub(crate) fn row_loss(logits: &mut [f32], target: &[f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let chosen: f32 = logits.iter().zip(target).map(|(logit, target)| target * (logit - max)).sum();
    let sum = softmax(logits);
    target.iter().sum::<f32>() * sum.ln() - chosen
}

/// Turns one image's logits into probabilities. Returns the sum of `exp(logit - max)`.
pub(crate) fn softmax(logits: &mut [f32]) -> f32 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    for probability in logits {
        *probability /= sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_and_gradient_agree_with_dfdx() {
        let dev = Cpu::default();
        let logits: Tensor<Rank2<7, 10>, f32, _> = dev.sample_normal();
        let mut targets: Tensor<Rank2<7, 10>, f32, _> = dev.zeros();
        (0..7).for_each(|i| targets[[i, (3 * i) % 10]] = 1.0);
        let expected = cross_entropy_with_logits_loss(logits.leaky_trace(), targets.clone());
        let got = cross_entropy(logits.leaky_trace(), &targets).unwrap();
        assert!((got.array() - expected.array()).abs() < 1e-6);
        let (expected, got) = ((expected * 3.0).backward(), (got * 3.0).backward());
        for (a, b) in got.get(&logits).as_vec().iter().zip(expected.get(&logits).as_vec()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
}
