//! The notebook that does by hand what training does, run as a learner runs it.

use std::sync::OnceLock;

use notebook_tests::{assert_figure, number_after, numbers, Notebook, BY_HAND_FIGURES};
use xtask::Project;

const PATH: &str = "notebooks/by_hand.ipynb";
/// The loss of guessing: -ln 0.1.
const GUESSING: f64 = std::f64::consts::LN_10;
const CHECKS: &[(&str, &str)] =
    &[("check-losses", "println!(\"{losses:?}\");"), ("check-sum", "p.iter().sum::<f32>()")];
/// What each cell that does not compile says first.
const REFUSED: &[(&str, &str)] = &[
    ("numbers-wrong", "mismatched types"),
    ("conv-wrong", "a 3x3 convolution does not fit on maps of 1x1"),
    ("ln-wrong", "can't call method `ln` on ambiguous numeric type"),
    ("tape-wrong", "no method named `backward`"),
    ("moved-wrong", "borrow of moved value: `loss`"),
    ("bounds-wrong", "this operation will panic at runtime"),
    ("pair-wrong", "there are 60000 images, but 10000 targets"),
];

/// A run with each seed, that all tests here look at.
fn runs() -> &'static [Notebook; 3] {
    static RUNS: OnceLock<[Notebook; 3]> = OnceLock::new();
    RUNS.get_or_init(|| Notebook::run(PATH, CHECKS, |_| ()))
}

fn printed(id: &str) -> impl Iterator<Item = String> + '_ {
    runs().iter().map(move |run| run.cell(id).printed("stdout"))
}

#[test]
fn cells_run_or_are_refused_as_they_should() {
    for run in runs() {
        run.assert_runs(REFUSED, 14);
    }
}

#[test]
fn a_digit_is_printed_as_numbers() {
    for text in printed("numbers") {
        let rows: Vec<_> = text.lines().map(numbers).collect();
        assert!(rows.len() == 20 && rows.iter().all(|row| row.len() == 20), "{text}");
        assert_eq!(rows[0][11..15], [18.0, 126.0, 136.0, 175.0]);
    }
}

#[test]
fn loops_and_layers_agree_to_rounding() {
    for run in runs() {
        let conv: f64 = run.cell("conv").shown("text/plain").parse().expect("a number");
        assert!((0.0..1e-5).contains(&conv), "{conv}");
    }
    for id in ["neuron", "naive"] {
        for text in printed(id) {
            let difference = *numbers(&text).last().expect("a difference");
            assert!((0.0..1e-6).contains(&difference), "[{id}] {text}");
        }
    }
}

#[test]
fn softmax_by_hand_is_that_of_the_loss() {
    for (run, loss) in runs().iter().zip(printed("cross-entropy")) {
        let by_hand = run.cell("softmax").printed("stdout");
        let loss = numbers(&loss)[0];
        assert!((number_after(&by_hand, "-ln p is ") - loss).abs() < 2e-4, "{by_hand} {loss}");
        assert!(number_after(&by_hand, "the right digit is ") == 5.0, "{by_hand}");
        let sum: f64 = run.cell("check-sum").shown("text/plain").parse().expect("a number");
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        let probabilities = by_hand.lines().next().map(numbers).unwrap_or_default();
        assert!(probabilities.iter().all(|p| (0.02..0.3).contains(p)), "no digit is much more probable: {by_hand}");
    }
}

#[test]
fn the_loop_learns() {
    for text in printed("check-losses") {
        let losses = numbers(&text);
        assert_eq!(losses.len(), 469);
        assert!((losses[0] - GUESSING).abs() < 0.3, "{}", losses[0]);
        assert!(losses[..100].iter().any(|loss| *loss < GUESSING / 2.0), "{losses:?}");
        assert!(losses.windows(2).any(|pair| pair[1] > pair[0]), "it does not tremble");
    }
}

/// The text says: to rounding, no parameter differs by a millionth; and the same on new images.
#[test]
fn the_loop_gives_the_weights_of_fit_to_rounding() {
    for run in runs() {
        let text = run.cell("fit").printed("stdout");
        let tensors: Vec<f64> = text
            .lines()
            .filter(|line| line.contains("largest difference"))
            .map(|line| *numbers(line).last().expect("a difference"))
            .collect();
        assert_eq!(tensors.len(), 10, "{text}");
        assert!(tensors.iter().all(|difference| *difference < 1e-6), "{text}");
        assert!(tensors.iter().any(|difference| *difference > 0.0), "bit for bit after all: {text}");
        let scores = run.cell("fit-score").printed("stdout");
        let scores: Vec<_> = scores.lines().map(numbers).collect();
        assert!(scores.len() == 2 && scores[0] == scores[1] && scores[0][1] > 0.9, "{scores:?}");
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for text in printed("finite") {
        let pairs: Vec<_> = text.lines().map(numbers).collect();
        assert_eq!(pairs.len(), 3, "{text}");
        assert!(pairs.iter().all(|pair| (pair[0] - pair[1]).abs() < 1e-4), "{text}");
        assert!(pairs.iter().any(|pair| pair[0].abs() > 1e-2), "these gradients say nothing: {text}");
    }
}

#[test]
fn labels_shifted_by_one_cannot_be_learned() {
    for text in printed("shifted") {
        let epochs: Vec<_> = text.lines().filter(|line| line.starts_with("Epoch")).collect();
        assert_eq!(epochs.len(), 3, "{text}");
        for line in epochs {
            let (loss, accuracy) = (number_after(line, " loss: "), number_after(line, " accuracy: "));
            assert!((loss - 2.30).abs() < 0.01 && accuracy < 0.12, "{line}");
        }
    }
}

#[test]
fn figures_come_in_every_form() {
    for id in BY_HAND_FIGURES {
        assert_figure(runs()[0].cell(id));
    }
}

#[test]
fn the_committed_notebook_holds_the_outputs_of_a_run() {
    let committed = Notebook::read(&Project::find().path(PATH));
    for id in ["numbers", "softmax", "shifted"] {
        let lines = |text: String| text.lines().map(without_time).collect::<Vec<_>>();
        let (kept, run) = (committed.cell(id).printed("stdout"), runs()[0].cell(id).printed("stdout"));
        assert_eq!(lines(kept), lines(run), "[{id}]: run `cargo xtask notebooks`");
    }
}

/// A line of an epoch without its seconds.
fn without_time(line: &str) -> String {
    let (start, rest) = line.split_once(" steps, ").unwrap_or((line, ""));
    format!("{start}{}", rest.split_once(" - ").map_or("", |(_, numbers)| numbers))
}
