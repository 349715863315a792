//! The kernels as the benchmarks call them: a batch of one layer at a time, with its arithmetic counted.

use crate::kernels::adam::{self, Rates};
use crate::kernels::batch::{self, BatchGradients};
use crate::kernels::buffer::Pool;
use crate::kernels::conv::{self, Gradients, ParameterGradients, Shape};
use crate::kernels::matrix::{multiply, Finish, Matrix, Product};
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

    /// Does the work once, on the threads of the current rayon pool.
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
            &gradient,
            &mut mean,
            &mut square,
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
        let (x, weight, pool) = (x.clone(), weight.clone(), pool.clone());
        move || {
            drop(batch::forward(
                isa,
                &pool,
                shape,
                &x,
                (&weight, &bias),
                true,
            ))
        }
    };
    let backward = move || {
        let gradients = BatchGradients {
            weight: &mut dw,
            bias: &mut db,
            x: dx.as_deref_mut(),
        };
        if let Some(kept) = &kept {
            batch::backward(isa, &pool, shape, (&x, &weight, kept), &dy, gradients);
        }
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
    let (x, still) = (buffer(blocks * input), buffer(blocks * input));
    let (factors, bias) = (numbers(shape.factors()), numbers(shape.outputs));
    let kept = shape.activations() * lanes;
    let (mut activations, mut pooled) = (buffer(blocks * kept), buffer(output));
    let (mut df, mut db) = (vec![0.0; factors.len()], vec![0.0; shape.outputs]);
    let mut dx = input_gradient.then(|| buffer(input));
    let mut working = buffer(shape.forward_len() * lanes);
    let mut scratch = buffer(shape.backward_len() * lanes);
    let (activation, dy) = (buffer(kept), buffer(output));
    let forward = {
        let factors = factors.clone();
        move || {
            for (x, kept) in still.chunks(input).zip(activations.chunks_mut(kept)) {
                let working = (kept, &mut *working);
                conv::forward(isa, shape, x, (&factors, &bias), working, &mut pooled);
            }
        }
    };
    let backward = move || {
        for x in x.chunks(input) {
            let gradients = Gradients {
                parameters: Some(ParameterGradients {
                    factors: &mut df,
                    bias: &mut db,
                }),
                x: dx.as_deref_mut(),
                scratch: &mut scratch,
            };
            conv::backward(isa, shape, x, &factors, &activation, &dy, gradients);
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
    let (x, weight, bias) = (
        numbers(images * inputs),
        numbers(outputs * inputs),
        numbers(outputs),
    );
    let (dy, mut y) = (numbers(images * outputs), vec![0.0; images * outputs]);
    let (mut dw, mut dx) = (vec![0.0; weight.len()], vec![0.0; x.len()]);
    let pool = Pool::default();
    let forward = {
        let (x, weight, pool) = (x.clone(), weight.clone(), pool.clone());
        move || {
            let product = Product {
                m: images,
                n: outputs,
                k: inputs,
                a: Matrix::rows(&x, inputs),
                b: Matrix::rows(&weight, inputs).transposed(),
                c: &mut y,
                finish: Finish::BiasTanh(&bias),
            };
            multiply(isa, &pool, [product]);
        }
    };
    let backward = move || {
        let dy = Matrix::rows(&dy, outputs);
        let for_weights = Product {
            m: outputs,
            n: inputs,
            k: images,
            a: dy.transposed(),
            b: Matrix::rows(&x, inputs),
            c: &mut dw,
            finish: Finish::Add,
        };
        let for_input = Product {
            m: images,
            n: inputs,
            k: outputs,
            a: dy,
            b: Matrix::rows(&weight, inputs),
            c: &mut dx,
            finish: Finish::Add,
        };
        multiply(isa, &pool, [for_weights, for_input]);
    };
    pair(names, products, true, forward, backward)
}

/// Numbers in -1..1 that look random.
pub(crate) fn numbers(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i as u32).wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}
