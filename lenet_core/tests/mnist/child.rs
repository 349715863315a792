//! This test program, started a second time to fetch, so that a test can kill it, start twenty of
//! it, or give it another environment.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use lenet_core::mnist::{self, Fetcher, Source};

const FOLDER: &str = "MNIST_TEST_FOLDER";
const MIRROR: &str = "MNIST_TEST_MIRROR";

/// The last line of a child that has good data.
pub const DONE: &str = "the child has the data";

/// A command that fetches into `folder` from the mirror at `url`, and loads what it has.
pub fn child(folder: &Path, url: &str) -> Command {
    child_of(&env::current_exe().unwrap(), folder, url)
}

/// The same with a copy of this program.
pub fn child_of(program: &Path, folder: &Path, url: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args([
            "--exact",
            "child::fetch_and_load",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(MIRROR, url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
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
    let (Some(folder), Ok(url)) = (env::var_os(FOLDER), env::var(MIRROR)) else {
        return;
    };
    let mut fetcher = Fetcher::new(&folder);
    fetcher.sources = vec![Source::Mirror(url)];
    fetcher.patience = Duration::from_secs(5);
    let outcome = fetcher.run(&mut |line| println!("{line}"));
    let loaded = outcome.and_then(|()| mnist::load_data_from(Path::new(&folder)));
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
