//! Whole networks: the program that training runs against the same layers one by one on the tape; networks of other sizes
//! and layers; flat and nested tuples; dropout.

mod common;

use common::{assert_close, bits, data, flat, fresh, how, images, optimizers};
use lenet_core::network::{Begins, Network};
use lenet_core::prelude::*;
use lenet_core::shape::{Maps, Takes, Values};

/// Float32 rounding in sums of some hundred terms, relative to the largest value of a tensor.
const PASS: f64 = 1e-5;
/// So large a learning rate that a step leaves little else than the gradient; a power of two, which rounds nothing.
const GIANT: f32 = (1 << 20) as f32;

type Flat12 = (
    Conv2D<1, 6, 5>,
    Tanh,
    AvgPool2D<2>,
    Conv2D<6, 16, 5>,
    Tanh,
    AvgPool2D<2>,
    Flatten,
    Linear<256, 120>,
    Tanh,
    Linear<120, 84>,
    Tanh,
    Linear<84, 10>,
);

/// All layers that there are, alone and behind a convolution, in 16.
type Flat16 = (
    Input<1, 28>,
    ZeroPad2D<1>,
    Conv2D<1, 5, 3>,
    ReLU,
    MaxPool2D<2>,
    Dropout<0>,
    Conv2D<5, 9, 4>,
    Sigmoid,
    Conv2D<9, 7, 2>,
    AvgPool2D<3>,
    Tanh,
    Flatten,
    Linear<63, 33>,
    Sigmoid,
    ReLU,
    Linear<33, 10>,
);
type Nested16 = (
    (Input<1, 28>, ZeroPad2D<1>),
    ((Conv2D<1, 5, 3>, ReLU), (MaxPool2D<2>, Dropout<0>)),
    (Conv2D<5, 9, 4>, Sigmoid, (Conv2D<9, 7, 2>, AvgPool2D<3>, Tanh)),
    (Flatten,),
    (Linear<63, 33>, (Sigmoid, (ReLU, Linear<33, 10>))),
);

/// Filters of 3x3 and 7x7, 12 and 32 channels, no pooling behind the first convolution, a dense layer more.
type Other = (
    (Conv2D<1, 12, 3>, Tanh),
    (Conv2D<12, 32, 7>, ReLU, MaxPool2D<4>),
    Flatten,
    (Linear<800, 100>, Tanh),
    (Linear<100, 60>, ReLU),
    (Linear<60, 30>, Sigmoid),
    Linear<30, 10>,
);

/// The paper's own: images of 32x32.
type Paper = (
    ZeroPad2D<2>,
    Conv2D<1, 6, 5>,
    Tanh,
    AvgPool2D<2>,
    Conv2D<6, 16, 5>,
    Tanh,
    AvgPool2D<2>,
    Flatten,
    Linear<400, 120>,
    Tanh,
    Linear<120, 84>,
    Tanh,
    Linear<84, 10>,
);

/// The network that most people try next.
type Relu = (
    (Conv2D<1, 6, 5>, ReLU, MaxPool2D<2>, Conv2D<6, 16, 5>, ReLU, MaxPool2D<2>),
    (Flatten, Linear<256, 84>, ReLU, Linear<84, 10>),
);

/// Without a convolution.
type Dense = (MaxPool2D<2>, Sigmoid, Flatten, Linear<196, 10>);

/// Images and targets with their sizes in the type.
type Of<const N: usize> = (Tensor<Rank4<N, 1, 28, 28>, f32, Cpu>, Tensor<Rank2<N, 10>, f32, Cpu>);

/// The first `N` test images.
fn first<const N: usize>() -> Of<N> {
    let (_, (images, labels)) = mnist::load_data().unwrap();
    let dev = Cpu::default();
    let images = dev.tensor_from_vec(images.as_vec()[..N * 784].to_vec(), (Const, Const, Const, Const));
    let labels = dev.tensor_from_vec(labels.as_vec()[..N].to_vec(), (Const,));
    (normalize(&images), to_categorical(&labels).unwrap())
}

/// A network of 28x28 grey pixels and ten classes, on the tape too.
trait Digits: Network<Classes = Const<10>> + Begins<With = Maps<1, 28>> + Takes<Maps<1, 28>, Out = Values<10>> {}

impl<N> Digits for N where
    N: Network<Classes = Const<10>> + Begins<With = Maps<1, 28>> + Takes<Maps<1, 28>, Out = Values<10>>
{
}

/// The gradients of all tensors, from what a step of `GIANT` size adds to them.
fn gradients(before: &impl Digits, after: &impl Digits) -> Vec<(String, Vec<f32>)> {
    let pairs = weights::tensors(before).into_iter().zip(weights::tensors(after));
    let gradient = |(before, after): (f32, f32)| (before - after) / GIANT;
    pairs.map(|(a, b)| (a.name, a.values.into_iter().zip(b.values).map(gradient).collect())).collect()
}

/// The program's loss, probabilities and all gradients are those of the tape.
fn program_is_tape<N: Digits, const IMAGES: usize>() {
    let (name, (images, targets)) = (std::any::type_name::<N>(), first::<IMAGES>());
    let (network, giant) = (N::glorot_uniform(5), Sgd { learning_rate: GIANT, ..Sgd::default() });
    let logits = network.forward(images.leaky_trace());
    let expected = logits.as_vec();
    let loss = cross_entropy(logits, &targets).unwrap();
    let expected_loss = loss.array();
    let mut stepped = network.clone();
    Stepper::new(giant).unwrap().step(&mut stepped, loss.backward()).unwrap();
    let expected_gradients = gradients(&network, &stepped);

    for threads in [1, 2] {
        let mut model = Model::compile(network.clone(), giant).unwrap();
        let probabilities = model.predict(&images).unwrap().as_vec();
        for (probabilities, logits) in probabilities.chunks(10).zip(expected.chunks(10)) {
            // Logits but for a constant.
            let got = probabilities.iter().map(|p| p.ln() - probabilities[0].ln()).collect::<Vec<_>>();
            let logits = logits.iter().map(|logit| logit - logits[0]).collect::<Vec<_>>();
            assert_close(name, &got, &logits, PASS);
        }
        assert_close(name, &[model.score((&images, &targets)).unwrap().loss], &[expected_loss], PASS);

        let how = Fit { epochs: 1, batch_size: IMAGES, threads: Some(threads), verbose: false, ..Fit::default() };
        let history = model.fit((&images, &targets), &how).unwrap();
        assert_close(name, &[history.epochs[0].loss], &[expected_loss], PASS);
        let got = gradients(&network, model.network());
        for ((tensor, got), (_, expected)) in got.iter().zip(&expected_gradients) {
            assert_close(&format!("{tensor} of {name} with {IMAGES} images"), got, expected, PASS);
        }
    }
}

#[test]
fn the_program_gives_the_loss_and_all_gradients_of_the_tape() {
    macro_rules! sizes {
        ($network:ty: $($images:literal)*) => { $(program_is_tape::<$network, $images>();)* };
    }
    // One shard; two small ones; those around a whole pass, a whole shard; several shards.
    sizes!(LeNet5: 1 5 9 16 17 24 33 63 64 65 66 72 97 130 300);
    sizes!(Flat16: 1 7 37 130);
    sizes!(Other: 1 7 37);
    sizes!(Paper: 1 7 37);
    sizes!(Dense: 1 7 37);
}

#[test]
fn ten_steps_by_hand_are_ten_steps_of_fit() {
    let (images, targets) = first::<160>();
    for optimizer in optimizers() {
        let (mut by_hand, mut stepper) = (LeNet5::glorot_uniform(5), Stepper::new(optimizer).unwrap());
        for step in 0..10 {
            let rows = |values: Vec<f32>, len: usize| values[step * 16 * len..(step + 1) * 16 * len].to_vec();
            let dev = Cpu::default();
            let x: Tensor<Rank4<16, 1, 28, 28>, f32, Cpu> =
                dev.tensor_from_vec(rows(images.as_vec(), 784), Default::default());
            let y: Tensor<Rank2<16, 10>, f32, Cpu> =
                dev.tensor_from_vec(rows(targets.as_vec(), 10), Default::default());
            let loss = cross_entropy(by_hand.forward(x.leaky_trace()), &y).unwrap();
            stepper.step(&mut by_hand, loss.backward()).unwrap();
        }
        let mut model = fresh::<LeNet5>(optimizer);
        let how = Fit { epochs: 1, batch_size: 16, shuffle: false, verbose: false, ..Fit::default() };
        model.fit((&images, &targets), &how).unwrap();
        for (got, expected) in weights::tensors(model.network()).iter().zip(weights::tensors(&by_hand)) {
            let name = format!("{} with {}", got.name, optimizer.name());
            // Steps of Adam and RMSprop divide by the gradients, and with them by their rounding.
            assert_close(&name, &got.values, &expected.values, 4e-5);
        }
    }
}

/// All that a fit decides, of a network with these layers.
fn trained<N: Digits>(how: &Fit) -> common::Bits {
    let mut model = fresh::<N>(Adam::default());
    let history = model.fit(images(500), how).unwrap();
    bits(&model, &history.epochs)
}

#[test]
fn flat_tuples_are_nested_ones() {
    let how = Fit { augment: Some(Augment::default()), ..how(2) };
    assert!(trained::<Flat12>(&how) == trained::<LeNet5>(&how));
    assert!(trained::<Flat16>(&how) == trained::<Nested16>(&how));
    assert_eq!(Flat16::glorot_uniform(0).summary().to_string(), Nested16::glorot_uniform(0).summary().to_string());
}

type WithDropout = (
    (Conv2D<1, 8, 5>, ReLU, Dropout<20>, MaxPool2D<2>, Dropout<20>),
    (Flatten, Linear<1152, 64>, ReLU, Dropout<50>, Linear<64, 10>),
);

#[test]
fn the_number_of_threads_changes_no_bit() {
    fn same<N: Digits>(images: usize, how: Fit) {
        same_with::<N>(Adam::default().into(), images, how);
    }
    fn same_with<N: Digits>(optimizer: Optimizer, images: usize, how: Fit) {
        let run = |threads| {
            let mut model = fresh::<N>(optimizer);
            let history = model.fit(common::images(images), &Fit { threads, ..how.clone() }).unwrap();
            bits(&model, &history.epochs)
        };
        let one = run(Some(1));
        for threads in [Some(2), Some(3), Some(7), None] {
            let name = std::any::type_name::<N>();
            assert!(run(threads) == one, "{name}, batch {}, {threads:?} threads", how.batch_size);
        }
    }
    let distorted = || Fit { augment: Some(Augment::default()), ..how(2) };
    // One shard, two small ones, uneven ones, many.
    for batch_size in [7, 16, 17, 50, 100, 128, 512, 700, 1000] {
        same::<LeNet5>(3_000, Fit { batch_size, ..how(1) });
    }
    for batch_size in [7, 17, 128, 1000] {
        same::<Other>(300, Fit { batch_size, ..how(1) });
        same::<WithDropout>(1_100, Fit { batch_size, ..distorted() });
    }
    same::<Paper>(300, how(1));
    for optimizer in optimizers() {
        same_with::<Relu>(optimizer, 300, how(2));
    }
    same::<LeNet5>(50, Fit { batch_size: 1, ..distorted() });
    same::<WithDropout>(50, Fit { batch_size: 1, ..distorted() });
}

#[test]
fn dropout_leaves_out_a_share_of_the_values_forward_and_backward_alike() {
    type Hidden = (Flatten, Linear<784, 100>, Dropout<25>, Linear<100, 10>);
    let (images, targets) = first::<1>();
    let before = Hidden::glorot_uniform(5);
    let giant = Sgd { learning_rate: GIANT, ..Sgd::default() };
    let mut masks = Vec::new();
    for (seed, epochs) in [(1, 1), (1, 1), (2, 1)] {
        let mut model = Model::compile(before.clone(), giant).unwrap();
        let history = model.fit((&images, &targets), &Fit { epochs, seed, verbose: false, ..Fit::default() }).unwrap();
        let all = gradients(&before, model.network());
        let (first, last) = (&all[0].1, &all[2].1);
        // A value left out has no part in the gradient of the weights behind it.
        let kept: Vec<bool> = (0..100).map(|j| (0..10).any(|o| last[o * 100 + j] != 0.0)).collect();
        let share = kept.iter().filter(|kept| **kept).count();
        assert!((60..90).contains(&share), "{share} of 100 are kept");

        // The rest is arithmetic, with 4/3 of those that are kept.
        let (pixels, target) = (images.as_vec(), targets.as_vec());
        let (w1, w2) = (before.1.weight.as_vec(), before.3.weight.as_vec());
        let factor = |j: usize| if kept[j] { 4.0 / 3.0 } else { 0.0 };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let hidden: Vec<f32> = (0..100).map(|j| dot(&w1[j * 784..][..784], &pixels) * factor(j)).collect();
        let logits: Vec<f32> = (0..10).map(|o| dot(&w2[o * 100..][..100], &hidden)).collect();
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        let slope: Vec<f32> = logits.iter().zip(&target).map(|(logit, target)| logit.exp() / sum - target).collect();
        let loss = sum.ln() - dot(&logits, &target);
        assert_close("loss", &[history.epochs[0].loss], &[loss], PASS);
        let expected: Vec<f32> = slope.iter().flat_map(|slope| hidden.iter().map(move |h| slope * h)).collect();
        assert_close("behind", last, &expected, PASS);
        let back = |j: usize| (0..10).map(|o| slope[o] * w2[o * 100 + j]).sum::<f32>() * factor(j);
        let expected: Vec<f32> = (0..100).flat_map(|j| pixels.iter().map(move |x| x * back(j))).collect();
        assert_close("in front", first, &expected, PASS);
        masks.push(kept);
    }
    assert_eq!(masks[0], masks[1], "the same seed leaves out the same");
    assert_ne!(masks[0], masks[2]);
}

#[test]
fn dropout_draws_anew_for_each_image_and_step_and_keeps_the_mean() {
    // Weights of zero: the slope is 0.1 but for the label, and a pixel's part in the gradient is what dropout made of it.
    type Bare = (Conv2D<1, 1, 1>, Dropout<50>, Flatten, Linear<784, 10>);
    let dev = Cpu::default();
    let mut before = Bare::glorot_uniform(0);
    before.0.weight = dev.tensor([[[[1.0]]]]);
    before.3.weight = dev.zeros();
    let images = dev.tensor_from_vec(vec![1.0; 2 * 784], (Const::<2>, Const::<1>, Const::<28>, Const::<28>));
    let targets = to_categorical::<10, _>(&dev.tensor([0u8, 1])).unwrap();
    // 2 g[0] = 0.1 f[1] - 0.9 f[0], 2 g[1] = 0.1 f[0] - 0.9 f[1] for the factors f of the two images.
    let mut model = Model::compile(before.clone(), Sgd { learning_rate: 1.0, ..Sgd::default() }).unwrap();
    model.fit((&images, &targets), &Fit { epochs: 1, verbose: false, ..Fit::default() }).unwrap();
    let gradient: Vec<f32> = model.network().3.weight.as_vec().iter().map(|after| -after).collect();
    let factor = |image: usize, pixel: usize| {
        let [own, other] = [image, 1 - image].map(|class| 2.0 * gradient[class * 784 + pixel]);
        ((-0.9 * own - 0.1 * other) / 0.8).round()
    };
    let both: Vec<[f32; 2]> = (0..784).map(|pixel| [factor(0, pixel), factor(1, pixel)]).collect();
    for pair in [[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]] {
        let count = both.iter().filter(|factors| **factors == pair).count();
        // A quarter of 784, within five standard deviations.
        assert!((196 - 61..196 + 61).contains(&count), "{count} of {pair:?}");
    }
    // In evaluation and prediction nothing is left out.
    let score = model.score((&images, &targets)).unwrap();
    assert_eq!(score, model.score((&images, &targets)).unwrap());

    // Two epochs of the same image: another mask in the second.
    let still = Fit { epochs: 1, shuffle: false, verbose: false, ..Fit::default() };
    let mut model = Model::compile(Bare::glorot_uniform(0), Sgd { learning_rate: 0.0, ..Sgd::default() }).unwrap();
    let losses: Vec<f32> = (0..2).map(|_| model.fit((&images, &targets), &still).unwrap().epochs[0].loss).collect();
    assert_ne!(losses[0], losses[1]);
}

/// A network learns digits from 2,000 images: the loss falls, and more of the test images are read right than a broken
/// layer would allow.
#[track_caller]
fn learns<N: Digits>(optimizer: impl Into<Optimizer>) {
    let mut model = fresh::<N>(optimizer);
    let history = model.fit(images(2_000), &Fit { batch_size: 32, threads: Some(1), ..how(10) }).unwrap();
    let (start, end) = (history.epochs[0], history.epochs[9]);
    assert!(end.loss < 0.5 * start.loss, "{history:?}");
    assert!(end.val_accuracy.unwrap() > 0.88, "{history:?}");
    assert_eq!(model.score(data().1.clone()).unwrap().accuracy, end.val_accuracy.unwrap());
}

#[test]
fn networks_of_every_kind_learn() {
    assert_eq!(Paper::glorot_uniform(0).summary().parameters(), 61_706);
    assert_eq!(flat(&fresh::<Paper>(Adam::default())).len(), 61_706);
    learns::<Paper>(Adam::default());
    learns::<Other>(Adam::default());
    learns::<WithDropout>(Adam::default());
    for optimizer in optimizers() {
        learns::<Relu>(optimizer);
    }
}
