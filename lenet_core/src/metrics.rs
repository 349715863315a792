//! Where a classifier errs: from its probabilities and the labels.

use std::ops::{Add, Index};

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::history::Score;
use crate::slices::values;
use crate::suspicion;

/// One class for each image: a tensor or a slice of u8.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no labels: wanted is a class for each image, as `mnist::load_data` gives it; one-hot rows are labels no more",
    label = "not one class for each image"
)]
pub trait Labels {
    /// The classes, in the images' order.
    fn labels(&self) -> Vec<usize>;
}

impl<N: Dim, T> Labels for Tensor<(N,), u8, Cpu, T> {
    fn labels(&self) -> Vec<usize> {
        values(self).iter().map(|label| usize::from(*label)).collect()
    }
}

impl Labels for [u8] {
    fn labels(&self) -> Vec<usize> {
        self.iter().map(|label| usize::from(*label)).collect()
    }
}

impl Labels for Vec<u8> {
    fn labels(&self) -> Vec<usize> {
        self[..].labels()
    }
}

/// How many images of each class (rows) are read as which class (columns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: Vec<usize>,
}

impl Index<usize> for Confusion {
    type Output = [usize];

    /// How many images of the class `label` are read as which.
    fn index(&self, label: usize) -> &[usize] {
        &self.counts[label * self.classes..][..self.classes]
    }
}

impl Confusion {
    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// All counts, row by row.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// The counts of each row as shares of it, row by row: `n[c][r] / sum over k of n[c][k]`, in 0..=1; 0 for a class without
    /// images.
    pub fn shares(&self) -> Vec<f32> {
        let rows = self.counts.chunks_exact(self.classes);
        rows.flat_map(|row| row.iter().map(|count| *count as f32 / row.iter().sum::<usize>().max(1) as f32)).collect()
    }

    /// Of each class's images, the share that is read right: `n[c][c] / sum over r of n[c][r]`, in 0..=1; 0 for a class
    /// without images. Also called the accuracy of the class.
    pub fn recall(&self) -> Vec<f32> {
        self.right_of(|class| self[class].iter().sum())
    }

    /// Of the images that are read as a class, the share that is of it: `n[c][c] / sum over r of n[r][c]`, in 0..=1; 0 for
    /// a class that none is read as.
    pub fn precision(&self) -> Vec<f32> {
        self.right_of(|class| (0..self.classes).map(|label| self[label][class]).sum())
    }

    /// The harmonic mean of precision and recall of each class, in 0..=1; 0 where both are 0.
    pub fn f1(&self) -> Vec<f32> {
        let both = self.precision().into_iter().zip(self.recall());
        both.map(|(a, b)| if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 }).collect()
    }

    fn right_of(&self, of: impl Fn(usize) -> usize) -> Vec<f32> {
        (0..self.classes).map(|class| self[class][class] as f32 / of(class).max(1) as f32).collect()
    }
}

/// Counts how many images of each class are read as which: `(N, C)` probabilities, as
/// [`Model::predict`](crate::Model::predict) gives them, and `N` labels.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, metrics};
/// let mut probabilities = Cpu::default().zeros::<Rank2<3, 10>>();
/// (probabilities[[0, 4]], probabilities[[1, 9]], probabilities[[2, 4]]) = (0.9, 0.8, 0.7);
/// let counts = metrics::confusion(&vec![4, 4, 4], &probabilities)?;
/// assert_eq!((counts[4][4], counts[4][9]), (2, 1));
/// assert_eq!((counts.recall()[4], counts.precision()[4]), (2.0 / 3.0, 1.0));
/// assert_eq!(counts.shares()[4 * 10 + 9], 1.0 / 3.0);
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] if there is not one label below `C` for each image.
pub fn confusion<N: Dim, C: Dim>(
    labels: &(impl Labels + ?Sized),
    probabilities: &Tensor<(N, C), f32, Cpu>,
) -> Result<Confusion> {
    let classes = probabilities.shape().1.size();
    let mut counts = vec![0; classes * classes];
    for Prediction { label, predicted, .. } in predictions(labels.labels(), &values(probabilities), classes)? {
        counts[label * classes + predicted] += 1;
    }
    Ok(Confusion { classes, counts })
}

/// The share of the images whose class is among the `k` most probable ones, in 0..=1.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, metrics};
/// let probabilities = Cpu::default().tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]);
/// assert_eq!(metrics::top_k(&vec![1, 2], &probabilities, 2)?, 0.5);
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// As [`confusion`].
pub fn top_k<N: Dim, C: Dim>(
    labels: &(impl Labels + ?Sized),
    probabilities: &Tensor<(N, C), f32, Cpu>,
    k: usize,
) -> Result<f32> {
    let (rows, classes) = (values(probabilities), probabilities.shape().1.size());
    let all = predictions(labels.labels(), &rows, classes)?;
    let within = |(prediction, row): &(&Prediction, &[f32])| {
        row.iter().filter(|probability| **probability > row[prediction.label]).count() < k
    };
    let hits = all.iter().zip(rows.chunks_exact(classes)).filter(within).count();
    Ok(hits as f32 / all.len().max(1) as f32)
}

/// The images that are read wrong, the most confident mistake first. The arguments are those of [`confusion`].
///
/// ```
/// use lenet_core::{dfdx::prelude::*, metrics};
/// let mut probabilities = Cpu::default().zeros::<Rank2<3, 10>>();
/// (probabilities[[0, 4]], probabilities[[1, 9]], probabilities[[2, 0]]) = (0.9, 0.6, 0.7);
/// let mistakes = metrics::mistakes(&vec![4, 4, 4], &probabilities)?;
/// let found: Vec<_> = mistakes.iter().map(|m| (m.index, m.label, m.predicted)).collect();
/// assert_eq!(found, [(2, 4, 0), (1, 4, 9)]);
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// As [`confusion`].
pub fn mistakes<N: Dim, C: Dim>(
    labels: &(impl Labels + ?Sized),
    probabilities: &Tensor<(N, C), f32, Cpu>,
) -> Result<Vec<Mistake>> {
    let all = predictions(labels.labels(), &values(probabilities), probabilities.shape().1.size())?;
    let wrong = all.into_iter().enumerate().filter(|(_, prediction)| prediction.label != prediction.predicted);
    let mut mistakes: Vec<_> = wrong
        .map(|(index, Prediction { label, predicted, probability })| Mistake { index, label, predicted, probability })
        .collect();
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(mistakes)
}

/// An image that is read as another class than its label says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistake {
    /// Which image of the batch it is.
    pub index: usize,
    /// The class that it is.
    pub label: usize,
    /// The class that it is read as.
    pub predicted: usize,
    /// The probability of the class that it is read as, in 0..=1.
    pub probability: f32,
}

/// What an image is, what it is read as, and the probability of that.
struct Prediction {
    label: usize,
    predicted: usize,
    probability: f32,
}

fn predictions(labels: Vec<usize>, probabilities: &[f32], classes: usize) -> Result<Vec<Prediction>> {
    let images = probabilities.len() / classes;
    let expected = format!("a class from 0 to {} for each of {images} images", classes - 1);
    let complain = |got: String| Error::argument("labels", expected.as_str(), got);
    if labels.len() != images {
        return Err(complain(format!("{} labels", labels.len())));
    }
    suspicion::say(suspicion::of_probabilities(probabilities, classes));
    let rows = probabilities.chunks_exact(classes).zip(labels).enumerate();
    rows.map(|(index, (row, label))| {
        if label >= classes {
            return Err(complain(format!("{label} for image {index}")));
        }
        let predicted = largest(row);
        Ok(Prediction { label, predicted, probability: row[predicted] })
    })
    .collect()
}

/// Loss and hits, summed over the images seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Running {
    pub(crate) loss: f64,
    hits: usize,
    images: usize,
}

impl Running {
    /// Counts rows of logits, and how many of them are largest where their target is.
    pub(crate) fn count(&mut self, logits: &[f32], targets: &[f32], classes: usize) {
        for (row, target) in logits.chunks_exact(classes).zip(targets.chunks_exact(classes)) {
            self.hits += usize::from(largest(row) == largest(target));
            self.images += 1;
        }
    }

    /// The means.
    pub(crate) fn score(&self) -> Score {
        let images = self.images as f64;
        Score { loss: (self.loss / images) as f32, accuracy: (self.hits as f64 / images) as f32 }
    }
}

impl Add for Running {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { loss: self.loss + more.loss, hits: self.hits + more.hits, images: self.images + more.images }
    }
}

/// The index of the largest value, the first of them where several are equal.
pub(crate) fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let probabilities = Cpu::default().zeros::<Rank2<2, 10>>();
        for (labels, got) in [(vec![1], "1 labels"), (vec![1, 10], "10 for image 1")] {
            let error = confusion(&labels, &probabilities).expect_err("refused").to_string();
            assert!(error.contains(got), "{error}");
            assert!(mistakes(&labels, &probabilities).is_err());
        }
    }

    #[test]
    fn a_class_without_images_has_no_accuracy() {
        let counts = confusion(&vec![], &Cpu::default().zeros_like(&(0usize, Const::<10>))).unwrap();
        assert_eq!((counts.recall(), counts.f1()), (vec![0.0; 10], vec![0.0; 10]));
        assert_eq!(counts.shares(), vec![0.0; 100]);
    }
}
