//! Loss and accuracy, summed over images.

use crate::loss::row_loss;
use crate::model::Score;
use crate::network::CLASSES;

/// Running sums over the images seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) loss: f64,
    correct: usize,
    images: usize,
}

impl Sums {
    /// Adds the images of a batch and how many of them are read correctly.
    pub(crate) fn count(&mut self, logits: &[f32], targets: &[f32]) {
        let targets = targets.chunks_exact(CLASSES);
        for (row, target) in logits.chunks_exact(CLASSES).zip(targets) {
            self.correct += usize::from(largest(row) == largest(target));
            self.images += 1;
        }
    }

    /// Adds the losses, too.
    pub(crate) fn add_logits(&mut self, mut logits: Vec<f32>, targets: &[f32]) {
        self.count(&logits, targets);
        let rows = logits.chunks_exact_mut(CLASSES);
        for (row, target) in rows.zip(targets.chunks_exact(CLASSES)) {
            self.loss += f64::from(row_loss(row, target));
        }
    }

    pub(crate) fn score(&self) -> Score {
        let images = self.images as f64;
        Score {
            loss: (self.loss / images) as f32,
            accuracy: (self.correct as f64 / images) as f32,
        }
    }
}

impl std::iter::Sum for Sums {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, more| {
            sum += more;
            sum
        })
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.loss += more.loss;
        self.correct += more.correct;
        self.images += more.images;
    }
}

/// The index of the largest number, the first of them where several are equal.
pub(crate) fn largest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (index, number) in numbers.iter().enumerate() {
        if *number > numbers[best] {
            best = index;
        }
    }
    best
}
