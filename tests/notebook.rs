//! A notebook that has been run, and what its cells showed when.

use std::fs;
use std::path::Path;

use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::Value;

use crate::{clean_copy, output_folder, python};

/// The code cells of a notebook, with their outputs.
pub struct Notebook {
    cells: Vec<Cell>,
}

/// A code cell: its outputs, and what the kernel sent when.
pub struct Cell {
    content: Value,
    record: Value,
}

impl Notebook {
    /// Runs a notebook in a clean copy of the project, through Jupyter's client and the real kernel.
    ///
    /// # Panics
    /// If it can't be run to its end; the script has said why.
    pub fn run(path: &str) -> Self {
        let folder = output_folder("run");
        let (executed, record) = (folder.join("executed.ipynb"), folder.join("record.json"));
        let mut command = python("run_notebook.py");
        command
            .arg(clean_copy().join(path))
            .arg("--output")
            .arg(&executed)
            .arg("--record")
            .arg(&record);
        let status = command
            .status()
            .unwrap_or_else(|error| panic!("cannot start Python: {error}"));
        assert!(
            status.success(),
            "{path} did not run to its end: see the messages above"
        );
        Self::new(&read_json(&executed), &read_json(&record))
    }

    /// Reads a notebook with the outputs that its file holds.
    pub fn read(path: &Path) -> Self {
        Self::new(&read_json(path), &Value::Null)
    }

    fn new(notebook: &Value, record: &Value) -> Self {
        let cells = notebook["cells"].as_array().expect("a notebook has cells");
        let code = cells.iter().filter(|cell| cell["cell_type"] == "code");
        let cells = code.enumerate().map(|(index, cell)| Cell {
            content: cell.clone(),
            record: record["cells"][index].clone(),
        });
        Self {
            cells: cells.collect(),
        }
    }

    /// All code cells, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The code cell with this id.
    pub fn cell(&self, id: &str) -> &Cell {
        let found = self.cells.iter().find(|cell| cell.id() == id);
        found.unwrap_or_else(|| panic!("the notebook has no code cell with the id {id:?}"))
    }
}

impl Cell {
    /// The cell's id.
    pub fn id(&self) -> &str {
        self.content["id"].as_str().unwrap_or_default()
    }

    /// How many lines of code the cell has.
    pub fn lines(&self) -> usize {
        text(&self.content["source"]).lines().count()
    }

    /// Whether the cell is there to show an error.
    pub fn may_fail(&self) -> bool {
        let tags = self.content["metadata"]["tags"].as_array();
        tags.is_some_and(|tags| tags.iter().any(|tag| tag == "raises-exception"))
    }

    /// All that the cell printed to stdout or stderr.
    pub fn printed(&self, stream: &str) -> String {
        self.outputs("stream")
            .filter(|output| output["name"] == stream)
            .map(|output| text(&output["text"]))
            .collect()
    }

    /// What the cell shows as its result, as text of the given media type.
    pub fn shown(&self, media_type: &str) -> String {
        let shown = self
            .outputs("execute_result")
            .map(|output| text(&output["data"][media_type]))
            .next();
        shown.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            panic!(
                "cell [{}] shows no {media_type}: its outputs are {:.2000}",
                self.id(),
                self.content["outputs"]
            )
        })
    }

    /// The bytes of the cell's PNG image.
    pub fn png(&self) -> Vec<u8> {
        let encoded: String = self.shown("image/png").split_whitespace().collect();
        BASE64_STANDARD
            .decode(encoded)
            .unwrap_or_else(|error| panic!("cell [{}]: its PNG is not base64: {error}", self.id()))
    }

    /// The error of the cell as people see it, without colours; empty if there is none.
    pub fn error(&self) -> String {
        let lines = self
            .outputs("error")
            .flat_map(|output| output["traceback"].as_array().into_iter().flatten());
        let coloured: Vec<_> = lines.filter_map(Value::as_str).collect();
        without_colours(&coloured.join("\n"))
    }

    /// The lines that the cell printed to stdout, each with the seconds since the cell was started.
    pub fn timed_lines(&self) -> Vec<(f64, String)> {
        let messages = self.record["messages"].as_array().into_iter().flatten();
        let printed =
            messages.filter(|message| message["type"] == "stream" && message["name"] == "stdout");
        let lines = printed.flat_map(|message| {
            let seconds = message["seconds"].as_f64().unwrap_or_default();
            let lines: Vec<_> = text(&message["text"])
                .lines()
                .map(|line| (seconds, line.to_owned()))
                .collect();
            lines
        });
        lines.collect()
    }

    fn outputs<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let outputs = self.content["outputs"].as_array().into_iter().flatten();
        outputs.filter(move |output| output["output_type"] == kind)
    }
}

/// A multi-line string of a notebook file: a string or a list of them.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Drops the terminal's colour codes: ESC [ ... m.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
}
