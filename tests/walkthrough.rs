//! The walkthrough, run as a learner runs it, shows what each of the original's cells shows.

use std::sync::OnceLock;

use lenet_core::prelude::*;
use notebook_tests::{assert_figure, number_after, numbers, Cell, Notebook, WALKTHROUGH_FIGURES};
use xtask::Project;

const PATH: &str = "notebooks/lenet5.ipynb";
const EPOCHS: usize = 10;
const STEPS: &str = " - 469 steps, ";
/// Characters that fit beside the list of files in JupyterLab, 1280 pixels wide.
const WIDTH: usize = 107;
/// What the cell that does not compile says first.
const REFUSED: &[(&str, &str)] = &[("shape-wrong", "takes 6 channels, but 8 arrive")];

/// A run with each seed, that all tests here look at.
fn runs() -> &'static [Notebook; 3] {
    static RUNS: OnceLock<[Notebook; 3]> = OnceLock::new();
    RUNS.get_or_init(|| Notebook::run(PATH, &[], |_| ()))
}

/// A cell of the run with the notebook's own seed.
fn cell(id: &str) -> &'static Cell {
    runs()[0].cell(id)
}

/// The numbers after a label in each epoch's line.
fn epochs(run: &Notebook, label: &str) -> Vec<f64> {
    let printed = run.cell("fit").printed("stdout");
    printed.lines().filter(|line| line.contains(STEPS)).map(|line| number_after(line, label)).collect()
}

#[test]
fn cells_run_or_are_refused_as_they_should() {
    for run in runs() {
        run.assert_runs(REFUSED, 14);
    }
}

#[test]
fn the_prose_is_short_and_a_picture_comes_early() {
    let prose = runs()[0].prose().join("\n");
    let without_code: String = prose.split("```").step_by(2).collect();
    // Tables are looked up, not read.
    let read = without_code.lines().filter(|line| !line.starts_with('|')).flat_map(str::split_whitespace);
    let words = read.filter(|word| word.contains(char::is_alphanumeric)).count();
    assert!((1200..=1685).contains(&words), "{words} words");
    assert_eq!(runs()[0].cells()[2].id(), WALKTHROUGH_FIGURES[0]);
    let before = runs()[0].prose()[..3].join(" ").split_whitespace().count();
    assert!(before < 250, "{before} words before the first figure");
}

#[test]
fn data_has_the_shapes_of_the_original() {
    assert_eq!(cell("count").shown("text/plain"), "60000");
    assert_eq!(cell("dims").shown("text/plain"), "(60000, 28, 28)");
    assert_eq!(cell("reshape").shown("text/plain"), "(60000, 1, 28, 28)");
}

#[test]
fn types_say_shape_and_element() {
    for (id, name) in [
        ("type", "Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>"),
        ("normalize", "Tensor<(Const<60000>, Const<1>, Const<28>, Const<28>), f32, Cpu>"),
    ] {
        let shown = cell(id).shown("text/plain");
        assert_eq!(shown.lines().next(), Some(name));
        assert!(cell(id).shown("text/html").contains("<img "), "[{id}] shows no images");
    }
}

#[test]
fn labels_are_those_of_the_original() {
    assert_eq!(cell("label").shown("text/plain"), "5");
    assert_eq!(cell("classes").shown("text/plain"), "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)");
    let row = cell("onehot-row").shown("text/plain");
    let numbers: Vec<f32> =
        row.trim_matches(['[', ']']).split(", ").map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn summary_is_the_layer_table() {
    let expected = [
        ("C1 (Conv2D 5x5, tanh)", "(None, 6, 24, 24)", "156"),
        ("S2 (AvgPool2D 2x2)", "(None, 6, 12, 12)", "0"),
        ("C3 (Conv2D 5x5, tanh)", "(None, 16, 8, 8)", "2,416"),
        ("S4 (AvgPool2D 2x2)", "(None, 16, 4, 4)", "0"),
        ("Flatten", "(None, 256)", "0"),
        ("C5 (Linear, tanh)", "(None, 120)", "30,840"),
        ("F6 (Linear, tanh)", "(None, 84)", "10,164"),
        ("Output (Linear, softmax)", "(None, 10)", "850"),
    ];
    let table = cell("model").shown("text/plain");
    let lines: Vec<&str> = table.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("C1")).expect("a line for C1");
    for (line, (layer, shape, parameters)) in lines[first..].iter().zip(expected) {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        assert_eq!(columns[..3], [layer, shape, parameters], "{line:?}");
    }
    assert!(table.contains("Total params: 44,426"), "{table}");
    assert!(table.contains("Non-trainable params: 0"), "{table}");

    let html = cell("model").shown("text/html");
    for (layer, shape, parameters) in expected {
        assert!(
            html.contains(layer) && html.contains(shape) && html.contains(parameters),
            "{layer} is missing in {html}"
        );
    }
}

#[test]
fn model_is_compiled_with_the_settings_of_the_original() {
    let shown = cell("compile").shown("text/plain");
    for setting in ["cross-entropy", "Adam", "0.001", "0.9", "0.999", "0.0000001", "accuracy"] {
        assert!(shown.contains(setting), "{setting} is missing in {shown}");
    }
}

#[test]
fn epochs_are_told_in_the_form_of_the_original() {
    let printed = cell("fit").printed("stdout");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), EPOCHS, "{printed}");
    for (index, line) in lines.iter().enumerate() {
        let start = format!("Epoch {}/{EPOCHS}{STEPS}", index + 1);
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains("s - loss: "), "{line}");
        for label in [" accuracy: ", " val_loss: ", " val_accuracy: "] {
            number_after(line, label);
        }
    }
}

#[test]
fn lines_of_epochs_fit_beside_the_list_of_files() {
    let printed = cell("fit").printed("stdout");
    for line in printed.lines() {
        assert!(line.chars().count() <= WIDTH, "{line} is too wide");
    }
}

#[test]
fn epochs_are_told_one_by_one() {
    let ends: Vec<_> = cell("fit").timed_lines().into_iter().filter(|(_, line)| line.contains(STEPS)).collect();
    assert_eq!(ends.len(), EPOCHS);
    for pair in ends.windows(2) {
        let apart = pair[1].0 - pair[0].0;
        let trained = number_after(&pair[1].1, STEPS);
        assert!(apart > trained / 2.0, "a line came {apart} s after the last one, though its epoch took {trained} s");
    }
}

/// What the text says of the epochs, whatever the seed.
#[test]
fn the_network_learns_as_the_text_says() {
    for run in runs() {
        let (loss, validation) = (epochs(run, " loss: "), epochs(run, " val_loss: "));
        assert!(loss.windows(2).all(|pair| pair[1] < pair[0]), "the training loss rose: {loss:?}");
        assert!(validation[0] < loss[0], "validation looks better than training at first: {validation:?} {loss:?}");
        assert!(validation[4] < validation[0] / 2.0, "at first both fall: {validation:?}");
        assert!(loss[9] < loss[4] * 2.0 / 3.0, "in the second half it falls by more than a third: {loss:?}");
        assert!((validation[9] / validation[4] - 1.0).abs() < 0.25, "validation hardly moves: {validation:?}");
        let accuracy = number_after(&run.cell("evaluate").printed("stdout"), "Test accuracy: ");
        assert!(accuracy >= 0.98, "test accuracy {accuracy}");
    }
}

#[test]
fn twelve_answers_are_shown_and_the_last_is_wrong() {
    for run in runs() {
        let words = run.cell("predictions").shown("text/plain");
        let (_, list) = words.split_once(": ").expect("a list");
        let answers: Vec<&str> = list.split("; ").collect();
        assert_eq!(answers.len(), 12, "{words}");
        assert!(answers[11].contains(", not "), "{words}");
    }
}

#[test]
fn classes_have_about_as_many_images() {
    let words = cell("histogram").shown("text/plain").replace(',', "");
    let counts: Vec<f64> =
        words.split(": ").skip(1).map(|count| numbers(count)[0]).filter(|count| *count > 99.0).collect();
    assert_eq!(counts.iter().sum::<f64>(), 60_000.0, "{words}");
    assert!(counts.iter().all(|count| (5_400.0..6_800.0).contains(count)), "{words}");
}

/// The exercise says: about half as many mistakes.
#[test]
fn convolutions_are_worth_it() {
    for run in runs() {
        let [dense, convolutions] =
            ["dense ", "convolutions "].map(|name| number_after(&run.cell("solution-2").printed("stdout"), name));
        let share = (1.0 - convolutions) / (1.0 - dense);
        assert!((0.3..0.7).contains(&share), "{share} of the mistakes");
    }
}

/// The same calls in this process, with another number of threads: the same digits.
#[test]
fn a_compiled_program_computes_the_same_bits() -> Result<()> {
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical::<10, _>(&y_train)?;
    let y_test = to_categorical::<10, _>(&y_test)?;
    let mut model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
    let how = Fit { epochs: EPOCHS, threads: Some(3), verbose: false, ..Fit::default() };
    model.fit((&x_train, &y_train), &how)?;
    let score = model.score((&x_test, &y_test))?;

    let printed = cell("evaluate").printed("stdout");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[1], format!("Test loss: {}", score.loss));
    assert_eq!(lines[2], format!("Test accuracy: {}", score.accuracy));
    Ok(())
}

#[test]
fn evaluation_agrees_with_the_last_epoch() {
    let printed = cell("evaluate").printed("stdout");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].starts_with("313 steps, "), "{printed}");
    let last = cell("fit").printed("stdout");
    let last = last.lines().last().expect("an epoch");
    for (line, label, validation) in
        [(lines[1], "Test loss: ", " val_loss: "), (lines[2], "Test accuracy: ", " val_accuracy: ")]
    {
        let (tested, validated) = (number_after(line, label), number_after(last, validation));
        assert_eq!(format!("{tested:.4}"), format!("{validated:.4}"), "{label}");
    }
}

#[test]
fn figures_come_in_every_form() {
    for id in WALKTHROUGH_FIGURES {
        assert_figure(cell(id));
    }
    for (id, wanted) in [("digit", 1.0), ("loss", 20.0 / 8.0), ("accuracy", 20.0 / 8.0)] {
        let ratio = assert_figure(cell(id));
        let off = ratio / wanted - 1.0;
        assert!(off.abs() < 0.05, "[{id}] is {ratio} times as wide as high");
    }
}

#[test]
fn curves_have_titles_and_both_lines() {
    for (id, title) in [("loss", "Model Loss"), ("accuracy", "Model accuracy")] {
        let words = cell(id).shown("text/plain");
        for text in [title, "10 epochs", "Train: from ", "Validation: from "] {
            assert!(words.contains(text), "{text:?} is missing in the words of [{id}]: {words}");
        }
    }
}

#[test]
fn digits_have_their_labels() {
    let labels = cell("digits").shown("text/plain");
    assert!(labels.contains("5 0 4 1 9 2 1 3 1 4"), "the first labels are missing in {labels:?}");
}

#[test]
fn the_committed_notebook_holds_the_outputs_of_a_run() {
    let committed = Notebook::read(&Project::find().path(PATH));
    let last = committed.cell("fit").printed("stdout");
    assert_eq!(last.lines().filter(|line| line.contains(STEPS)).count(), EPOCHS, "run `cargo xtask notebooks`");
    let other =
        |cell: &&Cell| !["import", "fit", "evaluate"].contains(&cell.id()) && !cell.id().starts_with("solution-");
    for cell in runs()[0].cells().iter().filter(other) {
        let kept = committed.cell(cell.id());
        assert_eq!(kept.printed("stdout"), cell.printed("stdout"), "[{}]: run `cargo xtask notebooks`", cell.id());
    }
}
