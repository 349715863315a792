//! The layers against loops that anyone can check by eye, against finite differences, and the fused
//! layers against the plain ones on every instruction set of this machine.

use dfdx::prelude::*;
use lenet_core::dfdx;
use lenet_core::layers::{AvgPool2D, Conv2D, Flatten, Fused, Linear, Tanh};
use lenet_core::network::Layer as _;
use lenet_core::Isa;

/// Numbers in -1..1 from a small linear congruential generator: reproducible, and no dependency.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn random<S: ConstShape>(dev: &Cpu, seed: u64) -> Tensor<S, f32, Cpu> {
    dev.tensor_from_vec(numbers(seed, S::default().num_elements()), S::default())
}

#[track_caller]
fn assert_close(name: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0f32, |max, x| max.max(x.abs())).max(1e-3);
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{name}[{i}]: got {a}, expected {b}");
    }
}

#[test]
fn convolution_is_the_sum_that_its_documentation_says() {
    let dev = Cpu::default();
    let mut layer = Conv2D::<3, 4, 5>::build(&dev);
    layer.weight = random(&dev, 1);
    layer.bias = random(&dev, 2);
    let x = random::<Rank4<2, 3, 9, 11>>(&dev, 3);
    let y = layer.forward(x.clone());
    for n in 0..2 {
        for o in 0..4 {
            for r in 0..5 {
                for c in 0..7 {
                    let mut sum = f64::from(layer.bias[[o]]);
                    for i in 0..3 {
                        for u in 0..5 {
                            for v in 0..5 {
                                sum += f64::from(layer.weight[[o, i, u, v]]) * f64::from(x[[n, i, r + u, c + v]]);
                            }
                        }
                    }
                    let got = f64::from(y[[n, o, r, c]]);
                    assert!((got - sum).abs() < 1e-5, "at {n} {o} {r} {c}: {got}, {sum}");
                }
            }
        }
    }
}

#[test]
fn pooling_is_the_mean_of_whole_windows() {
    let dev = Cpu::default();
    let x = random::<Rank4<2, 3, 7, 9>>(&dev, 4);
    let y = AvgPool2D::<2>.forward(x.clone());
    assert_eq!(y.shape().concrete(), [2, 3, 3, 4]);
    for (n, c, r, k) in [(0, 0, 0, 0), (1, 2, 2, 3), (0, 1, 2, 0)] {
        let mean = (x[[n, c, 2 * r, 2 * k]]
            + x[[n, c, 2 * r + 1, 2 * k]]
            + x[[n, c, 2 * r, 2 * k + 1]]
            + x[[n, c, 2 * r + 1, 2 * k + 1]])
            / 4.0;
        assert!((y[[n, c, r, k]] - mean).abs() < 1e-6);
    }
}

#[test]
fn flattening_keeps_the_order_channel_row_column() {
    let dev = Cpu::default();
    let x = random::<Rank4<2, 3, 4, 4>>(&dev, 5);
    let y = Flatten.forward(x.clone());
    assert_eq!(y[[1, 2 * 16 + 3 * 4 + 1]], x[[1, 2, 3, 1]]);
}

type Stage<const I: usize, const O: usize, const K: usize> = (Conv2D<I, O, K>, Tanh, AvgPool2D<2>);

/// Gradients by the tape against slopes of the loss `sum(y * direction)`.
#[test]
fn gradients_are_slopes() {
    let dev = Cpu::default();
    let mut layers = Stage::<2, 3, 5>::build(&dev);
    layers.0.weight = random::<Rank4<3, 2, 5, 5>>(&dev, 6) * 0.2;
    layers.0.bias = random(&dev, 7);
    let x = random::<Rank4<3, 2, 10, 12>>(&dev, 8);
    let direction = random::<Rank4<3, 3, 3, 4>>(&dev, 9);
    let loss = |layers: &Stage<2, 3, 5>, x: &Tensor<Rank4<3, 2, 10, 12>, f32, Cpu>| {
        let y = layers.forward(x.clone());
        y.as_vec().iter().zip(direction.as_vec()).map(|(&y, d)| f64::from(y) * f64::from(d)).sum::<f64>()
    };

    let grads = (layers.forward(x.leaky_trace()) * direction.clone()).sum().backward();
    let step = 1e-2f32;
    let slope = |up: f64, down: f64| ((up - down) / (2.0 * f64::from(step))) as f32;
    for index in [[0, 0, 0, 0], [1, 1, 2, 3], [2, 0, 4, 4]] {
        let (mut up, mut down) = (layers.clone(), layers.clone());
        up.0.weight[index] += step;
        down.0.weight[index] -= step;
        let expected = slope(loss(&up, &x), loss(&down, &x));
        assert_close("weight", &[grads.get(&layers.0.weight)[index]], &[expected], 2e-3);
    }
    for index in [[0], [2]] {
        let (mut up, mut down) = (layers.clone(), layers.clone());
        up.0.bias[index] += step;
        down.0.bias[index] -= step;
        let expected = slope(loss(&up, &x), loss(&down, &x));
        assert_close("bias", &[grads.get(&layers.0.bias)[index]], &[expected], 2e-3);
    }
    for index in [[0, 0, 0, 0], [1, 1, 5, 6], [2, 0, 9, 11], [2, 1, 4, 0]] {
        let (mut up, mut down) = (x.clone(), x.clone());
        up[index] += step;
        down[index] -= step;
        let expected = slope(loss(&layers, &up), loss(&layers, &down));
        assert_close("x", &[grads.get(&x)[index]], &[expected], 2e-3);
    }
}

/// Output and all gradients of a fused convolution stage against the plain layers.
fn fused_stage_agrees<const I: usize, const O: usize, const K: usize, S, Y>(isa: Isa)
where
    S: ConstShape,
    Y: ConstShape,
    Stage<I, O, K>: Module<Tensor<S, f32, Cpu>, Output = Tensor<Y, f32, Cpu>>
        + Module<Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>, Output = Tensor<Y, f32, Cpu, OwnedTape<f32, Cpu>>>,
    Fused<Stage<I, O, K>>: Module<Tensor<S, f32, Cpu>, Output = Tensor<Y, f32, Cpu>>
        + Module<Tensor<S, f32, Cpu, OwnedTape<f32, Cpu>>, Output = Tensor<Y, f32, Cpu, OwnedTape<f32, Cpu>>>,
{
    let dev = Cpu::default();
    let mut plain = Stage::<I, O, K>::build(&dev);
    plain.0.weight = random::<Rank4<O, I, K, K>>(&dev, 10) * (1.0 / K as f32);
    plain.0.bias = random(&dev, 11);
    let mut fused = Fused::new(plain.clone());
    fused.set_isa(isa);
    let x = random::<S>(&dev, 12);
    let direction = random::<Y>(&dev, 13);
    let name = format!("{isa:?} {I} {O} {K}");

    let expected = plain.forward(x.clone());
    assert_close(&name, &fused.forward(x.clone()).as_vec(), &expected.as_vec(), 2e-6);

    let want = (plain.forward(x.leaky_trace()) * direction.clone()).sum().backward();
    let got = (fused.forward(x.leaky_trace()) * direction).sum().backward();
    let (weight, bias) = (&plain.0.weight, &plain.0.bias);
    assert_close(&name, &got.get(weight).as_vec(), &want.get(weight).as_vec(), 1e-5);
    assert_close(&name, &got.get(bias).as_vec(), &want.get(bias).as_vec(), 1e-5);
    assert_close(&name, &got.get(&x).as_vec(), &want.get(&x).as_vec(), 1e-5);
}

#[test]
fn fused_stages_agree_with_plain_layers() {
    for isa in Isa::available() {
        // The two stages of LeNet-5, with a batch that fills no whole number of vectors.
        fused_stage_agrees::<1, 6, 5, Rank4<37, 1, 28, 28>, Rank4<37, 6, 12, 12>>(isa);
        fused_stage_agrees::<6, 16, 5, Rank4<37, 6, 12, 12>, Rank4<37, 16, 4, 4>>(isa);
        // A batch of one; more blocks than groups of partial sums.
        fused_stage_agrees::<1, 6, 5, Rank4<1, 1, 28, 28>, Rank4<1, 6, 12, 12>>(isa);
        fused_stage_agrees::<2, 3, 5, Rank4<300, 2, 8, 8>, Rank4<300, 3, 2, 2>>(isa);
        // Few images, for which there may be shorter vectors.
        fused_stage_agrees::<6, 16, 5, Rank4<8, 6, 12, 12>, Rank4<8, 16, 4, 4>>(isa);
        fused_stage_agrees::<5, 7, 5, Rank4<3, 5, 8, 20>, Rank4<3, 7, 2, 8>>(isa);
        // Whole images, and others in pieces, alone and together.
        fused_stage_agrees::<1, 6, 5, Rank4<9, 1, 28, 28>, Rank4<9, 6, 12, 12>>(isa);
        fused_stage_agrees::<6, 16, 5, Rank4<27, 6, 12, 12>, Rank4<27, 16, 4, 4>>(isa);
        fused_stage_agrees::<3, 5, 5, Rank4<4, 3, 20, 12>, Rank4<4, 5, 8, 4>>(isa);
        fused_stage_agrees::<3, 5, 5, Rank4<2, 3, 12, 28>, Rank4<2, 5, 4, 12>>(isa);
        // Several tiles of columns, in chunks and one by one, and numbers of filters and channels that
        // leave a rest.
        fused_stage_agrees::<5, 7, 5, Rank4<9, 5, 8, 20>, Rank4<9, 7, 2, 8>>(isa);
        fused_stage_agrees::<3, 9, 5, Rank4<17, 3, 20, 16>, Rank4<17, 9, 8, 6>>(isa);
        fused_stage_agrees::<7, 3, 5, Rank4<9, 7, 28, 8>, Rank4<9, 3, 12, 2>>(isa);
        // Odd sizes, of which pooling drops the last row and column; other kernels; other counts.
        fused_stage_agrees::<3, 5, 5, Rank4<9, 3, 11, 13>, Rank4<9, 5, 3, 4>>(isa);
        fused_stage_agrees::<4, 7, 5, Rank4<9, 4, 13, 11>, Rank4<9, 7, 4, 3>>(isa);
        fused_stage_agrees::<2, 4, 3, Rank4<9, 2, 9, 10>, Rank4<9, 4, 3, 4>>(isa);
        fused_stage_agrees::<2, 1, 7, Rank4<9, 2, 9, 12>, Rank4<9, 1, 1, 3>>(isa);
        fused_stage_agrees::<2, 2, 1, Rank4<9, 2, 2, 3>, Rank4<9, 2, 1, 1>>(isa);
    }
}

fn fused_dense_agrees<const I: usize, const O: usize, const B: usize>(isa: Isa) {
    let dev = Cpu::default();
    let mut plain = (Linear::<I, O>::build(&dev), Tanh);
    plain.0.weight = random::<Rank2<O, I>>(&dev, 14) * (1.0 / (I as f32).sqrt());
    plain.0.bias = random(&dev, 15);
    let mut fused = Fused::new(plain.clone());
    fused.set_isa(isa);
    let mut fused_linear = Fused::new(plain.0.clone());
    fused_linear.set_isa(isa);
    let x = random::<Rank2<B, I>>(&dev, 16);
    let direction = random::<Rank2<B, O>>(&dev, 17);
    let name = format!("{isa:?} {I} {O} {B}");
    let (weight, bias) = (&plain.0.weight, &plain.0.bias);

    let want = plain.forward(x.leaky_trace());
    let got = fused.forward(x.leaky_trace());
    assert_close(&name, &got.as_vec(), &want.as_vec(), 2e-6);
    let want = (want * direction.clone()).sum().backward();
    let got = (got * direction.clone()).sum().backward();
    assert_close(&name, &got.get(weight).as_vec(), &want.get(weight).as_vec(), 1e-5);
    assert_close(&name, &got.get(bias).as_vec(), &want.get(bias).as_vec(), 1e-5);
    assert_close(&name, &got.get(&x).as_vec(), &want.get(&x).as_vec(), 1e-5);

    let want = plain.0.forward(x.leaky_trace());
    let got = fused_linear.forward(x.leaky_trace());
    assert_close(&name, &got.as_vec(), &want.as_vec(), 2e-6);
    let want = (want * direction.clone()).sum().backward();
    let got = (got * direction).sum().backward();
    assert_close(&name, &got.get(weight).as_vec(), &want.get(weight).as_vec(), 1e-5);
    assert_close(&name, &got.get(bias).as_vec(), &want.get(bias).as_vec(), 1e-5);
    assert_close(&name, &got.get(&x).as_vec(), &want.get(&x).as_vec(), 1e-5);
}

#[test]
fn fused_dense_layers_agree_with_plain_ones() {
    for isa in Isa::available() {
        fused_dense_agrees::<256, 120, 37>(isa);
        fused_dense_agrees::<120, 84, 128>(isa);
        fused_dense_agrees::<84, 10, 96>(isa);
        fused_dense_agrees::<256, 120, 8>(isa);
        // A block, and a few images that are worked on one by one.
        fused_dense_agrees::<120, 84, 9>(isa);
        fused_dense_agrees::<256, 120, 12>(isa);
        fused_dense_agrees::<84, 10, 19>(isa);
        fused_dense_agrees::<84, 10, 7>(isa);
        fused_dense_agrees::<7, 3, 1>(isa);
        fused_dense_agrees::<1, 1, 5>(isa);
        fused_dense_agrees::<33, 50, 2>(isa);
    }
}

#[test]
fn a_first_layer_may_leave_its_input_gradient_out() {
    let dev = Cpu::default();
    let mut fused = Fused::<Stage<1, 2, 5>>::build(&dev);
    fused.0.weight = random(&dev, 18);
    let x = random::<Rank4<9, 1, 8, 8>>(&dev, 19);
    let with = fused.forward(x.leaky_trace()).sum().backward();
    fused.skip_input_gradient(true);
    let without = fused.forward(x.leaky_trace()).sum().backward();
    assert_eq!(with.get(&fused.0.weight).as_vec(), without.get(&fused.0.weight).as_vec());
}
