//! Where a classifier errs: from its probabilities and the labels.

use dfdx::prelude::*;

use crate::error::{Error, Result};
use crate::network::CLASSES;
use crate::plot::{Labels, Mistake};
use crate::sums::largest;
use crate::view::values;

/// How many images of each digit (rows) are read as which digit (columns).
pub type Confusion = [[usize; CLASSES]; CLASSES];

/// Counts how many images of each digit are read as which: `(N, 10)` probabilities, as
/// [`Model::predict`](crate::Model::predict) gives them, and `N` labels.
///
/// ```
/// use lenet_core::{dfdx::prelude::*, metrics};
/// let mut probabilities = Cpu::default().zeros::<Rank2<3, 10>>();
/// (probabilities[[0, 4]], probabilities[[1, 9]], probabilities[[2, 4]]) = (0.9, 0.8, 0.7);
/// let counts = metrics::confusion(&vec![4, 4, 4], &probabilities)?;
/// assert_eq!((counts[4][4], counts[4][9]), (2, 1));
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] if there is not one label from 0 to 9 for each image.
pub fn confusion<N: Dim>(
    labels: &impl Labels,
    probabilities: &Tensor<(N, Const<CLASSES>), f32, Cpu>,
) -> Result<Confusion> {
    let mut counts = Confusion::default();
    for Reading { label, read, .. } in readings(labels, &values(probabilities))? {
        counts[label][read] += 1;
    }
    Ok(counts)
}

/// The share of each digit's images that are read right, from 0 to 1; 0 for a digit without images.
///
/// ```
/// let mut counts = [[0; 10]; 10];
/// (counts[4][4], counts[4][9]) = (3, 1);
/// assert_eq!(lenet_core::metrics::accuracy_by_class(&counts)[4], 0.75);
/// ```
pub fn accuracy_by_class(counts: &Confusion) -> [f32; CLASSES] {
    std::array::from_fn(|digit| {
        let all: usize = counts[digit].iter().sum();
        counts[digit][digit] as f32 / all.max(1) as f32
    })
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
pub fn mistakes<N: Dim>(
    labels: &impl Labels,
    probabilities: &Tensor<(N, Const<CLASSES>), f32, Cpu>,
) -> Result<Vec<Mistake>> {
    let readings = readings(labels, &values(probabilities))?;
    let wrong = readings
        .into_iter()
        .enumerate()
        .filter(|(_, reading)| reading.label != reading.read);
    let mut mistakes: Vec<_> = wrong
        .map(|(index, reading)| Mistake {
            index,
            label: reading.label as u8,
            predicted: reading.read as u8,
            probability: reading.probability,
        })
        .collect();
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(mistakes)
}

/// What an image is, what it is read as, and the probability of that.
struct Reading {
    label: usize,
    read: usize,
    probability: f32,
}

fn readings(labels: &dyn Labels, probabilities: &[f32]) -> Result<Vec<Reading>> {
    let images = probabilities.len() / CLASSES;
    let expected = format!("a digit from 0 to 9 for each of {images} images");
    let complain = |got: String| Error::argument("labels", expected.as_str(), got);
    if labels.count() != images {
        return Err(complain(format!("{} labels", labels.count())));
    }
    let rows = probabilities.chunks_exact(CLASSES).enumerate();
    rows.map(|(index, row)| {
        let (label, read) = (usize::from(labels.label(index)), largest(row));
        if label >= CLASSES {
            return Err(complain(format!("{label} for image {index}")));
        }
        Ok(Reading {
            label,
            read,
            probability: row[read],
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_do_not_fit_are_refused() {
        let probabilities = Cpu::default().zeros::<Rank2<2, CLASSES>>();
        for (labels, got) in [(vec![1], "1 labels"), (vec![1, 10], "10 for image 1")] {
            let error = confusion(&labels, &probabilities)
                .expect_err("refused")
                .to_string();
            assert!(error.contains(got), "{error}");
            assert!(mistakes(&labels, &probabilities).is_err());
        }
    }

    #[test]
    fn a_class_without_images_has_no_accuracy() {
        assert_eq!(accuracy_by_class(&Confusion::default()), [0.0; CLASSES]);
    }
}
