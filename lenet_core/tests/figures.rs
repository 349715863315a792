//! Figures show what they must, as SVG, as PNG and in words.

use ab_glyph::{Font, FontRef};
use lenet_core::dfdx::prelude::*;
use lenet_core::plot::Figure;
use lenet_core::{plot, Epoch, Error, History, LeNet5};

const BLUE: [u8; 3] = [0x1f, 0x77, 0xb4];
const ORANGE: [u8; 3] = [0xff, 0x7f, 0x0e];

fn history(epochs: usize) -> History {
    let epoch = |i: usize| {
        let x = 1.0 / i as f32;
        Epoch {
            loss: 0.05 + 0.3 * x,
            accuracy: 0.99 - 0.09 * x,
            val_loss: Some(0.06 + 0.1 * x),
            val_accuracy: Some(0.985 - 0.03 * x),
            seconds: 1.0,
        }
    };
    History { epochs: (1..=epochs).map(epoch).collect(), ..History::default() }
}

/// A PNG's width, height and pixels.
fn decode(png: &[u8]) -> (usize, usize, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(png).read_info().expect("a PNG");
    let mut bytes = vec![0; reader.output_buffer_size()];
    let info = reader.next_frame(&mut bytes).expect("a whole PNG");
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width as usize, info.height as usize, bytes.as_chunks::<3>().0.to_vec())
}

/// The value of an attribute of an SVG element.
fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, rest) = element.split_once(&format!(" {name}=\"")).unwrap_or_else(|| panic!("no {name} in {element}"));
    rest.split('"').next().expect("a closed attribute")
}

/// The points of the longest polyline of a colour.
fn longest_line(svg: &str, color: &str) -> Vec<(f64, f64)> {
    let lines = svg.split("<polyline").skip(1).filter(|line| attribute(line, "stroke").eq_ignore_ascii_case(color));
    let points = lines.map(|line| {
        let points = attribute(line, "points").split_whitespace();
        points.map(|point| point.split_once(',').expect("a pair")).map(|(x, y)| (number(x), number(y))).collect()
    });
    points.max_by_key(Vec::len).unwrap_or_default()
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number")
}

fn texts(svg: &str) -> Vec<&str> {
    let elements = svg.split("<text").skip(1);
    elements.map(|e| e.split_once('>').expect("an open tag").1.split('<').next().expect("a text").trim()).collect()
}

/// Left, top, right and bottom of each text, and the text.
fn text_boxes(svg: &str) -> Vec<([f64; 4], &str)> {
    let font = FontRef::try_from_slice(include_bytes!("../assets/DejaVuSans-subset.ttf")).expect("a font");
    let elements = svg.split("<text").skip(1).zip(texts(svg));
    elements
        .map(|(element, text)| {
            let [x, y, size] = ["x", "y", "font-size"].map(|name| number(attribute(element, name)));
            let advance: f32 = text.chars().map(|letter| font.h_advance_unscaled(font.glyph_id(letter))).sum();
            let width = size * f64::from(advance / font.units_per_em().expect("units"));
            let before = match attribute(element, "text-anchor") {
                "start" => 0.0,
                "middle" => width / 2.0,
                _ => width,
            };
            // The baseline is 0.76 em below y; letters reach 0.76 em above it and 0.24 em below.
            let bounds = if element.contains("rotate(270") {
                [x, y + before - width, x + size, y + before]
            } else {
                [x - before, y, x - before + width, y + size]
            };
            (bounds, text)
        })
        .collect()
}

/// All text stands on the page, and no text touches another.
fn assert_readable(figure: &Figure) {
    let root = figure.svg().split('>').next().expect("a root");
    let page: Vec<f64> = attribute(root, "viewBox").split(' ').map(number).collect();
    let boxes = text_boxes(figure.svg());
    for (i, ([left, top, right, bottom], text)) in boxes.iter().enumerate() {
        assert!(*left >= 0.0 && *top >= 0.0 && *right <= page[2] && *bottom <= page[3], "{text:?} is clipped");
        for ([left2, top2, right2, bottom2], text2) in &boxes[..i] {
            let apart = left >= right2 || left2 >= right || top >= bottom2 || top2 >= bottom;
            assert!(apart, "{text:?} and {text2:?} overlap");
        }
    }
}

#[test]
fn text_is_neither_clipped_nor_overlapping() {
    let dev = Cpu::default();
    let labels = vec![7, 3];
    let mut nan = history(10);
    (nan.epochs[2].loss, nan.epochs[3].val_loss) = (f32::NAN, Some(f32::NAN));
    let mut large = history(3);
    large.epochs[0].loss = 1e30;
    let c3: Tensor<Rank4<16, 6, 5, 5>, f32, _> = dev.sample_normal();
    let c1: Tensor<Rank4<6, 1, 5, 5>, f32, _> = dev.sample_normal();
    let f6: Tensor<Rank1<84>, f32, _> = dev.sample_normal();
    let mistakes = [plot::Mistake { index: 0, label: 4, predicted: 9, probability: 1.0 }; 2];
    let mut shares = [0.985; 10];
    (shares[1], shares[8]) = (1.0, 0.964);
    let figures = [
        plot::accuracy_by_class(&shares),
        plot::accuracy_by_class(&[1.0; 10]),
        plot::accuracy_by_class(&[0.0; 10]),
        plot::model_loss(&history(10)),
        plot::model_accuracy(&history(137)),
        plot::model_loss(&nan),
        plot::model_loss(&large),
        plot::digit(&two_images(), 0),
        plot::digits(&two_images(), &labels, 1, 2),
        plot::mistakes(&two_images(), &mistakes, 1, 2),
        plot::architecture::<LeNet5>(),
        plot::confusion(&[[1200; 10]; 10]),
        plot::bars("Accuracy by class", &[1.0; 10]),
        plot::filters("C3 after training", &c3),
        plot::filters("C1 before training", &c1),
        plot::feature_maps("One digit, layer by layer", &[("C3", &f6), ("Output", &f6)]),
    ];
    for figure in figures {
        assert_readable(&figure.unwrap());
    }
}

#[test]
fn loss_has_title_labels_legend_and_both_lines() {
    let figure = plot::model_loss(&history(10)).unwrap();
    let texts = texts(figure.svg());
    for text in ["Model Loss", "Epoch", "Loss", "Train", "Validation", "1", "10"] {
        assert!(texts.contains(&text), "{text:?} is not in {texts:?}");
    }
    let (train, validation) = (longest_line(figure.svg(), "#1f77b4"), longest_line(figure.svg(), "#ff7f0e"));
    assert_eq!((train.len(), validation.len()), (10, 10));
    // SVG counts downwards: a falling loss has growing y; and the epochs stand at equal distances.
    assert!(train.windows(2).all(|pair| pair[0].1 < pair[1].1), "{train:?}");
    let step = train[1].0 - train[0].0;
    assert!(train.windows(2).all(|pair| (pair[1].0 - pair[0].0 - step).abs() <= 1.0), "{train:?}");
    // 0.35 to 0.08 for training and 0.16 to 0.07 for validation: the lines keep these proportions.
    let share = (validation[9].1 - validation[0].1) / (train[9].1 - train[0].1);
    assert!((share - 0.09 / 0.27).abs() < 0.01, "{share}");
    assert_eq!(
        figure.text(),
        "Model Loss over 10 epochs. Train: from 0.3500 to 0.0800. Validation: from 0.1600 to 0.0700."
    );
}

#[test]
fn accuracy_rises_and_has_its_legend_on_the_left() {
    let figure = plot::model_accuracy(&history(10)).unwrap();
    let train = longest_line(figure.svg(), "#1f77b4");
    assert!(train.windows(2).all(|pair| pair[0].1 > pair[1].1), "{train:?}");
    let legend_x = |svg: &str| {
        let entry = svg.split("<text").find(|element| element.contains(">\nTrain\n")).expect("an entry");
        let width =
            number(attribute(svg.split("<svg").nth(1).expect("a root"), "viewBox").split(' ').nth(2).expect("four"));
        number(attribute(entry, "x")) / width
    };
    assert!(legend_x(figure.svg()) < 0.25);
    assert!(legend_x(plot::model_loss(&history(10)).unwrap().svg()) > 0.75);
    assert!(texts(figure.svg()).contains(&"Model accuracy"));
}

#[test]
fn png_and_svg_show_the_same_at_the_same_places() {
    let figure = plot::model_loss(&history(10)).unwrap();
    let (width, height, pixels) = decode(figure.png());
    // 20 by 8 inches, twice as dense as the SVG.
    assert_eq!((width, height), (2 * 1440, 2 * 576));
    let root = figure.svg().split('>').next().expect("a root");
    assert_eq!((attribute(root, "width"), attribute(root, "height")), ("1440", "576"));
    let scale = width as f64 / number(attribute(root, "viewBox").split(' ').nth(2).expect("four numbers"));
    for (color, hex) in [(BLUE, "#1f77b4"), (ORANGE, "#ff7f0e")] {
        for (x, y) in longest_line(figure.svg(), hex) {
            let (column, row) = ((x * scale) as usize, (y * scale) as usize);
            assert_eq!(pixels[row * width + column], color, "at {column}, {row}");
        }
    }
    assert!([0, width - 1, pixels.len() - 1].iter().all(|&corner| pixels[corner] == [255; 3]), "a white page");
    // Each text in the SVG has ink at its place in the PNG.
    for element in figure.svg().split("<text").skip(1).filter(|element| !element.contains("rotate")) {
        let (x, y) = (number(attribute(element, "x")) * scale, number(attribute(element, "y")) * scale);
        let size = number(attribute(element, "font-size")) * scale;
        let (left, right) = ((x - size).max(0.0) as usize, ((x + size) as usize).min(width));
        let mut rows = y as usize..(y + size) as usize;
        let inked = rows.any(|row| (left..right).any(|column| pixels[row * width + column][0] < 100));
        assert!(inked, "no ink near {element}");
    }
}

#[test]
fn few_epochs_missing_validation_and_nan_make_clear_figures() {
    let one = plot::model_loss(&history(1)).unwrap();
    assert_eq!(one.text(), "Model Loss over 1 epoch. Train: 0.3500. Validation: 0.1600.");
    let (_, _, pixels) = decode(one.png());
    assert!(pixels.contains(&BLUE) && pixels.contains(&ORANGE));

    let mut history = history(10);
    history.epochs[4].loss = f32::NAN;
    let figure = plot::model_loss(&history).unwrap();
    assert_eq!(longest_line(figure.svg(), "#1f77b4").len(), 5);
    assert!(texts(figure.svg()).contains(&"Train (not finite in epoch 5)"));

    for epoch in &mut history.epochs {
        (epoch.val_loss, epoch.loss) = (None, 0.5);
    }
    let figure = plot::model_loss(&history).unwrap();
    assert!(!texts(figure.svg()).contains(&"Validation"));
    assert!(!decode(figure.png()).2.contains(&ORANGE));
    assert_eq!(longest_line(figure.svg(), "#1f77b4").len(), 10);
}

#[test]
fn nothing_to_draw_is_an_error_in_plain_words() {
    let empty = plot::model_loss(&History::default()).unwrap_err();
    assert!(matches!(empty, Error::Draw(_)) && empty.to_string().contains("no epochs"), "{empty}");
    let mut history = history(2);
    for epoch in &mut history.epochs {
        (epoch.accuracy, epoch.val_accuracy) = (f32::NAN, Some(f32::INFINITY));
    }
    let nan = plot::model_accuracy(&history).unwrap_err();
    assert!(nan.to_string().contains("no accuracy"), "{nan}");
}

#[test]
fn extreme_values_do_not_panic() {
    for (low, high) in
        [(f32::MIN, f32::MAX), (0.0, f32::MIN_POSITIVE), (1.0, 1.0 + f32::EPSILON), (1e9, 1e9), (-1.0, 1e30)]
    {
        let mut history = history(3);
        (history.epochs[0].loss, history.epochs[1].loss) = (low, high);
        plot::model_loss(&history).unwrap_or_else(|error| panic!("{low} to {high}: {error}"));
    }
    plot::model_loss(&self::history(1000)).unwrap();
}

/// A batch of two images: one pixel of ink at (3, 5), then all ink.
fn two_images() -> Tensor<Rank3<2, 28, 28>, u8, Cpu> {
    let mut pixels = vec![0; 2 * 28 * 28];
    pixels[3 * 28 + 5] = 255;
    pixels[28 * 28..].fill(255);
    Cpu::default().tensor_from_vec(pixels, (Const, Const, Const))
}

#[test]
fn a_digit_has_hard_pixels_in_the_right_place() {
    let figure = plot::digit(&two_images(), 0).unwrap();
    let (_, _, pixels) = decode(figure.png());
    let count = |grey: u8| pixels.iter().filter(|&&pixel| pixel == [grey; 3]).count();
    // One of 784 equal squares is white ink; the page's margins are white too, so count black.
    let square = count(0) / 783;
    assert_eq!(count(0), 783 * square);
    assert!(figure.text().contains("1 of them not black"), "{}", figure.text());

    // Normalised, with a channel, and alone, it is the same picture.
    let dev = Cpu::default();
    let normalised = two_images().as_vec().iter().map(|&pixel| f32::from(pixel) / 255.0).collect::<Vec<_>>();
    let batch: Tensor<Rank4<2, 1, 28, 28>, f32, _> =
        dev.tensor_from_vec(normalised.clone(), (Const, Const, Const, Const));
    let alone: Tensor<Rank2<28, 28>, f32, _> = dev.tensor_from_vec(normalised[..28 * 28].to_vec(), (Const, Const));
    assert_eq!(plot::digit(&batch, 0).unwrap().png(), figure.png());
    assert_eq!(plot::digit(&alone, 0).unwrap().png(), figure.png());
    assert_ne!(plot::digit(&batch, 1).unwrap().png(), figure.png());
}

#[test]
fn a_grid_of_digits_has_a_label_above_each() {
    let labels: Tensor<Rank1<2>, u8, Cpu> = Cpu::default().tensor([7, 3]);
    let figure = plot::digits(&two_images(), &labels, 1, 2).unwrap();
    assert_eq!(texts(figure.svg()), ["7", "3"]);
    assert_eq!(figure.svg().matches("<image ").count(), 2);
    assert_eq!(figure.text(), "2 images with their labels, row by row: 7 3.");
}

#[test]
fn places_without_an_image_are_refused() {
    let labels = vec![7, 3];
    for (rows, columns) in [(0, 2), (2, 2), (usize::MAX, 2)] {
        let error = plot::digits(&two_images(), &labels, rows, columns).unwrap_err();
        assert!(error.to_string().contains("1 to 2 places"), "{error}");
    }
    let error = plot::digit(&two_images(), 2).unwrap_err();
    assert_eq!(error.to_string(), "index must be below 2, the number of images, got 2");
}

#[test]
fn files_are_written_or_the_error_names_the_path() {
    let figure = plot::model_loss(&history(2)).unwrap();
    let folder = std::env::temp_dir().join(format!("lenet-figures-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (png, svg) = (folder.join("loss.png"), folder.join("loss.svg"));
    figure.save_png(&png).unwrap();
    figure.save_svg(&svg).unwrap();
    assert_eq!(std::fs::read(&png).unwrap(), figure.png());
    assert_eq!(std::fs::read_to_string(&svg).unwrap(), figure.svg());
    std::fs::remove_dir_all(&folder).unwrap();
    let error = figure.save_png(&png).unwrap_err();
    assert!(error.to_string().contains("loss.png"), "{error}");
}

#[test]
fn architecture_names_every_layer_of_the_type() {
    let figure = plot::architecture::<LeNet5>().unwrap();
    let texts = texts(figure.svg());
    for text in ["Input", "C1", "S2", "C3", "S4", "Flatten", "C5", "F6", "Output"] {
        assert_eq!(texts.iter().filter(|&&t| t == text).count(), 1, "{text}");
    }
    for text in
        ["1 × 28 × 28", "16 × 8 × 8", "Conv2D 5x5", "30,840", "learns; its number of parameters in blue, 44,426 in all"]
    {
        assert!(texts.contains(&text), "{text:?} is not in {texts:?}");
    }
    // A sheet for each map: 1 + 6 + 6 + 16 + 16, four vectors, and the page, four target pixels and two keys.
    assert_eq!(figure.svg().matches("<rect").count(), 45 + 4 + 1 + 4 + 2);
}

#[test]
fn confusion_counts_and_names_the_most_frequent_mistake() {
    let mut counts = [[0; 10]; 10];
    for (digit, row) in counts.iter_mut().enumerate() {
        row[digit] = 1000;
    }
    (counts[4][9], counts[9][4]) = (12, 7);
    let figure = plot::confusion(&counts).unwrap();
    let texts = texts(figure.svg());
    assert_eq!(texts.iter().filter(|&&text| text == "1,000").count(), 10);
    assert!(texts.contains(&"12") && texts.contains(&"7"));
    assert!(texts.contains(&"98.8 %"), "1000 of 1012 fours: {texts:?}");
    assert_eq!(
        figure.text(),
        "Confusion matrix of 10,019 images: 10,000 (99.8 %) are read right. \
         The most frequent mistake: a 4 read as 9, 12 times."
    );
    // The frequent mistake is painted stronger than the rare one: less blue light.
    let fill = |count: &str| {
        let before = figure.svg().split(&format!(">\n{count}\n")).next().expect("a cell");
        let cell = before.rsplit("<rect").next().expect("a cell's colour");
        u8::from_str_radix(&attribute(cell, "fill")[5..], 16).expect("a colour")
    };
    assert!(fill("12") < fill("7"));
    assert!(plot::confusion(&[[0; 10]; 10]).is_err());
}

#[test]
fn bars_are_as_high_as_their_shares() {
    let mut shares = [0.0; 10];
    (shares[3], shares[8]) = (0.75, 0.25);
    let figure = plot::bars("Shares", &shares).unwrap();
    let height = |color: &str| {
        let bar = figure.svg().split("<rect").find(|element| element.contains(color)).expect("a bar");
        number(attribute(bar, "height"))
    };
    // The largest is blue; the other nine are a lighter blue, most of them of no height.
    let lighter = figure.svg().split("<rect").skip(2).map(|bar| number(attribute(bar, "height")));
    let second = lighter.filter(|&h| h < height("#1F77B4")).fold(0.0, f64::max);
    assert_eq!(height("#1F77B4"), 3.0 * second);
    assert!(texts(figure.svg()).contains(&"75.0 %"));
    for wrong in [-0.1, 1.5, f32::NAN] {
        shares[0] = wrong;
        assert!(plot::bars("Shares", &shares).is_err(), "{wrong}");
    }
}

#[test]
fn filters_show_sign_by_colour_and_magnitude_by_strength() {
    let mut weights = vec![0.0; 4 * 3 * 5 * 5];
    (weights[0], weights[1], weights[2]) = (2.0, -2.0, 1.0);
    let weights: Tensor<Rank4<4, 3, 5, 5>, f32, Cpu> =
        Cpu::default().tensor_from_vec(weights, (Const, Const, Const, Const));
    let figure = plot::filters("C1", &weights).unwrap();
    // Twelve filters and the key.
    assert_eq!(figure.svg().matches("<image ").count(), 4 * 3 + 1);
    let (_, _, pixels) = decode(figure.png());
    let half = BLUE.map(|part| (255.0 - 0.5 * (255.0 - f32::from(part))).round() as u8);
    assert!(pixels.contains(&BLUE) && pixels.contains(&ORANGE) && pixels.contains(&half));
    assert!(figure.text().contains("from -2.000 to 2.000"), "{}", figure.text());
    let broken: Tensor<Rank4<1, 1, 1, 1>, f32, Cpu> = Cpu::default().tensor([[[[f32::NAN]]]]);
    assert!(plot::filters("C1", &broken).unwrap_err().to_string().contains("NaN"));
}

#[test]
fn feature_maps_show_every_map_of_every_layer() {
    let dev = Cpu::default();
    let c1: Tensor<Rank4<1, 6, 24, 24>, f32, _> = dev.ones();
    let f6: Tensor<Rank2<1, 84>, f32, _> = dev.zeros();
    let figure = plot::feature_maps("A digit", &[("C1", &c1), ("F6", &f6)]).unwrap();
    assert_eq!(figure.svg().matches("<image ").count(), 6 + 1);
    assert!(["A digit", "C1", "F6"].iter().all(|name| texts(figure.svg()).contains(name)));
    assert!(figure.text().contains("C1: 6 of 24 by 24 values from 1.00 to 1.00"), "{}", figure.text());
    assert!(plot::feature_maps("nothing", &[]).is_err());
}

#[test]
fn mistakes_stand_under_label_reading_and_probability() {
    let mistake = plot::Mistake { index: 1, label: 4, predicted: 9, probability: 0.873 };
    let figure = plot::mistakes(&two_images(), &[mistake], 2, 5).unwrap();
    assert_eq!(texts(figure.svg()), ["4 read as 9", "87.3 %"]);
    assert_eq!(figure.text(), "1 of 1 mistakes: 4 read as 9, 87.3 %.");
    let missing = plot::Mistake { index: 2, ..mistake };
    assert!(plot::mistakes(&two_images(), &[missing], 2, 5).unwrap_err().to_string().contains("below 2"));
    assert!(plot::mistakes(&two_images(), &[], 2, 5).is_err());
    assert!(plot::mistakes(&two_images(), &[mistake], 0, 5).is_err());
}

#[test]
fn words_from_outside_are_escaped() {
    let figure = plot::bars("<script>&\"", &[0.1; 10]).unwrap();
    assert!(!figure.svg().contains("<script"), "{}", figure.svg());
    assert!(figure.svg().contains("&lt;script&gt;&amp;&quot;"), "{}", figure.svg());
}

/// A PNG whose rows are a fraction of a pixel too long comes out sheared.
#[test]
fn a_png_has_two_pixels_for_each_of_the_svg() {
    fn check<const O: usize>() {
        let weights: Tensor<Rank4<O, 2, 5, 5>, f32, _> = Cpu::default().sample_normal();
        let figure = plot::filters("Filters", &weights).unwrap();
        let [width, height] = ["width", "height"].map(|name| number(attribute(figure.svg(), name)));
        let (columns, rows, _) = decode(figure.png());
        assert_eq!((columns as f64, rows as f64), (2.0 * width, 2.0 * height), "{O} filters");
    }
    check::<7>();
    check::<13>();
    check::<17>();
    check::<19>();
    check::<23>();
}
