//! How well the recipes do, over several seeds: prints a table in Markdown. `cargo xtask accuracy`
//! writes it to `RESULTS.md`.
//!
//! Usage: `cargo run --release -p lenet_core --example accuracy -- [plain=SEEDS] [short=SEEDS] [long=SEEDS] [tries=PARTS]`.
//! `tries` is for choosing a recipe, on training images alone: they are cut into six parts; each try trains on five of them
//! and is scored on the sixth, for so many parts in turn.

use std::error::Error;

use lenet_core::dfdx::nn::ModelEMA;
use lenet_core::prelude::*;

/// Ten runs of the original code, recorded by `tests/reference/keras_accuracy.py`.
const KERAS: &str = include_str!("../tests/reference/keras_accuracy.json");
const PIXELS: usize = 784;
const CLASSES: usize = 10;
const TEST: usize = 10_000;
/// What [`Fit::long`] is meant for.
const LONG_ADAM: Adam = Adam { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.03 };
/// What [`Fit::short`] is meant for.
const SHORT_ADAM: Adam = Adam { beta_2: 0.98, ..LONG_ADAM };

type Images<const N: usize> = Tensor<Rank4<N, 1, 28, 28>, f32, Cpu>;
type Targets<const N: usize> = Tensor<Rank2<N, CLASSES>, f32, Cpu>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runs = |name: &str| {
        let given = arguments.iter().find_map(|a| a.strip_prefix(&format!("{name}=")));
        given.map_or(Ok(0), str::parse::<u64>)
    };
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let y_train = to_categorical::<CLASSES, _>(&y_train)?;
    match runs("tries")? {
        0 => {}
        parts => return print_tries(&x_train, &y_train, parts),
    }
    let train = Data::from((&x_train, &y_train));
    let x_test = normalize(&x_test.reshape::<Rank4<TEST, 1, 28, 28>>());
    let y_test = to_categorical::<CLASSES, _>(&y_test)?;

    println!("| recipe | runs | epochs | accuracy, mean ± standard deviation | min | max | loss, mean ± standard deviation |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let recipes = [
        ("walkthrough", runs("plain")?, Adam::default(), Fit::default()),
        ("distorted images, short", runs("short")?, SHORT_ADAM, Fit::short()),
        ("distorted images, long", runs("long")?, LONG_ADAM, Fit::long()),
    ];
    for (name, count, adam, how) in recipes.into_iter().filter(|(_, count, ..)| *count > 0) {
        let (mut alone, mut shifted, mut together) = (Vec::new(), Vec::new(), vec![0.0; TEST * CLASSES]);
        for seed in 0..count {
            let mut model = Model::compile(LeNet5::glorot_uniform(seed), adam)?;
            model.fit(&train, &Fit { seed, verbose: false, ..how.clone() })?;
            let probabilities = model.predict(&x_test)?.as_vec();
            let (accuracy, loss) = score(&probabilities, &y_test);
            eprintln!("{name}, seed {seed}: accuracy {accuracy}, loss {loss}");
            alone.push((accuracy, loss));
            add_share(&mut together, probabilities, count as usize);
            shifted.push(score(&over_shifts(&model, &x_test)?, &y_test));
        }
        print_row(name, how.epochs, &alone);
        if how.augment.is_some() {
            print_row(&format!("{name}; mean of nine predictions, shifted by up to a pixel"), how.epochs, &shifted);
            print_row(
                &format!("{name}; mean of {count} models' predictions"),
                how.epochs,
                &[score(&together, &y_test)],
            );
        }
    }
    let keras: serde_json::Value = serde_json::from_str(KERAS)?;
    let number = |run: &serde_json::Value, name: &str| run[name].as_f64().unwrap_or(f64::NAN);
    let runs = keras["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let runs: Vec<_> = runs.iter().map(|run| (number(run, "accuracy"), number(run, "loss"))).collect();
    let versions = &keras["versions"];
    let name = format!("Keras {} on TensorFlow {}, the original code", versions["keras"], versions["tensorflow"]);
    print_row(&name.replace('"', ""), Fit::default().epochs, &runs);
    println!("| LeCun 1998, plain | | | 99.05 % | | | |");
    println!("| LeCun 1998, distorted images | | | 99.20 % | | | |");
    Ok(())
}

/// Adds one of `count` predictions to their mean.
fn add_share(mean: &mut [f32], probabilities: Vec<f32>, count: usize) {
    mean.iter_mut().zip(probabilities).for_each(|(sum, probability)| *sum += probability / count as f32);
}

/// The mean of a model's probabilities over the images as they are and shifted by a pixel in all eight directions.
fn over_shifts(model: &Model<LeNet5>, x: &Images<TEST>) -> Result<Vec<f32>> {
    let (images, mut mean) = (x.as_vec(), vec![0.0; TEST * CLASSES]);
    let shifts = [-29, -28, -27, -1, 0, 1, 27, 28, 29];
    for shift in shifts {
        // MNIST's margins are black: what leaves an image at one side enters it at the other as what belongs there.
        let mut shifted = images.clone();
        for image in shifted.chunks_exact_mut(PIXELS) {
            image.rotate_right((PIXELS as isize + shift) as usize % PIXELS);
        }
        let shifted: Images<TEST> = Cpu::default().tensor(shifted);
        add_share(&mut mean, model.predict(&shifted)?.as_vec(), shifts.len());
    }
    Ok(mean)
}

/// Accuracy and mean cross-entropy of some probabilities.
fn score(probabilities: &[f32], y: &Targets<TEST>) -> (f64, f64) {
    let (mut right, mut loss, targets) = (0, 0.0, y.as_vec());
    for (row, target) in probabilities.chunks_exact(CLASSES).zip(targets.chunks_exact(CLASSES)) {
        let class = target.iter().position(|target| *target == 1.0).unwrap_or_default();
        right += usize::from(row.iter().all(|probability| *probability <= row[class]));
        loss -= f64::from(row[class].max(f32::MIN_POSITIVE).ln());
    }
    (right as f64 / TEST as f64, loss / TEST as f64)
}

/// A way to train that was tried.
struct Try {
    name: String,
    adam: Adam,
    how: Fit,
    /// Whether the distortions fade from epoch to epoch, to nothing in the last one.
    fades: bool,
    /// The share of a target that all classes have in common.
    smoothing: f32,
    /// Whether the images are brought to mean 0 and variance 1.
    standardized: bool,
    /// Images of a mini-batch in the second half of the epochs.
    late_batch_size: usize,
    /// How many of the last epochs' parameters are averaged.
    averaged: usize,
}

impl Try {
    fn new(name: &str, adam: Adam, how: Fit) -> Self {
        let (name, late_batch_size) = (name.to_owned(), how.batch_size);
        Self { name, adam, how, fades: false, smoothing: 0.0, standardized: false, late_batch_size, averaged: 1 }
    }

    /// Trains LeNet-5 on all but one of the six parts, and scores it on that one.
    fn score(&self, x: &Images<60000>, y: &Targets<60000>, part: u64) -> Result<Score> {
        let (mut images, mut targets) = (x.as_vec(), y.as_vec());
        images.rotate_left(part as usize * TEST * PIXELS);
        targets.rotate_left(part as usize * TEST * CLASSES);
        if self.standardized {
            images.iter_mut().for_each(|pixel| *pixel = (*pixel - 0.1307) / 0.3081);
        }
        let smooth = targets.iter().map(|t| t * (1.0 - self.smoothing) + self.smoothing / CLASSES as f32);
        let smooth: Targets<60000> = Cpu::default().tensor(smooth.collect::<Vec<_>>());
        let (images, targets): (Images<60000>, Targets<60000>) =
            (Cpu::default().tensor(images), Cpu::default().tensor(targets));
        let (train, _) = Data::from((&images, &smooth)).split(1.0 / 6.0)?;
        let (_, held_out) = Data::from((&images, &targets)).split(1.0 / 6.0)?;
        let mut model = Model::compile(LeNet5::glorot_uniform(part), self.adam)?;
        let (epochs, mut mean) = (self.how.epochs, model.network().clone());
        for epoch in 0..epochs {
            let share = if self.fades { 1.0 - epoch as f32 / (epochs - 1) as f32 } else { 1.0 };
            let augment = self.how.augment.map(|limits| times(share, limits));
            let batch_size = if 2 * epoch < epochs { self.how.batch_size } else { self.late_batch_size };
            let how = Fit { epochs: 1, augment, batch_size, seed: part, verbose: false, ..self.how.clone() };
            model.fit(&train, &how)?;
            if let Some(before) = (epoch + self.averaged).checked_sub(epochs) {
                mean.ema(model.network(), before as f64 / (before + 1) as f64);
            }
        }
        Ok(Model::compile(mean, self.adam)?.score(&held_out)?)
    }
}

/// Distortions of another strength.
fn times(factor: f32, limits: Augment) -> Augment {
    Augment {
        rotation: factor * limits.rotation,
        shift: factor * limits.shift,
        scale: factor * limits.scale,
        shear: factor * limits.shear,
        elastic: factor * limits.elastic,
        ..limits
    }
}

/// Prints a table of what was tried for each recipe, from the lowest loss to the highest.
fn print_tries(x: &Images<60000>, y: &Targets<60000>, parts: u64) -> Result<()> {
    for tries in [short_tries(), long_tries()] {
        let mut rows = Vec::new();
        for tried in tries {
            let (mut losses, mut accuracies) = (Vec::new(), Vec::new());
            for part in 0..parts {
                let score = tried.score(x, y, part)?;
                eprintln!("{}, part {part}: accuracy {}, loss {}", tried.name, score.accuracy, score.loss);
                losses.push(f64::from(score.loss));
                accuracies.push(100.0 * f64::from(score.accuracy));
            }
            rows.push((moments(&losses).0, moments(&accuracies).0, tried));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        println!("| tried | epochs | loss | accuracy, mean of {parts} parts |\n| --- | --- | --- | --- |");
        for (loss, accuracy, tried) in rows {
            println!("| {} | {} | {loss:.4} | {accuracy:.2} % |", tried.name, tried.how.epochs);
        }
        println!();
    }
    Ok(())
}

/// The same with another peak of the learning rate, one cycle long as before.
fn with_peak(peak: f32, how: Fit) -> Fit {
    Fit { schedule: Schedule::OneCycle { peak, warm_up: 0.15, epochs: how.epochs }, ..how }
}

/// The same with these distortions.
fn with_augment(how: Fit, change: impl Fn(Augment) -> Augment) -> Fit {
    Fit { augment: how.augment.map(change), ..how }
}

fn short_tries() -> Vec<Try> {
    let (adam, first, chosen) = (Adam::default(), Fit::distorted(20), Fit::short());
    let beta_2 = |beta_2| Adam { beta_2, ..SHORT_ADAM };
    let with_end = || with_augment(first.clone(), |limits| Augment { epochs: 18, ..limits });
    vec![
        Try::new("**chosen**", SHORT_ADAM, chosen.clone()),
        Try::new("chosen, beta_2 0.99", beta_2(0.99), chosen.clone()),
        Try::new("chosen, beta_2 0.999", LONG_ADAM, chosen.clone()),
        Try::new("chosen, no weight decay", Adam { beta_2: 0.98, ..adam }, chosen.clone()),
        Try::new("chosen, peak 2e-3", SHORT_ADAM, with_peak(2e-3, chosen.clone())),
        Try::new(
            "chosen, mini-batches of 128, peak 3e-3",
            SHORT_ADAM,
            Fit { batch_size: 128, ..with_peak(3e-3, chosen.clone()) },
        ),
        Try::new(
            "chosen, mini-batches of 16, peak 1e-3",
            SHORT_ADAM,
            Fit { batch_size: 16, ..with_peak(1e-3, chosen.clone()) },
        ),
        Try { standardized: true, ..Try::new("chosen, images of mean 0 and variance 1", SHORT_ADAM, chosen) },
        Try::new("`Fit::distorted`", adam, first.clone()),
        Try::new("`Fit::distorted`, the last two epochs without distortions", adam, with_end()),
        Try::new("`Fit::distorted`, peak 2e-3", adam, with_peak(2e-3, first.clone())),
        Try { fades: true, ..Try::new("`Fit::distorted`, distortions fade to nothing", adam, first) },
    ]
}

fn long_tries() -> Vec<Try> {
    let (adam, chosen) = (LONG_ADAM, Fit::long());
    let decay = |weight_decay| Adam { weight_decay, ..adam };
    let until = |epochs| with_augment(chosen.clone(), |limits| Augment { epochs, ..limits });
    let shorter = || with_peak(2e-3, Fit { epochs: 60, ..until(55) });
    vec![
        Try::new("**chosen**", adam, chosen.clone()),
        Try::new("chosen, no weight decay", decay(0.0), chosen.clone()),
        Try::new("chosen, 60 epochs", adam, shorter()),
        Try::new("chosen, 60 epochs, weight decay 0.06", decay(0.06), shorter()),
        Try::new("chosen, 60 epochs, weight decay 0.1", decay(0.1), shorter()),
        Try::new("chosen, 60 epochs, no weight decay", decay(0.0), shorter()),
        Try::new("chosen, 60 epochs, beta_2 0.98", SHORT_ADAM, shorter()),
        Try::new("chosen, 60 epochs, peak 3e-3", adam, with_peak(3e-3, shorter())),
        Try::new(
            "chosen, 60 epochs, 1.3 times the distortions",
            adam,
            with_augment(shorter(), |limits| times(1.3, limits)),
        ),
        Try::new(
            "chosen, 60 epochs, distortions to the end",
            adam,
            with_augment(shorter(), |limits| Augment { epochs: usize::MAX, ..limits }),
        ),
        Try {
            fades: true,
            ..Try::new(
                "chosen, 60 epochs, 1.3 times the distortions, fading to nothing",
                adam,
                with_augment(shorter(), |limits| times(1.3, Augment { epochs: usize::MAX, ..limits })),
            )
        },
        Try::new(
            "chosen, 60 epochs, mini-batches of 32, peak 1e-3",
            adam,
            Fit { batch_size: 32, ..with_peak(1e-3, shorter()) },
        ),
        Try {
            late_batch_size: 256,
            ..Try::new("chosen, 60 epochs, mini-batches of 64, then of 256", adam, Fit { batch_size: 64, ..shorter() })
        },
        Try { averaged: 10, ..Try::new("chosen, 60 epochs, mean of the last ten epochs' parameters", adam, shorter()) },
        Try { smoothing: 0.05, ..Try::new("chosen, 60 epochs, label smoothing 0.05", adam, shorter()) },
        Try { standardized: true, ..Try::new("chosen, images of mean 0 and variance 1", adam, chosen) },
    ]
}

/// Prints a row of the table.
fn print_row(name: &str, epochs: usize, runs: &[(f64, f64)]) {
    let accuracies: Vec<f64> = runs.iter().map(|run| 100.0 * run.0).collect();
    let losses: Vec<f64> = runs.iter().map(|run| run.1).collect();
    let ((accuracy, spread), (loss, loss_spread)) = (moments(&accuracies), moments(&losses));
    let (count, min) = (runs.len(), accuracies.iter().copied().fold(f64::INFINITY, f64::min));
    let max = accuracies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if count == 1 {
        println!("| {name} | 1 | {epochs} | {accuracy:.2} % | | | {loss:.4} |");
        return;
    }
    println!(
        "| {name} | {count} | {epochs} | {accuracy:.2} ± {spread:.2} % | {min:.2} % | {max:.2} % | {loss:.4} ± {loss_spread:.4} |"
    );
}

/// Mean and standard deviation (of a sample: divided by one less than its size).
fn moments(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
    (mean, if count > 1.0 { (square / (count - 1.0)).sqrt() } else { 0.0 })
}
