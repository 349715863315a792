//! Crates of one's own, added by a `:dep` cell after training, in a real kernel: no variable is lost, lenet_core is not built
//! anew, and training goes on with the same bits.
//!
//! The test that is ignored takes ten minutes where nothing is built yet, and a network:
//! `cargo test --release -p notebook_tests --test own_crates -- --ignored --nocapture`

use notebook_tests::{first_cells, run_cells, Shown};

/// Crates that the project's lock file has, as a `:dep` line writes them, and an expression of type usize that uses each.
const THERE: &[(&str, &str)] = &[
    ("rand = \"0.8\"", "rand::random::<u8>() as usize"),
    ("png = \"0.18\"", "png::BitDepth::Eight as usize"),
    ("rayon = \"1\"", "rayon::current_num_threads()"),
    (
        "plotters = { version = \"0.3\", default-features = false, features = [\"bitmap_backend\", \"all_series\"] }",
        "plotters::style::BLUE.0 as usize",
    ),
];

/// The same of crates that are to be fetched and compiled.
const NEW: &[(&str, &str)] = &[
    ("rand = \"0.10\"", "rand::random::<u8>() as usize"),
    ("image = \"0.25\"", "image::GrayImage::new(2, 3).len()"),
    ("png = \"0.18\"", "png::BitDepth::Eight as usize"),
    ("itertools = \"0.15\"", "itertools::Itertools::dedup([1, 1, 2].iter()).count()"),
    ("ndarray = \"0.17\"", "ndarray::Array2::<f32>::zeros((2, 3)).len()"),
    ("serde = { version = \"1\", features = [\"derive\"] }", "size_of::<serde::de::IgnoredAny>()"),
    ("serde_json = \"1\"", "serde_json::json!([1, 2]).to_string().len()"),
    ("csv = \"1\"", "csv::Reader::from_reader(&b\"a,b\"[..]).headers()?.len()"),
    ("rayon = \"1\"", "rayon::current_num_threads()"),
    ("regex = \"1\"", "regex::Regex::new(\"a+\")?.find_iter(\"aa b a\").count()"),
    ("chrono = \"0.4\"", "chrono::NaiveDate::from_ymd_opt(2026, 11, 28).into_iter().count()"),
    ("anyhow = \"1\"", "anyhow::anyhow!(\"x\").to_string().len()"),
];

/// What plotters is with its own default features: another plotters than lenet_core's, which wants fonts of the system.
const PLOTTERS: (&str, &str) = ("plotters = \"0.3\"", "plotters::style::BLUE.0 as usize");

/// Trains, adds the crates one by one, trains a copy of the model on behind each, and gives what these cells show.
fn add(name: &str, crates: &[(&str, &str)]) -> Vec<Shown> {
    let mut cells = first_cells();
    // Where lenet_core's library lies, and how the training goes on without crates of one's own.
    let start = "
        fn built() -> Vec<std::time::SystemTime> {
            let builds = std::env::var_os(\"EVCXR_TMPDIR\").map(std::path::PathBuf::from).unwrap_or_default();
            let targets = std::fs::read_dir(builds.join(\"target\")).into_iter().flatten().flatten();
            let name = format!(\"{}lenet_core{}\", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
            let libraries = targets.map(|target| target.path().join(\"debug/deps\").join(&name));
            libraries.filter_map(|library| library.metadata().ok()?.modified().ok()).collect()
        }
        let at_start = built();
        let mut without = model.clone();
        without.fit(&few, &how)?;
        at_start.len()";
    cells.push(("start".into(), start.into()));
    for (index, (dependency, used)) in crates.iter().enumerate() {
        let add = format!(
            ":dep {dependency}
            let used: usize = {used};
            let mut with = model.clone();
            with.fit(&few, &how)?;
            let same = weights::tensors(with.network()) == weights::tensors(without.network());
            (same, built() == at_start, x_train.dims(), labels.dims(), history.epochs.len())"
        );
        cells.push((format!("crate-{index}"), add));
    }
    let mut shown = run_cells(name, &cells);
    shown.split_off(shown.len() - crates.len() - 1)
}

fn assert_nothing_lost(shown: &[Shown], crates: &[(&str, &str)]) {
    assert_eq!(shown[0].text(), "1", "one library of lenet_core: {:?}", shown[0]);
    for (cell, (dependency, _)) in shown[1..].iter().zip(crates) {
        println!("{:6.1} s  :dep {dependency}", cell.seconds);
        assert_eq!(cell.text(), "(true, true, (60000, 1, 28, 28), (10000,), 1)", "{dependency}: {cell:?}");
    }
}

#[test]
fn crates_that_the_project_has_are_there_at_once() {
    assert_nothing_lost(&add("own-crates-there", THERE), THERE);
}

#[test]
#[ignore = "takes ten minutes where nothing is built yet, and a network; see the top of this file"]
fn crates_of_ones_own_change_nothing() {
    let crates = [NEW, &[PLOTTERS]].concat();
    let shown = add("own-crates-new", &crates);
    let (last, shown) = shown.split_last().expect("cells");
    assert_nothing_lost(shown, NEW);
    // This one is told, at the least; where the system has no such fonts, plotters does not build.
    let told = ["write your own `:dep` lines into the first cell", "fontconfig"];
    assert!(told.iter().any(|words| last.refusal().contains(words)), "{last:?}");
}
