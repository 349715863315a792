//! The walkthrough in a terminal: the same calls as in `notebooks/lenet5.ipynb`, in the same order.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use lenet_core::prelude::*;
use lenet_core::progress::{epoch_line, stop_line, Progress, Silent};

const HELP: &str = "\
Trains LeNet-5 on MNIST and tells how well it does.

Usage: cargo run --release -p lenet_core --example lenet5 -- [options]

  --epochs N            epochs to train; 0 only evaluates (10)
  --batch-size N        images in a step (128)
  --seed N              what weights and orders are drawn from (0)
  --threads N           threads to train with (all)
  --shuffle true|false  a new order for each epoch, or the data set's own (true)
  --distort             the recipe past 99.2 %: distorted images, one-cycle learning rate
  --images N            train on the first N images of the training set (all)
  --validate true|false score the test images after each epoch, too (true)
  --data DIR            folder with the four files (LENET_MNIST_DIR, else the user's cache)
  --weights FILE        start from these weights (safetensors)
  --save FILE           write the trained weights
  --checkpoint FILE     keep the state of the training there, renewed after each epoch; the file must
                        not be there yet, unless you resume from it
  --resume FILE         go on with the training that a checkpoint holds, up to --epochs, and renew it;
                        give the options that it began with, or you are told which one differs
  --time-budget SECONDS train no longer than this, in whole epochs, at least one
  --stop-file FILE      end after the epoch in which this file appears
  --plots DIR           write model_loss.png and model_accuracy.png
  --json FILE           write history and test score
  --quiet               print nothing but errors
  --help                print this";

struct Options {
    epochs: usize,
    batch_size: usize,
    seed: u64,
    threads: Option<usize>,
    shuffle: bool,
    distort: bool,
    images: Option<usize>,
    validate: bool,
    data: Option<PathBuf>,
    weights: Option<PathBuf>,
    save: Option<PathBuf>,
    checkpoint: Option<PathBuf>,
    resume: Option<PathBuf>,
    time_budget: Option<Duration>,
    stop_file: Option<PathBuf>,
    plots: Option<PathBuf>,
    json: Option<PathBuf>,
    quiet: bool,
}

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let say = |line: &str| {
        if !options.quiet {
            println!("{line}");
        }
    };
    let folder = match &options.data {
        Some(folder) => folder.clone(),
        None => {
            let folder = mnist::data_folder()?;
            mnist::Fetcher::new(&folder).run(&mut |line| say(line))?;
            folder
        }
    };
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data_from(&folder)?;

    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical::<10, _>(&y_train)?;
    let y_test = to_categorical::<10, _>(&y_test)?;

    let mut model = match &options.resume {
        Some(checkpoint) => Model::<LeNet5>::resume(checkpoint)?,
        None => {
            let mut network = LeNet5::glorot_uniform(options.seed);
            if let Some(path) = &options.weights {
                weights::load(&mut network, path)?;
            }
            Model::compile(network, Adam::default())?
        }
    };
    say(&model.network().summary().to_string());

    let how = Fit {
        epochs: options.epochs,
        batch_size: options.batch_size,
        shuffle: options.shuffle,
        seed: options.seed,
        threads: options.threads,
        validation: options.validate.then(|| (&x_test, &y_test).into()),
        checkpoint: options
            .checkpoint
            .as_ref()
            .or(options.resume.as_ref())
            .cloned(),
        time_budget: options.time_budget,
        stop_file: options.stop_file.clone(),
        ..if options.distort {
            Fit::distorted(options.epochs)
        } else {
            Fit::default()
        }
    };
    let progress: &mut dyn Progress = if options.quiet {
        &mut Silent
    } else {
        &mut Bars::default()
    };
    let mut train = Data::from((&x_train, &y_train));
    if let Some(images) = options.images {
        train = train.first(images)?;
    }
    let history = model.fit_with(train, &how, progress)?;

    let score = model.score((&x_test, &y_test))?;
    say(&format!(
        "Test loss: {}\nTest accuracy: {}",
        score.loss, score.accuracy
    ));

    if let Some(path) = &options.save {
        weights::save(model.network(), path)?;
    }
    if let Some(folder) = &options.plots {
        std::fs::create_dir_all(folder)?;
        plot::model_loss(&history)?.save_png(folder.join("model_loss.png"))?;
        plot::model_accuracy(&history)?.save_png(folder.join("model_accuracy.png"))?;
    }
    if let Some(path) = &options.json {
        std::fs::write(path, report::<LeNet5>(&history, &score).to_string())?;
    }
    Ok(())
}

/// Parameters, history and test score as JSON.
fn report<N: Layer>(history: &History, score: &Score) -> serde_json::Value {
    let epochs = history.epochs.iter().enumerate().map(|(index, epoch)| {
        serde_json::json!({
            "epoch": index + 1,
            "loss": epoch.loss,
            "accuracy": epoch.accuracy,
            "val_loss": epoch.val_loss,
            "val_accuracy": epoch.val_accuracy,
            "seconds": epoch.seconds,
        })
    });
    serde_json::json!({
        "params": Summary::of::<N>().outline().parameters(),
        "history": epochs.collect::<Vec<_>>(),
        "stopped": history.stopped.map(|why| why.to_string()),
        "test": { "loss": score.loss, "accuracy": score.accuracy },
    })
}

/// A bar that fills while an epoch runs, and a line when it is over.
#[derive(Default)]
struct Bars {
    bar: Option<ProgressBar>,
}

impl Progress for Bars {
    fn epoch_begins(&mut self, epoch: usize, epochs: usize, steps: usize) {
        let style = ProgressStyle::with_template("{pos}/{len} [{bar:30}] {msg}").map_or_else(
            |_| ProgressStyle::default_bar(),
            |style| style.progress_chars("=>."),
        );
        println!("Epoch {epoch}/{epochs}");
        self.bar = Some(ProgressBar::new(steps as u64).with_style(style));
    }
    fn step_ends(&mut self, step: usize, loss: f32, accuracy: f32) {
        if let Some(bar) = &self.bar {
            bar.set_position(step as u64);
            bar.set_message(format!("loss: {loss:.4} - accuracy: {accuracy:.4}"));
        }
    }
    fn epoch_ends(&mut self, _: usize, steps: usize, numbers: &Epoch) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        println!("{}", epoch_line(steps, numbers));
    }
    fn stops(&mut self, epoch: usize, epochs: usize, why: Stop) {
        println!("{}", stop_line(epoch, epochs, why));
    }
}

/// The options on the command line; `None` asks for help.
fn parse(
    mut arguments: impl Iterator<Item = String>,
) -> std::result::Result<Option<Options>, String> {
    let Fit {
        epochs,
        batch_size,
        seed,
        threads,
        shuffle,
        ..
    } = Fit::default();
    let mut options = Options {
        epochs,
        batch_size,
        seed,
        threads,
        shuffle,
        distort: false,
        images: None,
        validate: true,
        data: None,
        weights: None,
        save: None,
        checkpoint: None,
        resume: None,
        time_budget: None,
        stop_file: None,
        plots: None,
        json: None,
        quiet: false,
    };
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--help" | "-h" => return Ok(None),
            "--quiet" => {
                options.quiet = true;
                continue;
            }
            "--distort" => {
                options.distort = true;
                continue;
            }
            _ if !flag.starts_with("--") => return Err(format!("`{flag}` is no option")),
            _ => {}
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--epochs" => options.epochs = number(&flag, value?)?,
            "--batch-size" => options.batch_size = number(&flag, value?)?,
            "--seed" => options.seed = number(&flag, value?)?,
            "--threads" => options.threads = Some(number(&flag, value?)?),
            "--shuffle" => options.shuffle = number(&flag, value?)?,
            "--images" => options.images = Some(number(&flag, value?)?),
            "--validate" => options.validate = number(&flag, value?)?,
            "--data" => options.data = Some(value?.into()),
            "--weights" => options.weights = Some(value?.into()),
            "--save" => options.save = Some(value?.into()),
            "--checkpoint" => options.checkpoint = Some(value?.into()),
            "--resume" => options.resume = Some(value?.into()),
            "--time-budget" => {
                let seconds = number(&flag, value?)?;
                let budget = Duration::try_from_secs_f64(seconds);
                let budget = budget.map_err(|_| format!("{flag} cannot be `{seconds}`"))?;
                options.time_budget = Some(budget);
            }
            "--stop-file" => options.stop_file = Some(value?.into()),
            "--plots" => options.plots = Some(value?.into()),
            "--json" => options.json = Some(value?.into()),
            _ => return Err(format!("`{flag}` is no option")),
        }
    }
    if options.weights.is_some() && options.resume.is_some() {
        return Err("--weights and --resume do not go together: a checkpoint has its own".into());
    }
    Ok(Some(options))
}

fn number<T: std::str::FromStr>(flag: &str, value: String) -> std::result::Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{flag} cannot be `{value}`"))
}
