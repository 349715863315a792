//! Edits that a learner makes of the walkthrough's cells, one after the other in one kernel: each works, or the first line on
//! the page is the sentence that was meant.

use notebook_tests::{first_cells, run_cells, Notebook, Shown};
use xtask::Project;

/// What an edit is to bring.
enum Answer {
    /// It works, and shows or prints this.
    Shows(&'static str),
    /// It is refused, and this is the first line.
    Says(&'static str),
}
use Answer::{Says, Shows};

/// Cells, and what they bring.
const EDITS: &[(&str, &str, Answer)] = &[
    // Other layers.
    (
        "relu",
        "type Net = ((Conv2D<1, 6, 5>, ReLU, AvgPool2D<2>), (Conv2D<6, 16, 5>, ReLU, AvgPool2D<2>), Flatten,
             (Linear<256, 120>, ReLU), (Linear<120, 84>, ReLU), Linear<84, 10>);
         Model::compile(Net::glorot_uniform(seed), Adam::default())?.fit(&few, &how)?",
        Shows("epoch |   loss | accuracy"),
    ),
    (
        "max-pooling",
        "type Net = ((Conv2D<1, 6, 5>, Sigmoid, MaxPool2D<2>), Flatten, Linear<864, 10>);
         Net::glorot_uniform(seed).summary()",
        Shows("C1 (Conv2D 5x5, sigmoid)"),
    ),
    (
        "dropout",
        "type Net = ((Conv2D<1, 6, 5>, Tanh, MaxPool2D<2>), Flatten, Dropout<25>, Linear<864, 10>);
         let sgd = Sgd { learning_rate: 0.1, momentum: 0.9, ..Sgd::default() };
         Model::compile(Net::glorot_uniform(seed), sgd)?.fit(&few, &how)?",
        Shows("epoch |   loss | accuracy"),
    ),
    (
        "dropout-100",
        "let net = <(Flatten, Dropout<100>, Linear<784, 10>)>::glorot_uniform(seed);",
        Says("`Dropout<100>` leaves no values: it takes 0 to 99 per cent of them"),
    ),
    (
        "dfdx-relu",
        "type Net = ((Conv2D<1, 6, 5>, lenet_core::dfdx::prelude::ReLU), Flatten, Linear<3456, 10>);
         let net = Net::glorot_uniform(seed);",
        Says("`ReLU` cannot follow here: `Maps<6, 24>` arrives"),
    ),
    // Other numbers.
    (
        "filters-3",
        "type Net = ((Conv2D<1, 6, 3>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         Net::glorot_uniform(seed).summary()",
        Shows("C1 (Conv2D 3x3, tanh)    | (None, 6, 26, 26)"),
    ),
    (
        "filters-4",
        "type Net = ((Conv2D<1, 6, 4>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         Net::glorot_uniform(seed).summary()",
        Shows("C1 (Conv2D 4x4, tanh)    | (None, 6, 25, 25)"),
    ),
    (
        "filters-3-both",
        "type Net = ((Conv2D<1, 6, 3>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 3>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         Net::glorot_uniform(seed).summary()",
        Says("`Linear<256, 10>` takes 256 values, but 400 arrive"),
    ),
    (
        "filters-9",
        "let net = <(Conv2D<1, 6, 9>, Flatten, Linear<2400, 10>)>::glorot_uniform(seed);",
        Says("a 9x9 convolution does not fit on maps of 28x28"),
    ),
    (
        "eight-filters",
        "type Net = ((Conv2D<1, 8, 5>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         let net = Net::glorot_uniform(seed);
         net.summary()",
        Says("`Conv2D<6, 16, 5>` takes 6 channels, but 8 arrive"),
    ),
    (
        "eight-drawn",
        "type Net = ((Conv2D<1, 8, 5>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         plot::architecture::<Net>()?",
        Says("`Conv2D<6, 16, 5>` takes 6 channels, but 8 arrive"),
    ),
    (
        "eight-right",
        "type Net = ((Conv2D<1, 8, 5>, Tanh, AvgPool2D<2>), (Conv2D<8, 16, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<256, 10>);
         plot::architecture::<Net>()?",
        Shows("C1 (Conv2D 5x5, tanh) 8 × 24 × 24"),
    ),
    // Layers that are missing, swapped or added.
    (
        "without-f6",
        "type Net = ((Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), Flatten, (Linear<864, 120>, Tanh), Linear<84, 10>);
         let net = Net::glorot_uniform(seed);
         net.summary()",
        Says("`Linear<84, 10>` takes 84 values, but 120 arrive"),
    ),
    (
        "without-flatten",
        "type Net = ((Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), Linear<864, 10>);
         let net = Net::glorot_uniform(seed);",
        Says("`Linear<864, 10>` cannot follow here: `Maps<6, 12>` arrives"),
    ),
    (
        "without-output",
        "type Net = ((Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>));
         let other = Model::compile(Net::glorot_uniform(seed), Adam::default())?;",
        Says("a network ends with one value for each class, but this one ends with maps"),
    ),
    (
        "without-tanh",
        "type Net = ((Conv2D<1, 6, 5>, AvgPool2D<2>), Flatten, (Linear<864, 120>, Tanh), Linear<120, 10>);
         Net::glorot_uniform(seed).summary()",
        Shows("C1 (Conv2D 5x5)"),
    ),
    (
        "swapped",
        "type Net = ((Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<96, 10>);
         let net = Net::glorot_uniform(seed);
         net.summary()",
        Says("`Conv2D<1, 6, 5>` takes 1 channels, but 16 arrive"),
    ),
    (
        "flatten-late",
        "let net = <(Linear<784, 100>, Tanh, Flatten, Linear<100, 10>)>::glorot_uniform(seed);",
        Says("`Flatten` cannot follow here: `Values<100>` arrives"),
    ),
    (
        "dense-first",
        "type Net = (Linear<784, 100>, Tanh, Linear<100, 10>);
         let other = Model::compile(Net::glorot_uniform(seed), Adam::default())?;",
        Says("a network begins with an image, but the first layer of this one takes values"),
    ),
    (
        "padding",
        "type Net = (ZeroPad2D<2>, (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>), Flatten,
             (Linear<400, 120>, Tanh), (Linear<120, 84>, Tanh), Linear<84, 10>);
         let mut padded = Model::compile(Net::glorot_uniform(seed), Adam::default())?;
         padded.fit(&few, &how)?;
         padded.summary()",
        Shows("Total params: 61,706"),
    ),
    (
        "flat-list",
        "type Net = (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>, Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>, Flatten,
             Linear<256, 120>, Tanh, Linear<120, 84>, Tanh, Linear<84, 10>);
         Model::compile(Net::glorot_uniform(seed), Adam::default())?.fit(&few, &how)?.epochs[0].loss == history.epochs[0].loss",
        Shows("true"),
    ),
    (
        "too-long-a-list",
        "type Net = (Flatten, Linear<784, 9>, Tanh, Linear<9, 9>, Tanh, Linear<9, 9>, Tanh, Linear<9, 9>, Tanh,
             Linear<9, 9>, Tanh, Linear<9, 9>, Tanh, Linear<9, 9>, Tanh, Linear<9, 9>, Linear<9, 10>);
         let net = Net::glorot_uniform(seed);",
        Says("this is no network: a tuple holds 1 to 16 layers, or tuples of layers"),
    ),
    (
        "larger-images",
        "type Net = (Input<1, 32>, (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>), Flatten, Linear<864, 10>);
         Net::glorot_uniform(seed).summary()",
        Says("`Linear<864, 10>` takes 864 values, but 1176 arrive"),
    ),
    (
        "one-layer",
        "let maps = Cpu::default().zeros::<Rank4<1, 16, 4, 4>>();
         Conv2D::<16, 120, 5>::glorot_uniform(seed).forward(maps);",
        Says("a 5x5 convolution does not fit on maps of 4x4"),
    ),
    // `?`, `&` and `mut`.
    ("without-question-mark", "plot::digit(&x_train, 0)", Shows("(in an `Ok(…)`: a `?` behind the call takes it out)")),
    (
        "without-ampersands",
        "model.fit((x_train.clone(), y_train.clone()), &how)?;",
        Says("images and targets go in as one pair of references, as in `(&x_train, &y_train)`"),
    ),
    ("forward-of-a-reference", "network.forward(&x_test).dims()", Shows("(10000, 10)")),
    (
        "without-mut",
        "let fixed = Model::compile(network.clone(), Adam::default())?;
         fixed.fit(&few, &how)?;",
        Says("cannot borrow `fixed` as mutable, as it is not declared as mutable"),
    ),
    // Keras' calls.
    (
        "keras-evaluate",
        "model.evaluate(&x_test, &y_test)?;",
        Says("images and targets go in as one pair of references, as in `(&x_train, &y_train)`"),
    ),
    (
        "keras-fit",
        "model.fit(&x_train, &y_train)?;",
        Says("images and targets go in as one pair of references, as in `(&x_train, &y_train)`"),
    ),
    ("keras-summary", "model.summary()", Shows("Total params: 44,426")),
    ("keras-shape", "x_train.shape()", Shows("(60000, 1, 28, 28)")),
    // Data.
    (
        "one-hot-twice",
        "let y = to_categorical::<10, _>(&y_train)?;",
        Says("these are no labels, one u8 for each image: has `to_categorical` been here before?"),
    ),
    (
        "five-classes",
        "let y = to_categorical::<5, _>(&labels)?;",
        Says("labels must be below 5, the number of classes, got 7 at index 0"),
    ),
    (
        "normalise-twice",
        "let x = normalize(&x_train);",
        Says("pixels of type `f32` are no bytes: `normalize` has been here before"),
    ),
    ("reshape", "x_train.reshape::<Rank2<60000, 784>>().shape()", Shows("(60000, 784)")),
    (
        "labels-as-targets",
        "model.fit((&x_test, &labels), &how)?;",
        Says(
            "the second of the pair, `Tensor<(Const<10000>,), u8, Cpu>`, are no one-hot rows: \
             `to_categorical::<10, _>(&labels)?` makes them of labels",
        ),
    ),
    ("other-targets", "model.fit((&x_train, &y_test), &how)?;", Says("there are 60000 images, but 10000 targets")),
    (
        "bytes-as-images",
        "model.fit((&bytes, &y_train), &how)?;",
        Says(
            "the first of the pair, `Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>`, are no images for a network: \
             `reshape` gives them the shape (N, channels, side, side), `normalize` makes bytes f32",
        ),
    ),
    (
        "forward-of-bytes",
        "network.forward(bytes.clone())",
        Says(
            "`Tensor<(Const<60000>, Const<28>, Const<28>), u8, Cpu>` is no batch for a network: wanted is f32 of shape \
             (images, channels, side, side) or (images, values)",
        ),
    ),
    (
        "one-hot-drawn",
        "plot::digits(&x_train, &y_train, 2, 6)?",
        Says(
            "`Tensor<(Const<60000>, Const<10>), f32, Cpu>` holds no labels: wanted is a class for each image, as \
             `mnist::load_data` gives it; one-hot rows are labels no more",
        ),
    ),
    // Predictions.
    (
        "row",
        "model.predict(&x_test.row(0))?",
        Says(
            "these are no images for a network: wanted is f32 of shape (N, channels, side, side), where N is 1 for one image",
        ),
    ),
    (
        "image-without-batch",
        "let one: Tensor<Rank2<28, 28>, f32, Cpu> = Cpu::default().tensor(x_test.row(0));
         model.predict(&one)?",
        Says(
            "these are no images for a network: wanted is f32 of shape (N, channels, side, side), where N is 1 for one image",
        ),
    ),
    (
        "one-image",
        "let one: Tensor<Rank4<1, 1, 28, 28>, f32, Cpu> = Cpu::default().tensor(x_test.row(0));
         model.predict_classes(&one)?",
        Shows("[7]"),
    ),
    (
        "large-images",
        "let large: Tensor<Rank4<2, 1, 32, 32>, f32, Cpu> = Cpu::default().zeros();
         model.predict(&large)?",
        Says("this network takes images of 1x28x28, but these have 1x32x32 values"),
    ),
    ("classes", "model.predict_classes(&x_test)?.len()", Shows("10000")),
    (
        "predictions",
        "let p = model.predict(&x_test)?;
         plot::predictions(&x_test, &p, &labels, &[0, 1, 2, 3])?",
        Shows("4 images and what they are read as"),
    ),
    // Training.
    (
        "rate-10",
        "let mut wild = Model::compile(network.clone(), Adam { learning_rate: 10.0, ..Adam::default() })?;
         wild.fit(&few, &Fit { verbose: true, ..how.clone() })?;",
        Shows("no better than guessing: are the labels right, and would a lower learning rate do?"),
    ),
    (
        "rate-0",
        "let mut still = Model::compile(network.clone(), Adam { learning_rate: 0.0, ..Adam::default() })?;
         still.fit(&few, &how)?;
         weights::tensors(still.network()) == weights::tensors(&network)",
        Shows("true"),
    ),
    (
        "rate-below-0",
        "let wrong = Model::compile(network.clone(), Adam { learning_rate: -0.1, ..Adam::default() })?;",
        Says("learning_rate must be a finite number of at least 0, got -0.1"),
    ),
    ("batch-0", "model.fit(&few, &Fit { batch_size: 0, ..how.clone() })?;", Says("batch_size must be at least 1, got 0")),
    (
        "two-fits",
        "let mut twice = model.clone();
         twice.fit(&few, &how)?;
         twice.fit(&few, &how)?;
         twice.epochs()",
        Shows("3"),
    ),
    (
        "early-stopping",
        "let patient = Fit { epochs: 9, patience: Some(1), validation: Some(probe.clone()), ..how.clone() };
         Model::compile(network.clone(), Adam { learning_rate: 0.1, ..Adam::default() })?.fit(&few, &patient)?.epochs.len() < 9",
        Shows("true"),
    ),
    (
        "closure",
        "let mut seen = Vec::new();
         model.clone().fit_with(&few, &Fit { epochs: 3, ..how.clone() }, |epoch, model| {
             seen.push((epoch.loss, model.epochs()));
             if seen.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
         })?;
         seen.len()",
        Shows("2"),
    ),
    (
        "changed-rate",
        "let mut slower = model.clone();
         slower.set_learning_rate(1e-4)?;
         slower.fit(&few, &how)?.epochs[0].learning_rate",
        Shows("0.0001"),
    ),
    (
        "cosine",
        "let falling = Fit { epochs: 2, schedule: Schedule::Cosine { epochs: 2 }, ..how.clone() };
         Model::compile(network.clone(), Adam::default())?.fit(&few, &falling)?.epochs[1].learning_rate < 1e-4",
        Shows("true"),
    ),
    (
        "by-hand",
        "let image: Tensor<Rank4<1, 1, 28, 28>, f32, Cpu> = Cpu::default().tensor(x_train.row(0));
         let target: Tensor<Rank2<1, 10>, f32, Cpu> = Cpu::default().tensor(y_train.row(0));
         let (mut by_hand, mut sgd) = (network.clone(), Stepper::new(Sgd { learning_rate: 0.1, ..Sgd::default() })?);
         let mut losses = Vec::new();
         for _ in 0..3 {
             let loss = cross_entropy(by_hand.forward(image.leaky_trace()), &target)?;
             losses.push(loss.array());
             sgd.step(&mut by_hand, loss.backward())?;
         }
         losses[2] < losses[0]",
        Shows("true"),
    ),
    ("epoch-misspelt", "let how = Fit { epoch: 1, ..Fit::default() };", Says("struct `Fit` has no field named `epoch`")),
    // Figures.
    (
        "histories",
        "let other = Model::compile(LeNet5::glorot_uniform(1), Adam::default())?.fit(&few, &how)?;
         plot::compare(\"Loss\", &[(\"one\", &history), (\"two\", &other)], |epoch| Some(epoch.loss))?",
        Shows("Loss over 1 epoch. one: "),
    ),
    (
        "empty-history",
        "plot::model_loss(&History::default())?",
        Says("the number of epochs in a history must be at least 1, got 0: has `fit` run?"),
    ),
    (
        "confusion-percent",
        "let counts = metrics::confusion(&labels, &model.predict(&x_test)?)?;
         plot::confusion_percent(&counts)?",
        Shows("Confusion matrix of 10,000 images"),
    ),
    ("class-table", "plot::Named(&mnist::FASHION_CLASSES).classes(&counts)?", Shows("Sneaker     |  1,028 |")),
    (
        "chart",
        "use lenet_core::plotters::prelude::*;
         plot::chart((600, 400), |area| {
             let mut chart = ChartBuilder::on(area).margin(10).x_label_area_size(30).y_label_area_size(40)
                 .build_cartesian_2d(0f32..10f32, 0f32..100f32)?;
             chart.configure_mesh().draw()?;
             chart.draw_series(LineSeries::new((0..=10).map(|x| (x as f32, (x * x) as f32)), &BLUE))?;
             Ok(())
         })?",
        Shows("A chart of 600 by 400 pixels"),
    ),
    ("histogram", "plot::histogram(&labels)?", Shows("Images of each class; largest: 1 with 1,135.")),
    ("three-bars", "plot::bars(\"Shares\", &[0.2, 0.3, 0.5])?", Shows("largest: 2 with 50.0 %")),
    (
        "counts-as-shares",
        "plot::bars(\"Counts\", &[5923.0, 6742.0])?",
        Says("values must be between 0 and 1, got 5923 for 0"),
    ),
    ("line", "plot::line(&[1.0, 2.0])?", Says("cannot find function `line` in module `plot`")),
    (
        "picture-to-file",
        "plot::digit(&x_train, 0)?.save_png(std::env::temp_dir().join(\"lenet-edit.png\"))?",
        Shows(""),
    ),
    // Other sizes, other seeds, loops, times.
    ("batch-32", "model.clone().fit(&few, &Fit { batch_size: 32, ..how.clone() })?.epochs.len()", Shows("1")),
    ("batch-1024", "model.clone().fit(&few, &Fit { batch_size: 1024, ..how.clone() })?.epochs.len()", Shows("1")),
    (
        "seeds",
        "for seed in 0..2 {
             let mut other = Model::compile(LeNet5::glorot_uniform(seed), Adam::default())?;
             println!(\"seed {seed}: {}\", other.fit(&few, &how)?.epochs.len());
         }",
        Shows("seed 1: 1"),
    ),
    ("instant", "let start = std::time::Instant::now();\nstart.elapsed().as_secs() < 60", Shows("true")),
    ("whole-numbers", "9836 / 10000", Shows("0")),
    ("pixels", "x_train.row(0).len()", Shows("784")),
    ("one-of-predictions", "model.predict(&x_test)?.row(0).len()", Shows("10")),
    (
        "mistakes-of-one-hot",
        "metrics::mistakes(&y_test, &model.predict(&x_test)?)?",
        Says(
            "`Tensor<(Const<10000>, Const<10>), f32, Cpu>` holds no labels: wanted is a class for each image, as `mnist::load_data` gives it; one-hot rows are labels no more",
        ),
    ),
    ("split", "Data::from((&x_train, &y_train)).split(0.1)?.1.len()", Shows("6000")),
    // Names.
    ("dim", "x_train.dim()", Says("no method named `dim` found for struct `Tensor<S, E, D, T>` in the current scope")),
    ("semicolon", "let a = 1\nlet b = 2;", Says("expected `;`, found keyword `let`")),
    ("bracket", "plot::digit(&x_train, 0?", Says("mismatched closing delimiter: `}`")),
    ("misspelt", "x_trian", Says("cannot find value `x_trian` in this scope")),
    ("british", "let x = normalise(&x_train);", Says("cannot find function `normalise` in this scope")),
    (
        "given-away",
        "let other = network;
         network.summary()",
        Says("borrow of moved value: `network`"),
    ),
];

/// Cells for the table at the end of the walkthrough: rustc's words, which tell what they mean only there.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "reshape-wrong",
        "let x = x_train.reshape::<Rank4<60000, 1, 28, 27>>();",
        "the above error was encountered while instantiating",
    ),
    ("load-without", "let ((a, b), (c, d)) = mnist::load_data();", "mismatched types"),
    (
        "compile-without",
        "let mut other = Model::compile(network.clone(), Adam::default());
         other.fit(&few, &how)?;",
        "no method named `fit` found for enum `Result<T, E>` in the current scope",
    ),
    ("options-by-value", "model.fit(&few, Fit { epochs: 1, ..Fit::default() })?;", "mismatched types"),
    (
        "options-alone",
        "model.fit(&few, &Fit { epochs: 1 })?;",
        "missing fields `augment`, `batch_size`, `checkpoint` and 7 other fields in initializer of `Fit`",
    ),
    ("keyword-arguments", "model.fit((&x_train, &y_train), epochs=1)?;", "cannot find value `epochs` in this scope"),
    ("patience", "let how = Fit { patience: 1, ..Fit::default() };", "mismatched types"),
    ("rate-1", "let adam = Adam { learning_rate: 1, ..Adam::default() };", "mismatched types"),
    ("percent", "type Net = (Flatten, Dropout<0.25>, Linear<784, 10>);", "mismatched types"),
    ("padding-argument", "type Net = (Conv2D<1, 6, 5, 1, 2>, Flatten);", "constant provided when a type was expected"),
    ("relu-misspelt", "type Net = (Flatten, Linear<784, 10>, Relu);", "cannot find type `Relu` in this scope"),
    (
        "classes-as-argument",
        "let y = to_categorical(&labels, 10)?;",
        "this function takes 1 argument but 2 arguments were supplied",
    ),
    (
        "shape-as-argument",
        "let x = x_train.reshape((60000, 784));",
        "this method takes 0 arguments but 1 argument was supplied",
    ),
    ("index", "x_test[0]", "mismatched types"),
    (
        "argmax",
        "model.predict(&x_test)?.argmax()",
        "no method named `argmax` found for struct `Tensor<S, E, D, T>` in the current scope",
    ),
    (
        "print",
        "println!(\"{}\", x_train)",
        "`Tensor<(Const<60000>, Const<1>, Const<28>, Const<28>), f32, Cpu>` doesn't implement `Display`",
    ),
    (
        "closure-without",
        "model.clone().fit_with(&few, &how, |epoch, _| println!(\"{}\", epoch.loss))?;",
        "mismatched types",
    ),
    ("categorical-without", "let y = to_categorical(&labels)?;", "type annotations needed"),
    ("optimizer", "model.optimizer.learning_rate = 0.01;", "no field `optimizer` on type `Model<"),
    ("keras-history", "history.history[\"loss\"]", "no field `history` on type `History`"),
    ("len", "len(x_train)", "cannot find function `len` in this scope"),
    (
        "closure-kept",
        "let double = |x: f32| 2.0 * x;",
        "The variable `double` is a closure, which cannot be persisted.",
    ),
    ("plotters", "use plotters::prelude::*;", "cannot find module or crate `plotters` in this scope"),
    ("python-loop", "for i in range(3):\n    print(i)", "expected `{`, found `:`"),
    ("magic", "%%time", "expected expression, found `%`"),
];

#[test]
fn every_edit_works_or_is_refused_in_plain_words() {
    let mut cells = first_cells();
    let before = cells.len();
    cells.extend(EDITS.iter().map(|(id, code, _)| (id.to_string(), code.to_string())));
    cells.extend(TABLE.iter().map(|(id, code, _)| (id.to_string(), code.to_string())));
    let shown = run_cells("edits", &cells);
    for cell in &shown[..before] {
        assert_eq!(cell.refusal(), "", "{cell:?}");
    }
    let shown = &shown[before..];
    let mut slowest: Vec<_> = shown.iter().map(|cell| (cell.seconds, cell.id.as_str())).collect();
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{} edits and {} for the table; the slowest, in seconds: {:.2?}", EDITS.len(), TABLE.len(), &slowest[..5]);

    let answers = EDITS.iter().map(|(.., answer)| answer);
    let mut wrong = String::new();
    for (cell, answer) in shown.iter().zip(answers) {
        let (expected, right) = match answer {
            Shows(words) => (words, cell.refusal().is_empty() && shows(cell, words)),
            Says(words) => (words, cell.refusal() == *words),
        };
        if !right {
            wrong += &format!("{}\n  {}{}{}\n  {expected}\n", cell.id, cell.refusal(), cell.printed, cell.text());
        }
    }
    for (cell, (_, _, words)) in shown[EDITS.len()..].iter().zip(TABLE) {
        if !cell.refusal().starts_with(words) {
            wrong += &format!("{}\n  {}{}\n  {words}\n", cell.id, cell.refusal(), cell.text());
        }
    }
    assert!(wrong.is_empty(), "found, expected:\n{wrong}");

    // Every line of the walkthrough's table is what some cell says, and every cell is explained there.
    let said: Vec<(&str, String)> = shown.iter().map(|cell| (cell.id.as_str(), plain(&cell.errors.concat()))).collect();
    let (seen, explains) =
        (what_is_seen(), |words: &[String], text: &str| words.iter().all(|part| text.contains(part)));
    for words in &seen {
        assert!(said.iter().any(|(_, text)| explains(words, text)), "no cell says {words:?}");
    }
    for (id, text) in &said[EDITS.len()..] {
        assert!(seen.iter().any(|words| explains(words, text)), "[{id}] is not in the table: {text}");
    }
}

/// A message as one line, without the page's frames and code's marks.
fn plain(text: &str) -> String {
    let text = text.replace('`', "").replace(['│', '╰', '─', '┬', '╭'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first column of the walkthrough's table of messages: in each line, what is seen, in parts where something is left out.
fn what_is_seen() -> Vec<Vec<String>> {
    let walkthrough = Notebook::read(&Project::find().path("notebooks/lenet5.ipynb"));
    let (_, table) = walkthrough.prose().last().expect("a text").split_once("| --- | --- |").expect("a table");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let alternatives = rows.flat_map(|(seen, _)| seen.split("` or `"));
    alternatives.map(|seen| seen.split('…').map(plain).collect()).collect()
}

/// Whether a cell's value or what it printed has these words.
fn shows(cell: &Shown, words: &str) -> bool {
    cell.text().contains(words) || cell.printed.contains(words)
}
