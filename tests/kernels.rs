//! Kernels side by side, restarted, and with cells run again: all work, and give the same numbers. And a kernel knows
//! the standard library.
//!
//! The tests that are ignored take about half an hour:
//! `cargo test --release -p notebook_tests --test kernels -- --ignored --test-threads 1`

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use notebook_tests::{clean_copy, clean_copy_folder, output_folder, Executed, Run};
use xtask::Project;

const NOTEBOOK: &str = "notebooks/lenet5.ipynb";
/// The walkthrough with three epochs, to save time.
const QUICK: [&str; 3] = ["--replace", "epochs: 10", "epochs: 3"];
const COMPILE: &str = "Model::compile(network.clone(), Adam::default())?";

/// Cells that a learner may run again, in such an order, after the whole notebook.
const AGAIN: &[&str] = &[
    // Train on, look again.
    "fit",
    "evaluate",
    "loss",
    "accuracy",
    // A new network.
    "model",
    "compile",
    "fit",
    "evaluate",
    // Refused, as the tensors have been through them.
    "normalize",
    "onehot",
    "digits",
    // And nothing is lost by that.
    "digit",
    "onehot-row",
    "dims",
    "reshape",
    "fit",
    // From the data on.
    "load",
    "digits",
    "label",
    "reshape",
    "normalize",
    "onehot",
    "fit",
    "evaluate",
    // The first cell again, a cell that fails on purpose, and on.
    "import",
    "shape-wrong",
    "compile",
    "fit",
];

/// A kernel in which everything is run twice and then many cells again; beside it one that is
/// interrupted in epoch 3, in which everything is run again, and that is then restarted.
fn two_kernels() -> &'static [Vec<Executed>; 2] {
    static RUNS: OnceLock<[Vec<Executed>; 2]> = OnceLock::new();
    RUNS.get_or_init(|| {
        let notebook = clean_copy().join(NOTEBOOK);
        let mut again = [&QUICK[..], &["--rounds", "2", "--then"]].concat();
        again.extend(AGAIN);
        let again = Run::start(&notebook, "again", &again);

        let checkpoint = output_folder("runs").join("run.checkpoint");
        let _ = fs::remove_file(&checkpoint);
        let kept = format!("checkpoint: Some({checkpoint:?}.into()), ..Fit::default()");
        let resumed = format!(
            "if std::path::Path::new({checkpoint:?}).exists() {{ Model::<LeNet5>::resume({checkpoint:?})? }} else {{ {COMPILE} }}"
        );
        let mut interrupted = QUICK.to_vec();
        interrupted.extend(["--replace", "..Fit::default()", &kept]);
        interrupted.extend(["--replace", COMPILE, &resumed]);
        interrupted.extend(["--interrupt", "fit", "Epoch 3/3", "--restarts", "1"]);
        let interrupted = Run::start(&notebook, "interrupted", &interrupted);
        [again.finish(), interrupted.finish()]
    })
}

/// The numbers of a fit's last epoch, without its time.
fn numbers(cell: &Executed) -> &str {
    let (_, numbers) = cell
        .printed
        .rsplit_once("ms/step - ")
        .expect("an epoch's line");
    numbers
}

/// All digits of the loss and accuracy after each run of the whole notebook.
fn scores(run: &[Executed]) -> Vec<&str> {
    let evaluations = run
        .iter()
        .filter(|cell| cell.id == "evaluate" && !cell.again);
    let score = |cell: &'_ Executed| cell.printed.find("Test loss: ").expect("a score");
    evaluations
        .map(|cell| &cell.printed[score(cell)..])
        .collect()
}

#[test]
fn two_kernels_at_once_run_all_twice_and_a_restart_give_the_same_numbers() {
    let [again, interrupted] = two_kernels();
    let all = [scores(again), scores(interrupted)].concat();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|score| *score == all[0]), "{all:?}");
}

#[test]
fn a_kernel_interrupted_in_epoch_3_goes_on_from_its_checkpoint() {
    let fits = two_kernels()[1].iter().filter(|cell| cell.id == "fit");
    let fits: Vec<&Executed> = fits.collect();
    assert_eq!(fits.len(), 3);
    assert!(fits[0].failure.is_some() && fits[0].printed.ends_with("Epoch 3/3\n"));
    // Only what was left is trained, and nothing when nothing is left.
    assert!(fits[1].printed.starts_with("Epoch 3/3\n"), "{fits:?}");
    assert_eq!(fits[2].printed, "");
}

#[test]
fn cells_run_again_work_or_are_refused_in_plain_words() {
    let again = two_kernels()[0].iter().filter(|cell| cell.again);
    let mut failures = Vec::new();
    for (cell, id) in again.clone().zip(AGAIN) {
        assert_eq!(cell.id, *id);
        if let Some(failure) = &cell.failure {
            failures.push((cell.id.as_str(), failure.lines().next().unwrap_or_default()));
        }
    }
    assert_eq!(again.count(), AGAIN.len());
    let ids: Vec<_> = failures.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["normalize", "onehot", "digits"], "{failures:#?}");
    assert!(failures[0].1.contains("`normalize` has been here before"));
    assert!(failures[2].1.contains("holds no labels"));
}

#[test]
fn a_new_model_trains_as_the_first_one_did_and_an_old_one_goes_on() {
    let [run, _] = two_kernels();
    let fits = run.iter().filter(|cell| cell.id == "fit");
    let (again, first): (Vec<_>, Vec<_>) = fits.partition(|cell| cell.again);
    let first = numbers(first[0]);
    let again: Vec<_> = again.into_iter().map(numbers).collect();
    // Trained on, new network, trained on, trained on, new model.
    let like_first: Vec<_> = again.iter().map(|numbers| *numbers == first).collect();
    assert_eq!(like_first, [false, true, false, false, true], "{again:?}");
}

/// Name and version of every package in a lock file.
fn packages(lock_file: &Path) -> HashSet<(String, String)> {
    let text = fs::read_to_string(lock_file).expect("a lock file");
    let value = |line: Option<&str>, key: &str| {
        let quoted = line.and_then(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        quoted
            .expect("name, then version")
            .trim_matches('"')
            .to_owned()
    };
    let sections = text.split("[[package]]\n").skip(1);
    let package = |section: &str| {
        let mut lines = section.lines();
        (value(lines.next(), "name"), value(lines.next(), "version"))
    };
    sections.map(package).collect()
}

#[test]
fn cells_are_built_with_the_versions_of_the_project() {
    let _ = two_kernels();
    let changed = |file: &Path| fs::metadata(file).and_then(|found| found.modified()).ok();
    let copy = clean_copy_folder();
    let project = packages(&copy.join("Cargo.lock"));
    let builds = Project::find().path("target/notebook");
    let folders = fs::read_dir(builds).expect("the kernels' folders");
    let of_cells: Vec<_> = folders
        .map(|folder| folder.expect("an entry").path().join("Cargo.lock"))
        .filter(|cells| changed(cells) > changed(&copy))
        .collect();
    assert!(!of_cells.is_empty());
    for lock_file in of_cells {
        let mut cells = packages(&lock_file);
        assert!(cells.len() > 30, "{}: {cells:?}", lock_file.display());
        cells.retain(|(name, _)| name != "ctx");
        let others: Vec<_> = cells.difference(&project).collect();
        assert!(others.is_empty(), "{}: {others:?}", lock_file.display());
    }
}

/// Cells whose variables have types that only the standard library's sources tell.
const INFERRED: [&str; 4] = [
    r#"
use std::collections::{HashMap, HashSet};
let mut counts = HashMap::new();
counts.insert("three".to_string(), 3);
let seen = [1u8, 2, 2].into_iter().collect::<HashSet<_>>();
let words = "a b c".split(' ').map(String::from).collect::<Vec<_>>();
"#,
    r#"
let total: i32 = counts.values().sum();
let longest = counts.keys().map(|key| key.len()).max();
let joined = words.join("-");
let shared = std::sync::Arc::new(std::sync::Mutex::new(vec![0.5f32; 3]));
"#,
    r#"
let (sender, receiver) = std::sync::mpsc::channel();
sender.send(shared.lock().unwrap().iter().sum::<f32>()).unwrap();
let received = receiver.recv();
let elapsed = std::time::Instant::now().elapsed();
let size = std::fs::metadata(".").map(|found| found.len());
let seven = std::thread::spawn(|| 7).join().unwrap();
"#,
    r#"
let distinct = seen.len();
let slow = elapsed.as_secs() > 60 || size.is_err();
println!("{total} {longest:?} {joined} {distinct} {received:?} {slow} {seven}");
"#,
];

#[test]
fn types_of_the_standard_library_need_not_be_written() {
    let cells = INFERRED.iter().enumerate().map(|(index, source)| {
        serde_json::json!({
            "cell_type": "code", "id": format!("inferred-{index}"), "source": source,
            "metadata": {}, "outputs": [], "execution_count": null,
        })
    });
    let notebook = serde_json::json!({
        "cells": cells.collect::<Vec<_>>(), "nbformat": 4, "nbformat_minor": 5,
        "metadata": { "kernelspec": { "name": "rust", "display_name": "Rust", "language": "rust" } },
    });
    let path = output_folder("runs").join("inferred.ipynb");
    fs::write(&path, notebook.to_string()).expect("to write a notebook");
    let cells = Run::start(&path, "inferred", &[]).finish();
    assert_eq!(cells[3].printed, "3 Some(5) a-b-c 2 Ok(1.5) false 7\n");
}

#[test]
#[ignore = "takes minutes; see the top of this file"]
fn ten_restarts_in_a_row() {
    let notebook = clean_copy().join(NOTEBOOK);
    let arguments = [&QUICK[..], &["--restarts", "10"]].concat();
    let run = Run::start(&notebook, "ten-restarts", &arguments).finish();
    let scores = scores(&run);
    assert_eq!(scores.len(), 11);
    assert!(scores.iter().all(|score| *score == scores[0]), "{scores:?}");
}

#[test]
#[ignore = "takes many minutes; see the top of this file"]
fn twenty_five_run_alls_of_each_notebook() {
    let folder = clean_copy().join("notebooks");
    let entries = fs::read_dir(folder).expect("the folder of the notebooks");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_notebook = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "ipynb");
    for (index, notebook) in paths.filter(is_notebook).enumerate() {
        let name = format!("run-alls-{index}");
        let run = Run::start(&notebook, &name, &["--restarts", "4", "--rounds", "5"]).finish();
        let first = &run[0].id;
        let rounds = run.iter().filter(|cell| cell.id == *first).count();
        assert_eq!(rounds, 25, "{}", notebook.display());
    }
}
