//! What does not fit is refused by the compiler, in plain words: rustc's first line, word for word.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A statement each, and what rustc says to it; nothing where it is right.
const CASES: &[(&str, &str)] = &[
    ("LeNet5::glorot_uniform(0);", ""),
    (
        "<(Conv2D<1, 8, 5>, Tanh, Conv2D<6, 16, 5>, Flatten, Linear<6400, 10>)>::glorot_uniform(0);",
        "`Conv2D<6, 16, 5>` takes 6 channels, but 8 arrive",
    ),
    (
        "<(Flatten, Linear<784, 120>, Tanh, Linear<84, 10>)>::glorot_uniform(0);",
        "`Linear<84, 10>` takes 84 values, but 120 arrive",
    ),
    (
        "<((Conv2D<1, 6, 5>, MaxPool2D<2>), (Flatten, Linear<784, 10>))>::glorot_uniform(0);",
        "`Linear<784, 10>` takes 784 values, but 864 arrive",
    ),
    (
        "<(AvgPool2D<4>, MaxPool2D<2>, ZeroPad2D<1>, Tanh, AvgPool2D<1>, Conv2D<1, 6, 7>)>::glorot_uniform(0);",
        "a 7x7 convolution does not fit on maps of 5x5",
    ),
    (
        "Conv2D::<1, 6, 5>::glorot_uniform(0).forward(dev.zeros::<Rank4<2, 1, 4, 4>>());",
        "a 5x5 convolution does not fit on maps of 4x4",
    ),
    ("<(Conv2D<1, 6, 8>, Flatten)>::glorot_uniform(0);", "a 8x8 convolution does not fit on maps of 28x28"),
    ("<(AvgPool2D<5>, Flatten)>::glorot_uniform(0);", "a 5x5 pooling does not fit on maps of 28x28"),
    ("<(ZeroPad2D<5>, Flatten)>::glorot_uniform(0);", "a padding of 5 around maps of 28x28 is not provided"),
    (
        "<(Flatten, Dropout<100>, Linear<784, 10>)>::glorot_uniform(0);",
        "`Dropout<100>` leaves no values: it takes 0 to 99 per cent of them",
    ),
    ("<(Conv2D<1, 33, 5>, Flatten)>::glorot_uniform(0);", "`Flatten` has no row in its table for 33 maps of 24x24"),
    (
        "<(Conv2D<1, 6, 5>, Linear<3456, 10>)>::glorot_uniform(0);",
        "`lenet_core::layers::Linear<3456, 10>` cannot follow here: `lenet_core::shape::Maps<6, 24>` arrives",
    ),
    (
        "Model::compile(<(Linear<784, 10>,)>::glorot_uniform(0), Adam::default());",
        "a network begins with an image, but the first layer of this one takes values",
    ),
    (
        "Model::compile(<(Conv2D<1, 6, 5>, Tanh)>::glorot_uniform(0), Adam::default());",
        "a network ends with one value for each class, but this one ends with maps",
    ),
    ("model.fit((&x, &y), &Fit::default());", ""),
    (
        "model.fit((&x, &labels), &Fit::default());",
        "the second of the pair, `Tensor<(Const<60000>,), u8, Cpu>`, are no one-hot rows: \
         `to_categorical::<10, _>(&labels)?` makes them of labels",
    ),
    (
        "model.fit((&bytes, &y), &Fit::default());",
        "the first of the pair, `Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>`, are no images for a network: \
         `reshape` gives them the shape (N, channels, side, side), `normalize` makes bytes f32",
    ),
    (
        "model.fit((&normalize(&bytes), &y), &Fit::default());",
        "the first of the pair, `Tensor<(Const<60000>, Const<28>, Const<28>), f32, Cpu>`, are no images for a network: \
         `reshape` gives them the shape (N, channels, side, side), `normalize` makes bytes f32",
    ),
    (
        "model.fit((&x, &y_test), &Fit::default());",
        "there are 60000 images, but 10000 targets",
    ),
    (
        "LeNet5::glorot_uniform(0).forward(bytes.clone());",
        "`Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>` is no batch for a network: wanted is f32 of shape \
         (images, channels, side, side) or (images, values)",
    ),
    (
        "bytes.reshape::<(usize, usize)>();",
        "the compiler does not know the sizes of `(usize, usize)`: a `reshape` takes `Rank4<N, 1, 28, 28>`, or \
         `DynRank4<1, 28, 28>`",
    ),
    ("normalize(&x);", "pixels of type `f32` are no bytes: `normalize` has been here before"),
    (
        "metrics::confusion(&y, &y);",
        "`Tensor<(Const<60000>, Const<10>), f32, Cpu>` holds no labels: wanted is a class for each image, as \
         `mnist::load_data` gives it; one-hot rows are labels no more",
    ),
];

/// What the statements speak of.
const ARGUMENTS: &str = "dev: Cpu, mut model: Model<LeNet5>, bytes: Tensor<Rank3<60000, 28, 28>, u8, Cpu>, \
    labels: Tensor<Rank1<60000>, u8, Cpu>, x: Tensor<Rank4<60000, 1, 28, 28>, f32, Cpu>, \
    y: Tensor<Rank2<60000, 10>, f32, Cpu>, y_test: Tensor<Rank2<10000, 10>, f32, Cpu>";

/// The library that cargo has built for this test.
fn library(folder: &Path) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let built = files.filter(|path| name(path).starts_with("liblenet_core") && name(path).ends_with(".rlib"));
    built.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
}

#[test]
fn what_does_not_fit_is_refused_in_plain_words() {
    // One function a line, so that an error's line tells the case.
    let functions =
        CASES.iter().enumerate().map(|(at, (case, _))| format!("pub fn case{at}({ARGUMENTS}) {{ {case} }}\n"));
    let source = ["use lenet_core::prelude::*;\n".to_string()].into_iter().chain(functions).collect::<String>();
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("compiler-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).unwrap();
    std::fs::write(scratch.join("cases.rs"), source).unwrap();

    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()));
    rustc.args([
        "--edition",
        "2021",
        "--crate-type",
        "lib",
        "--emit",
        "metadata",
        "--error-format",
        "json",
        "-A",
        "warnings",
    ]);
    rustc.arg("--extern").arg(format!("lenet_core={}", library(folder).display()));
    rustc.arg("-L").arg(format!("dependency={}", folder.display())).arg("--out-dir").arg(&scratch);
    let output = rustc.arg(scratch.join("cases.rs")).output().unwrap();
    std::fs::remove_dir_all(&scratch).unwrap();

    let text = String::from_utf8(output.stderr).unwrap();
    let mut found = vec![String::new(); CASES.len()];
    for line in text.lines() {
        let error: serde_json::Value = serde_json::from_str(line).unwrap();
        let spans = error["spans"].as_array().unwrap();
        let Some(span) = spans.iter().find(|span| span["is_primary"] == true) else { continue };
        let case = &mut found[span["line_start"].as_u64().unwrap() as usize - 2];
        if case.is_empty() {
            *case = error["message"].as_str().unwrap().into();
        }
    }
    let pairs = CASES.iter().zip(found).filter(|((_, expected), found)| found != expected);
    let wrong: Vec<_> = pairs.map(|((case, expected), found)| format!("{case}\n  {found}\n  {expected}\n")).collect();
    assert!(wrong.is_empty(), "found, expected:\n{}", wrong.concat());
}
