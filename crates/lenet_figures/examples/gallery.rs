//! Writes every figure into a folder, to look at: `cargo run -p lenet_figures --example gallery -- FOLDER`.

use lenet_figures::plotters::prelude::*;
use lenet_figures::*;

const FASHION: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let save = |name: &str, figure: Figure| -> Result<()> {
        println!("{name}: {} bytes. {}", figure.png().len(), figure.text());
        figure.save_png(format!("{folder}/{name}.png"))
    };
    let loss = [0.355, 0.128, 0.082, 0.061, 0.048, 0.0395, 0.033, 0.028, 0.023, 0.0201];
    let validation = [0.1541, 0.0985, 0.071, 0.06, 0.0505, 0.05, 0.0498, 0.046, 0.0484, 0.0484];
    let axes = Axes { title: "Model Loss", y: "Loss", ..Axes::default() };
    let lines = [Line::new("Train", loss), Line::new("Validation", validation)];
    save("curves", curves(&axes, &lines)?)?;
    save("curves-log", curves(&Axes { logarithmic: true, ..axes }, &lines)?)?;
    let accuracy = |by: f32| loss.map(|loss| 1.0 - loss * by);
    let many = [0.3, 0.25, 0.2, 0.15, 0.1].map(|by| Line::new(format!("Adam, {by}"), accuracy(by)));
    save("curves-many", curves(&Axes { title: "Model accuracy", y: "Accuracy", most: 1.0, ..axes }, &many)?)?;
    let noisy = Line::new("Seed 0", (0..469).map(|i| 2.0 / (1.0 + i as f32 / 9.0) + 0.1 * (i as f32 * 1.7).sin()));
    save("curves-long", curves(&Axes { title: "Loss", x: "Step", y: "Loss", ..axes }, &[noisy])?)?;
    let own = chart((800, 400), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("A chart of one's own", ("sans-serif", 28))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d(0.0..10.0, -1.0..1.0)?;
        chart.configure_mesh().x_desc("x").y_desc("sin x").draw()?;
        chart
            .draw_series(LineSeries::new((0..200).map(|i| f64::from(i) / 20.0).map(|x| (x, x.sin())), &RED))?
            .label("Sine")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], RED));
        chart.draw_series((0..10).map(|i| Circle::new((f64::from(i), 0.5), 5, BLUE.filled())))?;
        chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
        Ok(())
    })?;
    save("chart", own)?;
    let counts: Vec<usize> = (0..100)
        .map(|i| if i / 10 == i % 10 { 970 + 17 * (i / 10) } else { (i * i * 7 + i * 3) % 23 / 7 * (i % 3) })
        .collect();
    save("confusion", confusion(&[], &counts, Unit::Number)?)?;
    save("confusion-names", confusion(&FASHION, &counts, Unit::Percent)?)?;
    let letters: Vec<usize> =
        (0..26 * 26).map(|i| if i / 26 == i % 26 { 780 } else { (i * 31 % 97) / 90 * (i % 19) }).collect();
    let names: Vec<String> = ('A'..='Z').map(String::from).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    save("confusion-letters", confusion(&names, &letters, Unit::Number)?)?;
    let mut shares = [0.0; 10];
    (shares[7], shares[2]) = (0.913, 0.087);
    save("bars", bars("Probabilities for this digit", &[], &shares, Unit::Percent)?)?;
    save("bars-names", bars("Probabilities for this picture", &FASHION, &shares, Unit::Percent)?)?;
    save("bars-three", bars("Seconds an epoch", &["ours", "PyTorch", "Keras"], &[0.9, 2.2, 5.1], Unit::Number)?)?;
    let labels: Vec<usize> = (0..60_000).map(|i| (i * i + i / 7) % 10).collect();
    save("histogram", histogram("Training images of each class", &[], &labels, 10)?)?;
    let labels: Vec<usize> = (0..60_000).map(|i| (i * i + i / 7) % 26).collect();
    save("histogram-letters", histogram("Training images of each class", &names, &labels, 26)?)?;
    let by_class = [0.992, 0.992, 0.993, 0.985, 0.983, 0.99, 0.975, 0.973, 0.982, 0.967];
    save("accuracies", accuracy_by_class(&[], &by_class)?)?;
    save("accuracies-names", accuracy_by_class(&FASHION, &by_class)?)?;

    let seven = drawn_seven();
    let sevens = seven.repeat(12);
    let images = Images::new(&sevens, 28, 28)?;
    save("digit", digit(&Images::new(&seven, 28, 28)?, 0)?)?;
    save("digits", digits(&images, &[7; 12], &[], 6)?)?;
    save("digits-names", digits(&images, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1], &FASHION, 6)?)?;
    let reading = |i: usize| Reading {
        class: if i % 5 == 3 { 2 } else { 7 },
        probability: 0.99 - 0.03 * i as f32,
        label: Some(7),
    };
    let readings: Vec<_> = (0..12).map(reading).collect();
    save("predictions", predictions(&images, &readings, &[], 6)?)?;
    save("predictions-names", predictions(&images, &readings, &FASHION, 6)?)?;
    save("mistakes", mistakes(&images, &readings, 168, &[], 6)?)?;
    let paper: Vec<f32> = seven.iter().map(|ink| 1.0 - ink).collect();
    let sight =
        Sight { name: "7.png", original: &paper, columns: 28, seen: &seven, probabilities: &shares, label: None };
    let wrong = Sight { name: "wide.png", original: &sevens[..392], columns: 56, label: Some(2), ..sight };
    save("pictures", pictures(&[sight, wrong], &[])?)?;
    save("pictures-names", pictures(&[sight, wrong], &FASHION)?)?;

    let wave = |i: usize| (i as f32 * 0.7).sin() * (i as f32 * 0.013).cos();
    let weights: Vec<f32> = (0..16 * 6 * 25).map(wave).collect();
    save("filters-c1", filters("C1 after training", [6, 1, 5, 5], &weights[..150], None)?)?;
    save("filters-c3", filters("C3 after training", [16, 6, 5, 5], &weights, Some(2.0))?)?;
    let values: Vec<f32> = (0..6 * 24 * 24).map(wave).collect();
    let layer = |name, shape: [usize; 3]| Maps { name, shape, values: &values[..shape.iter().product()] };
    let mut layers = vec![
        Maps { name: "Input", shape: [1, 28, 28], values: &seven },
        layer("C1", [6, 24, 24]),
        layer("S2", [6, 12, 12]),
        layer("C3", [16, 8, 8]),
        layer("S4", [16, 4, 4]),
        layer("C5", [1, 1, 120]),
        layer("F6", [1, 1, 84]),
        layer("Output", [1, 1, 10]),
    ];
    save("maps", feature_maps("One digit through every layer", &layers, &[])?)?;
    layers.drain(1..5);
    save("maps-names", feature_maps("One picture through every layer", &layers, &FASHION)?)?;

    let row = |name: &str, kind: &str, activation: &str, output: &[usize], parameters| Row {
        name: name.into(),
        kind: kind.into(),
        activation: activation.into(),
        output: output.into(),
        parameters,
        formula: String::new(),
    };
    let mut rows = vec![
        row("Input", "image", "", &[1, 28, 28], 0),
        row("C1", "Conv2D 5x5", "tanh", &[6, 24, 24], 156),
        row("S2", "AvgPool2D 2x2", "", &[6, 12, 12], 0),
        row("C3", "Conv2D 5x5", "tanh", &[16, 8, 8], 2_416),
        row("S4", "AvgPool2D 2x2", "", &[16, 4, 4], 0),
        row("Flatten", "Flatten", "", &[256], 0),
        row("C5", "Linear", "tanh", &[120], 30_840),
        row("F6", "Linear", "tanh", &[84], 10_164),
        row("Output", "Linear", "softmax", &[10], 850),
    ];
    save("architecture", architecture(&rows)?)?;
    println!("{}", layer_table(&rows[1..]));
    rows.insert(1, row("ZeroPad2D", "ZeroPad2D", "", &[1, 32, 32], 0));
    save("architecture-padded", architecture(&rows)?)?;

    let logits = vec![0.1, -2.0, 3.1, 1.2, -2.5, -1.0, -6.0, 6.9, 0.7, 2.6];
    let flatten = PanelLayer { layer: Layer::Flatten, name: "", made: drawn_seven() };
    let output = PanelLayer { layer: Layer::Linear(10), name: "Output", made: logits };
    let panel = Panel::new(&[flatten, output], &[0.01; 7_850], &[])?;
    save("panel", panel.picture().clone())?;
    Ok(())
}
