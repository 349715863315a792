//! The panel's page prepares a drawing as the crate prepares a picture. Needs node.

use std::process::Command;

use lenet_mnist::picture::{prepare, read_picture, read_pictures, Grey};
use rand::rngs::StdRng;
use rand::SeedableRng;

use crate::files::Scratch;
use crate::ways::{file, image, Page, WAYS};

/// Reads pictures from a file: width, height and pixels of each. Writes a line for each: its 784 values, or the problem.
const SCRIPT: &str = "
const bytes = require('fs').readFileSync(process.argv[1]);
for (let at = 0; at < bytes.length;) {
  const [width, height] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
  const { pixels, problem } = prepare(Float64Array.from(bytes.subarray(at += 8, at += width * height)), width);
  console.log(pixels ? pixels.join(' ') : problem);
}";

/// Grey pictures: test images in every way, drawn shapes that are no digit, and the pictures in the folder `LENET_DIGITS`.
fn pictures() -> Vec<Grey> {
    let (scratch, mut random) = (Scratch::new(), StdRng::seed_from_u64(3));
    let mut pictures = Vec::new();
    for way in WAYS {
        for index in 0..12 {
            let path = scratch.write("picture", &file(way, image(31 * index), &mut random));
            pictures.extend(read_picture(path).map(|picture| picture.original));
        }
    }
    if let Some(folder) = std::env::var_os("LENET_DIGITS") {
        let read = read_pictures(folder).unwrap().into_iter();
        pictures.extend(read.filter_map(|(_, picture)| Some(picture.ok()?.original)));
    }
    // Fat strokes, and a picture that is made smaller.
    for (scale, bolder) in [(5.0, 8.0), (25.0, 1.0)] {
        let page = Page::enlarged(image(3), scale).sharp().bolder(bolder);
        let pixels = page.ink.iter().map(|ink| (255.0 * ink) as u8).collect();
        pictures.push(Grey { width: page.width, height: page.width, pixels });
    }
    let drawn = |ink: &dyn Fn(usize, usize) -> bool| {
        let pixels = (0..100 * 80).map(|at| if ink(at % 100, at / 100) { 250 } else { 10 });
        Grey { width: 100, height: 80, pixels: pixels.collect() }
    };
    pictures.push(drawn(&|_, _| false));
    pictures.push(drawn(&|x, y| x.abs_diff(30) < 10 && y.abs_diff(30) < 10));
    pictures.push(drawn(&|x, y| x.abs_diff(30) < 20 && y.abs_diff(30) < 3));
    pictures.push(drawn(&|x, y| x.abs_diff(30) < 2 && y.abs_diff(30) < 2));
    pictures.push(drawn(&|x, y| x.abs_diff(50).abs_diff(20) < 3 && y.abs_diff(40) < 25));
    pictures
}

#[test]
fn the_page_prepares_as_the_crate_does() {
    let (pictures, scratch, mut bytes) = (pictures(), Scratch::new(), Vec::new());
    for Grey { width, height, pixels } in &pictures {
        bytes.extend((*width as u32).to_le_bytes());
        bytes.extend((*height as u32).to_le_bytes());
        bytes.extend(pixels);
    }
    let path = scratch.write("pictures", &bytes);
    let script = format!("{}\n{SCRIPT}", include_str!("../../../lenet_figures/src/panel/preprocess.js"));
    let Ok(output) = Command::new("node").arg("-e").arg(script).arg(&path).output() else {
        eprintln!("node is not here: the page is not tested");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), pictures.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut refused = 0;
    for (index, (line, picture)) in lines.iter().zip(&pictures).enumerate() {
        let values: Vec<f32> = line.split(' ').map_while(|value| value.parse().ok()).collect();
        match prepare(picture) {
            Ok(prepared) => {
                assert_eq!(values.len(), 784, "picture {index}: {line}");
                let apart = prepared.pixels.iter().zip(values).map(|(a, b)| (a - b).abs());
                let most = apart.fold(0.0, f32::max);
                assert!(most < 1e-5, "picture {index}: {most} apart");
            }
            Err(problem) => {
                refused += 1;
                assert!(values.is_empty(), "picture {index}: {problem}, and the page reads it");
            }
        }
    }
    println!("{} pictures, {refused} refused by both", pictures.len());
    assert_eq!(refused, 5);
}
