//! The notebook that looks inside the network, run as a learner runs it.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use notebook_tests::{assert_figure, number_after, numbers, Notebook, EXPLORE_FIGURES};
use xtask::Project;

const PATH: &str = "notebooks/explore.ipynb";
const CHECKS: &[(&str, &str)] =
    &[("check-alike", "println!(\"{} {}\", counts[4][9] + counts[9][4], counts[0][1] + counts[1][0]);")];

/// A run with each seed, that all tests here look at.
fn runs() -> &'static [Notebook; 3] {
    static RUNS: OnceLock<[Notebook; 3]> = OnceLock::new();
    RUNS.get_or_init(|| Notebook::run(PATH, CHECKS, stand_in_for_fashion))
}

/// Puts MNIST's own files where an exercise expects those of Fashion-MNIST, which have the same format.
fn stand_in_for_fashion(project: &Path) {
    let (mnist, fashion) = (lenet_mnist::data_folder().expect("a folder"), project.join("target/fashion"));
    fs::create_dir_all(&fashion).expect("a folder for the files");
    for name in
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    {
        fs::copy(mnist.join(name), fashion.join(format!("{name}.gz"))).expect("MNIST's files are there");
    }
}

fn printed(id: &str) -> impl Iterator<Item = String> + '_ {
    runs().iter().map(move |run| run.cell(id).printed("stdout"))
}

fn words(id: &str) -> impl Iterator<Item = String> + '_ {
    runs().iter().map(move |run| run.cell(id).shown("text/plain"))
}

#[test]
fn cells_run_as_they_should() {
    for run in runs() {
        run.assert_runs(&[], 20);
    }
}

#[test]
fn the_loss_falls_from_epoch_to_epoch() {
    for text in printed("fit") {
        let losses: Vec<_> = text.lines().map(|line| number_after(line, " loss: ")).collect();
        assert!(losses.len() == 5 && losses.windows(2).all(|pair| pair[1] < pair[0]), "{text}");
    }
}

#[test]
fn the_confusion_matrix_is_of_every_test_image() {
    for words in words("confusion") {
        assert!(words.starts_with("Confusion matrix of 10,000 images: "), "{words}");
    }
}

#[test]
fn digits_of_similar_shape_are_confused_more_often() {
    for text in printed("check-alike") {
        let counts = numbers(&text);
        assert!(counts[0] > counts[1], "{text}");
    }
}

#[test]
fn each_class_is_read_well() {
    for words in words("classes") {
        let (_, each) = words.split_once(". ").expect("a sentence and the shares");
        let shares: Vec<f64> = each.split(", ").map(|share| numbers(share)[1]).collect();
        assert!(shares.len() == 10 && shares.iter().all(|share| (90.0..=100.0).contains(share)), "{words}");
    }
}

#[test]
fn the_table_of_the_classes_has_their_images_and_shares() {
    for words in words("scores") {
        let rows: Vec<Vec<f64>> = words.lines().skip(2).map(|line| numbers(&line.replace(',', ""))).collect();
        assert_eq!(rows.iter().map(|row| row[1]).sum::<f64>(), 10_000.0, "{words}");
        for row in &rows {
            let [precision, recall, f1] = row[2..] else { panic!("{words}") };
            assert!((90.0..=100.0).contains(&precision) && (90.0..=100.0).contains(&recall), "{words}");
            assert!((f1 - 2.0 * precision * recall / (precision + recall)).abs() < 0.11, "{words}");
        }
    }
}

#[test]
fn mistakes_come_with_the_most_confident_first() {
    for words in words("mistakes") {
        let confidence = |mistake: &str| numbers(mistake.rsplit(", ").next().unwrap_or_default())[0];
        let confidences: Vec<f64> = words.split("; ").map(confidence).collect();
        assert_eq!(confidences.len(), 24, "{words}");
        assert!(confidences.windows(2).all(|pair| pair[0] >= pair[1]), "{confidences:?}");
    }
}

#[test]
fn training_makes_the_weights_of_c1_larger_on_the_same_scale() {
    for (before, after) in words("c1-before").zip(words("c1-after")) {
        let scale = |words: &str| words.rsplit("stands for ").next().map(numbers);
        assert_eq!(scale(&before), scale(&after));
        let largest = |words: &str| {
            let (_, range) = words.split_once("weights, from ").expect("a range");
            numbers(range)[..2].iter().fold(0.0, |most: f64, weight| most.max(weight.abs()))
        };
        assert!(largest(&before) < largest(&after), "{before} {after}");
    }
}

#[test]
fn every_layer_shows_its_maps_of_a_misread_digit() {
    for run in runs() {
        let words = run.cell("maps").shown("text/plain");
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
        let said = run.cell("maps").printed("stdout");
        let [label, read] = ["This is a ", "is read as "].map(|words| number_after(&said, words));
        assert_ne!(label, read, "{said}");
        let bars = run.cell("output").shown("text/plain");
        assert!(number_after(&bars, "largest: ") == read, "{bars} {said}");
        assert!(number_after(&bars, " with ") < 50.0, "no digit gets half: {bars}");
    }
}

#[test]
fn digits_of_a_kind_lie_together_on_the_map() {
    for text in printed("neighbours") {
        assert!(numbers(&text)[0] > 50.0, "{text}");
    }
}

/// The text says: plain training ends with more of the training images right, distorted training the other way round, with
/// at least a sixth fewer mistakes on new images, a third where they are counted together, and about 99.2 % of them right.
#[test]
fn distortions_carry_over() {
    let mut mistakes = [0.0; 2];
    for text in printed("compare") {
        let rows: Vec<Vec<f64>> = text.lines().map(numbers).collect();
        let (plain, distorted) = (&rows[0], &rows[1]);
        assert!(plain[0] > plain[1] && distorted[0] < distorted[1], "{text}");
        assert!(1.0 - distorted[1] < 5.0 / 6.0 * (1.0 - plain[1]), "{text}");
        assert!((distorted[1] - 0.992).abs() < 0.0015, "{text}");
        mistakes = [mistakes[0] + 1.0 - plain[1], mistakes[1] + 1.0 - distorted[1]];
    }
    assert!(mistakes[1] < 0.7 * mistakes[0], "{mistakes:?}");
    for text in printed("distorted") {
        assert_eq!(text.lines().filter(|line| line.contains("/8 - ")).count(), 16, "equal epochs: {text}");
    }
}

#[test]
fn relu_ends_lower() {
    for words in words("relu-compare") {
        let last = |name: &str| {
            let (_, rest) = words.split_once(name).expect("a line");
            number_after(rest, " to ")
        };
        assert!(last("ReLU: ") < last("tanh: "), "{words}");
    }
    for text in printed("solution-1") {
        assert!(number_after(&text, "ReLU is ahead ") >= 4.0, "nearly always: {text}");
    }
}

#[test]
fn early_stopping_goes_back_to_the_best_epoch_and_short_steps_go_on_below_it() {
    let column = |text: &str, label: &str, with: &str| -> Vec<f64> {
        text.lines().filter(|line| line.contains(with)).map(|line| number_after(line, label)).collect()
    };
    for (fast, slow) in printed("flat").zip(printed("slower")) {
        let (losses, best) = (column(&fast, "val_loss: ", "val_loss"), column(&fast, "Epoch ", "was the best")[0]);
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!((losses.len(), losses[best as usize - 1]), (best as usize + 3, least), "{fast}");
        assert!(column(&slow, "val_loss: ", "val_loss")[0] < least, "{fast}{slow}");
        assert_eq!(column(&slow, "  ", "epochs in all")[0], best + 1.0, "{slow}");
        let read = column(&slow, "val_accuracy: ", "val_accuracy");
        assert!(*read.last().expect("an epoch") >= 0.99 || slow.contains("was the best"), "{slow}");
    }
}

#[test]
fn dropout_lowers_the_loss_on_new_images() {
    for text in printed("solution-6") {
        assert!(number_after(&text, "with ") < number_after(&text, "without "), "{text}");
    }
}

#[test]
fn loaded_weights_are_those_that_were_saved() {
    for words in words("save") {
        assert_eq!(words, "true");
    }
}

/// The text says: unprepared, most digits in three of the six ways are misread by both networks; prepared, both read nearly
/// all, and the better training is worth less than that.
#[test]
fn preparation_is_worth_more_than_training() {
    for text in printed("preparation") {
        let rows: Vec<Vec<f64>> = text.lines().map(numbers).collect();
        let [plain, distorted, prepared, both] = &rows[..] else { panic!("four readers: {text}") };
        for read in [plain, distorted] {
            assert!(read[1] < 50.0 && read[2] < 50.0 && read[5] < 50.0, "{text}");
        }
        assert!(prepared.iter().chain(both).all(|read| (94.0..=100.0).contains(read)), "{text}");
        let [plain, distorted, prepared] = [plain, distorted, prepared].map(|row| row.iter().sum::<f64>());
        assert!(prepared - plain > 3.0 * (distorted - plain), "{text}");
    }
    for words in words("files") {
        assert!(words.contains("7-0.png: 7 with"), "{words}");
    }
}

#[test]
fn a_small_step_fools_the_network() {
    for text in printed("solution-4") {
        assert!(text.contains("is read as") && number_after(&text, "moved by ") <= 25.0, "{text}");
    }
}

#[test]
fn figures_come_in_every_form() {
    for id in EXPLORE_FIGURES {
        assert_figure(runs()[0].cell(id));
    }
}

#[test]
fn the_panel_has_a_picture_for_viewers_without_scripts() {
    let panel = runs()[0].cell("draw");
    assert!(panel.png().starts_with(b"\x89PNG"));
    let html = panel.shown("text/html");
    assert!(html.contains("<p>") && html.contains("<img") && html.contains("alt=\""));
    assert!(!html.contains(" id="), "an id would be there twice when there are two panels");
    assert!(!html.contains("src=\"http"), "the panel loads something");
}

#[test]
fn the_committed_notebook_holds_the_outputs_of_a_run() {
    let committed = Notebook::read(&Project::find().path(PATH));
    let same = committed.cell("copies").png() == runs()[0].cell("copies").png();
    assert!(same, "run `cargo xtask notebooks`");
    committed.cell("draw").png();
}
