//! LeNet-5 in burn, for comparison, on its CPU backend `flex`, with a training loop of its own.
//!
//! Run it in this folder, so that cargo reads `.cargo/config.toml`: `cargo run --release -- --epochs 1`

#[path = "../../common.rs"]
mod common;

use std::time::Instant;

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLoss;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use common::{print_end, print_epoch, Options, Result, Running, Split, SIDE};
use rand::{rngs::StdRng, seq::SliceRandom, SeedableRng};

const LEARNING_RATE: f64 = 0.001;
const GLOROT: Initializer = Initializer::XavierUniform { gain: 1.0 };
const PACKAGES: &[&str] = &["burn", "burn-flex", "gemm"];

#[derive(Module, Debug)]
struct LeNet5 {
    c1: Conv2d,
    c3: Conv2d,
    pool: AvgPool2d,
    c5: Linear,
    f6: Linear,
    output: Linear,
}

impl LeNet5 {
    fn new(device: &Device) -> Self {
        Self {
            c1: conv([1, 6], device),
            c3: conv([6, 16], device),
            pool: AvgPool2dConfig::new([2, 2]).init(),
            c5: linear(256, 120, device),
            f6: linear(120, 84, device),
            output: linear(84, 10, device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let s2 = self.pool.forward(self.c1.forward(images).tanh());
        let s4 = self.pool.forward(self.c3.forward(s2).tanh());
        let c5 = self.c5.forward(s4.flatten(1, 3)).tanh();
        let f6 = self.f6.forward(c5).tanh();
        self.output.forward(f6)
    }
}

fn conv(channels: [usize; 2], device: &Device) -> Conv2d {
    let config = Conv2dConfig::new(channels, [5, 5]).with_initializer(GLOROT);
    let mut layer = config.init(device);
    layer.bias = layer.bias.map(zeros);
    layer
}

fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let config = LinearConfig::new(inputs, outputs).with_initializer(GLOROT);
    let mut layer = config.init(device);
    layer.bias = layer.bias.map(zeros);
    layer
}

/// burn draws a bias by the weight's initializer; here it starts at zero.
fn zeros(bias: Param<Tensor<1>>) -> Param<Tensor<1>> {
    bias.map(|values| values.zeros_like())
}

struct Data {
    images: Tensor<4>,
    labels: Tensor<1, Int>,
}

impl Data {
    fn new(Split { images, labels }: Split, device: &Device) -> Self {
        let count = labels.len();
        let images = TensorData::new(images, [count, 1, SIDE, SIDE]);
        let labels: Vec<i32> = labels.into_iter().map(i32::from).collect();
        Self {
            images: Tensor::from_data(images, device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
        }
    }

    fn in_order(&self) -> Vec<i32> {
        (0..self.labels.dims()[0] as i32).collect()
    }

    fn batch(&self, chosen: &[i32]) -> (Tensor<4>, Tensor<1, Int>) {
        let chosen = Tensor::<1, Int>::from_data(chosen, &self.images.device());
        let images = self.images.clone().select(0, chosen.clone());
        (images, self.labels.clone().select(0, chosen))
    }
}

fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLoss::new(None, &logits.device()).forward(logits, labels)
}

fn count_right(logits: Tensor<2>, labels: Tensor<1, Int>) -> usize {
    let right = logits.argmax(1).squeeze_dim::<1>(1).equal(labels);
    right.int().sum().into_scalar::<i64>() as usize
}

fn train_epoch(
    mut network: LeNet5,
    optimiser: &mut ModuleOptimizer,
    data: &Data,
    order: &[i32],
    batch_size: usize,
) -> (LeNet5, Running) {
    let mut running = Running::default();
    for chosen in order.chunks(batch_size) {
        let (images, labels) = data.batch(chosen);
        let logits = network.forward(images);
        let loss = cross_entropy(logits.clone(), labels.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(LEARNING_RATE, network, gradients);
        let right = count_right(logits.without_autodiff(), labels);
        running.add(loss.into_scalar(), right, chosen.len());
    }
    (network, running)
}

fn evaluate(network: &LeNet5, data: &Data, batch_size: usize) -> Running {
    let network = network.valid(); // without autodiff
    let mut running = Running::default();
    for chosen in data.in_order().chunks(batch_size) {
        let (images, labels) = data.batch(chosen);
        let logits = network.forward(images);
        let loss = cross_entropy(logits.clone(), labels.clone());
        let right = count_right(logits, labels);
        running.add(loss.into_scalar(), right, chosen.len());
    }
    running
}

fn main() -> Result<()> {
    let options = Options::from_flags()?;
    options.limit_threads(); // all of flex's threads are rayon's
    let device = Device::flex();
    let differentiating = device.clone().autodiff();
    let train = Data::new(Split::read("train")?, &differentiating);
    let test = Data::new(Split::read("t10k")?, &device);

    device.seed(options.seed);
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut network = LeNet5::new(&differentiating);
    let adam = AdamConfig::new().with_beta_1(0.9).with_beta_2(0.999);
    let mut optimiser = adam.with_epsilon(1e-7).init();

    let mut order = train.in_order();
    let size = options.batch_size;
    for epoch in 1..=options.epochs {
        let epoch_started = Instant::now();
        order.shuffle(&mut rng);
        let running;
        (network, running) = train_epoch(network, &mut optimiser, &train, &order, size);
        let val = evaluate(&network, &test, size);
        print_epoch(epoch, epoch_started.elapsed(), &running, &val);
    }
    let result = evaluate(&network, &test, size);
    let lock = include_str!("../Cargo.lock");
    print_end("burn", &options, &result, (lock, PACKAGES));
    Ok(())
}
