//! `cargo xtask COMMAND`: see [`HELP`].

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use xtask::{accuracy, bench, deny, lab, notebooks, pages, platforms, setup, test, Failure, Project, Result};

const HELP: &str = "\
The project's commands. Each can be repeated: what is there already is left alone.

cargo xtask lab [ARGUMENTS]    sets up what is missing, then opens notebooks/lenet5.ipynb in JupyterLab;
                               arguments go to JupyterLab, as in `cargo xtask lab --no-browser`
cargo xtask setup              only sets up: JupyterLab in .venv, the Rust kernel, the crates that the
                               notebooks need, the MNIST data
cargo xtask test [ARGUMENTS]   sets up what the tests need, then runs every test of the workspace;
                               arguments go to `cargo test`, as in `cargo xtask test --doc`
cargo xtask notebooks          runs the committed notebooks again and writes their outputs into them
cargo xtask pages [FOLDER]     writes the notebooks as web pages that need nothing but a browser, with a front
                               page, into FOLDER or target/pages
cargo xtask accuracy [RUNS]    trains each recipe for several seeds and writes the table in RESULTS.md;
                               RUNS as in `plain=10 short=5 long=5`, which takes ten minutes on two cores;
                               `tries=3` writes the table of what else was tried, in half an hour
cargo xtask deny               checks the licences and sources of all dependencies against deny.toml
cargo xtask platforms [--check] checks that the crates compile for Windows, macOS and Linux on ARM, and runs
                               their tests for ARM where an emulator is there, but not with `--check`
cargo xtask bench [ARGUMENTS]  trains with PyTorch, JAX, Keras, candle and burn in turns with ours, times
                               the walkthrough's cells and writes the tables in BENCHMARKS.md, in about an
                               hour; arguments go to lenet_core/benches/peers/compare.py, as in
                               `cargo xtask bench --peers ours pytorch --rounds 1`
cargo xtask help               prints this
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().unwrap_or_else(|| OsString::from("help"));
    match run(&command.to_string_lossy(), arguments.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, arguments: Vec<OsString>) -> Result<()> {
    let takes_arguments = matches!(command, "lab" | "test" | "pages" | "platforms" | "accuracy" | "bench");
    if let (false, Some(first)) = (takes_arguments, arguments.first()) {
        let problem = format!("`cargo xtask {command}` takes no argument, got {first:?}");
        return Err(Failure::new(problem, "see `cargo xtask help`"));
    }
    let project = Project::find();
    match command {
        "lab" => lab::open(&project, &arguments),
        "setup" => setup::for_learning(&project),
        "test" => test::run(&project, &arguments),
        "notebooks" => notebooks::run_again(&project),
        "pages" => pages::write(&project, &arguments),
        "deny" => deny::check(&project),
        "platforms" => platforms::check(&project, &arguments),
        "accuracy" => accuracy::measure(&project, &arguments),
        "bench" => bench::measure(&project, &arguments),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            let problem = format!("there is no command `{other}`");
            Err(Failure::new(problem, "see `cargo xtask help`"))
        }
    }
}
