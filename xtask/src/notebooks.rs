//! `cargo xtask notebooks`.

use std::fs;
use std::path::PathBuf;

use crate::process::{announce, file_failure, run};
use crate::{setup, Failure, Project, Result};

/// The notebook whose result README.md shows: the picture of one of its cells.
const WALKTHROUGH: &str = "lenet5.ipynb";
const PICTURED_CELL: &str = "draw";
const PICTURE: &str = "result.png";

/// Runs each committed notebook and writes its outputs into it.
pub fn run_again(project: &Project) -> Result<()> {
    setup::for_learning(project)?;
    for notebook in all(project)? {
        announce(&format!("Notebook: running {}", notebook.display()));
        let mut python = project.jupyter();
        python.arg(project.path("tests/run_notebook.py")).arg(&notebook).arg("--in-place");
        if notebook.ends_with(WALKTHROUGH) {
            python.args(["--picture", PICTURED_CELL]).arg(notebook.with_file_name(PICTURE));
        }
        run(
            &mut python,
            "the notebook was not written, because it did not run to its end as it should",
            "read the message above",
        )?;
    }
    Ok(())
}

fn all(project: &Project) -> Result<Vec<PathBuf>> {
    let folder = project.path("notebooks");
    let entries = fs::read_dir(&folder).map_err(|error| file_failure("read", &folder, &error))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut notebooks: Vec<_> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "ipynb")).collect();
    if notebooks.is_empty() {
        let problem = format!("there is no notebook in {}", folder.display());
        return Err(Failure::new(problem, "run this command in a complete clone of the project"));
    }
    notebooks.sort();
    Ok(notebooks)
}
