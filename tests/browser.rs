//! The walkthrough and the notebook by hand in a real browser: run in JupyterLab, opened without trust, and as a page.

use std::sync::OnceLock;

use notebook_tests::{Figure, Views, BY_HAND_FIGURES};

const PATH: &str = "notebooks/lenet5.ipynb";
const EPOCHS: usize = 10;

/// What was seen, or `None` where there is no browser.
fn views() -> Option<&'static Views> {
    static VIEWS: OnceLock<Option<Views>> = OnceLock::new();
    VIEWS.get_or_init(|| Views::look(PATH, "browser")).as_ref()
}

#[test]
fn run_all_in_jupyterlab_runs_every_cell() {
    let Some(views) = views() else { return };
    assert_eq!(views.failed(), Vec::<String>::new(), "these cells failed");
    assert!(views.done(), "some cells were not run");
    assert!(!views.asked(), "JupyterLab asks for something");
}

#[test]
fn the_notebook_by_hand_runs_and_its_figures_are_painted() {
    let Some(views) = Views::look("notebooks/by_hand.ipynb", "by-hand-browser") else { return };
    assert_eq!(views.failed(), Vec::<String>::new(), "these cells failed");
    assert!(views.done(), "some cells were not run");
    for (view, cell) in each_view(BY_HAND_FIGURES) {
        let figure = only_picture(&views, view, cell);
        assert!(figure.width > 500.0 && figure.blue > 0.001 && figure.light > 0.8, "[{cell}] in {view}: {figure:?}");
    }
}

#[test]
fn lines_of_epochs_appear_one_by_one() {
    let Some(views) = views() else { return };
    let counts = views.printed_lines();
    // The last count is 0 again where the page has scrolled on: JupyterLab keeps only what is near the screen.
    assert_eq!(counts.iter().max(), Some(&EPOCHS), "{counts:?}");
    // Looking twenty times a second can miss a line or two, but not the growth.
    assert!(counts.len() > EPOCHS / 2, "the lines came in so few steps: {counts:?}");
}

#[test]
fn the_saved_notebook_is_not_trusted_elsewhere() {
    let Some(views) = views() else { return };
    assert!(!views.trusted(), "so the view without trust showed nothing about it");
}

#[test]
fn curves_are_painted_in_every_view() {
    let Some(views) = views() else { return };
    for (view, cell) in each_view(&["loss", "accuracy"]) {
        let curve = only_picture(views, view, cell);
        assert!((curve.width / curve.height / 2.5 - 1.0).abs() < 0.05, "[{cell}] in {view}: {curve:?}");
        assert!(curve.blue > 0.001 && curve.orange > 0.001, "[{cell}] in {view} lacks a curve: {curve:?}");
        assert!(curve.dark > 0.0005 && curve.light > 0.9, "[{cell}] in {view} lacks text or ground: {curve:?}");
    }
}

#[test]
fn digits_are_painted_in_every_view() {
    let Some(views) = views() else { return };
    for (view, cell) in each_view(&["digits", "digit", "predictions"]) {
        let digits = only_picture(views, view, cell);
        assert!(digits.colours > 100.0, "[{cell}] in {view} lacks grey levels: {digits:?}");
        assert!(digits.dark > 0.3 && digits.light > 0.05, "[{cell}] in {view}: {digits:?}");
    }
}

#[test]
fn classes_are_painted_in_every_view() {
    let Some(views) = views() else { return };
    for (view, cell) in each_view(&["histogram"]) {
        let bars = only_picture(views, view, cell);
        assert!(bars.blue > 0.05 && bars.light > 0.3 && bars.dark > 0.0005, "[{cell}] in {view}: {bars:?}");
    }
}

#[test]
fn the_architecture_is_painted_in_every_view() {
    let Some(views) = views() else { return };
    for (view, cell) in each_view(&["architecture"]) {
        let boxes = only_picture(views, view, cell);
        assert!(boxes.width > 500.0 && boxes.height > 100.0, "[{cell}] in {view}: {boxes:?}");
        assert!(boxes.dark > 0.0005 && boxes.light > 0.3 && boxes.colours > 10.0, "[{cell}] in {view}: {boxes:?}");
    }
}

#[test]
fn the_layer_table_is_painted_in_every_view() {
    let Some(views) = views() else { return };
    for (view, cell) in each_view(&["model"]) {
        let tables = views.figures(view, cell, "table");
        assert_eq!(tables.len(), 1, "[{cell}] in {view}: {tables:?}");
        assert!(tables[0].width > 300.0 && tables[0].height > 200.0, "[{cell}] in {view}: {tables:?}");
        assert!(tables[0].dark > 0.01, "[{cell}] in {view} lacks text: {tables:?}");
    }
}

fn each_view<'a>(cells: &'a [&'a str]) -> impl Iterator<Item = (&'static str, &'a str)> {
    ["lab", "untrusted", "page"].into_iter().flat_map(|view| cells.iter().map(move |cell| (view, *cell)))
}

/// The one picture that a cell shows.
fn only_picture(views: &Views, view: &str, cell: &str) -> Figure {
    let mut pictures = views.figures(view, cell, "img");
    assert_eq!(pictures.len(), 1, "[{cell}] in {view} shows {pictures:?}");
    pictures.remove(0)
}
