//! The layers of LeNet-5, forward and backward, for 32 images on one thread: the least of many runs, in microseconds.
//!
//! `cargo bench -p lenet_kernels`, or for one instruction set `cargo bench -p lenet_kernels -- avx2`.

use std::time::Instant;

#[allow(dead_code)]
#[path = "../tests/it/naive.rs"]
mod naive;

use lenet_kernels::{to_blocks, to_rows, Activation, Buffer, Conv, Dense, Isa, Pooling};
use naive::values;

const IMAGES: usize = 32;
const ROUNDS: usize = 1000;

type Work = Box<dyn FnMut()>;

fn main() {
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for isa in Isa::available().into_iter().filter(|isa| only.as_ref().is_none_or(|only| only == isa.name())) {
        let mut all = Vec::from_iter(work(isa));
        let mut best = vec![f64::INFINITY; all.len()];
        for _ in 0..ROUNDS {
            for ((_, work), best) in all.iter_mut().zip(&mut best) {
                let start = Instant::now();
                work();
                *best = best.min(start.elapsed().as_nanos() as f64 / 1e3);
            }
        }
        println!("{isa:?}");
        for ((name, _), best) in all.iter().zip(&best) {
            println!("  {name:16} {best:8.1}");
        }
        println!("  {:16} {:8.1}", "all", best.iter().sum::<f64>());
    }
}

fn buffer(len: usize, seed: u32) -> Buffer {
    let mut buffer = Buffer::new();
    buffer.resized(len).copy_from_slice(&values(len, seed));
    buffer
}

/// A pass in order, layer by layer.
fn work(isa: Isa) -> impl Iterator<Item = (String, Work)> {
    let blocks = IMAGES.div_ceil(isa.lanes()) * isa.lanes();
    let (rows, mut x) = (values(IMAGES * 784, 1), buffer(blocks * 784, 1));
    let (y, mut flat) = (buffer(blocks * 256, 1), buffer(IMAGES * 256, 1));
    let [c1, c3] = [(1, 28, 6), (6, 12, 16)].map(|shape| conv(isa, blocks, shape));
    let [c5, f6, output] = [(256, 120), (120, 84), (84, 10)].map(|shape| dense(isa, shape));
    let moves: [(&str, Work); 2] = [
        ("to blocks", Box::new(move || to_blocks(isa, &rows, 784, &mut x))),
        ("to rows", Box::new(move || to_rows(isa, &y, 256, &mut flat))),
    ];
    let layers = [("C1", c1), ("C3", c3), ("C5", c5), ("F6", f6), ("Output", output)];
    let layers = layers.into_iter().flat_map(|(name, [prepare, forward, backward])| {
        [("prepare", prepare), ("forward", forward), ("backward", backward)]
            .map(|(what, work)| (format!("{name} {what}"), work))
    });
    moves.into_iter().map(|(name, work)| (name.to_string(), work)).chain(layers)
}

fn conv(isa: Isa, images: usize, (inputs, side, outputs): (usize, usize, usize)) -> [Work; 3] {
    let (activation, pool) = (Some(Activation::Tanh), Some((Pooling::Average, 2)));
    let conv = Conv { isa, inputs, height: side, width: side, outputs, kernel: 5, activation, pool };
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
    [
        Box::new(move || conv.prepare(&weight, &mut to)),
        Box::new(move || conv.forward(&x, &prepared, &bias, &mut y, &mut saved, &mut scratch)),
        Box::new(move || {
            let (dw, dx) = ((&mut dw[..], &mut db[..]), dx.as_deref_mut());
            conv.backward(&x_back, &y_back, &mut saved_back, &dy, &prepared_back, dw, dx, &mut scratch_back);
        }),
    ]
}

fn dense(isa: Isa, (inputs, outputs): (usize, usize)) -> [Work; 3] {
    let dense = Dense { isa, inputs, outputs };
    let (x, weight, bias) = (buffer(IMAGES * inputs, 1), values(inputs * outputs, 2), values(outputs, 3));
    let [mut y, y_back, dy, mut dz] = [4, 4, 5, 5].map(|seed| buffer(IMAGES * outputs, seed));
    let mut prepared = buffer(dense.prepared_len(), 1);
    dense.prepare(&weight, &mut prepared);
    let (mut dw, mut db, mut dx) = (vec![0.0; weight.len()], vec![0.0; outputs], x.clone());
    let (x_back, weight_back, mut to) = (x.clone(), weight.clone(), prepared.clone());
    [
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
