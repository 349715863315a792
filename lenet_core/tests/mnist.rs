//! The data is what everybody knows it to be, and files of others come as tensors or are refused in plain words.

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{bits, fresh, how, Scratch};
use lenet_core::mnist::{load_csv, load_csv_images, load_data, load_data_from, load_idx, load_idx_dyn};
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

/// The first 2,000 test images of MNIST as files in another folder, as they are or lying on their side, and their tensors.
fn some(scratch: &Scratch, side: bool) -> ([PathBuf; 2], Tensor<Rank3<2000, 28, 28>, u8, Cpu>, Vec<u8>) {
    let (_, (x, y)) = load_data().unwrap();
    let x: Vec<u8> = (0..2000).flat_map(|image| x.row(image)).collect();
    let x = Cpu::default().tensor_from_vec(x, Default::default());
    let pixels = if side { mnist::transposed(&x).as_vec() } else { x.as_vec() };
    let labels = y.as_vec()[..2000].to_vec();
    let [images, classes] = ["images", "labels"].map(|name| scratch.path(name));
    let header = |kind: u8| [0, 0, 8, kind, 0, 0, 7, 208];
    std::fs::write(&images, [&header(3)[..], &[0, 0, 0, 28, 0, 0, 0, 28], &pixels].concat()).unwrap();
    std::fs::write(&classes, [&header(1), &labels[..]].concat()).unwrap();
    ([images, classes], x, labels)
}

#[test]
fn a_set_of_unknown_size_goes_the_whole_way() {
    let scratch = Scratch::new("dynamic");
    let ([images, labels], fixed, digits) = some(&scratch, true);
    let (x, y) = load_idx_dyn(images, labels).unwrap();
    let x = mnist::transposed(&x);
    assert!(x.as_vec() == fixed.as_vec() && y.as_vec() == digits);
    let (x, fixed) = (normalize(&x.reshape::<DynRank4<1, 28, 28>>()), fixed.reshape::<Rank4<2000, 1, 28, 28>>());
    let targets = to_categorical::<10, _>(&y).unwrap();
    assert!(x.dims() == [2000, 1, 28, 28] && targets.dims() == [2000, 10]);

    // The same bits as from images that are counted in their type.
    let ones = to_categorical::<10, _>(&Cpu::default().tensor_from_vec(digits.clone(), (Const::<2000>,))).unwrap();
    let (mut model, mut other) = (fresh::<LeNet5>(Adam::default()), fresh::<LeNet5>(Adam::default()));
    let history = model.fit((&x, &targets), &how(2)).unwrap();
    let expected = other.fit((&normalize(&fixed), &ones), &how(2)).unwrap();
    assert!(bits(&model, &history.epochs) == bits(&other, &expected.epochs));
    assert!(model.evaluate((&x, &targets)).unwrap().accuracy > 0.8);
    let probabilities = model.predict(&x).unwrap();
    assert_eq!(probabilities.dims(), [2000, 10]);
    assert_eq!(model.predict_classes(&x).unwrap().len(), 2000);

    let names = plot::Named(&mnist::FASHION_CLASSES);
    let counts = metrics::confusion(&y, &probabilities).unwrap();
    let mistakes = metrics::mistakes(&y, &probabilities).unwrap();
    assert!(metrics::top_k(&y, &probabilities, 3).unwrap() > 0.9 && counts.f1().len() == 10);
    for figure in [
        names.digits(&x, &y, 2, 3),
        names.predictions(&x, &probabilities, &y, &[0, 1]),
        names.mistakes(&x, &mistakes, 1, 2),
        names.histogram(&y),
        names.confusion(&counts),
        names.accuracy_by_class(&counts),
    ] {
        let figure = figure.unwrap();
        assert!(mnist::FASHION_CLASSES.iter().any(|name| figure.text().contains(name)), "{}", figure.text());
    }
    plot::digit(&x, 1999).unwrap();
    assert!(x.html().unwrap().contains("The first 12 images.") && x.text().contains("Tensor<(usize, Const<1>"));
    assert!(y.text().contains("Tensor<(usize,), u8, Cpu>"));
}

#[test]
fn letters_have_as_many_classes_as_names() {
    const CLASSES: usize = mnist::LETTER_CLASSES.len();
    let labels = Cpu::default().tensor_from_vec(vec![23u8, 23, 10], (3,));
    let text = to_categorical::<10, _>(&labels).err().unwrap().to_string();
    assert!(text.contains("below 10, the number of classes, got 23 at index 0"), "{text}");
    let rows = to_categorical::<CLASSES, _>(&labels).unwrap();
    let counts = metrics::confusion(&labels, &rows).unwrap();
    assert_eq!((counts.classes(), counts[23][23], counts[10][10]), (27, 2, 1));
    let letters = plot::Named(&mnist::LETTER_CLASSES);
    letters.confusion(&counts).unwrap();
    let words = letters.histogram(&labels).unwrap();
    assert!(words.text().contains("W with 2"), "{}", words.text());
}

#[test]
fn tables_are_read_and_answered() {
    let scratch = Scratch::new("tables");
    let (_, _, digits) = some(&scratch, false);
    let (_, (x, _)) = load_data().unwrap();
    let line = |at: usize| Vec::from_iter(x.row(at).iter().map(u8::to_string)).join(",");
    let train = (0..50).map(|at| format!("{},{}\n", digits[at], line(at)));
    std::fs::write(scratch.path("train.csv"), format!("label,pixel0\n{}", train.collect::<String>())).unwrap();
    std::fs::write(scratch.path("test.csv"), format!("{}\n{}\n", line(0), line(1))).unwrap();

    let (images, labels) = load_csv(scratch.path("train.csv")).unwrap();
    assert!(labels.as_vec() == digits[..50] && (0..50).all(|at| images.row(at) == x.row(at)));
    let images = load_csv_images(scratch.path("test.csv")).unwrap();
    assert!(images.as_vec() == [x.row(0), x.row(1)].concat());
    let classes =
        fresh::<LeNet5>(Adam::default()).predict_classes(&normalize(&images.reshape::<DynRank4<1, 28, 28>>()));
    let classes = classes.unwrap();
    mnist::write_submission(scratch.path("answers.csv"), &classes).unwrap();
    let written = std::fs::read_to_string(scratch.path("answers.csv")).unwrap();
    assert_eq!(written, format!("ImageId,Label\n1,{}\n2,{}\n", classes[0], classes[1]));

    std::fs::write(scratch.path("small.csv"), "7,0,0,0,0\n").unwrap();
    for (name, words) in [
        ("small.csv", "images of 28x28 pixels"),
        ("test.csv", "no labels; `mnist::load_csv_images`"),
        ("labels", "no pixel"),
        ("none.csv", "cannot read"),
    ] {
        let text = load_csv(scratch.path(name)).err().unwrap().to_string();
        assert!(text.contains(words) && text.contains(name), "{text}");
    }
    let text = mnist::write_submission(scratch.path("test.csv"), &classes).unwrap_err().to_string();
    assert!(text.contains("stays as it is"), "{text}");
}

#[test]
#[ignore = "is started by another test, which reads what it prints"]
fn suspicious_inputs() {
    let scratch = Scratch::new("suspicious");
    let ([images, labels], fixed, _) = some(&scratch, true);
    let bytes = fixed.as_vec().into_iter().map(f32::from).collect();
    let (lying, labels) = load_idx_dyn(images, labels).unwrap();
    let x = normalize(&fixed.reshape::<Rank4<2000, 1, 28, 28>>());
    let targets = to_categorical::<10, _>(&labels).unwrap();
    let mut model = fresh::<LeNet5>(Adam::default());
    let how = Fit { verbose: true, ..how(2) };
    let dynamic = |x: Vec<f32>| Cpu::default().tensor_from_vec(x, (2000, Const::<1>, Const::<28>, Const::<28>));
    let (x, raw) = (dynamic(x.as_vec()), dynamic(bytes));
    let step = |name: &str| println!("\n# {name}");

    step("sound");
    model.fit((&x, &targets), &how).unwrap();
    model.evaluate((&x, &targets)).unwrap();
    let probabilities = model.predict(&x).unwrap();
    metrics::confusion(&labels, &probabilities).unwrap();
    step("raw");
    model.predict(&raw).unwrap();
    step("raw evaluated");
    model.evaluate((&raw, &targets)).unwrap();
    step("raw validation");
    let validation = Some((&raw, &targets).into());
    model.clone().fit((&x, &targets), &Fit { epochs: 1, validation, ..how.clone() }).unwrap();
    step("inverted");
    model.predict_classes(&(-x + 1.0)).unwrap();
    step("lying");
    model.evaluate((&normalize(&lying.reshape::<DynRank4<1, 28, 28>>()), &targets)).unwrap();
    step("logits");
    let logits = model.network().forward(normalize(&lying.reshape::<DynRank4<1, 28, 28>>()));
    metrics::confusion(&labels, &logits).unwrap();
    step("");
}

#[test]
fn a_word_is_said_where_the_input_is_suspicious() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", "suspicious_inputs", "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for (step, words) in [
        ("sound", ""),
        ("raw", "pixels go up to 255: `normalize` scales bytes to 0..=1"),
        ("raw evaluated", "pixels go up to 255"),
        ("raw validation", "validation: pixels go up to 255"),
        ("inverted", "most edges are bright, but MNIST's digits are white on black"),
        ("lying", "with rows and columns exchanged accuracy is 0."),
        ("logits", "row 0 holds no probabilities"),
    ] {
        let (_, said) = text.split_once(&format!("\n# {step}\n")).unwrap_or_else(|| panic!("{step}: {text}"));
        let said = said.split("\n# ").next().unwrap();
        let warnings = said.matches("a word of warning: ").count();
        assert!(said.contains(words) && warnings == usize::from(!words.is_empty()), "{step}: {said}");
    }
}
