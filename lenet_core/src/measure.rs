//! The kernels as the benchmarks call them: a batch of one layer at a time, with its arithmetic counted.

use crate::kernels::adam::{self, Rates};
use crate::kernels::batch::{self, BatchGradients};
use crate::kernels::buffer::Pool;
use crate::kernels::conv::{self, Gradients, Shape};
use crate::kernels::dense::{self, Shape as DenseShape};
use crate::kernels::{peak, tanh};
use crate::network::Outline;
use crate::{Isa, LeNet5};

/// Numbers of one image that go through tanh: C1, C3, C5 and F6.
const BENT: usize = 6 * 24 * 24 + 16 * 8 * 8 + 120 + 84;

/// A piece of work that can be done again and again.
pub struct Workload {
    /// What is computed, as in `C1 forward`.
    pub name: &'static str,
    /// Multiply-adds of one run, each counted as two operations; tanh is not counted.
    pub operations: u64,
    run: Box<dyn FnMut() + Send>,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} operations)", self.name, self.operations)
    }
}

impl Workload {
    fn new(name: &'static str, multiply_adds: usize, run: impl FnMut() + Send + 'static) -> Self {
        Self {
            name,
            operations: 2 * multiply_adds as u64,
            run: Box::new(run),
        }
    }

    /// Does the work once, on the thread that calls.
    pub fn run(&mut self) {
        (self.run)();
    }
}

/// The most multiply-adds that one thread can do: registers only, no memory.
pub fn peak(isa: Isa) -> Workload {
    Workload::new("peak", peak::multiply_adds(isa), move || peak::run(isa))
}

/// Every layer of LeNet-5, forward and backward, for `images` images; then tanh and Adam alone.
///
/// The layers C1 and C3 come with tanh, pooling and the changes between the orders of tensors and of
/// blocks; their convolutions alone come as `products` and `gradients`.
pub fn workloads(isa: Isa, images: usize) -> Vec<Workload> {
    let mut all = Vec::new();
    for (names, alone, (inputs, outputs, side)) in [
        (
            ["C1 forward", "C1 backward"],
            ["C1 products", "C1 gradients"],
            (1, 6, 28),
        ),
        (
            ["C3 forward", "C3 backward"],
            ["C3 products", "C3 gradients"],
            (6, 16, 12),
        ),
    ] {
        let shape = Shape {
            inputs,
            outputs,
            kernel: 5,
            height: side,
            width: side,
            bending: true,
        };
        all.extend(layer(isa, names, shape, images, inputs > 1));
        all.extend(convolution(isa, alone, shape, images, inputs > 1));
    }
    for (names, inputs, outputs) in [
        (["C5 forward", "C5 backward"], 256, 120),
        (["F6 forward", "F6 backward"], 120, 84),
        (["Output forward", "Output backward"], 84, 10),
    ] {
        all.extend(dense(isa, names, (images, inputs, outputs)));
    }
    let mut values = numbers(images * BENT);
    all.push(Workload::new("tanh", 0, move || {
        tanh::in_place(isa, &mut values)
    }));
    let parameters = Outline::of::<LeNet5>().parameters();
    let [mut parameters, gradient, mut mean, mut square] = [(); 4].map(|()| numbers(parameters));
    square.iter_mut().for_each(|square| *square = square.abs());
    let rates = Rates {
        step_size: 1e-9,
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
    };
    all.push(Workload::new("Adam", 0, move || {
        adam::update(
            isa,
            rates,
            &mut parameters,
            [Some(&gradient), None],
            [&mut mean, &mut square],
        );
    }));
    all
}

fn layer(
    isa: Isa,
    names: [&'static str; 2],
    shape: Shape,
    images: usize,
    input_gradient: bool,
) -> [Workload; 2] {
    let products = multiply_adds(shape) * images;
    let x = numbers(images * shape.input_len());
    let (weight, bias) = (numbers(shape.weights()), numbers(shape.outputs));
    let pool = Pool::default();
    let (y, kept) = batch::forward(isa, &pool, shape, &x, (&weight, &bias), true);
    let dy = numbers(y.len());
    let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
    let mut dx = input_gradient.then(|| vec![0.0; x.len()]);
    let forward = {
        let pool = pool.clone();
        move || {
            let parameters = (&*weight, &*bias);
            drop(batch::forward(isa, &pool, shape, &x, parameters, true));
        }
    };
    let mut kept = kept.expect("it was to be kept");
    let backward = move || {
        let gradients = BatchGradients {
            weight: &mut dw,
            bias: &mut db,
            x: dx.as_deref_mut(),
        };
        batch::backward(isa, &pool, shape, &mut kept, &dy, gradients);
    };
    pair(names, products, input_gradient, forward, backward)
}

/// A layer's two passes: backward has as many products as forward for the weights' gradient, and as
/// many again for the input's.
fn pair(
    names: [&'static str; 2],
    products: usize,
    input_gradient: bool,
    forward: impl FnMut() + Send + 'static,
    backward: impl FnMut() + Send + 'static,
) -> [Workload; 2] {
    let backward_products = products * (1 + usize::from(input_gradient));
    [
        Workload::new(names[0], products, forward),
        Workload::new(names[1], backward_products, backward),
    ]
}

/// Multiply-adds of a convolution for one image; pooling leaves no position out here.
fn multiply_adds(shape: Shape) -> usize {
    shape.activations() * shape.weights() / shape.outputs
}

/// The sums over taps alone, block by block, on images that lie side by side already.
fn convolution(
    isa: Isa,
    names: [&'static str; 2],
    shape: Shape,
    images: usize,
    input_gradient: bool,
) -> [Workload; 2] {
    let lanes = isa.lanes();
    let blocks = images.div_ceil(lanes);
    let products = multiply_adds(shape) * blocks * lanes;
    let shape = Shape {
        bending: false,
        ..shape
    };
    let (input, output) = (shape.input_len() * lanes, shape.output_len() * lanes);
    let pool = Pool::default();
    let buffer = |len: usize| {
        let mut buffer = pool.take(len);
        buffer.copy_from_slice(&numbers(len));
        buffer
    };
    let x = buffer(blocks * input);
    let (factors, bias) = (numbers(shape.factors()), numbers(shape.outputs));
    let kept_len = shape.kept_len() * lanes;
    let (mut kept, mut pooled) = (buffer(blocks * kept_len), buffer(output));
    let (mut df, mut db) = (vec![0.0; factors.len()], vec![0.0; shape.outputs]);
    let mut dx = input_gradient.then(|| buffer(input));
    let mut working = buffer(shape.forward_len() * lanes);
    let mut scratch = buffer(shape.backward_len() * lanes);
    let (mut still_kept, dy) = (buffer(blocks * kept_len), buffer(output));
    let forward = {
        let factors = factors.clone();
        move || {
            for (x, kept) in x.chunks(input).zip(kept.chunks_mut(kept_len)) {
                let working = (kept, &mut *working);
                conv::forward(isa, shape, x, (&factors, &bias), working, &mut pooled);
            }
        }
    };
    let backward = move || {
        for kept in still_kept.chunks_mut(kept_len) {
            let gradients = Gradients {
                factors: &mut df,
                bias: &mut db,
                x: dx.as_deref_mut().map(|dx| (&*factors, dx)),
            };
            let working = (kept, &mut *scratch);
            conv::backward(isa, shape, working, &dy, gradients);
        }
    };
    pair(names, products, input_gradient, forward, backward)
}

fn dense(
    isa: Isa,
    names: [&'static str; 2],
    (images, inputs, outputs): (usize, usize, usize),
) -> [Workload; 2] {
    let products = images * inputs * outputs;
    let shape = DenseShape {
        inputs,
        outputs,
        bending: true,
    };
    let (x, weight) = (numbers(images * inputs), numbers(outputs * inputs));
    let (bias, dy) = (numbers(outputs), numbers(images * outputs));
    let (mut dw, mut db) = (vec![0.0; weight.len()], vec![0.0; outputs]);
    let mut dx = vec![0.0; x.len()];
    let pool = Pool::default();
    let y = dense::forward(isa, &pool, shape, &x, (&weight, &bias));
    let forward = {
        let (x, weight, pool) = (x.clone(), weight.clone(), pool.clone());
        move || drop(dense::forward(isa, &pool, shape, &x, (&weight, &bias)))
    };
    let backward = move || {
        let gradients = dense::BatchGradients {
            weight: dense::WeightGradient::Sum(&mut dw),
            bias: &mut db,
            x: &mut dx,
        };
        dense::backward(isa, &pool, shape, (&x, &weight, &y), &dy, gradients);
    };
    pair(names, products, true, forward, backward)
}

/// Numbers in -1..1 that look random.
pub(crate) fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i as u32).wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}
