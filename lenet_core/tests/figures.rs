//! Each function that draws gives a figure of what it was given, or an error in plain words; the panel holds the network.
//! How figures look is tested by lenet_figures, what the panel does by the notebooks' tests.

mod common;

use lenet_core::dfdx::prelude::OnesTensor as _;
use lenet_core::plot::{self, Figure, Maps};
use lenet_core::prelude::*;
use lenet_core::weights::tensors;

fn history(epochs: usize, validated: bool) -> History {
    let epoch = |at| {
        let loss = 1.0 / (at + 1) as f32;
        let val_loss = validated.then_some(loss);
        Epoch { loss, accuracy: 1.0 - loss / 2.0, val_loss, val_accuracy: val_loss, learning_rate: 1e-3, seconds: 1.0 }
    };
    History { epochs: (0..epochs).map(epoch).collect() }
}

/// A figure is a PNG, and the text beside it names what was given.
#[track_caller]
fn shows(figure: Result<Figure>, words: &[&str]) {
    let figure = figure.unwrap();
    assert!(figure.png().starts_with(b"\x89PNG\r\n\x1a\n"));
    for word in words {
        assert!(figure.text().contains(word), "`{word}` is not in: {}", figure.text());
    }
}

#[track_caller]
fn refused(figure: Result<Figure>, words: &str) {
    let text = figure.err().unwrap().to_string();
    assert!(text.contains(words), "{text}");
}

#[test]
fn each_function_gives_a_figure_or_a_plain_error() {
    let (dev, names) = (Cpu::default(), plot::Named(&mnist::FASHION_CLASSES));
    shows(plot::model_loss(&history(3, true)), &["Model Loss", "Train", "Validation"]);
    shows(plot::model_accuracy(&history(1, false)), &["Model accuracy", "Train"]);
    shows(plot::compare("Loss", &[("a<b", &history(2, true))], |epoch| epoch.val_loss), &["a<b"]);
    let falling = plot::compare_logarithmic("Loss", &[("a", &history(2, true))], |epoch| epoch.val_loss);
    shows(falling, &["Loss", "a"]);
    refused(plot::compare_logarithmic("Loss", &[("a", &history(1, true))], |_| Some(0.0)), "above 0");
    let empty = "the number of epochs in a history must be at least 1, got 0: has `fit` run?";
    refused(plot::model_loss(&history(0, false)), empty);
    refused(
        plot::compare("Loss", &[("a", &history(1, true)), ("b", &history(0, true))], |epoch| epoch.val_loss),
        empty,
    );
    refused(plot::compare("Loss", &[("a", &history(1, false))], |epoch| epoch.val_loss), "finite value, none does");

    let images: Tensor<Rank3<3, 28, 28>, u8, Cpu> =
        dev.tensor_from_vec((0..2352).map(|at| at as u8).collect(), Default::default());
    let (grey, labels) = (normalize(&images.reshape::<Rank4<3, 1, 28, 28>>()), vec![3, 1, 4]);
    shows(plot::digit(&images, 2), &[]);
    refused(plot::digit(&grey, 3), "at least 4 images, got 3");
    shows(plot::digits(&images, &labels, 1, 3), &["3", "1", "4"]);
    shows(names.digits(&grey, &labels, 1, 2), &["Dress", "Trouser"]);
    refused(plot::digits(&images, &labels[..1], 2, 2), "at least 3 labels, got 1");

    let mut probabilities = dev.zeros::<Rank2<3, 10>>();
    (probabilities[[0, 3]], probabilities[[1, 9]], probabilities[[2, 4]]) = (0.9, 0.75, 1.0);
    shows(plot::predictions(&images, &probabilities, &labels, &[0, 1]), &["9", "75"]);
    shows(names.predictions(&images, &probabilities, &labels, &[1]), &["Ankle boot"]);
    refused(plot::predictions(&images, &probabilities, &labels, &[3]), "at least 4 images, got 3");
    let mistakes = metrics::mistakes(&labels, &probabilities).unwrap();
    shows(plot::mistakes(&images, &mistakes, 1, 1), &["9", "1"]);
    let counts = metrics::confusion(&labels, &probabilities).unwrap();
    shows(plot::confusion(&counts), &["9"]);
    shows(names.confusion(&counts), &["Ankle boot"]);
    shows(plot::confusion_percent(&counts), &["a 1 read as 9"]);
    shows(names.confusion_percent(&counts), &["Ankle boot"]);
    let row = "Trouser     |      1 |     0.0 % |   0.0 % |   0.0 %";
    assert!(names.classes(&counts).unwrap().to_string().contains(row), "{}", names.classes(&counts).unwrap());
    let row = "    4 |      1 |   100.0 % | 100.0 % | 100.0 %";
    assert!(plot::classes(&counts).unwrap().to_string().contains(row), "{}", plot::classes(&counts).unwrap());
    let few = plot::Named(&["cat", "dog"]).classes(&counts).unwrap_err().to_string();
    assert_eq!(few, "the number of names must be 10, or none, got 2");
    shows(plot::accuracy_by_class(&counts), &[]);
    shows(plot::histogram(&labels), &[]);
    refused(plot::histogram(&Vec::<u8>::new()), "");
    shows(plot::bars("Shares", &probabilities.row(0)), &["Shares"]);
    refused(plot::bars("Shares", &[0.5, 1.5]), "1.5");

    shows(plot::architecture::<LeNet5>(), &["C1", "Output"]);
    let network = LeNet5::glorot_uniform(0);
    shows(plot::filters("Filters of C1", &network.0 .0.weight, None), &["Filters of C1"]);
    let c1 = network.0.forward(dev.ones::<Rank4<1, 1, 28, 28>>());
    let f6 = dev.ones::<Rank2<1, 84>>();
    let layers: [(&str, &dyn Maps); 2] = [("C1", &c1), ("F6", &f6)];
    shows(plot::feature_maps("What it sees", &layers), &["What it sees", "C1", "F6"]);
    refused(plot::feature_maps("Nothing", &[]), "layer");
}

#[test]
fn files_are_written_or_the_error_names_the_path() {
    let scratch = common::Scratch::new("figures");
    let figure = plot::model_loss(&history(2, false)).unwrap();
    figure.save_png(scratch.path("loss.png")).unwrap();
    assert_eq!(std::fs::read(scratch.path("loss.png")).unwrap(), figure.png());
    let nowhere = scratch.path("no").join("loss.png");
    let text = figure.save_png(&nowhere).unwrap_err().to_string();
    assert!(text.contains(nowhere.to_str().unwrap()), "{text}");
}

/// The values behind base64, from its definition.
fn values(text: &str) -> Vec<f32> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits =
        text.chars().map_while(|letter| LETTERS.find(letter)).flat_map(|six| (0..6).rev().map(move |at| six >> at & 1));
    let bits = Vec::from_iter(bits);
    let bytes = Vec::from_iter(bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| 2 * sum + *bit as u8)));
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

#[test]
fn the_panel_holds_every_layer_and_every_parameter() {
    type Network = (
        (Input<1, 28>, ZeroPad2D<1>, Conv2D<1, 4, 3>, ReLU, MaxPool2D<2>, Dropout<20>),
        (Conv2D<4, 2, 5>, Sigmoid, AvgPool2D<2>, Flatten, Linear<50, 20>, Tanh, Linear<20, 10>),
    );
    let network = Network::glorot_uniform(3);
    let html = Model::compile(network.clone(), Adam::default()).unwrap().draw().unwrap().html();
    let (_, json) = html.split_once("class=\"network\">").unwrap();
    let page: serde_json::Value = serde_json::from_str(json.split_once("</script>").unwrap().0).unwrap();
    let expected: Vec<f32> = tensors(&network).into_iter().flat_map(|tensor| tensor.values).collect();
    assert_eq!(values(page["weights"].as_str().unwrap()), expected);
    let named = plot::Named(&mnist::FASHION_CLASSES).draw(&Model::compile(network, Adam::default()).unwrap());
    assert!(named.unwrap().html().contains("Ankle boot"));
    let kinds: Vec<_> =
        page["layers"].as_array().unwrap().iter().map(|layer| layer["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds.join(" "),
        "ZeroPad2D Conv2D ReLU MaxPool2D Dropout Conv2D Sigmoid AvgPool2D Flatten Linear Tanh Linear"
    );
    assert_eq!((&page["layers"][1]["kernel"], &page["layers"][9]["outputs"]), (&3.into(), &20.into()));

    type Small = (Input<1, 8>, Flatten, Linear<64, 10>);
    let text = Model::compile(Small::glorot_uniform(0), Adam::default()).unwrap().draw().err().unwrap().to_string();
    assert_eq!(text, "images of a network to draw for must be [1, 28, 28]: grey, 28x28 pixels, got [1, 8, 8]");
}
