//! The MNIST data.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{announce, capture, cargo};
use crate::progress::Report;
use crate::{Failure, Project, Result};

const PROBLEM: &str = "MNIST is not there yet";
const ADVICE: &str = "follow the message above and run this command again";

/// Fetches what is missing and verifies all of it.
pub fn mnist(project: &Project, report: &Report) -> Result<()> {
    announce("Data: fetching what is missing of MNIST, verifying the rest");
    report.run(&mut fetch(project), PROBLEM, ADVICE)
}

/// The folder that holds MNIST, as the program that fetches it says in its last line.
pub fn folder(project: &Project) -> Result<PathBuf> {
    let printed = capture(&mut fetch(project), PROBLEM, ADVICE)?;
    let last = printed.lines().last().unwrap_or_default();
    let folder = last.strip_prefix("MNIST is in ").map(PathBuf::from);
    folder.ok_or_else(|| Failure::new(format!("{PROBLEM}: {last}"), ADVICE))
}

fn fetch(project: &Project) -> Command {
    let mut command = cargo(project);
    command.args(["run", "--release", "--package", "lenet_mnist"]);
    command
}
