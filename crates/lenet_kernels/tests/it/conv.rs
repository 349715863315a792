//! The layer against plain loops, for every instruction set.

use crate::naive::{self, values};
use lenet_kernels::Conv;
use lenet_kernels::{to_blocks, to_rows, Activation, Buffer, Isa, Pooling};

/// Images as blocks; the lanes without an image hold NaN if `poison` is set.
fn blocks(isa: Isa, rows: &[f32], len: usize) -> Vec<f32> {
    let mut blocks = vec![0.0; (rows.len() / len).div_ceil(isa.lanes()) * isa.lanes() * len];
    to_blocks(isa, rows, len, &mut blocks);
    blocks
}

fn rows(isa: Isa, blocks: &[f32], len: usize, images: usize) -> Vec<f32> {
    let mut rows = vec![0.0; images * len];
    to_rows(isa, blocks, len, &mut rows);
    rows
}

/// What a pass of the layer gives: output, gradients of weights and biases (added to ones), and of the input.
fn pass(conv: &Conv, images: usize) -> [Vec<f32>; 4] {
    let isa = conv.isa;
    let x = blocks(isa, &values(images * conv.input_len(), 1), conv.input_len());
    let count = x.len() / conv.input_len();
    let (weight, bias) = (values(conv.outputs * conv.inputs * conv.kernel * conv.kernel, 2), values(conv.outputs, 3));
    let dy = blocks(isa, &values(images * conv.output_len(), 4), conv.output_len());
    let (mut prepared, mut saved) = (vec![f32::NAN; conv.prepared_len()], vec![f32::NAN; count * conv.saved_len()]);
    let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
    let (mut dw, mut db, mut scratch) = (vec![1.0; weight.len()], vec![1.0; bias.len()], Buffer::new());
    conv.prepare(&weight, &mut prepared);
    conv.forward(&x, &prepared, &bias, &mut y, &mut saved, &mut scratch);
    let kept = saved.clone();
    conv.backward(&x, &y, &mut saved, &dy, &prepared, (&mut dw, &mut db), Some(&mut dx), &mut scratch);
    // Without the input's gradient the others are the same.
    let (mut saved, mut dw_alone, mut db_alone) = (kept, vec![1.0; weight.len()], vec![1.0; bias.len()]);
    conv.backward(&x, &y, &mut saved, &dy, &prepared, (&mut dw_alone, &mut db_alone), None, &mut scratch);
    assert_eq!((&dw, &db), (&dw_alone, &db_alone), "{conv:?}");
    [rows(isa, &y, conv.output_len(), images), dw, db, rows(isa, &dx, conv.input_len(), images)]
}

/// The same by plain loops on rows.
fn plain(conv: &Conv, images: usize) -> [Vec<f32>; 4] {
    let Conv { inputs, height, width, outputs, kernel, .. } = *conv;
    let shape = naive::Shape { inputs, height, width, outputs, kernel };
    let (rows, columns) = (height + 1 - kernel, width + 1 - kernel);
    let x = values(images * shape.input_len(), 1);
    let (weight, bias) = (values(shape.weights(), 2), values(outputs, 3));
    let mut maps = vec![0.0; images * shape.output_len()];
    naive::forward(shape, &x, &weight, &bias, &mut maps);
    let apply = |x: f32| match conv.activation {
        None => x,
        Some(Activation::Tanh) => x.tanh(),
        Some(Activation::Relu) => x.max(0.0),
        Some(Activation::Sigmoid) => 1.0 / (1.0 + (-x).exp()),
    };
    let slope = |y: f32| match conv.activation {
        None => 1.0,
        Some(Activation::Tanh) => 1.0 - y * y,
        Some(Activation::Relu) => f32::from(y > 0.0),
        Some(Activation::Sigmoid) => y * (1.0 - y),
    };
    maps.iter_mut().for_each(|value| *value = apply(*value));
    let (kind, window) = conv.pool.unwrap_or((Pooling::Average, 1));
    let (pooled_rows, pooled_columns) = (rows / window, columns / window);
    let dy = values(images * outputs * pooled_rows * pooled_columns, 4);
    let (mut y, mut dz) = (Vec::new(), vec![0.0; maps.len()]);
    for (at, dy) in dy.iter().enumerate() {
        let (map, r, c) = (at / pooled_columns / pooled_rows, at / pooled_columns % pooled_rows, at % pooled_columns);
        let place = |i: usize| (map * rows + r * window + i / window) * columns + c * window + i % window;
        let all = Vec::from_iter((0..window * window).map(place));
        let most = all.iter().fold(f32::MIN, |most, at| most.max(maps[*at]));
        let mean = 1.0 / (window * window) as f32;
        let first = all.iter().position(|at| maps[*at] == most);
        y.push(match kind {
            Pooling::Average => all.iter().map(|at| maps[*at]).sum::<f32>() * mean,
            Pooling::Max => most,
        });
        for (i, at) in all.into_iter().enumerate() {
            let part = if kind == Pooling::Average { mean } else { f32::from(Some(i) == first) };
            dz[at] = dy * part * slope(maps[at]);
        }
    }
    let (mut dw, mut db, mut dx) = (vec![1.0; weight.len()], vec![1.0; outputs], vec![0.0; x.len()]);
    naive::weight_gradient(shape, &x, &dz, &mut dw);
    naive::bias_gradient(shape, &dz, &mut db);
    naive::input_gradient(shape, &weight, &dz, &mut dx);
    [y, dw, db, dx]
}

/// How far apart values are at most, relative to the largest that is wanted.
fn distance(found: &[f32], wanted: &[f32]) -> f32 {
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(0f32, |most, x| most.max(x.abs()));
    // `max` would pass over NaN.
    let apart = found.iter().zip(wanted).map(|(a, b)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() });
    apart.fold(0.0, f32::max) / largest
}

fn check(
    [inputs, height, width, outputs, kernel]: [usize; 5],
    images: usize,
    then: (Option<Activation>, Option<(Pooling, usize)>),
) {
    for isa in Isa::available() {
        let conv = Conv { isa, inputs, height, width, outputs, kernel, activation: then.0, pool: then.1 };
        let (found, wanted) = (pass(&conv, images), plain(&conv, images));
        for (name, (found, wanted)) in ["y", "dw", "db", "dx"].into_iter().zip(found.iter().zip(&wanted)) {
            let distance = distance(found, wanted);
            assert!(distance < 5e-5, "{name} is off by {distance}: {conv:?}, {images} images");
        }
    }
}

const TANH: Option<Activation> = Some(Activation::Tanh);

const AVERAGE: Option<(Pooling, usize)> = Some((Pooling::Average, 2));

#[test]
fn layers_of_lenet5() {
    check([1, 28, 28, 6, 5], 40, (TANH, AVERAGE));
    check([6, 12, 12, 16, 5], 40, (TANH, AVERAGE));
}

#[test]
fn every_side_of_filters() {
    for kernel in 1..=7 {
        check([3, 13, 11, 7, kernel], 3, (TANH, None));
        check([2, kernel, kernel + 3, 3, kernel], 2, (None, None));
        check([1, 2 * kernel + 2, 9 + kernel, 5, kernel], 2, (None, Some((Pooling::Average, 3))));
    }
}

#[test]
fn sizes_channels_and_batches() {
    check([1, 3, 3, 1, 3], 1, (None, None));
    check([32, 6, 7, 32, 3], 5, (None, None));
    check([5, 64, 64, 2, 7], 1, (None, None));
    check([4, 5, 31, 9, 2], 17, (None, None));
    check([2, 9, 9, 3, 4], 40, (None, None));
    check([3, 17, 33, 10, 6], 1, (None, None));
    for images in 1..=40 {
        check([2, 8, 9, 3, 3], images, (TANH, AVERAGE));
    }
}

#[test]
fn every_activation_and_pooling() {
    for activation in [None, TANH, Some(Activation::Relu), Some(Activation::Sigmoid)] {
        for pool in (2..=4).flat_map(|window| [(Pooling::Average, window), (Pooling::Max, window)]) {
            check([2, 14, 15, 4, 3], 4, (activation, Some(pool)));
        }
    }
}

#[test]
fn a_pass_gives_the_same_bits_each_time_and_any_images_nearly_the_same() {
    for isa in Isa::available() {
        let conv = Conv { isa, inputs: 2, height: 9, width: 9, outputs: 5, kernel: 5, activation: TANH, pool: AVERAGE };
        let (long, short) = (pass(&conv, 33), pass(&conv, 7));
        assert_eq!(long, pass(&conv, 33));
        for at in [0, 3] {
            assert!(distance(&long[at][..short[at].len()], &short[at]) < 1e-6, "{isa:?}");
        }
    }
}
