//! A notebook that has been run, and what its cells showed when.

use std::fs;
use std::path::Path;

use base64::prelude::{Engine, BASE64_STANDARD};
use serde_json::{json, Value};

use crate::{clean_copy, output_folder, python};

/// The seeds with which the notebooks' prose is held against what they show.
pub const SEEDS: [u64; 3] = [0, 1, 2];

/// The code cells of a notebook, with their outputs, and its texts.
pub struct Notebook {
    cells: Vec<Cell>,
    prose: Vec<String>,
}

/// A code cell: its outputs, and what the kernel sent when.
pub struct Cell {
    content: Value,
    record: Value,
}

impl Notebook {
    /// Runs a notebook with each of the [`SEEDS`], one after the other, in a clean copy of the project, through Jupyter's
    /// client and the real kernel. Behind its last cell it gets a cell for each exercise's solution, `solution-1` and so on,
    /// and the `checks`: ids and code. `prepare` may put files into the copy.
    ///
    /// # Panics
    /// If a run does not come to its end; the script has said why.
    pub fn run(path: &str, checks: &[(&str, &str)], prepare: fn(&Path)) -> [Self; 3] {
        SEEDS.map(|seed| {
            let (project, folder) = (clean_copy(), output_folder("run"));
            prepare(&project);
            let notebook = project.join(path);
            append(&notebook, checks);
            let (executed, record) = (folder.join("executed.ipynb"), folder.join("record.json"));
            let mut command = python("run_notebook.py");
            command.arg(notebook).arg("--output").arg(&executed).arg("--record").arg(&record);
            command.args(["--replace", "let seed: u64 = 0;", &format!("let seed: u64 = {seed};")]);
            let status = command.status().unwrap_or_else(|error| panic!("cannot start Python: {error}"));
            assert!(status.success(), "{path} did not run to its end with seed {seed}: see the messages above");
            Self::new(&read_json(&executed), &read_json(&record))
        })
    }

    /// Reads a notebook with the outputs that its file holds.
    pub fn read(path: &Path) -> Self {
        Self::new(&read_json(path), &Value::Null)
    }

    fn new(notebook: &Value, record: &Value) -> Self {
        let all = notebook["cells"].as_array().expect("a notebook has cells");
        let prose = all.iter().filter(|cell| cell["cell_type"] == "markdown");
        let prose = prose.map(|cell| text(&cell["source"])).collect();
        let code = all.iter().filter(|cell| cell["cell_type"] == "code");
        let cells = code
            .enumerate()
            .map(|(index, cell)| Cell { content: cell.clone(), record: record["cells"][index].clone() });
        Self { cells: cells.collect(), prose }
    }

    /// The texts of all Markdown cells, in order.
    pub fn prose(&self) -> &[String] {
        &self.prose
    }

    /// Asserts that those cells fail that are there for it, each with the words on its first line, and no others; and that
    /// no cell has more than `most` lines.
    ///
    /// # Panics
    /// If not.
    pub fn assert_runs(&self, refused: &[(&str, &str)], most: usize) {
        for cell in &self.cells {
            let (id, error) = (cell.id(), cell.error());
            match refused.iter().find(|(refused, _)| *refused == id) {
                Some((_, words)) => {
                    let first = error.lines().next().unwrap_or_default();
                    assert!(cell.may_fail() && first.contains(words), "[{id}] does not say {words:?} first:\n{error}");
                }
                None => {
                    assert!(!cell.may_fail(), "[{id}] may fail, and no test says how");
                    assert_eq!(error, "", "[{id}] failed");
                    assert_eq!(cell.printed("stderr"), "", "[{id}] printed to stderr");
                }
            }
            assert!(id.starts_with("solution-") || cell.lines() <= most, "[{id}] has {} lines", cell.lines());
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
        self.outputs("stream").filter(|output| output["name"] == stream).map(|output| text(&output["text"])).collect()
    }

    /// What the cell shows as its result, as text of the given media type.
    pub fn shown(&self, media_type: &str) -> String {
        let shown = self.outputs("execute_result").map(|output| text(&output["data"][media_type])).next();
        shown.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            panic!("cell [{}] shows no {media_type}: its outputs are {:.2000}", self.id(), self.content["outputs"])
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
        let lines = self.outputs("error").flat_map(|output| output["traceback"].as_array().into_iter().flatten());
        let coloured: Vec<_> = lines.filter_map(Value::as_str).collect();
        without_colours(&coloured.join("\n"))
    }

    /// The lines that the cell printed to stdout, each with the seconds since the cell was started.
    pub fn timed_lines(&self) -> Vec<(f64, String)> {
        let messages = self.record["messages"].as_array().into_iter().flatten();
        let printed = messages.filter(|message| message["type"] == "stream" && message["name"] == "stdout");
        let lines = printed.flat_map(|message| {
            let seconds = message["seconds"].as_f64().unwrap_or_default();
            let lines: Vec<_> = text(&message["text"]).lines().map(|line| (seconds, line.to_owned())).collect();
            lines
        });
        lines.collect()
    }

    fn outputs<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let outputs = self.content["outputs"].as_array().into_iter().flatten();
        outputs.filter(move |output| output["output_type"] == kind)
    }
}

/// Appends the solutions of a notebook's exercises and the checks as cells.
fn append(notebook: &Path, checks: &[(&str, &str)]) {
    let mut content = read_json(notebook);
    let found = Notebook::new(&content, &Value::Null);
    let solutions = found.prose.iter().flat_map(|text| solutions(text));
    let solutions = (1..).zip(solutions).map(|(number, code)| (format!("solution-{number}"), code));
    let checks = checks.iter().map(|(id, code)| ((*id).to_owned(), (*code).to_owned()));
    let cell = |(id, source): (String, String)| {
        json!({
            "cell_type": "code", "id": id, "source": source, "metadata": {}, "outputs": [], "execution_count": null,
        })
    };
    let more: Vec<_> = solutions.chain(checks).map(cell).collect();
    content["cells"].as_array_mut().expect("a notebook has cells").extend(more);
    fs::write(notebook, content.to_string())
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", notebook.display()));
}

/// The code of the solutions in a text.
fn solutions(text: &str) -> impl Iterator<Item = String> + '_ {
    let folded = text.split("<details><summary>Solution</summary>").skip(1);
    folded.map(|rest| {
        let solution = rest.split("</details>").next().unwrap_or_default();
        let code = solution.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```"));
        code.unwrap_or_else(|| panic!("a solution without code: {solution}")).0.to_owned()
    })
}

/// The numbers in a text, signs and exponents included.
pub fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c)))
        .filter_map(|word| word.trim_end_matches('.').parse().ok())
        .collect()
}

/// The number behind a label, as in `loss: 0.3584`.
///
/// # Panics
/// If there is none.
pub fn number_after(text: &str, label: &str) -> f64 {
    let rest = text.split_once(label).unwrap_or_else(|| panic!("{label:?} is missing in {text:?}")).1;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number = rest[..end].trim_end_matches('.').parse();
    number.unwrap_or_else(|_| panic!("no number after {label:?} in {text:?}"))
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
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()))
}
