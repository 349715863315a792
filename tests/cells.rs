//! Cells in one kernel, and what the page shows below each.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{json, Value};
use xtask::Project;

use crate::{output_folder, Run};

/// What a cell shows.
#[derive(Debug, Default)]
pub struct Shown {
    /// The cell's id.
    pub id: String,
    /// From sending the cell to its end.
    pub seconds: f64,
    /// What it printed to stdout.
    pub printed: String,
    /// What it printed to stderr, as a failed `?` does.
    pub complaint: String,
    /// The compiler's errors, each a text without colours.
    pub errors: Vec<String>,
    /// Its last line's value, by MIME type.
    pub value: BTreeMap<String, String>,
}

impl Shown {
    /// The value as text.
    pub fn text(&self) -> &str {
        self.value.get("text/plain").map_or("", String::as_str)
    }

    /// The first line of what went wrong, put together again where the page breaks it; empty if nothing did.
    pub fn refusal(&self) -> String {
        let Some(error) = self.errors.first() else {
            return self.complaint.lines().next().unwrap_or_default().to_owned();
        };
        let head = error.lines().take_while(|line| !line.contains("╭─[")).collect::<Vec<_>>().join(" ");
        match head.split_once("Error: ") {
            Some((_, words)) => words.to_owned(),
            None => head,
        }
    }
}

/// The first cells of the walkthrough, up to an epoch on 2,000 images, with names for what others need: `labels` are those of
/// `x_test`, `few` and `probe` the data that was trained and validated on.
pub fn first_cells() -> Vec<(String, String)> {
    let crate_path = Project::find().path("lenet_core");
    let import = format!(
        ":dep lenet_core = {{ path = {:?} }}\nuse lenet_core::prelude::*;\nlet seed: u64 = 0;",
        crate_path.to_string_lossy()
    );
    let cells = [
        ("import", import.as_str()),
        ("load", "let ((bytes, digits), (x_test, labels)) = mnist::load_data()?;"),
        (
            "prepare",
            "let x_train = normalize(&bytes.reshape::<Rank4<60000, 1, 28, 28>>());
             let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
             let y_train = to_categorical::<10, _>(&digits)?;
             let y_test = to_categorical::<10, _>(&labels)?;",
        ),
        ("network", "let network = LeNet5::glorot_uniform(seed);"),
        ("compile", "let mut model = Model::compile(network.clone(), Adam::default())?;"),
        (
            "few",
            "let few = Data::from((&x_train, &y_train)).first(2_000)?;
             let probe = Data::from((&x_test, &y_test)).first(1_000)?;
             let how = Fit { epochs: 1, seed, verbose: false, ..Fit::default() };",
        ),
        ("fit", "let history = model.fit(&few, &Fit { validation: Some(probe.clone()), ..how.clone() })?;"),
    ];
    cells.map(|(id, source)| (format!("first-{id}"), source.to_owned())).into()
}

/// Writes a notebook of these cells, each with its id, and gives its path.
///
/// # Panics
/// If the file cannot be written.
pub fn notebook_of(name: &str, cells: &[(String, String)]) -> PathBuf {
    let cells = cells.iter().map(|(id, source)| {
        json!({ "cell_type": "code", "id": id, "source": source, "metadata": {}, "outputs": [], "execution_count": null })
    });
    let notebook = json!({
        "cells": cells.collect::<Vec<_>>(), "nbformat": 4, "nbformat_minor": 5,
        "metadata": { "kernelspec": { "name": "rust", "display_name": "Rust", "language": "rust" } },
    });
    let path = output_folder("runs").join(format!("{name}.ipynb"));
    fs::write(&path, notebook.to_string()).expect("to write a notebook");
    path
}

/// Runs cells one after the other in one kernel, whether or not one fails, and gives what each shows.
///
/// # Panics
/// If the run does not come to its end.
pub fn run_cells(name: &str, cells: &[(String, String)]) -> Vec<Shown> {
    let mut arguments = vec!["--rounds", "0", "--then"];
    arguments.extend(cells.iter().map(|(id, _)| id.as_str()));
    let path = notebook_of(name, cells);
    Run::start(&path, name, &arguments).finish();
    let record = fs::read_to_string(path.with_extension("json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("a record is JSON");
    record["cells"].as_array().expect("a record has cells").iter().map(shown).collect()
}

fn shown(cell: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut shown =
        Shown { id: text(&cell["id"]), seconds: cell["seconds"].as_f64().unwrap_or_default(), ..Shown::default() };
    for message in cell["messages"].as_array().into_iter().flatten() {
        match (message["type"].as_str(), message["name"].as_str()) {
            (Some("stream"), Some("stderr")) => shown.complaint += &text(&message["text"]),
            (Some("stream"), _) => shown.printed += &text(&message["text"]),
            (Some("error"), _) => {
                let lines = message["traceback"].as_array().into_iter().flatten();
                let lines: Vec<_> = lines.map(|line| without_colours(line.as_str().unwrap_or_default())).collect();
                shown.errors.push(lines.join("\n"));
            }
            _ => {
                for (kind, value) in message["data"].as_object().into_iter().flatten() {
                    shown.value.insert(kind.clone(), text(value));
                }
            }
        }
    }
    shown
}

/// The text without the terminal's marks for colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}
