//! What figures hold, read from their pixels and their words.

use lenet_figures::plotters::prelude::*;
use lenet_figures::*;

type Rgb = [u8; 3];
const BLUE_LINE: Rgb = [0x1f, 0x77, 0xb4];
const ORANGE: Rgb = [0xff, 0x7f, 0x0e];
const BLACK_INK: Rgb = [0; 3];

/// Width, height and pixels of a figure's PNG.
fn decode(figure: &Figure) -> (usize, usize, Vec<Rgb>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(figure.png()));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size().expect("its size")];
    let info = reader.next_frame(&mut bytes).expect("its pixels");
    let pixels = bytes.chunks_exact(3).map(|rgb| [rgb[0], rgb[1], rgb[2]]);
    (info.width as usize, info.height as usize, pixels.collect())
}

/// How many pixels have a colour.
fn count(figure: &Figure, color: Rgb) -> usize {
    decode(figure).2.iter().filter(|&&pixel| pixel == color).count()
}

/// The number of rows that hold a colour.
fn rows_with(figure: &Figure, color: Rgb) -> usize {
    let (width, _, pixels) = decode(figure);
    pixels.chunks(width).filter(|row| row.contains(&color)).count()
}

/// A colour on white.
fn tint(color: Rgb, share: f64) -> Rgb {
    color.map(|part| (255.0 - share * (255.0 - f64::from(part))).round() as u8)
}

fn error<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("an error").to_string()
}

fn loss() -> Axes<'static> {
    Axes { title: "Model Loss", y: "Loss", ..Axes::default() }
}

#[test]
fn curves_show_every_line_in_its_colour() {
    let lines = [Line::new("Train", [0.36, 0.12]), Line::new("Validation", [Some(0.16), Some(0.09)])];
    let figure = curves(&loss(), &lines).unwrap();
    let words = "Model Loss over 2 epochs. Train: from 0.3600 to 0.1200. Validation: from 0.1600 to 0.0900.";
    assert_eq!(figure.text(), words);
    assert!(count(&figure, BLUE_LINE) > 500 && count(&figure, ORANGE) > 500);
    let alone = curves(&loss(), &lines[..1]).unwrap();
    assert_eq!(count(&alone, ORANGE), 0);
    let one = curves(&loss(), &[Line::new("Train", [0.35])]).unwrap();
    assert_eq!(one.text(), "Model Loss over 1 epoch. Train: 0.3500.");
}

#[test]
fn the_legend_hides_no_line_if_it_can() {
    let falling = curves(&loss(), &[Line::new("Train", (0..9).map(|i| 1.0 / (i + 1) as f32))]).unwrap();
    let rising = curves(&loss(), &[Line::new("Train", (0..9).map(|i| 1.0 - 1.0 / (i + 1) as f32))]).unwrap();
    // The legend's sample of the line is blue: above at the right, or above at the left.
    let blue_above = |figure: &Figure, from: usize| {
        let (width, height, pixels) = decode(figure);
        let tenth = |row: usize| &pixels[row * width + width * from / 10..][..width / 10];
        (height / 9..height / 4).any(|row| tenth(row).contains(&BLUE_LINE))
    };
    assert!(blue_above(&falling, 8) && !blue_above(&falling, 2));
    assert!(blue_above(&rising, 1));
}

#[test]
fn values_that_are_not_finite_leave_a_gap() {
    let whole = Line::new("Train", [0.5, 0.4, 0.3, 0.2, 0.1]);
    let broken = Line::new("Train", [0.5, 0.4, f32::NAN, 0.2, 0.1]);
    let (whole, broken) = (curves(&loss(), &[whole]).unwrap(), curves(&loss(), &[broken]).unwrap());
    assert!(count(&broken, BLUE_LINE) < count(&whole, BLUE_LINE) * 3 / 4);
    assert!(broken.text().contains("Train (not finite at 3): from"), "{}", broken.text());
    let text = error(curves(&loss(), &[Line::new("Train", [f32::NAN])]));
    assert_eq!(text, "lines must hold a finite value, none does");
    assert!(curves(&loss(), &[]).is_err());
}

#[test]
fn a_logarithmic_axis_takes_values_above_0() {
    let axes = Axes { logarithmic: true, ..loss() };
    let line = Line::new("Train", [1.0, 0.1, 0.01]);
    // Each decade is as high as the others: the line is straight, so a chart of its ends alone is the same but for a marker.
    let straight = curves(&axes, std::slice::from_ref(&line)).unwrap();
    let bent = curves(&loss(), &[line]).unwrap();
    let middle = |figure: &Figure| {
        let (width, height, pixels) = decode(figure);
        let column = (0..height).filter(|row| pixels[row * width + width * 53 / 100] == BLUE_LINE);
        column.sum::<usize>() as f64 / column_count(figure, 53) as f64 / height as f64
    };
    assert!((middle(&straight) - 0.48).abs() < 0.05, "{}", middle(&straight));
    assert!(middle(&bent) > 0.7, "{}", middle(&bent));
    let text = error(curves(&axes, &[Line::new("Train", [1.0, 0.0])]));
    assert_eq!(text, "values on a log axis must be above 0, got 0");
}

fn column_count(figure: &Figure, share: usize) -> usize {
    let (width, height, pixels) = decode(figure);
    (0..height).filter(|row| pixels[row * width + width * share / 100] == BLUE_LINE).count()
}

#[test]
fn extreme_values_do_not_panic() {
    let pairs = [(f32::MIN, f32::MAX), (0.0, f32::MIN_POSITIVE), (1.0, 1.0 + f32::EPSILON), (1e9, 1e9), (-1.0, 1e30)];
    for (low, high) in pairs {
        curves(&loss(), &[Line::new("Train", [low, high, low])]).unwrap_or_else(|error| panic!("{low}: {error}"));
    }
    let axes = Axes { logarithmic: true, ..loss() };
    for (low, high) in [(f32::MIN_POSITIVE, f32::MAX), (1.0, 1.0), (3.0, 3.1)] {
        curves(&axes, &[Line::new("Train", [low, high])]).unwrap_or_else(|error| panic!("{low}: {error}"));
    }
    curves(&loss(), &[Line::new("Train", (0..2000).map(|i| i as f32))]).unwrap();
}

#[test]
fn a_png_has_two_pixels_for_each_css_pixel() {
    for outputs in [1, 7, 13, 17, 19, 23] {
        let weights = vec![0.5; outputs * 2 * 25];
        let figure = filters("Filters", [outputs, 2, 5, 5], &weights, None).unwrap();
        let html = figure.html();
        let width: usize = html.split('"').nth(1).and_then(|width| width.parse().ok()).expect("a width");
        assert_eq!(decode(&figure).0, 2 * width, "{outputs} filters");
    }
}

#[test]
fn words_and_html_are_safe() {
    let figure = bars("<script>&\"'", &[], &[0.1; 10], Unit::Percent).unwrap();
    assert!(figure.text().starts_with("<script>"));
    let html = figure.html();
    assert!(html.contains("alt=\"&lt;script&gt;&amp;&quot;&#39;; largest: 0"), "{}", &html[..200]);
    assert_eq!(format!("{:?}", figure.with_text("ten bars")), "Figure(ten bars)");
    assert_eq!(escape("5 × 5 → é"), "5 × 5 → é");
    let grouped = [0, 999, 1000, 44_426, 1_234_567].map(thousands);
    assert_eq!(grouped, ["0", "999", "1,000", "44,426", "1,234,567"]);
}

#[test]
fn files_are_written_or_the_error_names_the_path() {
    let figure = bars("Shares", &[], &[0.5, 0.5], Unit::Percent).unwrap();
    let folder = std::env::temp_dir().join(format!("lenet-figures-{}", std::process::id()));
    let path = folder.join("bars.png");
    assert!(error(figure.save_png(&path)).contains("bars.png"));
    std::fs::create_dir_all(&folder).unwrap();
    figure.save_png(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), figure.png());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_chart_of_ones_own_is_drawn_in_css_pixels() {
    let figure = chart((200, 100), |area| {
        area.draw(&Rectangle::new([(10, 20), (30, 70)], BLACK.filled()))?;
        area.draw(&PathElement::new([(50, 50), (190, 50)], RED.stroke_width(3)))?;
        Ok(area.draw(&Text::new("a title", (100, 10), ("sans-serif", 20)))?)
    });
    let figure = figure.unwrap().with_text("A rectangle");
    let (width, height, pixels) = decode(&figure);
    assert_eq!((width, height), (400, 200));
    let black = pixels.iter().enumerate().filter(|(_, &pixel)| pixel == BLACK_INK).map(|(i, _)| (i % width, i / width));
    let rectangle = black.filter(|&(x, y)| (20..60).contains(&x) && (40..140).contains(&y)).count();
    assert_eq!(rectangle, 40 * 100);
    assert_eq!(count(&figure, [255, 0, 0]), 280 * 6);
    let title = (200..300).any(|x| (20..60).any(|y| pixels[y * width + x][0] < 100));
    assert!(title, "letters to the right of and below their place");
}

#[test]
fn a_chart_that_fails_says_why() {
    let own = chart((200, 100), |_| Err("no data yet".into()));
    assert_eq!(error(own), "no data yet");
    let font = chart((200, 100), |area| Ok(area.draw(&Text::new("a", (0, 0), ("Comic Sans MS", 20)))?));
    assert_eq!(error(font), "a font is not here; the only one is \"sans-serif\"");
    for size in [(0, 100), (100_000, 100_000)] {
        assert!(error(chart(size, |_| Ok(()))).starts_with("size must be"), "{size:?}");
    }
}

#[test]
fn bars_are_as_high_as_their_values() {
    let figure = bars("Shares", &["a", "b", "c"], &[0.75, 0.25, 0.0], Unit::Percent).unwrap();
    assert_eq!(figure.text(), "Shares; largest: a with 75.0 %. a: 75.0 %, b: 25.0 %, c: 0.0 %.");
    let (high, low) = (rows_with(&figure, BLUE_LINE), rows_with(&figure, tint(BLUE_LINE, 0.55)));
    assert!(high.abs_diff(3 * low) <= 3, "{high} {low}");
    let counts = bars("Counts", &[], &[5923.0, 6742.0], Unit::Number).unwrap();
    assert_eq!(counts.text(), "Counts; largest: 1 with 6,742. 0: 5,923, 1: 6,742.");
    for wrong in [-0.1, 1.5, f32::NAN] {
        let text = error(bars("Shares", &[], &[0.0, wrong], Unit::Percent));
        assert!(text.starts_with("values must be between 0 and 1, got"), "{text}");
    }
    assert!(error(bars("Counts", &[], &[f32::INFINITY], Unit::Number)).contains("inf for 0"));
    assert!(bars("Counts", &[], &[], Unit::Number).is_err());
    let names = error(bars("Shares", &["a"], &[0.5, 0.5], Unit::Percent));
    assert_eq!(names, "the number of names must be 2, or none, got 1");
}

#[test]
fn a_histogram_counts_labels() {
    let figure = histogram("Labels", &["no", "yes"], &[1, 0, 1, 1], 2).unwrap();
    assert_eq!(figure.text(), "Labels; largest: yes with 3. no: 1, yes: 3.");
    let text = error(histogram("Labels", &[], &[2], 2));
    assert_eq!(text, "each label must be below 2, the number of classes, got 2");
}

#[test]
fn the_lowest_accuracy_stands_out() {
    let figure = accuracy_by_class(&["cat", "dog", "hat"], &[0.99, 0.972, 0.98]).unwrap();
    assert!(figure.text().contains("lowest: dog with 97.2 %"), "{}", figure.text());
    let (blue, orange) = (count(&figure, BLUE_LINE) as f64, count(&figure, ORANGE) as f64);
    assert!((blue / orange - 2.0).abs() < 0.05, "two blue points, one orange: {blue} {orange}");
    assert!(accuracy_by_class(&[], &[0.5, f32::NAN]).is_err());
}

#[test]
fn confusion_names_the_most_frequent_mistake_and_paints_it_strongest() {
    let mut counts = [0; 100];
    (0..10).for_each(|digit| counts[11 * digit] = 1000);
    (counts[49], counts[94]) = (12, 3);
    let figure = confusion(&[], &counts, Unit::Number).unwrap();
    let words = "Confusion matrix of 10,015 images: 10,000 (99.9 %) are read right. \
                 The most frequent mistake: a 4 read as 9, 12 times.";
    assert_eq!(figure.text(), words);
    let (strong, weak) = (count(&figure, tint(ORANGE, 0.9)), count(&figure, tint(ORANGE, 0.45)));
    assert!(strong > 5000 && weak > 5000, "{strong} {weak}");
    assert!(count(&figure, tint(BLUE_LINE, 0.25)) > 5 * (strong + weak) - 10_000);
    let named = confusion(&["cat", "dog"], &[1, 1, 0, 2], Unit::Percent).unwrap();
    assert!(named.text().ends_with("a cat read as dog, once."), "{}", named.text());
    assert!(error(confusion(&[], &[0; 4], Unit::Number)).contains("at least one image"));
    assert!(error(confusion(&[], &[1; 3], Unit::Number)).contains("a square"));
}

#[test]
fn a_digit_has_hard_pixels() {
    let mut ink = vec![0.0; 28 * 28];
    ink[3 * 28 + 5] = 1.0;
    let figure = digit(&Images::new(&ink, 28, 28).unwrap(), 3).unwrap();
    assert_eq!(figure.text(), "Image 3: 28 by 28 pixels, 1 of them not black.");
    // A pixel of the image is 12 CSS pixels wide.
    assert_eq!(count(&figure, BLACK_INK), 783 * 24 * 24);
}

#[test]
fn images_are_whole_and_finite() {
    assert!(Images::new(&[0.0; 8], 2, 2).is_ok());
    assert_eq!(error(Images::new(&[0.0; 7], 2, 2)), "images must be whole pictures of 2 by 2 values, got 7 values");
    assert!(Images::new(&[], 2, 2).is_err() && Images::new(&[0.0], 0, 2).is_err());
    assert!(error(Images::new(&[f32::NAN], 1, 1)).contains("NaN"));
}

#[test]
fn sheets_tell_labels_readings_and_mistakes() {
    let ink = drawn_seven().repeat(2);
    let images = Images::new(&ink, 28, 28).unwrap();
    let labelled = digits(&images, &[7, 3], &[], 12).unwrap();
    assert_eq!(labelled.text(), "2 images with their labels, row by row: 7 3.");
    let right = Reading { class: 7, probability: 0.99, label: Some(7) };
    let wrong = Reading { class: 2, probability: 0.873, ..right };
    let read = predictions(&images, &[right, wrong], &[], 2).unwrap();
    assert!(read.text().ends_with("row by row: 7, 99.0 %; 2, not 7, 87.3 %. Wrong: 1."), "{}", read.text());
    assert!(count(&read, ORANGE) > 0);
    let unknown = Reading { label: None, ..wrong };
    assert_eq!(count(&predictions(&images, &[right, unknown], &[], 2).unwrap(), ORANGE), 0);
    let missed = mistakes(&images, &[wrong, wrong], 168, &["0", "1", "zwei", "3", "4", "5", "6", "sieben"], 1).unwrap();
    assert!(missed.text().starts_with("2 of 168 mistakes: sieben read as zwei, 87.3 %;"), "{}", missed.text());
    assert!(error(mistakes(&images, &[unknown, unknown], 2, &[], 1)).contains("label"));
    assert!(error(digits(&images, &[7], &[], 1)).contains("must be 2, as there are images"));
    assert!(error(digits(&images, &[7, 3], &[], 0)).contains("rows of 0"));
    assert!(error(digits(&images, &[7, 3], &["a", "b"], 1)).contains("below 2"));
}

#[test]
fn filters_show_sign_by_colour_and_magnitude_by_strength() {
    let mut weights = vec![0.0; 4 * 3 * 25];
    (weights[0], weights[1], weights[2]) = (2.0, -2.0, 1.0);
    let figure = filters("C1", [4, 3, 5, 5], &weights, None).unwrap();
    assert!(figure.text().contains("from -2.000 to 2.000"), "{}", figure.text());
    let square = 40 * 40;
    assert!(count(&figure, tint(BLUE_LINE, 0.5)) >= square && count(&figure, ORANGE) >= square);
    // On a scale twice as wide, the strongest is half as strong.
    let wider = filters("C1", [4, 3, 5, 5], &weights, Some(4.0)).unwrap();
    assert!(count(&wider, tint(BLUE_LINE, 0.5)) >= square && count(&wider, tint(ORANGE, 0.5)) >= square);
    assert!(error(filters("C1", [1, 1, 1, 1], &[f32::NAN], None)).contains("NaN"));
    assert!(error(filters("C1", [1, 1, 2, 2], &[0.0; 3], None)).contains("3 values"));
    assert!(filters("C1", [0, 1, 5, 5], &[], None).is_err());
}

#[test]
fn feature_maps_show_every_layer() {
    let (c1, output) = (vec![1.0; 6 * 24 * 24], [0.0, -3.0, 1.5]);
    let c1 = Maps { name: "C1", shape: [6, 24, 24], values: &c1 };
    let output = Maps { name: "Output", shape: [1, 1, 3], values: &output };
    let figure = feature_maps("A digit", &[c1, output], &["cat", "dog", "hat"]).unwrap();
    let words = "A digit. C1: 6 of 24 by 24 values from 1.00 to 1.00. Output: 3 values from -3.00 to 1.50.";
    assert_eq!(figure.text(), words);
    assert!(count(&figure, BLUE_LINE) > 6 * 290 * 290 && count(&figure, tint(BLUE_LINE, 0.5)) > 1000);
    assert!(feature_maps("nothing", &[], &[]).is_err());
    assert!(feature_maps("names", &[output], &["cat"]).is_err());
    assert!(feature_maps("short", &[Maps { shape: [1, 1, 4], ..output }], &[]).is_err());
}

fn row(name: &str, kind: &str, output: &[usize], parameters: usize) -> Row {
    let (name, kind, output) = (name.into(), kind.into(), output.into());
    Row { name, kind, output, parameters, ..Row::default() }
}

#[test]
fn the_architecture_has_a_sheet_for_every_map() {
    let mut rows = vec![
        row("Input", "image", &[1, 28, 28], 0),
        row("C1", "Conv2D 5x5", &[6, 24, 24], 156),
        row("S2", "AvgPool2D 2x2", &[6, 12, 12], 0),
        row("Flatten", "Flatten", &[864], 0),
        row("Output", "Linear", &[10], 8_650),
    ];
    let figure = architecture(&rows).unwrap();
    let words =
        "The network, layer by layer: Input (image) 1 × 28 × 28 → C1 (Conv2D 5x5) 6 × 24 × 24 → S2 (AvgPool2D 2x2) \
                 6 × 12 × 12 → Flatten (Flatten) 864 → Output (Linear) 10. 8,806 parameters in all.";
    assert_eq!(figure.text(), words);
    assert!(count(&figure, BLUE_LINE) > 1000 && count(&figure, ORANGE) > 1000);
    let table = layer_table(&rows[1..]).to_string();
    assert!(table.contains("C1 (Conv2D 5x5)    | (None, 6, 24, 24) |     156 |"), "{table}");
    assert!(table.contains("Flatten ") && table.ends_with("Non-trainable params: 0"), "{table}");
    rows.push(row("Odd", "Odd", &[2, 2], 0));
    assert!(error(architecture(&rows)).contains("[2, 2] from Odd"));
}

#[test]
fn tables_are_escaped_and_aligned() {
    let mut table = Table::new("a \"quoted\" caption", ["Name", "Count"]);
    table.row(["<script>alert(1)</script>", "1"]);
    table.row(["b & c", "1,000"]);
    table.line("Total: 1,001 < 2,000");
    let html = table.html();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;alert(1)"), "{html}");
    assert!(html.contains("aria-label=\"a &quot;quoted&quot; caption\"") && html.contains("b &amp; c"), "{html}");
    assert!(html.contains("<td style=\"text-align:right\">1,000</td>"), "{html}");
    assert!(html.contains("colspan=\"2\" style=\"text-align:left\">Total: 1,001 &lt; 2,000</td>"), "{html}");
    assert_eq!(table.to_string().lines().last(), Some("Total: 1,001 < 2,000"));
}
