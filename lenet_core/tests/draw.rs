//! The panel to draw digits in holds the network, whole and safe. What it does is tested in a browser, by the tests of
//! the notebooks.

use lenet_core::init::GlorotUniform as _;
use lenet_core::layers::{Conv2D, Flatten, Linear, Tanh};
use lenet_core::network::Network;
use lenet_core::{weights, Adam, LeNet5, Model};
use serde_json::{json, Value};

fn html<N: Network>(network: N) -> String {
    let model = Model::compile(network, Adam::default()).expect("a model");
    model.draw().expect("a panel").html()
}

/// The content of the script of a class.
fn script<'a>(html: &'a str, class: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("class=\"{class}\">")).expect("the script");
    rest.split_once("</script>").expect("its end").0
}

fn network(html: &str) -> Value {
    serde_json::from_str(script(html, "network")).expect("JSON")
}

/// The numbers behind base64, from its definition.
fn numbers(text: &str) -> Vec<f32> {
    let sextet = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters = text.trim_end_matches('=').bytes();
    let bits: Vec<bool> =
        letters.flat_map(|letter| (0..6).rev().map(move |bit| sextet(letter) >> bit & 1 == 1)).collect();
    let bytes = bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, &bit| 2 * sum + u8::from(bit)));
    let bytes: Vec<u8> = bytes.collect();
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}

#[test]
fn the_page_holds_every_layer_and_every_weight() {
    let trained = LeNet5::glorot_uniform(3);
    let expected = weights::tensors(&trained).into_iter();
    let expected: Vec<f32> = expected.flat_map(|tensor| tensor.values).collect();
    let network = network(&html(trained));
    assert_eq!(numbers(network["weights"].as_str().expect("base64")), expected);
    let layer = |kind, inputs, outputs, kernel, tanh| json!({"kind": kind, "inputs": inputs, "outputs": outputs, "kernel": kernel, "tanh": tanh});
    assert_eq!(
        network["layers"],
        json!([
            layer("Conv2D", 1, 6, 5, true),
            layer("AvgPool2D", 6, 6, 2, false),
            layer("Conv2D", 6, 16, 5, true),
            layer("AvgPool2D", 16, 16, 2, false),
            layer("Flatten", 16, 256, 1, false),
            layer("Linear", 256, 120, 1, true),
            layer("Linear", 120, 84, 1, true),
            layer("Linear", 84, 10, 1, false),
        ])
    );
}

#[test]
fn another_network_is_drawn_on_too() {
    type Small = (Conv2D<1, 4, 3>, Tanh, Flatten, Linear<2704, 10>);
    let network = network(&html(Small::glorot_uniform(0)));
    assert_eq!(network["layers"][0]["kernel"], 3);
    assert_eq!(network["layers"][2]["inputs"], 2704);
}

#[test]
fn nothing_in_the_page_ends_a_script_early_or_is_there_twice() {
    let html = html(LeNet5::glorot_uniform(0));
    // Network, panel, and the code that runs.
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script>").count(), 3);
    assert!(!html.contains(" id=\""), "two panels would share an id");
    for loads in ["src=\"http", "url(", "import ", "fetch("] {
        assert!(!html.contains(loads), "{loads} would load something");
    }
}
