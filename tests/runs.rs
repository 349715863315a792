//! Runs of a notebook that go beyond one Run All: several rounds, restarts, cells again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use serde_json::Value;

use crate::{output_folder, python};

/// A run that is under way.
pub struct Run {
    process: Child,
    record: PathBuf,
}

/// What a cell did when it was run.
#[derive(Debug)]
pub struct Executed {
    /// The cell's id.
    pub id: String,
    /// Whether the cell was run again after the whole notebook.
    pub again: bool,
    /// What went wrong, if anything.
    pub failure: Option<String>,
    /// What the cell printed to stdout.
    pub printed: String,
}

impl Run {
    /// Starts to run a notebook with these further arguments of `run_notebook.py`; `name` tells the
    /// record of this run from others.
    ///
    /// # Panics
    /// If Python can't be started.
    pub fn start(notebook: &Path, name: &str, arguments: &[&str]) -> Self {
        let record = output_folder("runs").join(format!("{name}.json"));
        let _ = fs::remove_file(&record);
        let mut command = python("run_notebook.py");
        command.arg(notebook).arg("--record").arg(&record);
        let process = command.args(arguments).spawn().unwrap_or_else(|error| panic!("cannot start Python: {error}"));
        Self { process, record }
    }

    /// Waits for the end, and gives what the cells did, in order.
    ///
    /// # Panics
    /// If a cell failed that was not to; the script has said which.
    pub fn finish(mut self) -> Vec<Executed> {
        let status = self.process.wait().expect("a child that was started");
        assert!(status.success(), "a run did not come to its end: see the messages above");
        let text = fs::read_to_string(&self.record)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", self.record.display()));
        let record: Value = serde_json::from_str(&text).expect("a record is JSON");
        let cells = record["cells"].as_array().expect("a record has cells");
        cells.iter().map(executed).collect()
    }
}

fn executed(cell: &Value) -> Executed {
    let messages = cell["messages"].as_array().into_iter().flatten();
    let printed = messages.filter(|message| message["name"] == "stdout");
    Executed {
        id: cell["id"].as_str().unwrap_or_default().to_owned(),
        again: cell["then"] == true,
        failure: cell["failure"].as_str().map(str::to_owned),
        printed: printed.filter_map(|message| message["text"].as_str()).collect(),
    }
}
