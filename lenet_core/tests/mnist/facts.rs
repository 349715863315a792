//! The data is what everybody knows it to be.

use dfdx::prelude::{HasShape, Shape};
use lenet_core::dfdx;
use lenet_core::mnist::{self, CLASSES};

/// How often each digit occurs.
fn histogram(labels: &[u8]) -> [usize; CLASSES] {
    let mut counts = [0; CLASSES];
    labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
    counts
}

#[test]
fn loads_the_known_data() {
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data().unwrap();
    assert_eq!(x_train.shape().concrete(), [60_000, 28, 28]);
    assert_eq!(x_test.shape().concrete(), [10_000, 28, 28]);

    let (y_train, y_test) = (y_train.as_vec(), y_test.as_vec());
    assert_eq!(y_train.len(), 60_000);
    assert_eq!(y_train[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(y_test[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    let train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    let test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    assert_eq!(histogram(&y_train), train);
    assert_eq!(histogram(&y_test), test);
}

#[test]
fn pixels_have_the_known_mean_and_deviation() {
    let ((x_train, _), _) = mnist::load_data().unwrap();
    let pixels = x_train.as_vec();
    let count = pixels.len() as f64;
    let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / count;
    let squares = pixels.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>();
    // The constants that PyTorch's MNIST example normalises by: 0.1307 and 0.3081.
    assert!((mean - 33.3184).abs() < 5e-5, "mean {mean}");
    assert!((mean / 255.0 - 0.1307).abs() < 5e-5);
    assert!(((squares / count).sqrt() / 255.0 - 0.3081).abs() < 5e-5);
}
