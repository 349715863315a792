//! The walkthrough in a terminal: the same calls as in `notebooks/lenet5.ipynb`, in the same order.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use lenet_core::prelude::*;
use lexopt::prelude::*;

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
  --load FILE           go on with the model that a checkpoint holds, up to --epochs
  --checkpoint FILE     write the whole model there after each epoch
  --plots DIR           write model_loss.png and model_accuracy.png
  --json FILE           write history and test score
  --quiet               print nothing but errors
  --help                print this";

fn run(options: &Options) -> std::result::Result<(), Box<dyn Error>> {
    let ((x_train, y_train), (x_test, y_test)) = match &options.data {
        Some(folder) => mnist::load_data_from(folder)?,
        None => mnist::load_data()?,
    };

    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical::<10, _>(&y_train)?;
    let y_test = to_categorical::<10, _>(&y_test)?;

    let mut network = LeNet5::glorot_uniform(options.fit.seed);
    if let Some(path) = &options.weights {
        weights::load(&mut network, path)?;
    }
    let mut model = match &options.load {
        Some(path) => Model::<LeNet5>::load(path)?,
        None => Model::compile(network, Adam::default())?,
    };
    if !options.quiet {
        println!("{}", model.network().summary());
    }

    let mut train = Data::from((&x_train, &y_train));
    if let Some(images) = options.images {
        train = train.first(images)?;
    }
    let fit = Fit {
        epochs: options.fit.epochs.saturating_sub(model.epochs()),
        validation: options.validate.then(|| (&x_test, &y_test).into()),
        verbose: !options.quiet,
        ..options.fit.clone()
    };
    let history = model.fit(train, &fit)?;
    let score = model.score((&x_test, &y_test))?;
    if !options.quiet {
        println!("Test loss: {}\nTest accuracy: {}", score.loss, score.accuracy);
    }

    if let Some(path) = &options.save {
        weights::save(model.network(), path)?;
    }
    if let Some(folder) = &options.plots {
        std::fs::create_dir_all(folder)?;
        plot::model_loss(&history)?.save_png(folder.join("model_loss.png"))?;
        plot::model_accuracy(&history)?.save_png(folder.join("model_accuracy.png"))?;
    }
    if let Some(path) = &options.json {
        std::fs::write(path, report(&history, &score).to_string())?;
    }
    Ok(())
}

/// Parameters, history and test score as JSON.
fn report(history: &History, score: &Score) -> serde_json::Value {
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
        "params": Summary::of::<LeNet5>().parameters(),
        "history": epochs.collect::<Vec<_>>(),
        "test": { "loss": score.loss, "accuracy": score.accuracy },
    })
}

#[derive(Default)]
struct Options {
    fit: Fit,
    images: Option<usize>,
    validate: bool,
    data: Option<PathBuf>,
    weights: Option<PathBuf>,
    save: Option<PathBuf>,
    load: Option<PathBuf>,
    plots: Option<PathBuf>,
    json: Option<PathBuf>,
    quiet: bool,
}

/// The options on the command line; `None` asks for help.
fn parse() -> std::result::Result<Option<Options>, lexopt::Error> {
    let mut options = Options { validate: true, ..Options::default() };
    let (mut distort, mut arguments) = (false, lexopt::Parser::from_env());
    while let Some(argument) = arguments.next()? {
        let Long(name) = argument else {
            return Err(argument.unexpected());
        };
        let fit = &mut options.fit;
        match name {
            "help" => return Ok(None),
            "quiet" => options.quiet = true,
            "distort" => distort = true,
            "epochs" => fit.epochs = arguments.value()?.parse()?,
            "batch-size" => fit.batch_size = arguments.value()?.parse()?,
            "seed" => fit.seed = arguments.value()?.parse()?,
            "threads" => fit.threads = Some(arguments.value()?.parse()?),
            "shuffle" => fit.shuffle = arguments.value()?.parse()?,
            "checkpoint" => fit.checkpoint = Some(arguments.value()?.into()),
            "images" => options.images = Some(arguments.value()?.parse()?),
            "validate" => options.validate = arguments.value()?.parse()?,
            "data" => options.data = Some(arguments.value()?.into()),
            "weights" => options.weights = Some(arguments.value()?.into()),
            "save" => options.save = Some(arguments.value()?.into()),
            "load" => options.load = Some(arguments.value()?.into()),
            "plots" => options.plots = Some(arguments.value()?.into()),
            "json" => options.json = Some(arguments.value()?.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.weights.is_some() && options.load.is_some() {
        return Err("--weights and --load do not go together: a model has its own weights".into());
    }
    if distort {
        let Fit { schedule, augment, .. } = Fit::distorted(options.fit.epochs);
        (options.fit.schedule, options.fit.augment) = (schedule, augment);
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let options = match parse() {
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
