//! How well the recipes do, over several seeds: prints a table in Markdown. `cargo xtask accuracy`
//! writes it to `RESULTS.md`.
//!
//! Usage: `cargo run --release -p lenet_core --example accuracy -- [plain=SEEDS] [short=SEEDS]
//! [long=SEEDS] [validate]`. With `validate`, 55,000 training images are trained on and the last
//! 5,000 scored in place of the test images: that is for choosing a recipe.

use std::error::Error;

use lenet_core::prelude::*;

/// Training images that are set aside with `validate`, as a share of all.
const SET_ASIDE: f64 = 5_000.0 / 60_000.0;
/// Ten runs of the original code, recorded by `tests/reference/keras_accuracy.py`.
const KERAS: &str = include_str!("../tests/reference/keras_accuracy.json");

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seeds = |name: &str| {
        let given = arguments.iter().find_map(|a| a.strip_prefix(&format!("{name}=")));
        given.map_or(Ok(0), str::parse::<u64>)
    };
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let train = Data::from((&x_train, &to_categorical::<10, _>(&y_train)?));
    let test = Data::from((&x_test, &to_categorical::<10, _>(&y_test)?));
    let (train, test) = if arguments.iter().any(|a| a == "validate") { train.split(SET_ASIDE)? } else { (train, test) };

    println!("| recipe | runs | epochs | accuracy, mean ± standard deviation | min | max | loss, mean ± standard deviation |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let recipes = [
        ("walkthrough", seeds("plain")?, Fit::default()),
        ("distorted images, short", seeds("short")?, Fit::distorted(Fit::SHORT)),
        ("distorted images, long", seeds("long")?, Fit::distorted(Fit::LONG)),
    ];
    for (name, count, how) in recipes {
        let mut runs = Vec::new();
        for seed in 0..count {
            let mut model = Model::compile(LeNet5::glorot_uniform(seed), Adam::default())?;
            let how = Fit { seed, verbose: false, ..how.clone() };
            model.fit(&train, &how)?;
            let score = model.score(&test)?;
            eprintln!("{name}, seed {seed}: accuracy {}, loss {}", score.accuracy, score.loss);
            runs.push((f64::from(score.accuracy), f64::from(score.loss)));
        }
        if !runs.is_empty() {
            row(name, how.epochs, &runs);
        }
    }
    let keras: serde_json::Value = serde_json::from_str(KERAS)?;
    let number = |run: &serde_json::Value, name: &str| run[name].as_f64().unwrap_or(f64::NAN);
    let runs = keras["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let runs: Vec<_> = runs.iter().map(|run| (number(run, "accuracy"), number(run, "loss"))).collect();
    let versions = &keras["versions"];
    let name = format!("Keras {} on TensorFlow {}, the original code", versions["keras"], versions["tensorflow"]);
    row(&name.replace('"', ""), Fit::default().epochs, &runs);
    println!("| LeCun 1998, plain | | | 99.05 % | | | |");
    println!("| LeCun 1998, distorted images | | | 99.20 % | | | |");
    Ok(())
}

/// Prints a row of the table.
fn row(name: &str, epochs: usize, runs: &[(f64, f64)]) {
    let accuracies: Vec<f64> = runs.iter().map(|run| 100.0 * run.0).collect();
    let losses: Vec<f64> = runs.iter().map(|run| run.1).collect();
    let ((accuracy, spread), (loss, loss_spread)) = (moments(&accuracies), moments(&losses));
    let min = accuracies.iter().copied().fold(f64::INFINITY, f64::min);
    let max = accuracies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    println!(
        "| {name} | {} | {epochs} | {accuracy:.2} ± {spread:.2} % | {min:.2} % | {max:.2} % | {loss:.4} ± {loss_spread:.4} |",
        runs.len()
    );
}

/// Mean and standard deviation (of a sample: divided by one less than its size).
fn moments(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
    (mean, if count > 1.0 { (square / (count - 1.0)).sqrt() } else { 0.0 })
}
