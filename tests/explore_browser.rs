//! The notebook that looks inside the network, in a real browser: its figures, and the panel to draw digits in.

use std::fs;
use std::sync::OnceLock;

use lenet_core::prelude::*;
use notebook_tests::{clean_copy_folder, output_folder, Panel, Views, EXPLORE_FIGURES};

const PATH: &str = "notebooks/explore.ipynb";
const OUTPUT: &str = "explore-browser";
const DIGITS: usize = 200;

/// What was seen, the labels of the test images that were painted, and the crate's probabilities for them.
struct Seen {
    views: Views,
    labels: Vec<usize>,
    probabilities: Vec<Vec<f32>>,
    /// What the stages of the network make of each image, one after the other.
    stages: Vec<Vec<f32>>,
}

/// The look that all tests here share, or `None` where there is no browser.
fn seen() -> Option<&'static Seen> {
    static SEEN: OnceLock<Option<Seen>> = OnceLock::new();
    SEEN.get_or_init(|| {
        let (_, (images, labels)) = mnist::load_data().expect("the data");
        let bytes: Vec<u8> = (0..DIGITS).flat_map(|index| images.row(index)).collect();
        fs::write(output_folder(OUTPUT).join("digits.bin"), bytes).expect("the digits' file");
        let views = Views::look(PATH, OUTPUT)?;
        // The notebook saved the weights that its panel holds.
        let weights_file = clean_copy_folder().join("target/weights/lenet5.safetensors");
        let mut network = LeNet5::glorot_uniform(0);
        weights::load(&mut network, weights_file).expect("the weights");
        let model = Model::compile(network.clone(), Adam::default()).expect("a model");
        let images = normalize(&images.reshape::<Rank4<10000, 1, 28, 28>>());
        let probabilities = model.predict(&images).expect("probabilities");
        Some(Seen {
            views,
            labels: (0..DIGITS).map(|index| usize::from(labels[[index]])).collect(),
            probabilities: (0..DIGITS).map(|index| probabilities.row(index)).collect(),
            stages: (0..DIGITS).map(|index| stages(&network, images.row(index))).collect(),
        })
    })
    .as_ref()
}

/// What C1, S2, C3, S4, C5, F6 and the output make of an image.
fn stages(network: &LeNet5, image: Vec<f32>) -> Vec<f32> {
    let image: Tensor<Rank4<1, 1, 28, 28>, f32, Cpu> = Cpu::default().tensor(image);
    let c1 = network.0 .0.forward(image).tanh();
    let s2 = network.0 .2.forward(c1.clone());
    let c3 = network.1 .0.forward(s2.clone()).tanh();
    let s4 = network.1 .2.forward(c3.clone());
    let c5 = network.3.forward(Flatten.forward(s4.clone()));
    let f6 = network.4.forward(c5.clone());
    let output = network.5.forward(f6.clone());
    [c1.as_vec(), s2.as_vec(), c3.as_vec(), s4.as_vec(), c5.as_vec(), f6.as_vec(), output.as_vec()].concat()
}

/// The panel in JupyterLab and in the exported page.
fn panels(seen: &Seen) -> [(&'static str, Panel); 2] {
    ["lab", "page"].map(|view| (view, seen.views.panel(view)))
}

#[test]
fn run_all_in_jupyterlab_runs_every_cell() {
    let Some(Seen { views, .. }) = seen() else {
        return;
    };
    assert_eq!(views.failed(), Vec::<String>::new(), "these cells failed");
    assert!(views.done(), "some cells were not run");
    assert!(!views.trusted(), "so the view without trust showed nothing about it");
}

#[test]
fn figures_are_painted_in_every_view() {
    let Some(Seen { views, .. }) = seen() else {
        return;
    };
    for view in ["lab", "untrusted", "page"] {
        for id in EXPLORE_FIGURES {
            let pictures = views.figures(view, id, "img");
            assert_eq!(pictures.len(), 1, "[{id}] in {view}: {pictures:?}");
            let picture = pictures[0];
            assert!(picture.width > 500.0 && picture.height > 100.0, "[{id}] in {view}: {picture:?}");
            // The map's text is its digits, in ten colours.
            let text = if *id == "map" { picture.blue.min(picture.orange) } else { picture.dark };
            assert!(text > 0.0005 && picture.light > 0.1, "[{id}] in {view} lacks text or ground: {picture:?}");
            assert!(picture.colours > 50.0, "[{id}] in {view} lacks colours: {picture:?}");
        }
        // What is right is pale in the confusion matrix; of ten points for the classes, one is orange.
        for (id, blue, orange) in [
            ("confusion", 0.0, 0.02),
            ("classes", 0.002, 0.0003),
            ("c1-after", 0.01, 0.01),
            ("c3-after", 0.01, 0.01),
            ("maps", 0.01, 0.01),
        ] {
            let picture = views.figures(view, id, "img")[0];
            assert!(picture.blue >= blue && picture.orange > orange, "[{id}] in {view}: {picture:?}");
        }
    }
}

#[test]
fn without_trust_a_picture_stands_for_the_panel() {
    let Some(Seen { views, .. }) = seen() else {
        return;
    };
    let pictures = views.figures("untrusted", "draw", "img");
    assert_eq!(pictures.len(), 1, "{pictures:?}");
    // The drawing is a 13th of it, and around it stand the maps.
    let picture = pictures[0];
    assert!(picture.width > 500.0 && picture.dark > 0.07, "{picture:?}");
    assert!(picture.blue > 0.03 && picture.orange > 0.03, "{picture:?}");
    for view in ["lab", "page"] {
        assert!(views.figures(view, "draw", "img").is_empty(), "{view} shows panel and picture");
    }
}

#[test]
fn the_page_computes_the_probabilities_of_the_crate() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        assert_eq!(panel.forward.len(), DIGITS, "{view}");
        for (index, (page, ours)) in panel.forward.iter().zip(&seen.probabilities).enumerate() {
            for (a, b) in page.iter().zip(ours) {
                let difference = (a - f64::from(*b)).abs();
                assert!(difference <= 1e-4, "image {index} in {view}: {page:?} and {ours:?}");
            }
        }
    }
}

#[test]
fn every_map_of_the_microscope_is_that_of_the_crate() {
    let Some(seen) = seen() else { return };
    for view in ["lab", "page"] {
        let bytes = fs::read(output_folder(OUTPUT).join(format!("{view}-stages.bin"))).expect("the page's values");
        let page =
            Vec::from_iter(bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four"))));
        let ours = seen.stages.concat();
        assert_eq!(page.len(), ours.len(), "{view}");
        let differences = page.iter().zip(&ours).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        let worst = differences.fold(0.0, f32::max);
        println!("{view}: {} values of {DIGITS} images, the worst off by {worst:e}", ours.len());
        assert!(worst <= 1e-5, "{worst} in {view}");
    }
}

#[test]
fn the_lens_explains_the_value_pointed_at() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        let [mouse, keys] = &panel.lens;
        for (row, name) in ["C1", "S2", "C3", "S4", "C5", "F6", "Output"].into_iter().enumerate() {
            assert!(mouse[row].starts_with(&format!("{name}, ")), "{mouse:?} in {view}");
            assert!(keys[row].starts_with(&format!("{name}, ")) && keys[row] != mouse[row], "{keys:?} in {view}");
        }
        assert_eq!(panel.chosen, ["window in S2, map 1"], "{view}");
        assert!(panel.largest[0] < 0.4 && panel.largest[1] > 0.9, "{:?} in {view}", panel.largest);
    }
}

fn median(milliseconds: &[f64]) -> f64 {
    let mut sorted = milliseconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[test]
fn a_stroke_fits_into_a_frame() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        let step = median(&panel.steps);
        println!("{view}: median {step:.1} ms a step of a stroke, microscope included");
        assert!(step < 16.0, "{:?} in {view}", panel.steps);
    }
}

#[test]
fn painted_digits_are_recognised() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        for (edges, read) in ["smooth", "hard"].into_iter().zip(&panel.painted) {
            let right = read.iter().zip(&seen.labels).filter(|(a, b)| a == b).count();
            println!("{view}, {edges} edges: {right} of {DIGITS} painted digits are read right");
            assert!(right * 100 >= DIGITS * 97, "{right} of {DIGITS} with {edges} edges in {view}");
        }
    }
}

#[test]
fn the_panel_answers_at_once() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        let [image, delay] = [&panel.milliseconds, &panel.delays].map(|times| median(times));
        println!("{view}: median {image:.1} ms a painted image, {delay:.1} ms from the mouse to the bars");
        assert!(image < 50.0, "{:?} in {view}", panel.milliseconds);
        assert!(delay < 50.0, "{:?} in {view}", panel.delays);
    }
}

#[test]
fn strokes_and_keys_draw_and_clear() {
    let Some(seen) = seen() else { return };
    for (view, panel) in panels(seen) {
        assert_eq!(panel.answers, ["7", "?"], "{view}");
        assert_eq!(panel.keyboard[0], "?", "{view}");
        assert_eq!(panel.keyboard[1], "1", "{view}");
        assert_eq!(panel.keyboard[2], "?", "{view}");
        let picture = panel.picture;
        assert!(picture.dark > 0.05, "{view} shows no canvas: {picture:?}");
        assert!(picture.blue > 0.03 && picture.orange > 0.03, "{view} shows no maps: {picture:?}");
    }
}

#[test]
fn a_finger_draws_on_a_small_screen() {
    let Some(Seen { views, .. }) = seen() else {
        return;
    };
    let [answer, lens] = views.by_finger();
    assert_eq!(answer, "7");
    assert!(lens.starts_with("C3, map "), "{lens}");
    assert_eq!(views.overflow().as_array().map(Vec::len), Some(0), "{}", views.overflow());
}

#[test]
fn two_panels_on_a_page_do_not_meet() {
    let Some(Seen { views, .. }) = seen() else {
        return;
    };
    for theme in ["light", "dark"] {
        let two = views.two_panels(theme);
        assert_eq!(two.answers, ["?", "7"], "{theme}");
        assert!(two.ink[0] == 0.0 && two.ink[1] > 1000.0, "{theme}: {:?}", two.ink);
        assert_eq!(two.requests, Vec::<String>::new(), "the panel needs the network");
        assert!(two.picture.blue > 0.005, "{theme}: {:?}", two.picture);
    }
    let [light, dark] = ["light", "dark"].map(|theme| views.two_panels(theme).picture);
    assert!(light.light > 0.3 && dark.light < 0.2, "{light:?}, {dark:?}");
}
