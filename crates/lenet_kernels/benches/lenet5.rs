//! The layers of LeNet-5, forward and backward, for 32 images on one thread: the least of many runs, in microseconds.
//!
//! `cargo bench -p lenet_kernels`, or for one instruction set `cargo bench -p lenet_kernels -- avx2`. With `-- tricks` it is
//! told what they would take without one of the kernels' tricks.

use std::time::Instant;

#[allow(dead_code)]
#[path = "../tests/it/naive.rs"]
mod naive;

use lenet_kernels::{to_blocks, to_rows, Activation, Buffer, Conv, Dense, Isa, Pool, Pooling};
use naive::values;

const IMAGES: usize = 32;
const ROUNDS: usize = 1000;

type Work = Box<dyn FnMut()>;

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if only.as_deref() == Some("tricks") {
        return tricks();
    }
    for isa in Isa::available().into_iter().filter(|isa| only.as_ref().is_none_or(|only| only == isa.name())) {
        let mut all = work(isa);
        let least = measure([&mut all]).concat();
        println!("{isa:?}");
        for ((name, _), least) in all.iter().zip(&least) {
            println!("  {name:16} {least:8.1}");
        }
        println!("  {:16} {:8.1}", "all", least.iter().sum::<f64>());
    }
}

/// The least time of each piece of work of some groups, in turns, in microseconds.
fn measure<const N: usize>(mut groups: [&mut Vec<(String, Work)>; N]) -> [Vec<f64>; N] {
    let mut least = groups.each_ref().map(|group| vec![f64::INFINITY; group.len()]);
    for _ in 0..ROUNDS {
        for (group, least) in groups.iter_mut().zip(&mut least) {
            for ((_, work), least) in group.iter_mut().zip(least) {
                let start = Instant::now();
                work();
                *least = least.min(start.elapsed().as_nanos() as f64 / 1e3);
            }
        }
    }
    least
}

/// What all layers would take without one of the tricks, as a table in Markdown.
fn tricks() {
    let isa = Isa::best();
    let (mut all, mut plain, mut apart) = (work(isa), convolutions(isa, None, None), activations_and_pools(isa));
    let mut product = vec![("product".to_owned(), dense(isa, (256, 192)).remove(1))];
    let [all, plain, apart, product] =
        measure([&mut all, &mut plain, &mut apart, &mut product]).map(|times| sum(&times));
    let mut fused = convolutions(isa, TANH, AVERAGE);
    let fused = sum(&measure([&mut fused])[0]);
    // Products of the convolutions: C1's forward and for its weights, C3's for its input as well.
    let textbook = (2 * 24 * 24 * 6 * 25 + 3 * 8 * 8 * 16 * 6 * 25) as f64 / (256 * 192) as f64 * product;
    println!("| {IMAGES} images, one thread | microseconds | times |");
    println!("| --- | --- | --- |");
    let row = |name: &str, time: f64| println!("| {name} | {time:.0} | {:.2} |", time / all);
    row(&format!("all layers forward and backward, {isa:?}"), all);
    row("without fusing: activation and pooling as passes of their own", all - fused + plain + apart);
    row(
        "without Winograd, at the least: the textbook's products as fast as the largest dense ones",
        all - plain + textbook,
    );
    for other in Isa::available().into_iter().rev().skip(1) {
        let mut work = work(other);
        row(&format!("without {isa:?}: {other:?} vectors"), sum(&measure([&mut work])[0]));
    }
}

fn sum(times: &[f64]) -> f64 {
    times.iter().sum()
}

fn buffer(len: usize, seed: u32) -> Buffer {
    let mut buffer = Buffer::new();
    buffer.resized(len).copy_from_slice(&values(len, seed));
    buffer
}

const TANH: Option<Activation> = Some(Activation::Tanh);
const AVERAGE: Option<(Pooling, usize)> = Some((Pooling::Average, 2));
/// Channels, side and filters of C1 and C3.
const CONVOLUTIONS: [(&str, usize, usize, usize); 2] = [("C1", 1, 28, 6), ("C3", 6, 12, 16)];

/// Images that are worked on in blocks.
fn in_blocks(isa: Isa) -> usize {
    IMAGES.next_multiple_of(isa.lanes())
}

/// A pass in order, layer by layer.
fn work(isa: Isa) -> Vec<(String, Work)> {
    let images = in_blocks(isa);
    let (rows, mut x) = (values(IMAGES * 784, 1), buffer(images * 784, 1));
    let (y, mut flat) = (buffer(images * 256, 1), buffer(IMAGES * 256, 1));
    let mut all: Vec<(String, Work)> = vec![
        ("to blocks".to_owned(), Box::new(move || to_blocks(isa, &rows, 784, &mut x))),
        ("to rows".to_owned(), Box::new(move || to_rows(isa, &y, 256, &mut flat))),
    ];
    all.extend(convolutions(isa, TANH, AVERAGE));
    for (name, shape) in [("C5", (256, 120)), ("F6", (120, 84)), ("Output", (84, 10))] {
        all.extend(named(name, dense(isa, shape)));
    }
    all
}

fn named(layer: &str, work: Vec<Work>) -> impl Iterator<Item = (String, Work)> + use<'_> {
    ["prepare", "forward", "backward"].into_iter().zip(work).map(move |(what, work)| (format!("{layer} {what}"), work))
}

fn convolutions(isa: Isa, activation: Option<Activation>, pool: Option<(Pooling, usize)>) -> Vec<(String, Work)> {
    let mut all = Vec::new();
    for (name, inputs, side, outputs) in CONVOLUTIONS {
        let conv = Conv { isa, inputs, height: side, width: side, outputs, kernel: 5, activation, pool };
        all.extend(named(name, conv_work(conv)));
    }
    all
}

/// What follows a convolution, where it is not part of it.
fn activations_and_pools(isa: Isa) -> Vec<(String, Work)> {
    let (images, mut all) = (in_blocks(isa), Vec::<(String, Work)>::new());
    for (name, _, side, channels) in CONVOLUTIONS {
        let pool = Pool { isa, kind: Pooling::Average, window: 2, channels, height: side - 4, width: side - 4 };
        let (mut y, x) = (buffer(images * pool.input_len(), 1), buffer(images * pool.input_len(), 2));
        let (mut pooled, dy) = (buffer(images * pool.output_len(), 3), buffer(images * pool.output_len(), 4));
        let (y_back, mut dx) = (y.clone(), y.clone());
        all.push((
            name.to_owned(),
            Box::new(move || {
                Activation::Tanh.forward(isa, &mut y);
                pool.forward(&x, &mut pooled);
            }),
        ));
        all.push((
            name.to_owned(),
            Box::new(move || {
                pool.backward(&y_back, &dy, &mut dx);
                Activation::Tanh.backward(isa, &y_back, &mut dx);
            }),
        ));
    }
    all
}

fn conv_work(conv: Conv) -> Vec<Work> {
    let (images, Conv { inputs, outputs, .. }) = (in_blocks(conv.isa), conv);
    let (x, weight, bias) =
        (buffer(images * conv.input_len(), 1), values(outputs * inputs * 25, 2), values(outputs, 3));
    let [mut y, dy] = [4, 5].map(|seed| buffer(images * conv.output_len(), seed));
    let (mut prepared, mut saved) = (buffer(conv.prepared_len(), 1), buffer(images * conv.saved_len(), 1));
    let (mut scratch, mut scratch_back) = (Buffer::new(), Buffer::new());
    conv.prepare(&weight, &mut prepared);
    conv.forward(&x, &prepared, &bias, &mut y, &mut saved, &mut scratch);
    let (x_back, y_back, prepared_back, mut saved_back) = (x.clone(), y.clone(), prepared.clone(), saved.clone());
    let (mut dw, mut db, mut to) = (vec![0.0; weight.len()], vec![0.0; outputs], prepared.clone());
    let mut dx = (inputs > 1).then(|| x.clone());
    vec![
        Box::new(move || conv.prepare(&weight, &mut to)),
        Box::new(move || conv.forward(&x, &prepared, &bias, &mut y, &mut saved, &mut scratch)),
        Box::new(move || {
            let (dw, dx) = ((&mut dw[..], &mut db[..]), dx.as_deref_mut());
            conv.backward(&x_back, &y_back, &mut saved_back, &dy, &prepared_back, dw, dx, &mut scratch_back);
        }),
    ]
}

fn dense(isa: Isa, (inputs, outputs): (usize, usize)) -> Vec<Work> {
    let dense = Dense { isa, inputs, outputs };
    let (x, weight, bias) = (buffer(IMAGES * inputs, 1), values(inputs * outputs, 2), values(outputs, 3));
    let [mut y, y_back, dy, mut dz] = [4, 4, 5, 5].map(|seed| buffer(IMAGES * outputs, seed));
    let mut prepared = buffer(dense.prepared_len(), 1);
    dense.prepare(&weight, &mut prepared);
    let (mut dw, mut db, mut dx) = (vec![0.0; weight.len()], vec![0.0; outputs], x.clone());
    let (x_back, weight_back, mut to) = (x.clone(), weight.clone(), prepared.clone());
    vec![
        Box::new(move || dense.prepare(&weight, &mut to)),
        Box::new(move || {
            dense.forward(&x, &prepared, &bias, &mut y);
            Activation::Tanh.forward(isa, &mut y);
        }),
        Box::new(move || {
            dz.copy_from_slice(&dy);
            Activation::Tanh.backward(isa, &y_back, &mut dz);
            dense.backward(&x_back, &dz, &weight_back, (&mut dw, &mut db), Some(&mut dx));
        }),
    ]
}
