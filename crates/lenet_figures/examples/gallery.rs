//! Writes every figure into a folder, to look at: `cargo run -p lenet_figures --example gallery -- FOLDER`.

use lenet_figures::plotters::prelude::*;
use lenet_figures::*;

const FASHION: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let save = |name: &str, figure: Figure| -> Result<()> {
        println!("{name}: {} bytes. {}", figure.png().len(), figure.text());
        figure.save_png(format!("{folder}/{name}.png"))
    };
    let loss = [
        0.355, 0.128, 0.082, 0.061, 0.048, 0.0395, 0.033, 0.028, 0.023, 0.0201,
    ];
    let validation = [
        0.1541, 0.0985, 0.071, 0.06, 0.0505, 0.05, 0.0498, 0.046, 0.0484, 0.0484,
    ];
    let axes = Axes {
        title: "Model Loss",
        y: "Loss",
        ..Axes::default()
    };
    let lines = [
        Line::new("Train", loss),
        Line::new("Validation", validation),
    ];
    save("curves", curves(&axes, &lines)?)?;
    save(
        "curves-log",
        curves(
            &Axes {
                logarithmic: true,
                ..axes
            },
            &lines,
        )?,
    )?;
    let accuracy = |by: f32| loss.map(|loss| 1.0 - loss * by);
    let many = [0.3, 0.25, 0.2, 0.15, 0.1].map(|by| Line::new(format!("Adam, {by}"), accuracy(by)));
    save(
        "curves-many",
        curves(
            &Axes {
                title: "Model accuracy",
                y: "Accuracy",
                most: 1.0,
                ..axes
            },
            &many,
        )?,
    )?;
    let noisy = Line::new(
        "Seed 0",
        (0..469).map(|i| 2.0 / (1.0 + i as f32 / 9.0) + 0.1 * (i as f32 * 1.7).sin()),
    );
    save(
        "curves-long",
        curves(
            &Axes {
                title: "Loss",
                x: "Step",
                y: "Loss",
                ..axes
            },
            &[noisy],
        )?,
    )?;
    let own = chart((800, 400), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("A chart of one's own", ("sans-serif", 28))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d(0.0..10.0, -1.0..1.0)?;
        chart.configure_mesh().x_desc("x").y_desc("sin x").draw()?;
        chart
            .draw_series(LineSeries::new(
                (0..200).map(|i| f64::from(i) / 20.0).map(|x| (x, x.sin())),
                &RED,
            ))?
            .label("Sine")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], RED));
        chart.draw_series((0..10).map(|i| Circle::new((f64::from(i), 0.5), 5, BLUE.filled())))?;
        chart
            .configure_series_labels()
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
        Ok(())
    })?;
    save("chart", own)?;
    let counts: Vec<usize> = (0..100)
        .map(|i| {
            if i / 10 == i % 10 {
                970 + 17 * (i / 10)
            } else {
                (i * i * 7 + i * 3) % 23 / 7 * (i % 3)
            }
        })
        .collect();
    save("confusion", confusion(&[], &counts, Unit::Number)?)?;
    save(
        "confusion-names",
        confusion(&FASHION, &counts, Unit::Percent)?,
    )?;
    let letters: Vec<usize> = (0..26 * 26)
        .map(|i| {
            if i / 26 == i % 26 {
                780
            } else {
                (i * 31 % 97) / 90 * (i % 19)
            }
        })
        .collect();
    let names: Vec<String> = ('A'..='Z').map(String::from).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    save(
        "confusion-letters",
        confusion(&names, &letters, Unit::Number)?,
    )?;
    let mut shares = [0.0; 10];
    (shares[7], shares[2]) = (0.913, 0.087);
    save(
        "bars",
        bars("Probabilities for this digit", &[], &shares, Unit::Percent)?,
    )?;
    save(
        "bars-names",
        bars(
            "Probabilities for this picture",
            &FASHION,
            &shares,
            Unit::Percent,
        )?,
    )?;
    save(
        "bars-three",
        bars(
            "Seconds an epoch",
            &["ours", "PyTorch", "Keras"],
            &[0.9, 2.2, 5.1],
            Unit::Number,
        )?,
    )?;
    let labels: Vec<usize> = (0..60_000).map(|i| (i * i + i / 7) % 10).collect();
    save(
        "histogram",
        histogram("Training images of each class", &[], &labels, 10)?,
    )?;
    let labels: Vec<usize> = (0..60_000).map(|i| (i * i + i / 7) % 26).collect();
    save(
        "histogram-letters",
        histogram("Training images of each class", &names, &labels, 26)?,
    )?;
    let by_class = [
        0.992, 0.992, 0.993, 0.985, 0.983, 0.99, 0.975, 0.973, 0.982, 0.967,
    ];
    save("accuracies", accuracy_by_class(&[], &by_class)?)?;
    save("accuracies-names", accuracy_by_class(&FASHION, &by_class)?)?;
    Ok(())
}
