//! Kernels side by side, restarted, and with cells run again: all work, and give the same numbers.
//!
//! The tests that are ignored take about half an hour:
//! `cargo test --release -p notebook_tests --test kernels -- --ignored --test-threads 1`

use std::path::PathBuf;
use std::sync::OnceLock;

use notebook_tests::{clean_copy, Executed, Run};

const NOTEBOOK: &str = "notebooks/lenet5.ipynb";
/// The walkthrough with one epoch, to save time.
const QUICK: [&str; 3] = ["--replace", "epochs: 10", "epochs: 1"];

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

/// A kernel in which everything is run twice and then many cells again, while another is restarted.
fn two_kernels() -> &'static [Vec<Executed>; 2] {
    static RUNS: OnceLock<[Vec<Executed>; 2]> = OnceLock::new();
    RUNS.get_or_init(|| {
        let notebook = clean_copy().join(NOTEBOOK);
        let mut again = [&QUICK[..], &["--rounds", "2", "--then"]].concat();
        again.extend(AGAIN);
        let again = Run::start(&notebook, "again", &again);
        let restart = [&QUICK[..], &["--restarts", "1"]].concat();
        let restart = Run::start(&notebook, "restart", &restart);
        [again.finish(), restart.finish()]
    })
}

/// The numbers of an epoch, without its time.
fn numbers(cell: &Executed) -> &str {
    let (_, numbers) = cell
        .printed
        .rsplit_once("ms/step - ")
        .expect("an epoch's line");
    numbers
}

/// What each fit of the whole notebook printed.
fn fits(run: &[Executed]) -> Vec<&str> {
    let fits = run.iter().filter(|cell| cell.id == "fit" && !cell.again);
    fits.map(numbers).collect()
}

#[test]
fn two_kernels_at_once_run_all_twice_and_a_restart_give_the_same_numbers() {
    let [again, restart] = two_kernels();
    let all = [fits(again), fits(restart)].concat();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|numbers| *numbers == all[0]), "{all:?}");
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
    let first = fits(run)[0];
    let again = run.iter().filter(|cell| cell.id == "fit" && cell.again);
    let again: Vec<_> = again.map(numbers).collect();
    // Trained on, new network, trained on, trained on, new model.
    let like_first: Vec<_> = again.iter().map(|numbers| *numbers == first).collect();
    assert_eq!(like_first, [false, true, false, false, true], "{again:?}");
}

#[test]
#[ignore = "takes minutes; see the top of this file"]
fn ten_restarts_in_a_row() {
    let notebook = clean_copy().join(NOTEBOOK);
    let arguments = [&QUICK[..], &["--restarts", "10"]].concat();
    let run = Run::start(&notebook, "ten-restarts", &arguments).finish();
    let fits = fits(&run);
    assert_eq!(fits.len(), 11);
    assert!(fits.iter().all(|numbers| *numbers == fits[0]), "{fits:?}");
}

#[test]
#[ignore = "takes many minutes; see the top of this file"]
fn twenty_five_run_alls_of_each_notebook() {
    let folder = clean_copy().join("notebooks");
    let entries = std::fs::read_dir(folder).expect("the folder of the notebooks");
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
