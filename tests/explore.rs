//! The notebook that looks inside the network, run as a learner runs it.

use std::sync::OnceLock;

use notebook_tests::{assert_figure, Cell, Notebook, EXPLORE_FIGURES};
use xtask::Project;

const PATH: &str = "notebooks/explore.ipynb";

/// The run that all tests here look at.
fn run() -> &'static Notebook {
    static RUN: OnceLock<Notebook> = OnceLock::new();
    RUN.get_or_init(|| Notebook::run(PATH))
}

fn cell(id: &str) -> &'static Cell {
    run().cell(id)
}

/// All numbers in a text, signs and exponents included.
fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c)))
        .filter_map(|word| word.trim_end_matches('.').parse().ok())
        .collect()
}

#[test]
fn no_cell_fails() {
    for cell in run().cells() {
        assert_eq!(cell.error(), "", "cell [{}] failed", cell.id());
        let stderr = cell.printed("stderr");
        assert_eq!(stderr, "", "cell [{}] printed to stderr", cell.id());
    }
}

#[test]
fn the_confusion_matrix_is_of_every_test_image() {
    let words = cell("confusion").shown("text/plain");
    assert!(
        words.starts_with("Confusion matrix of 10,000 images: "),
        "{words}"
    );
}

#[test]
fn each_class_is_read_well() {
    let words = cell("classes").shown("text/plain");
    let (_, each) = words.split_once(". ").expect("a sentence and the shares");
    let shares: Vec<f64> = each.split(", ").map(|share| numbers(share)[1]).collect();
    assert_eq!(shares.len(), 10, "{words}");
    assert!(
        shares.iter().all(|&share| share > 90.0 && share <= 100.0),
        "{words}"
    );
}

#[test]
fn mistakes_come_with_the_most_confident_first() {
    let words = cell("mistakes").shown("text/plain");
    let confidences: Vec<f64> = words
        .split("; ")
        .map(|mistake| numbers(mistake.rsplit(", ").next().unwrap_or_default())[0])
        .collect();
    assert_eq!(confidences.len(), 24, "{words}");
    assert!(
        confidences.windows(2).all(|pair| pair[0] >= pair[1]),
        "{confidences:?}"
    );
}

#[test]
fn training_changes_the_filters() {
    for layer in ["c1", "c3"] {
        let [before, after] =
            ["before", "after"].map(|when| cell(&format!("{layer}-{when}")).png());
        assert_ne!(before, after, "{layer}");
    }
}

#[test]
fn every_layer_shows_its_maps() {
    let words = cell("maps").shown("text/plain");
    for maps in [
        "Input: 1 of 28 by 28",
        "C1: 6 of 24 by 24",
        "S2: 6 of 12 by 12",
        "C3: 16 of 8 by 8",
        "S4: 16 of 4 by 4",
        "C5: 120 values",
        "F6: 84 values",
        "Output: 10 values",
    ] {
        assert!(words.contains(maps), "{maps} is missing in {words}");
    }
}

#[test]
fn the_naive_convolution_agrees() {
    let difference = numbers(&cell("naive").printed("stdout"))[0];
    assert!((0.0..1e-5).contains(&difference), "{difference}");
}

#[test]
fn gradients_agree_with_finite_differences() {
    let printed = cell("finite").printed("stdout");
    let mut largest: f64 = 0.0;
    for line in printed.lines().filter(|line| line.starts_with("filter")) {
        let (_, pair) = line.split_once(": ").expect("a place and two slopes");
        let pair = numbers(pair);
        assert!((pair[0] - pair[1]).abs() < 1e-3, "{line}");
        largest = largest.max(pair[0].abs());
    }
    assert!(largest > 1e-3, "these gradients say nothing: {printed}");
}

#[test]
fn distortions_carry_over() {
    let printed = cell("compare").printed("stdout");
    let rows: Vec<Vec<f64>> = printed.lines().map(numbers).collect();
    let [[plain_training, plain_test], [training, test]] =
        [0, 1].map(|row| [rows[row][0], rows[row][1]]);
    assert!(training < test, "{printed}");
    assert!(
        plain_training > 0.975 && plain_test > 0.975 && test > 0.98,
        "{printed}"
    );
}

#[test]
fn loaded_weights_are_those_that_were_saved() {
    assert_eq!(cell("save").shown("text/plain"), "true");
}

#[test]
fn figures_come_in_every_form() {
    for id in EXPLORE_FIGURES {
        assert_figure(cell(id));
    }
}

#[test]
fn the_panel_has_a_picture_for_viewers_without_scripts() {
    assert!(cell("draw").png().starts_with(b"\x89PNG"));
    let html = cell("draw").shown("text/html");
    assert!(html.contains("<p>") && html.contains("<img") && html.contains("alt=\""));
    assert!(
        !html.contains(" id="),
        "an id would be there twice when there are two panels"
    );
    assert!(!html.contains("src=\"http"), "the panel loads something");
}

#[test]
fn the_committed_notebook_holds_the_outputs_of_a_run() {
    let committed = Notebook::read(&Project::find().path(PATH));
    // What no training comes before is the same in every run.
    for id in ["c1-before", "c3-before", "copies"] {
        let same = committed.cell(id).png() == cell(id).png();
        assert!(same, "[{id}]: run `cargo xtask notebooks`");
    }
    committed.cell("draw").png();
}

#[test]
fn cells_are_short() {
    let mut lines: Vec<usize> = run().cells().iter().map(Cell::lines).collect();
    lines.sort_unstable();
    assert!(lines[lines.len() / 2] <= 6, "median of {lines:?}");
    assert!(lines[lines.len() - 1] <= 20, "{lines:?}");
}
