//! What a network makes of pictures as people have them: as much as of MNIST's own images.

mod common;

use common::Scratch;
use lenet_core::prelude::*;
use rand::rngs::StdRng;
use rand::SeedableRng;
use ways::{file, image, mnist as test_images, WAYS};

#[path = "../../crates/lenet_mnist/tests/pictures/ways.rs"]
mod ways;

/// The network trained on distorted digits.
fn model() -> Model<LeNet5> {
    let ((images, labels), _) = mnist::load_data().unwrap();
    let images = normalize(&images.reshape::<Rank4<60000, 1, 28, 28>>());
    let labels = to_categorical::<10, _>(&labels).unwrap();
    let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default()).unwrap();
    model.fit((&images, &labels), &Fit { verbose: false, ..Fit::distorted(8) }).unwrap();
    model
}

/// The classes of images of 28 x 28 values.
fn classes(model: &Model<LeNet5>, values: Vec<f32>) -> Vec<u8> {
    let shape = (values.len() / 784, Const::<1>, Const::<28>, Const::<28>);
    model.predict_classes(&Cpu::default().tensor_from_vec(values, shape)).unwrap()
}

/// Every way costs one in a hundred at most.
#[test]
fn pictures_as_people_have_them_are_read_as_the_originals() {
    const IMAGES: usize = 500;
    let (model, scratch) = (model(), Scratch::new("pictures"));
    let indices = || (0..IMAGES).map(|index| index * (10_000 / IMAGES));
    let right =
        |read: Vec<u8>| indices().zip(read).filter(|(index, class)| test_images().labels[*index] == *class).count();
    let values = indices().flat_map(image).map(|pixel| f32::from(*pixel) / 255.0);
    let original = right(classes(&model, values.collect()));
    println!("{original} of {IMAGES} originals");
    for way in WAYS {
        let (mut random, mut refused) = (StdRng::seed_from_u64(7), 0);
        let prepared = indices().flat_map(|index| {
            let path = scratch.path("picture");
            std::fs::write(&path, file(way, image(index), &mut random)).unwrap();
            picture::load(&path).map(|picture| picture.images.as_vec()).unwrap_or_else(|_| {
                refused += 1;
                vec![0.0; 784]
            })
        });
        let read = classes(&model, prepared.collect());
        // What is refused is no answer, whatever the network makes of black.
        let right = right(read);
        println!("{way}: {right}, {refused} refused");
        assert!(right + IMAGES / 100 >= original && refused <= 2, "{way}: {right}, {refused} refused");
    }
}
