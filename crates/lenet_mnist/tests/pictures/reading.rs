//! What a network makes of prepared pictures: as much as of MNIST's own images.

use std::path::Path;

use lenet_core::prelude::*;
use lenet_mnist::picture::{label, read_picture, read_pictures};
use rand::rngs::StdRng;
use rand::SeedableRng;

use crate::files::Scratch;
use crate::ways::{file, image, mnist, WAYS};

/// The network trained on distorted digits: 20 epochs, or the weights in the file `LENET_WEIGHTS`.
fn model() -> Model<LeNet5> {
    let mut network = LeNet5::glorot_uniform(0);
    if let Some(path) = std::env::var_os("LENET_WEIGHTS") {
        lenet_core::weights::load(&mut network, path).unwrap();
        return Model::compile(network, Adam::default()).unwrap();
    }
    let ((images, labels), _) = lenet_core::mnist::load_data().unwrap();
    let images = normalize(&images.reshape::<Rank4<60000, 1, 28, 28>>());
    let labels = to_categorical::<10, _>(&labels).unwrap();
    let mut model = Model::compile(network, Adam::default()).unwrap();
    let fit = Fit { verbose: false, ..Fit::distorted(20) };
    model.fit((&images, &labels), &fit).unwrap();
    model
}

/// The classes of images of 28 x 28 values.
fn classes(model: &Model<LeNet5>, values: Vec<f32>) -> Vec<u8> {
    let shape = (values.len() / 784, Const::<1>, Const::<28>, Const::<28>);
    model.predict_classes(&Cpu::default().tensor_from_vec(values, shape)).unwrap()
}

/// Every way costs one in a hundred at most. `LENET_DIGITS` may name a folder of pictures of one's own: at most one of them is
/// read wrong.
#[test]
fn pictures_as_people_have_them_are_read_as_the_originals() {
    const IMAGES: usize = 1000;
    let (model, scratch) = (model(), Scratch::new());
    let indices = || (0..IMAGES).map(|index| index * (10_000 / IMAGES));
    let right = |read: Vec<u8>| indices().zip(read).filter(|(index, class)| mnist().labels[*index] == *class).count();
    let values = indices().flat_map(image).map(|pixel| f32::from(*pixel) / 255.0);
    let original = right(classes(&model, values.collect()));
    println!("{original} of {IMAGES} originals");
    for way in WAYS {
        let mut random = StdRng::seed_from_u64(7);
        let mut refused = 0;
        let prepared = indices().flat_map(|index| {
            let path = scratch.write("picture", &file(way, image(index), &mut random));
            read_picture(&path).map(|picture| picture.prepared.pixels).unwrap_or_else(|_| {
                refused += 1;
                [0.0; 784]
            })
        });
        let read = classes(&model, prepared.collect());
        // What is refused is no answer, whatever the network makes of black.
        let right = right(read);
        println!("{way}: {right}, {refused} refused");
        assert!(right + IMAGES / 100 >= original && refused <= 2, "{way}: {right}, {refused} refused");
    }
    if let Some(folder) = std::env::var_os("LENET_DIGITS") {
        own(&model, Path::new(&folder));
    }
}

fn own(model: &Model<LeNet5>, folder: &Path) {
    let mut wrong = Vec::new();
    let pictures = read_pictures(folder).unwrap();
    for (path, picture) in &pictures {
        let label = label(path).unwrap();
        match picture {
            Err(error) => wrong.push(error.to_string()),
            Ok(picture) => {
                let class = classes(model, picture.prepared.pixels.to_vec())[0];
                if class != label {
                    wrong.push(format!("{}: {class}, {}", path.display(), picture.prepared.words));
                }
            }
        }
    }
    println!("{} of {} pictures, wrong: {wrong:#?}", pictures.len() - wrong.len(), pictures.len());
    assert!(wrong.len() <= 1);
}
