//! LeNet-5 in candle, for comparison, on the CPU without MKL.
//!
//! Run it in this folder, so that cargo reads `.cargo/config.toml`: `cargo run --release -- --epochs 1`

#[path = "../../common.rs"]
mod common;

use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use candle_nn::{loss, AdamW, Conv2d, Conv2dConfig, Linear, Module, Optimizer, ParamsAdamW};
use common::{print_end, print_epoch, Options, Result, Running, Split, SIDE};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};

const CPU: &Device = &Device::Cpu;
const PACKAGES: &[&str] = &["candle-core", "candle-nn", "gemm"];

struct LeNet5 {
    c1: Conv2d,
    c3: Conv2d,
    c5: Linear,
    f6: Linear,
    output: Linear,
}

impl LeNet5 {
    fn new(parameters: &mut Parameters) -> candle_core::Result<Self> {
        Ok(Self {
            c1: parameters.conv(&[6, 1, 5, 5])?,
            c3: parameters.conv(&[16, 6, 5, 5])?,
            c5: parameters.linear(&[120, 256])?,
            f6: parameters.linear(&[84, 120])?,
            output: parameters.linear(&[10, 84])?,
        })
    }
}

impl Module for LeNet5 {
    fn forward(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let s2 = self.c1.forward(images)?.tanh()?.avg_pool2d(2)?;
        let s4 = self.c3.forward(&s2)?.tanh()?.avg_pool2d(2)?;
        let c5 = self.c5.forward(&s4.flatten_from(1)?)?.tanh()?;
        let f6 = self.f6.forward(&c5)?.tanh()?;
        self.output.forward(&f6)
    }
}

/// Makes the network's variables and keeps them for the optimiser. candle's own random numbers
/// take no seed on the CPU.
struct Parameters {
    rng: StdRng,
    variables: Vec<Var>,
}

impl Parameters {
    fn conv(&mut self, shape: &[usize]) -> candle_core::Result<Conv2d> {
        let (weight, bias) = self.glorot(shape)?;
        Ok(Conv2d::new(weight, Some(bias), Conv2dConfig::default()))
    }

    fn linear(&mut self, shape: &[usize]) -> candle_core::Result<Linear> {
        let (weight, bias) = self.glorot(shape)?;
        Ok(Linear::new(weight, Some(bias)))
    }

    /// A Glorot-uniform weight of shape `[out, in, ..]` and a bias of zeros.
    fn glorot(&mut self, shape: &[usize]) -> candle_core::Result<(Tensor, Tensor)> {
        let size: usize = shape.iter().product();
        let fan_in_and_out = (shape[0] + shape[1]) * shape[2..].iter().product::<usize>();
        let bound = (6.0 / fan_in_and_out as f32).sqrt();
        let values = (0..size).map(|_| self.rng.random_range(-bound..bound));
        let weight = Var::from_vec(values.collect(), shape, CPU)?;
        let bias = Var::from_vec(vec![0f32; shape[0]], shape[0], CPU)?;
        let tensors = (weight.as_tensor().clone(), bias.as_tensor().clone());
        self.variables.extend([weight, bias]);
        Ok(tensors)
    }
}

struct Data {
    images: Tensor,
    labels: Tensor,
}

impl Data {
    fn new(Split { images, labels }: Split) -> Result<Self> {
        let count = labels.len();
        let labels: Vec<u32> = labels.into_iter().map(u32::from).collect();
        Ok(Self {
            images: Tensor::from_vec(images, (count, 1, SIDE, SIDE), CPU)?,
            labels: Tensor::from_vec(labels, count, CPU)?,
        })
    }

    fn in_order(&self) -> Result<Vec<u32>> {
        Ok((0..self.labels.dim(0)? as u32).collect())
    }

    fn batch(&self, chosen: &[u32]) -> Result<(Tensor, Tensor)> {
        let chosen = Tensor::new(chosen, CPU)?;
        let images = self.images.index_select(&chosen, 0)?;
        Ok((images, self.labels.index_select(&chosen, 0)?))
    }
}

/// One pass over `data` in the given order; with an optimiser it trains.
fn pass(
    network: &LeNet5,
    mut optimiser: Option<&mut AdamW>,
    data: &Data,
    order: &[u32],
    batch_size: usize,
) -> Result<Running> {
    let mut running = Running::default();
    for chosen in order.chunks(batch_size) {
        let (images, labels) = data.batch(chosen)?;
        let logits = network.forward(&images)?;
        let loss = loss::cross_entropy(&logits, &labels)?;
        if let Some(optimiser) = &mut optimiser {
            optimiser.backward_step(&loss)?;
        }
        let right = logits.argmax(1)?.eq(&labels)?.to_vec1::<u8>()?;
        let right = right.into_iter().map(usize::from).sum();
        running.add(loss.to_scalar()?, right, chosen.len());
    }
    Ok(running)
}

fn main() -> Result<()> {
    let options = Options::from_flags()?;
    options.limit_threads(); // candle's own pool and gemm follow rayon's variable
    let train = Data::new(Split::read("train")?)?;
    let test = Data::new(Split::read("t10k")?)?;

    let rng = StdRng::seed_from_u64(options.seed);
    let mut parameters = Parameters {
        rng,
        variables: vec![],
    };
    let network = LeNet5::new(&mut parameters)?;
    let Parameters { mut rng, variables } = parameters;
    // AdamW without weight decay is Adam.
    let adam = ParamsAdamW {
        lr: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-7,
        weight_decay: 0.0,
    };
    let mut optimiser = AdamW::new(variables, adam)?;

    let mut order = train.in_order()?;
    let in_order = test.in_order()?;
    let size = options.batch_size;
    let evaluate = || pass(&network, None, &test, &in_order, size);
    for epoch in 1..=options.epochs {
        let epoch_started = Instant::now();
        order.shuffle(&mut rng);
        let running = pass(&network, Some(&mut optimiser), &train, &order, size)?;
        let val = evaluate()?;
        print_epoch(epoch, epoch_started.elapsed(), &running, &val);
    }
    let lock = include_str!("../Cargo.lock");
    print_end("candle", &options, &evaluate()?, (lock, PACKAGES));
    Ok(())
}
