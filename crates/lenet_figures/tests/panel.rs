//! The panel to draw digits in holds the network, whole and safe, and the page computes what it should.
//!
//! How it behaves is tested in a browser, by the tests of the notebooks.

use std::process::Command;

use lenet_figures::{drawn_seven, Layer, Panel, PanelLayer};

const LENET: [Layer; 12] = [
    Layer::Conv2D(6, 5),
    Layer::Tanh,
    Layer::AvgPool2D(2),
    Layer::Conv2D(16, 5),
    Layer::Tanh,
    Layer::AvgPool2D(2),
    Layer::Flatten,
    Layer::Linear(120),
    Layer::Tanh,
    Layer::Linear(84),
    Layer::Tanh,
    Layer::Linear(10),
];

/// Values of each layer's output.
const SIZES: [usize; 12] = [3456, 3456, 864, 1024, 1024, 256, 256, 120, 120, 84, 84, 10];

const NAMES: [&str; 12] = ["C1", "", "S2", "C3", "", "S4", "", "C5", "", "F6", "", "Output"];

/// Layers with their names and what they make of a 7.
fn network<'a>(layers: &[Layer], names: &[&'a str], made: Vec<Vec<f32>>) -> Vec<PanelLayer<'a>> {
    let all = layers.iter().zip(names).zip(made);
    all.map(|((&layer, &name), made)| PanelLayer { layer, name, made }).collect()
}

/// LeNet-5, which makes nothing but zeros.
fn lenet() -> Vec<PanelLayer<'static>> {
    network(&LENET, &NAMES, SIZES.map(|size| vec![0.0; size]).into())
}

/// The content of the script of a class.
fn script<'a>(html: &'a str, class: &str) -> &'a str {
    let (_, rest) = html.split_once(&format!("class=\"{class}\">")).expect("the script");
    rest.split_once("</script>").expect("its end").0
}

#[test]
fn the_page_holds_every_layer_and_every_name() {
    let panel = Panel::new(&lenet(), &[0.5; 44_426], &[]).unwrap();
    let (html, words) = (panel.html(), panel.picture().text().to_string());
    let network = script(&html, "network");
    let c3 = "{\"kind\":\"Conv2D\",\"inputs\":6,\"outputs\":16,\"kernel\":5,\"name\":\"C3\"},\
              {\"kind\":\"Tanh\",\"size\":1},{\"kind\":\"AvgPool2D\",\"size\":2,\"name\":\"S4\"}";
    assert!(network.contains(c3), "{}", &network[..600]);
    assert!(network.starts_with("{\"names\":[\"0\",\"1\","), "{}", &network[..99]);
    // Six letters of base64 for the four and a half bytes of 0.5, 0.5, …: 4 * ceil(4 * 44,426 / 3).
    let weights = network.split("\"weights\":\"").nth(1).expect("weights");
    assert_eq!(weights.len(), 4 * (4_usize * 44_426).div_ceil(3) + "\"}".len());
    assert!(
        words.contains("what the layers C1, S2, C3, S4, C5, F6, Output make of it. It is read as 0 with 10.0 %"),
        "{words}"
    );
}

#[test]
fn nothing_in_the_page_ends_a_script_early_or_is_there_twice() {
    let names = ["</script>", "\"\\\n", "c", "d", "e", "f", "g", "h", "i", "j"];
    let html = Panel::new(&lenet(), &[0.5; 44_426], &names).unwrap().html();
    // Network, panel, and the code that runs.
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script>").count(), 3);
    assert!(html.contains("[\"\\u003c/script>\",\"\\u0022\\u005c\\u000a\",\"c\""));
    assert!(!html.contains(" id=\""), "two panels would share an id");
    for loads in ["src=\"http", "url(", "import ", "fetch("] {
        assert!(!html.contains(loads), "{loads} would load something");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |layers: &[Layer], parameters: usize, names: &[&str], sizes: &[usize]| {
        let made = sizes.iter().map(|size| vec![0.0; *size]).collect();
        let layers = network(layers, &NAMES, made);
        Panel::new(&layers, &vec![0.0; parameters], names).expect_err("an error").to_string()
    };
    let text = refused(&[Layer::Linear(10)], 7_850, &[], &[10]);
    assert_eq!(text, "Linear(10) can't follow values of shape [1, 28, 28]");
    assert!(refused(&[Layer::Conv2D(6, 29)], 0, &[], &[0]).contains("can't follow"));
    assert!(refused(&[Layer::AvgPool2D(0)], 0, &[], &[0]).contains("can't follow"));
    assert!(refused(&[Layer::ZeroPad2D(2)], 0, &[], &[1024]).contains("a vector"));
    assert_eq!(refused(&LENET, 44_425, &[], &SIZES), "the number of parameters must be 44426, got 44425");
    let text = refused(&LENET, 44_426, &[], &[&SIZES[..11], &[9]].concat());
    assert_eq!(text, "a layer's values must be of shape [10, 1, 1], got 9");
    assert!(refused(&[], 0, &[], &[]).contains("a vector"));
    assert_eq!(refused(&LENET, 44_426, &["a"], &SIZES), "the number of names must be 10, or none, got 1");
}

#[test]
fn the_drawn_7_lies_as_mnist_has_its_digits() {
    let seven = drawn_seven();
    let rows: Vec<f32> = seven.chunks(28).map(|row| row.iter().sum()).collect();
    let inked: Vec<usize> = (0..28).filter(|&row| rows[row] > 0.0).collect();
    assert!(inked.len().abs_diff(20) <= 1, "{inked:?}");
    let mass: f32 = seven.iter().sum();
    let middle = |place: fn(usize) -> usize| {
        let moment = seven.iter().enumerate().map(|(at, ink)| (place(at) as f32 + 0.5) * ink);
        moment.sum::<f32>() / mass
    };
    let (x, y) = (middle(|at| at % 28), middle(|at| at / 28));
    assert!((x - 14.0).abs() <= 0.5 && (y - 14.0).abs() <= 0.5, "{x} {y}");
}

/// What each layer of the test below makes of the pixels, computed as plainly as can be.
fn forward(parameters: &[f32], pixels: &[f32]) -> Vec<Vec<f32>> {
    let at = |maps: &[Vec<f32>], side: usize, map: usize, row: usize, column: usize| maps[map][row * side + column];
    let make = |maps: usize, side: usize, value: &dyn Fn(usize, usize, usize) -> f32| -> Vec<Vec<f32>> {
        (0..maps).map(|map| (0..side * side).map(|i| value(map, i / side, i % side)).collect()).collect()
    };
    let image = vec![pixels.to_vec()];
    let padded = make(1, 30, &|_, row, column| {
        let inside = (1..29).contains(&row) && (1..29).contains(&column);
        if inside {
            at(&image, 28, 0, row - 1, column - 1)
        } else {
            0.0
        }
    });
    let (weights, rest) = parameters.split_at(3 * 9);
    let (bias, rest) = rest.split_at(3);
    let c1 = make(3, 28, &|map, row, column| {
        let taps = (0..9).map(|tap| weights[9 * map + tap] * at(&padded, 30, 0, row + tap / 3, column + tap % 3));
        bias[map] + taps.sum::<f32>()
    });
    let relu = make(3, 28, &|map, row, column| at(&c1, 28, map, row, column).max(0.0));
    let largest = make(3, 14, &|map, row, column| {
        let window = (0..4).map(|i| at(&relu, 28, map, 2 * row + i / 2, 2 * column + i % 2));
        window.fold(f32::NEG_INFINITY, f32::max)
    });
    let (weights, bias) = rest.split_at(2 * 3 * 4);
    let (bias, rest) = bias.split_at(2);
    let c3 = make(2, 13, &|map, row, column| {
        let taps =
            (0..12).map(|tap| weights[12 * map + tap] * at(&largest, 14, tap / 4, row + tap % 4 / 2, column + tap % 2));
        bias[map] + taps.sum::<f32>()
    });
    let sigmoid = make(2, 13, &|map, row, column| 1.0 / (1.0 + (-at(&c3, 13, map, row, column)).exp()));
    let means = make(2, 4, &|map, row, column| {
        (0..9).map(|i| at(&sigmoid, 13, map, 3 * row + i / 3, 3 * column + i % 3)).sum::<f32>() / 9.0
    });
    let flat = means.concat();
    let tanh = Vec::from_iter(flat.iter().map(|value| value.tanh()));
    let (weights, bias) = rest.split_at(3 * 32);
    let logit = |class: usize| bias[class] + (0..32).map(|i| weights[32 * class + i] * tanh[i]).sum::<f32>();
    let logits = (0..3).map(logit).collect();
    let maps = [padded, c1, relu, largest, c3, sigmoid, means].map(|maps| maps.concat());
    maps.into_iter().chain([flat.clone(), flat, tanh, logits]).collect()
}

/// Needs node; without it, the notebooks' tests in a browser alone compute in the page.
#[test]
fn the_page_computes_every_kind_of_layer_and_explains_each_value() {
    let layers = [
        Layer::ZeroPad2D(1),
        Layer::Conv2D(3, 3),
        Layer::ReLU,
        Layer::MaxPool2D(2),
        Layer::Conv2D(2, 2),
        Layer::Sigmoid,
        Layer::AvgPool2D(3),
        Layer::Flatten,
        Layer::Dropout,
        Layer::Tanh,
        Layer::Linear(3),
    ];
    let parameters: Vec<f32> = (0..30 + 26 + 99).map(|i| (i as f32 * 1.3).sin()).collect();
    let expected = forward(&parameters, &drawn_seven());
    let names = ["", "C1", "", "S2", "C3", "", "S4", "", "", "", "Output"];
    let html = Panel::new(&network(&layers, &names, expected.clone()), &parameters, &[]).unwrap().html();
    let [network_js, preprocess_js, microscope_js] = [
        include_str!("../src/panel/network.js"),
        include_str!("../src/panel/preprocess.js"),
        include_str!("../src/panel/microscope.js"),
    ];
    let (json, seven) = (script(&html, "network"), drawn_seven());
    // The explanation of each value: what it says of its sum, and of the last steps from there, must agree with the layers.
    let page = format!(
        "{network_js}\n{preprocess_js}\n{microscope_js}\n
        const network = readNetwork({json});
        const made = trace(network, {seven:?});
        made.slice(1).forEach(({{ values }}) => console.log(Array.from(values).join(' ')));
        const folds = {{ MaxPool2D: (found) => Math.max(...found.windows[0].values),
            AvgPool2D: ({{ windows }}) => windows[0].sum / windows[0].values.length }};
        let worst = 0;
        for (const stage of stagesOf(network)) {{
            made[stage.end + 1].values.forEach((value, index) => {{
                const found = explain(network, stage, made, index);
                const fold = folds[found.layer.kind] ?? (({{ windows, bias }}) => windows.reduce((a, b) => a + b.sum, bias));
                worst = Math.max(worst, Math.abs(fold(found) - found.sum), Math.abs(found.value - value));
            }});
        }}
        console.log(stagesOf(network).map(({{ name, activation }}) => name + activation).join(' '));
        console.log(worst);"
    );
    let Ok(output) = Command::new("node").arg("-e").arg(page).output() else {
        eprintln!("node is not here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), layers.len() + 2, "{}", String::from_utf8_lossy(&output.stderr));
    for ((line, expected), layer) in lines.iter().zip(&expected).zip(layers) {
        let got: Vec<f32> = line.split_whitespace().map(|value| value.parse().expect("a number")).collect();
        assert_eq!(got.len(), expected.len(), "{layer:?}");
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} is not {expected} behind {layer:?}");
        }
    }
    assert_eq!(lines[layers.len()], "C1ReLU S2 C3sigmoid S4 Output");
    let worst: f64 = lines[layers.len() + 1].parse().expect("a number");
    assert!(worst < 1e-5, "an explanation is off by {worst}");
    let logits = &expected[layers.len() - 1];
    assert!(logits.iter().any(|logit| *logit != logits[0]), "nothing to tell apart: {logits:?}");
}
