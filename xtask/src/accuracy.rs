//! `cargo xtask accuracy`.

use std::ffi::OsString;
use std::fs;

use crate::process::{announce, capture, cargo, file_failure};
use crate::{Project, Result};

/// Runs of each recipe, unless others are asked for.
const RUNS: [&str; 3] = ["plain=10", "short=5", "long=5"];
const RESULTS: &str = "RESULTS.md";
const HEADING: &str = "# Results\n\n\
    Accuracy and loss on the 10,000 test images after the last epoch, over several seeds, written by \
    `cargo xtask accuracy`.\nThe walkthrough's recipe uses the test images for its validation curve only; \
    the recipes with distorted images never see them\nbefore the end.\n\n";
const TRIES: &str = "\n## How the recipes were chosen\n\n\
    Written by `cargo xtask accuracy tries=PARTS`. The training images are cut into six parts; each try trains on five of them \
    and is\nscored on the sixth, in turns, so that no test image is seen. Two tries that differ by less than 0.03 points may be \
    equally good.\n\n";

/// Trains the recipes, or tries others, for several seeds and writes the table.
pub fn measure(project: &Project, arguments: &[OsString]) -> Result<()> {
    announce("Accuracy: training each recipe several times; this takes several minutes");
    let mut command = cargo(project);
    command.args(["run", "--release", "--package", "lenet_core", "--example", "accuracy", "--"]);
    if arguments.is_empty() {
        command.args(RUNS);
    } else {
        command.args(arguments);
    }
    let table = capture(&mut command, "the recipes could not be trained", "read the message above")?;
    let path = project.path(RESULTS);
    let last = fs::read_to_string(&path).unwrap_or_default();
    let at = last.find(TRIES).unwrap_or(last.len());
    let tried = arguments.iter().any(|argument| argument.to_string_lossy().starts_with("tries="));
    let (results, tries) = match tried {
        true => (last[..at].to_owned(), format!("{TRIES}{table}")),
        false => (format!("{HEADING}{table}"), last[at..].to_owned()),
    };
    fs::write(&path, results + &tries).map_err(|error| file_failure("write", &path, &error))?;
    announce(&format!("Accuracy: written to {RESULTS}"));
    Ok(())
}
