//! Values as the last line of a cell, in a real kernel: each shows itself in a few words, and none floods the page.

use notebook_tests::{first_cells, notebook_of, run_cells, Views};

/// The most bytes of a value's text.
const LIMIT: usize = 2_000;

/// Last lines, and what their text says.
const VALUES: &[(&str, &str, &str)] = &[
    ("bytes", "bytes", "Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>\n[0, 0, 0, 0, 0, 0, 0, 0, … "),
    (
        "x-train",
        "x_train",
        "f32, Cpu>\n[0, 0, 0, 0, 0, 0, 0, 0, … 0, 0, 0, 0, 0, 0, 0, 0]\nsmallest 0, largest 1, mean 0.1307",
    ),
    ("digits", "digits", "Tensor<(Const<60000>,), u8, Cpu>\n[5, 0, 4, 1, 9, 2, 1, 3, … "),
    ("one-hot", "y_train", "\nrow 0: class 5\nrow 1: class 0\nrow 2: class 4\n"),
    ("shape", "x_train.shape()", "(60000, 1, 28, 28)"),
    ("dims", "x_train.dims()", "(60000, 1, 28, 28)"),
    (
        "row",
        "x_train.row(0)",
        "[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] … [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 784 values",
    ),
    ("array", "Cpu::default().tensor([[1.5f32, 2.0], [3.0, 4.0]]).array()", "[[1.5, 2.0], [3.0, 4.0]]"),
    ("probabilities", "model.predict(&x_test)?", "Tensor<(Const<10000>, Const<10>), f32, Cpu>\n["),
    ("percent", "model.predict(&x_test)?", "\nrow 0: class 7 with "),
    ("classes", "model.predict_classes(&x_test)?", "], 10,000 values"),
    ("weight", "network.0.0.weight.clone()", "Tensor<(Const<6>, Const<1>, Const<5>, Const<5>), f32, Cpu>"),
    ("network", "network", "Total params: 44,426"),
    ("part", "network.0", "C1 (Conv2D 5x5, tanh) | (None, 6, 24, 24) |     156"),
    ("layer", "network.5", "Output (Linear, softmax) | (None, 10)   |     850"),
    ("summary", "model.summary()", "Total params: 44,426"),
    ("model", "model", "Non-trainable params: 0\n\nloss: cross-entropy"),
    ("trained", "model", "\ntrained: 1 epochs"),
    ("history", "history", "epoch |   loss | accuracy | val_loss | val_accuracy | learning_rate | seconds"),
    ("epoch", "history.epochs[0]", "epoch |   loss | accuracy | val_loss | val_accuracy | learning_rate | seconds"),
    ("score", "model.score(&probe)?", "loss 1."),
    ("data", "few", "2000 images of 1x28x28 with 10 classes"),
    ("fit", "how", "1 epochs in mini-batches of 128, seed 0, Constant learning rate"),
    (
        "optimiser",
        "Sgd { momentum: 0.9, ..Sgd::default() }",
        "Sgd { learning_rate: 0.01, momentum: 0.9, nesterov: false }",
    ),
    (
        "confusion",
        "metrics::confusion(&labels, &model.predict(&x_test)?)?",
        "of 10000 read right; rows are labels, columns are what is read",
    ),
    ("mistakes", "metrics::mistakes(&labels, &model.predict(&x_test)?)?", "] … [Mistake { index: "),
    ("weights", "weights::tensors(&network)", "NamedTensor { name: \"c1.weight\""),
    ("figure", "plot::digit(&x_train, 0)?", "Image 0: 28 by 28 pixels, 166 of them not black."),
    (
        "figure-without",
        "plot::digit(&x_train, 0)",
        "166 of them not black.\n(in an `Ok(…)`: a `?` behind the call takes it out)",
    ),
    ("without", "model.predict(&x_test)", "\n(in an `Ok(…)`: a `?` behind the call takes it out)"),
    ("failed", "model.fit(&few, &Fit { batch_size: 0, ..how.clone() })", "batch_size must be at least 1, got 0\n"),
    ("whole", "9836 / 10000", "0"),
    ("fraction", "1.0f32 / 3.0", "0.33333334"),
    ("words", "\"drei\".to_string()", "\"drei\""),
    ("long-words", "\"drei \".repeat(1_000_000)", "drei …"),
    ("list", "vec![1, 2, 3]", "[1, 2, 3]"),
    ("nested", "vec![vec![0.5f64; 1_000_000]; 3]", "[[0.5, 0.5, "),
    ("million", "vec![0.5f64; 1_000_000]", "] … [0.5, "),
    ("many-lists", "vec![vec![1u8]; 1_000_000]", "[[1], [1], [1], [1], [1], [1], [1], [1]] … [[1], [1], "),
    ("tuple", "(few.len(), x_test.dims(), \"a\")", "(2000, (10000, 1, 28, 28), \"a\")"),
    ("tensors", "(y_train.clone(), labels.clone())", "(Tensor<(Const<60000>, Const<10>), f32, Cpu>\n"),
    ("option", "history.epochs[0].val_loss", "Some(1."),
    ("none", "labels.dims().iter().find(|size| **size == 7)", "None"),
    ("map", "std::collections::BTreeMap::from([(\"a\", 1)])", "{\"a\": 1}"),
    ("own", "#[derive(Debug)] struct Own { x: u8 }\nOwn { x: 3 }", "Own { x: 3 }"),
    ("nothing", "()", ""),
    ("loop", "for i in 0..3 { println!(\"{i}\"); }", ""),
];

/// The first cells of a notebook, and a cell for each value.
fn cells() -> Vec<(String, String)> {
    let owned = |&(id, code, _): &(&str, &str, &str)| (id.to_owned(), code.to_owned());
    [first_cells(), VALUES.iter().map(owned).collect()].concat()
}

#[test]
fn every_value_shows_itself_in_a_few_words() {
    // Each twice: on a busy machine one of them may be slow.
    let mut cells = cells();
    let again = |(id, code): &(String, String)| (format!("{id}-again"), code.clone());
    cells.extend(cells[cells.len() - VALUES.len()..].iter().map(again).collect::<Vec<_>>());
    let shown = run_cells("values", &cells);
    let (again, shown) = (&shown[shown.len() - VALUES.len()..], &shown[shown.len() - 2 * VALUES.len()..]);
    let pairs = shown.iter().zip(again);
    let mut slowest: Vec<_> = pairs.map(|(cell, again)| (cell.seconds.min(again.seconds), cell.id.as_str())).collect();
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let usual = slowest[VALUES.len() / 2].0;
    println!("{} values; usual seconds: {usual:.2}; the slowest: {:.2?}", VALUES.len(), &slowest[..5]);
    // A usual cell is compiled and run in a third of a second, or in more on a busy machine.
    assert!(slowest[0].0 < 3.0 * usual.max(1.0 / 3.0), "{:.2?}", &slowest[..5]);

    let mut wrong = Vec::new();
    for (cell, (_, code, words)) in shown.iter().zip(VALUES) {
        let text = cell.text();
        let says = if words.is_empty() { text.is_empty() } else { text.contains(words) };
        if !cell.refusal().is_empty() || !says || text.len() > LIMIT {
            wrong.push(format!("{code}\n  {} bytes: {text}\n  {}\n  {words}\n", text.len(), cell.refusal()));
        }
    }
    assert!(wrong.is_empty(), "shown, refused, expected:\n{}", wrong.concat());
}

#[test]
fn the_page_goes_on_answering() {
    let mut cells = cells();
    // 49 MB, of which the page gets the first 10,000 bytes.
    cells.push(("printed".into(), "println!(\"{x_test:?}\");".into()));
    let notebook = notebook_of("values-in-browser", &cells);
    let folder = notebook.parent().expect("a folder");
    let Some(views) = Views::look_in(folder, "values-in-browser.ipynb", "values-browser") else { return };
    assert_eq!(views.failed(), Vec::<String>::new(), "these cells failed");
    assert!(views.done(), "some cells were not run");
    println!("the page answered nobody for {:.2} s at most", views.most_work());
    assert!(views.most_work() < 1.0, "the page answered nobody for {} s", views.most_work());
}

#[test]
fn the_first_question_mark_in_a_kernel_is_as_any_other() {
    let import = first_cells().swap_remove(0);
    let cells = [import, ("first".into(), "Ok::<Vec<f32>, Error>(vec![0.5; 1000])?".into())];
    let shown = run_cells("question-mark", &cells);
    assert!(shown[1].text().ends_with("0.5], 1,000 values"), "{:?}", shown[1]);
}
