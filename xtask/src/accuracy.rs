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
    the recipes with distorted images never see them\nbefore the end. Their settings were chosen on 5,000 of the \
    training images, set aside; those of the long one after a first try with\nthe short one's weaker distortions, \
    which did a little worse.\n\n";

/// Trains the recipes for several seeds and writes the table.
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
    fs::write(&path, format!("{HEADING}{table}")).map_err(|error| file_failure("write", &path, &error))?;
    announce(&format!("Accuracy: written to {RESULTS}"));
    Ok(())
}
