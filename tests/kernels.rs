//! Kernels side by side, restarted, and with cells run again: all work, and give the same numbers. And a kernel knows
//! the standard library.
//!
//! The tests that are ignored take about half an hour:
//! `cargo test --release -p notebook_tests --test kernels -- --ignored --test-threads 1`

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use notebook_tests::{clean_copy, clean_copy_folder, output_folder, python, Executed, Run};
use serde_json::Value;
use xtask::{kernel, Project};

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
        let mut compile = kernel::launcher(&Project::find(), "--compile");
        let compiled = compile.current_dir(notebook.with_file_name("")).status();
        assert!(compiled.expect("Python starts").success());
        let mut again = [&QUICK[..], &["--rounds", "2", "--then"]].concat();
        again.extend(AGAIN);
        let again = Run::start(&notebook, "again", &again);

        let checkpoint = output_folder("runs").join("run.checkpoint");
        let _ = fs::remove_file(&checkpoint);
        let kept = format!("checkpoint: Some({checkpoint:?}.into()), ..Fit::default()");
        // What is trained to its end is begun anew.
        let loaded = format!(
            "match Model::<LeNet5>::load({checkpoint:?}) {{ Ok(model) if model.epochs() < 3 => model, \
             _ => {{ let _ = std::fs::remove_file({checkpoint:?}); {COMPILE} }} }}"
        );
        let mut interrupted = vec!["--replace", "epochs: 10", "epochs: 3 - model.epochs()"];
        interrupted.extend(["--replace", "..Fit::default()", &kept]);
        interrupted.extend(["--replace", COMPILE, &loaded]);
        // The line of epoch 2 is there: epoch 3 is under way.
        interrupted.extend(["--interrupt", "fit", "Epoch 2/3", "--restarts", "1"]);
        let interrupted = Run::start(&notebook, "interrupted", &interrupted);
        [again.finish(), interrupted.finish()]
    })
}

/// The numbers of a fit's last epoch, without its time.
fn numbers(cell: &Executed) -> &str {
    let (_, numbers) = cell.printed.rsplit_once("s - ").expect("an epoch's line");
    numbers
}

/// All digits of the loss and accuracy after each run of the whole notebook.
fn scores(run: &[Executed]) -> Vec<&str> {
    let evaluations = run.iter().filter(|cell| cell.id == "evaluate" && !cell.again);
    let score = |cell: &'_ Executed| cell.printed.find("Test loss: ").expect("a score");
    evaluations.map(|cell| &cell.printed[score(cell)..]).collect()
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
    assert!(fits[0].failure.is_some() && fits[0].printed.starts_with("Epoch 1/3 - "), "{fits:?}");
    // Only what was left is trained.
    assert!(fits[1].printed.starts_with("Epoch 1/1 - "), "{fits:?}");
    assert!(fits[2].printed.starts_with("Epoch 1/3 - "), "{fits:?}");
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

/// The folder below which kernels build.
fn builds() -> PathBuf {
    builds_of(&mut kernel::launcher(&Project::find(), "--where"))
}

fn builds_of(launcher: &mut Command) -> PathBuf {
    let printed = launcher.output();
    let printed = String::from_utf8(printed.expect("Python starts").stdout);
    PathBuf::from(printed.expect("a path in UTF-8").trim_end())
}

/// When lenet_core was compiled in each folder of the copy's kernels, the template's first.
fn compiled() -> Vec<SystemTime> {
    let notebooks = clean_copy_folder().join("notebooks");
    let entries = fs::read_dir(builds()).expect("the kernels' folders");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let is_of_copy =
        |folder: &PathBuf| fs::read_to_string(folder.join("place")).is_ok_and(|place| Path::new(&place) == notebooks);
    let mut folders: Vec<_> = folders.filter(is_of_copy).collect();
    folders.sort();
    let library = |folder: &PathBuf| {
        let targets = fs::read_dir(folder.join("target")).expect("a target folder");
        let paths = targets.map(|entry| entry.expect("an entry").path().join("debug/deps"));
        let file = format!("{}lenet_core{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let found = paths.map(|deps| deps.join(&file)).find(|file| file.exists());
        let changed = fs::metadata(found.expect("the library")).and_then(|found| found.modified());
        changed.expect("a time")
    };
    folders.iter().map(library).collect()
}

#[test]
fn kernels_begin_with_what_set_up_has_compiled() {
    let _ = two_kernels();
    let compiled = compiled();
    assert!(compiled.len() >= 3, "{compiled:?}");
    assert!(compiled.iter().all(|time| *time == compiled[0]), "{compiled:?}");
}

/// Name and version of every package in a lock file.
fn packages(lock_file: &Path) -> HashSet<(String, String)> {
    let text = fs::read_to_string(lock_file).expect("a lock file");
    let value = |line: Option<&str>, key: &str| {
        let quoted = line.and_then(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        quoted.expect("name, then version").trim_matches('"').to_owned()
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
    let folders = fs::read_dir(builds()).expect("the kernels' folders");
    let of_cells: Vec<_> = folders
        .map(|folder| folder.expect("an entry").path().join("Cargo.lock"))
        .filter(|cells| changed(cells) > changed(&copy))
        .collect();
    assert!(!of_cells.is_empty());
    for lock_file in of_cells {
        let mut cells = packages(&lock_file);
        assert!(cells.len() > 30, "{}: {cells:?}", lock_file.display());
        // The cell itself, and the crate that another test adds by its path.
        cells.retain(|(name, _)| !["ctx", "slow_to_build"].contains(&name.as_str()));
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
    let names = ["first", "second", "third", "fourth"];
    let path = notebook("inferred", names.into_iter().zip(INFERRED));
    let cells = Run::start(&path, "inferred", &[]).finish();
    assert_eq!(cells[3].printed, "3 Some(5) a-b-c 2 Ok(1.5) false 7\n");
}

/// Writes a notebook of these cells, each with its id, and gives its path.
fn notebook<'a>(name: &str, cells: impl IntoIterator<Item = (&'a str, &'a str)>) -> PathBuf {
    let cells = cells.into_iter().map(|(id, source)| {
        serde_json::json!({
            "cell_type": "code", "id": id, "source": source,
            "metadata": {}, "outputs": [], "execution_count": null,
        })
    });
    let notebook = serde_json::json!({
        "cells": cells.collect::<Vec<_>>(), "nbformat": 4, "nbformat_minor": 5,
        "metadata": { "kernelspec": { "name": "rust", "display_name": "Rust", "language": "rust" } },
    });
    let path = output_folder("runs").join(format!("{name}.ipynb"));
    fs::write(&path, notebook.to_string()).expect("to write a notebook");
    path
}

/// Cells that fail, and a word of what is said then.
const FAILURES: [(&str, &str, &str); 6] = [
    ("lost", "kept.len()", "`kept` was lost when the process ended"),
    ("make", "let kept = vec![1, 2]; let gone = vec![3];", ""),
    ("panic", "kept[7]", "the cell panicked:\nindex out of bounds: the len is 2 but the index is 7\n"),
    ("give", "let other = gone;", ""),
    ("gone", "println!(\"{gone:?} {other:?}\")", "an earlier cell gave it away, as `let b = gone;`"),
    (
        "import",
        ":dep lenet_core = { path = \"../lenet_core\" }",
        "This notebook stands outside of the project: open it in",
    ),
];

#[test]
fn failures_say_what_to_do() {
    let stdin = "let mut line = String::new();\nstd::io::stdin().read_line(&mut line)?;";
    let cells = [("make-first", "let kept = vec![1, 2];"), ("stdin", stdin)];
    let path = notebook("failures", cells.into_iter().chain(FAILURES.map(|(id, source, _)| (id, source))));
    // What is printed before the cell that waits is ever done.
    let mut arguments = vec!["--rounds", "0", "--interrupt", "stdin", "reads from stdin", "--then"];
    arguments.extend(FAILURES.map(|(id, ..)| id));
    let run = Run::start(&path, "failures", &arguments).finish();
    let said = |cell: &Executed| cell.failure.clone().unwrap_or_default();
    assert!(said(&run[1]).contains("run the cells again from the top"), "{:?}", run[1]);
    for (cell, (id, _, words)) in run[2..].iter().zip(FAILURES) {
        assert_eq!((cell.id.as_str(), cell.failure.is_some()), (id, !words.is_empty()), "{cell:?}");
        assert!(said(cell).contains(words), "{cell:?}");
    }
    let panic = said(run.iter().find(|cell| cell.id == "panic").expect("a panic"));
    assert!(!panic.contains("backtrace") && panic.trim().lines().count() == 2, "{panic}");
}

#[test]
fn the_words_for_failures_are_as_their_examples_say() {
    let project = Project::find();
    let mut doctest = Command::new(project.python());
    doctest.args(["-m", "doctest"]).arg(project.path("xtask/kernel_words.py"));
    assert!(doctest.status().expect("Python starts").success());
}

#[test]
fn a_kernel_whose_build_folder_has_a_blank_takes_another() {
    let path = notebook("blank", [("sum", "println!(\"{}\", 1 + 1)")]);
    let folder = output_folder("Mein Kurs (2)");
    let variable = ("LENET_KERNEL_BUILDS", folder.join("target/notebook"));
    let builds = builds_of(kernel::launcher(&Project::find(), "--where").env(variable.0, &variable.1));
    assert!(!builds.to_string_lossy().contains(' '), "{}", builds.display());
    let record = path.with_extension("json");
    let mut run = python("run_notebook.py");
    run.arg(&path).arg("--record").arg(&record);
    run.env(variable.0, &variable.1);
    assert!(run.status().expect("Python starts").success());
    let text = fs::read_to_string(record).expect("a record");
    let record: Value = serde_json::from_str(&text).expect("a record is JSON");
    assert_eq!(record["cells"][0]["messages"][0]["text"], "2\n");
    assert!(builds.is_dir() && !folder.join("target").exists());
    fs::remove_dir_all(builds).expect("to remove what the kernel built");
}

#[test]
fn a_new_clone_compiles_only_the_projects_own_crates() {
    let project = Project::find();
    let launcher = |what| {
        let mut launcher = kernel::launcher(&project, what);
        launcher.current_dir(project.path("notebooks")).env("LENET_KERNEL_BUILDS", output_folder("new-clone"));
        launcher
    };
    let builds = builds_of(&mut launcher("--where"));
    fs::remove_dir_all(&builds).expect("to remove what the last run built");
    let compile = launcher("--compile").output().expect("Python starts");
    let messages = String::from_utf8_lossy(&compile.stderr);
    assert!(compile.status.success(), "{messages}");
    let compiled: HashSet<_> = messages.lines().filter_map(|line| line.trim().strip_prefix("Compiling ")).collect();
    assert!(compiled.iter().any(|name| name.starts_with("lenet_core ")), "{compiled:?}");
    assert!(compiled.iter().all(|name| name.starts_with("lenet_") || name.starts_with("ctx ")), "{compiled:?}");
    fs::remove_dir_all(builds).expect("to remove what was built");
}

/// A crate that takes four seconds to compile.
fn slow_crate() -> PathBuf {
    let folder = output_folder("slow_to_build");
    let files = [
        ("Cargo.toml", "[package]\nname = \"slow_to_build\"\nversion = \"0.1.0\"\n\n[workspace]\n"),
        ("build.rs", "fn main() { std::thread::sleep(std::time::Duration::from_secs(4)) }\n"),
        ("src/lib.rs", "pub fn answer() -> u8 { 42 }\n"),
    ];
    let _ = fs::create_dir_all(folder.join("src"));
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("to write a crate");
    }
    folder
}

#[test]
fn a_crate_of_ones_own_is_told_while_it_is_compiled_and_changes_nothing_else() {
    let (project, own) = (Project::find(), slow_crate());
    let dep = |path: PathBuf| format!("{{ path = {:?} }}", path.to_string_lossy());
    let import = format!(
        ":dep lenet_core = {}\nuse lenet_core::prelude::*;\nlet kept = vec![1, 2, 3];",
        dep(project.path("lenet_core"))
    );
    let add =
        format!(":dep slow_to_build = {}\nprintln!(\"{{}} {{}}\", slow_to_build::answer(), kept.len());", dep(own));
    let path = notebook("own-crate", [("import", import.as_str()), ("add", add.as_str())]);
    let cells = Run::start(&path, "own-crate", &[]).finish();
    assert_eq!(cells[1].printed, "42 3\n");

    let record = fs::read_to_string(path.with_extension("json")).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("a record is JSON");
    let told = record["cells"][1]["cleared"].to_string();
    assert!(told.contains("slow_to_build 0.1.0"), "{told}");

    let of_project = packages(&project.path("Cargo.lock"));
    let folders = fs::read_dir(builds()).expect("the kernels' folders");
    let mut locks = folders.map(|folder| folder.expect("an entry").path().join("Cargo.lock"));
    let lock = locks.find(|lock| fs::read_to_string(lock).is_ok_and(|text| text.contains("slow_to_build")));
    let mut cells = packages(&lock.expect("the kernel's lock file"));
    cells.retain(|(name, _)| name != "ctx" && name != "slow_to_build");
    let others: Vec<_> = cells.difference(&of_project).collect();
    assert!(cells.len() > 30 && others.is_empty(), "{others:?}");
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
