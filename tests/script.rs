//! Running the Python scripts that stand beside the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use xtask::Project;

/// A folder below `target` where a test leaves what it made, for people to look at.
pub fn output_folder(name: &str) -> PathBuf {
    let folder = Project::find().path("target/notebook-tests").join(name);
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("cannot create {}: {error}", folder.display()));
    folder
}

/// A command that runs a script of this folder in the project's Python environment.
///
/// # Panics
/// If that environment is missing or lacks what the tests need, with the command that makes it.
pub fn python(script: &str) -> Command {
    let project = Project::find();
    let marker = project.venv().join("installed-tests.txt");
    assert!(
        project.python().is_file() && marker.is_file(),
        "the Python environment .venv is missing or has no test packages: run `cargo xtask test`, which sets them up \
         (`cargo xtask setup` for the notebook alone; `cargo test -p lenet_core` needs no Python)"
    );
    let mut command = project.jupyter();
    command.arg(project.path("tests").join(script));
    command
}
