//! The data is what everybody knows it to be, and files of others come as tensors or are refused in plain words.

mod common;

use common::Scratch;
use lenet_core::mnist::{load_data, load_data_from, load_idx, load_idx_dyn};
use lenet_core::prelude::*;

#[test]
fn loads_the_known_data() {
    let ((x_train, y_train), (x_test, y_test)) = load_data().unwrap();
    assert_eq!((x_train.dims(), x_test.dims()), (x_train.dims(), x_test.dims()));
    assert!(x_train.dims() == [60_000, 28, 28] && x_test.dims() == [10_000, 28, 28]);
    let (y_train, y_test) = (y_train.as_vec(), y_test.as_vec());
    assert_eq!(y_train[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(y_test[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    let histogram = |labels: &[u8]| [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|d| labels.iter().filter(|l| **l == d).count());
    assert_eq!(histogram(&y_train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(histogram(&y_test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);

    let (pixels, count) = (x_train.as_vec(), 60_000.0 * 784.0);
    let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / count;
    let squares = pixels.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>();
    // The constants that PyTorch's MNIST example normalises by: 0.1307 and 0.3081.
    assert!((mean - 33.3184).abs() < 5e-5 && (mean / 255.0 - 0.1307).abs() < 5e-5, "mean {mean}");
    assert!(((squares / count).sqrt() / 255.0 - 0.3081).abs() < 5e-5);
}

#[test]
fn files_of_others_come_as_tensors_or_are_refused() {
    let scratch = Scratch::new("idx");
    let (images, labels) = (scratch.path("images"), scratch.path("labels"));
    let write = |side: u8| {
        let pixels = (0..3 * usize::from(side).pow(2)).map(|at| (at % 251) as u8);
        let header = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, side, 0, 0, 0, side];
        std::fs::write(&images, header.into_iter().chain(pixels).collect::<Vec<u8>>()).unwrap();
        std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 4]).unwrap();
    };
    write(28);
    let (x, y) = load_idx::<3>(&images, &labels).unwrap();
    assert_eq!((x[[2, 27, 26]], y.array()), (((3 * 784 - 2) % 251) as u8, [7, 0, 4]));
    assert_eq!(load_idx_dyn(&images, &labels).unwrap().0.as_vec(), x.as_vec());
    let text = load_idx::<4>(&images, &labels).err().unwrap().to_string();
    assert!(text.contains("`load_idx::<3>`") && text.contains("3 images"), "{text}");
    write(27);
    let text = load_idx_dyn(&images, &labels).err().unwrap().to_string();
    assert!(text.contains("images of 28x28 pixels") && text.contains("27x27"), "{text}");
    for text in [
        load_idx_dyn(&labels, &labels).err().unwrap().to_string(),
        load_data_from(scratch.path("")).err().unwrap().to_string(),
    ] {
        assert!(text.contains(scratch.path("").to_str().unwrap()), "{text}");
    }
}
