//! The layers on the tape against PyTorch's values, loops that anyone can check by eye, dfdx's own modules, and finite
//! differences.

mod common;
#[path = "../../crates/lenet_kernels/tests/it/naive.rs"]
mod naive;

use common::{assert_close, load};
use dfdx::prelude::{DeviceBuildExt as _, Rank0, SumTo as _};
use lenet_core::dfdx;
use lenet_core::prelude::*;
use naive::values;

/// Float32 rounding, relative to the largest value: of short sums, and of sums of some hundred terms.
const FORWARD: f64 = 2e-6;
const PASS: f64 = 1e-5;

/// A tensor of values that look random.
macro_rules! random {
    ($seed:expr, $($size:expr),+) => {{
        let shape = ($(Const::<{ $size }>,)+);
        Cpu::default().tensor_from_vec(values([$($size),+].iter().product(), $seed), shape)
    }};
}

/// A layer, called by the name that it has in the fixture, gives PyTorch's output and gradients.
macro_rules! as_in_pytorch {
    ($name:expr, $layer:expr, $x:ty => $y:ty $(, $parameter:ident)*) => {{
        let (dev, fixture, name) = (Cpu::default(), load("layers"), $name);
        let of = |part: &str| fixture[&format!("{name}.{part}")].clone();
        #[allow(unused_mut)]
        let mut layer = $layer;
        $(layer.$parameter = dev.tensor_from_vec(of(stringify!($parameter)), Default::default());)*
        let x: Tensor<$x, f32, Cpu> = dev.tensor_from_vec(of("x"), Default::default());
        let dy: Tensor<$y, f32, Cpu> = dev.tensor_from_vec(of("dy"), Default::default());
        let y = layer.forward(x.leaky_trace());
        assert_close(&format!("{name}.y"), &y.as_vec(), &of("y"), FORWARD);
        let gradients = (y * dy).sum::<Rank0, _>().backward();
        assert_close(&format!("{name}.dx"), &gradients.get(&x).as_vec(), &of("dx"), PASS);
        $(
            let got = gradients.get(&layer.$parameter).as_vec();
            assert_close(&format!("{name}.d{}", stringify!($parameter)), &got, &of(&format!("d{}", stringify!($parameter))), PASS);
        )*
    }};
}

#[test]
fn every_layer_gives_what_pytorch_gives() {
    macro_rules! convolutions {
        ($($kernel:literal)*) => { $(
            as_in_pytorch!(format!("conv2d_{}", $kernel), Conv2D::<2, 3, $kernel>::glorot_uniform(0),
                Rank4<5, 2, 9, 9> => Rank4<5, 3, { 10 - $kernel }, { 10 - $kernel }>, weight, bias);
        )* };
    }
    convolutions!(1 2 3 4 5 6 7);
    as_in_pytorch!("avg_pool2d_2", AvgPool2D::<2>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 4, 4>);
    as_in_pytorch!("avg_pool2d_3", AvgPool2D::<3>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 3, 3>);
    as_in_pytorch!("avg_pool2d_4", AvgPool2D::<4>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 2, 2>);
    // Most windows hold their largest value several times.
    as_in_pytorch!("max_pool2d_2", MaxPool2D::<2>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 4, 4>);
    as_in_pytorch!("max_pool2d_3", MaxPool2D::<3>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 3, 3>);
    as_in_pytorch!("max_pool2d_4", MaxPool2D::<4>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 2, 2>);
    as_in_pytorch!("zero_pad2d_1", ZeroPad2D::<1>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 11, 11>);
    as_in_pytorch!("zero_pad2d_2", ZeroPad2D::<2>, Rank4<5, 2, 9, 9> => Rank4<5, 2, 13, 13>);
    as_in_pytorch!("flatten", Flatten, Rank4<5, 2, 9, 9> => Rank2<5, 162>);
    as_in_pytorch!("linear", Linear::<12, 7>::glorot_uniform(0), Rank2<5, 12> => Rank2<5, 7>, weight, bias);
    as_in_pytorch!("tanh", Tanh, Rank2<5, 12> => Rank2<5, 12>);
    as_in_pytorch!("relu", ReLU, Rank2<5, 12> => Rank2<5, 12>);
    as_in_pytorch!("sigmoid", Sigmoid, Rank2<5, 12> => Rank2<5, 12>);
}

/// A convolution of `N` images of `S` x `S` gives what plain loops give, forward and backward.
macro_rules! as_in_loops {
    ($($i:literal $o:literal $k:literal, $n:literal of $s:literal;)*) => { $({
        let shape = naive::Shape { inputs: $i, height: $s, width: $s, outputs: $o, kernel: $k };
        let mut layer = Conv2D::<$i, $o, $k>::glorot_uniform(0);
        (layer.weight, layer.bias) = (random!(1, $o, $i, $k, $k), random!(2, $o));
        let (x, dy) = (random!(3, $n, $i, $s, $s), random!(4, $n, $o, $s + 1 - $k, $s + 1 - $k));
        let y = layer.forward(x.leaky_trace());
        let mut expected = vec![0.0; $n * shape.output_len()];
        let (weight, pixels, slope) = (layer.weight.as_vec(), x.as_vec(), dy.as_vec());
        naive::forward(shape, &pixels, &weight, &layer.bias.as_vec(), &mut expected);
        let name = stringify!($i $o $k, $n of $s);
        let terms = $i * $k * $k;
        assert_close(name, &y.as_vec(), &expected, if terms > 300 { PASS } else { FORWARD });

        let gradients = (y * dy).sum::<Rank0, _>().backward();
        let mut dx = vec![0.0; $n * shape.input_len()];
        naive::input_gradient(shape, &weight, &slope, &mut dx);
        // Image by image, and summed with more digits: the loops' own rounding would show.
        let (mut dw, mut db) = (vec![0.0; shape.weights()], vec![0.0; $o]);
        for (x, dy) in pixels.chunks(shape.input_len()).zip(slope.chunks(shape.output_len())) {
            let (mut of_weight, mut of_bias) = (vec![0.0; dw.len()], vec![0.0; $o]);
            naive::weight_gradient(shape, x, dy, &mut of_weight);
            naive::bias_gradient(shape, dy, &mut of_bias);
            dw.iter_mut().zip(of_weight).for_each(|(sum, value)| *sum += f64::from(value));
            db.iter_mut().zip(of_bias).for_each(|(sum, value)| *sum += f64::from(value));
        }
        let [dw, db] = [dw, db].map(|sums| Vec::from_iter(sums.into_iter().map(|sum| sum as f32)));
        assert_close(name, &gradients.get(&layer.weight).as_vec(), &dw, PASS);
        assert_close(name, &gradients.get(&layer.bias).as_vec(), &db, PASS);
        assert_close(name, &gradients.get(&x).as_vec(), &dx, PASS);
    })* };
}

#[test]
fn convolutions_are_the_sums_that_their_documentation_says() {
    as_in_loops! {
        // Those of LeNet-5, with batches that fill no whole number of vectors, and with one image.
        1 6 5, 37 of 28;
        6 16 5, 37 of 12;
        6 16 5, 1 of 12;
        6 16 5, 8 of 12;
        // Several passes; a filter as large as the map; numbers of channels that leave a rest.
        2 3 5, 70 of 8;
        3 9 5, 17 of 5;
        12 32 7, 3 of 13;
        5 7 3, 9 of 11;
        7 3 2, 9 of 6;
        2 1 6, 9 of 9;
        3 5 4, 4 of 20;
        2 2 1, 9 of 2;
        1 2 3, 2 of 64;
    }
}

/// A layer against dfdx's own module, which has the parameters' names and shapes too.
macro_rules! as_in_dfdx {
    ($layer:expr, $module:expr, $x:expr, $dy:expr $(, $parameter:ident)*) => {{
        let (mine, theirs, x, dy) = ($layer, $module, $x, $dy);
        let (got, want) = (mine.forward(x.leaky_trace()), dfdx::prelude::Module::forward(&theirs, x.leaky_trace()));
        assert_close(stringify!($layer), &got.as_vec(), &want.as_vec(), FORWARD);
        let got = (got * dy.clone()).sum::<Rank0, _>().backward();
        let want = (want * dy.clone()).sum::<Rank0, _>().backward();
        assert_close(stringify!($layer), &got.get(&x).as_vec(), &want.get(&x).as_vec(), PASS);
        $(assert_close(stringify!($layer), &got.get(&mine.$parameter).as_vec(), &want.get(&theirs.$parameter).as_vec(), PASS);)*
    }};
}

#[test]
fn dense_layers_and_activations_agree_with_dfdx() {
    macro_rules! dense {
        ($($i:literal $o:literal, $n:literal;)*) => { $({
            let mut theirs = Cpu::default().build_module::<dfdx::nn::builders::Linear<$i, $o>, f32>();
            let mut mine = Linear::<$i, $o>::glorot_uniform(0);
            (mine.weight, mine.bias) = (random!(14, $o, $i), random!(15, $o));
            (theirs.weight, theirs.bias) = (mine.weight.clone(), mine.bias.clone());
            as_in_dfdx!(mine, theirs, random!(16, $n, $i), random!(17, $n, $o), weight, bias);
        })* };
    }
    dense! {
        256 120, 37;
        120 84, 128;
        84 10, 96;
        256 120, 8;
        120 84, 9;
        84 10, 7;
        7 3, 1;
        1 1, 5;
        33 50, 2;
    }
    as_in_dfdx!(Tanh, dfdx::nn::modules::Tanh, random!(18, 37, 3, 5, 5) * 4.0, random!(19, 37, 3, 5, 5));
    as_in_dfdx!(ReLU, dfdx::nn::modules::ReLU, random!(18, 37, 3, 5, 5), random!(19, 37, 3, 5, 5));
    as_in_dfdx!(Sigmoid, dfdx::nn::modules::Sigmoid, random!(18, 37, 3, 5, 5) * 4.0, random!(19, 37, 3, 5, 5));
}

type Smooth = (
    (Input<2, 10>, ZeroPad2D<1>, Conv2D<2, 3, 5>, Tanh, AvgPool2D<2>),
    (Conv2D<3, 4, 2>, Sigmoid, Dropout<50>, Flatten, Linear<36, 5>),
);

/// Gradients by the tape against slopes of the loss `sum(y * direction)`.
#[test]
fn gradients_are_slopes() {
    let mut network = Smooth::glorot_uniform(6);
    network.0 .2.bias = random!(7, 3);
    let (x, direction) = (random!(8, 3, 2, 10, 10), random!(9, 3, 5));
    let loss = |network: &Smooth, x: &Tensor<Rank4<3, 2, 10, 10>, f32, Cpu>| {
        let y = network.forward(x.clone()).as_vec().into_iter().zip(direction.as_vec());
        y.map(|(y, d)| f64::from(y) * f64::from(d)).sum::<f64>()
    };
    let gradients = (network.forward(x.leaky_trace()) * direction.clone()).sum::<Rank0, _>().backward();
    let step = 1e-2;
    let check = |name: &str, got: f32, up: f64, down: f64| {
        let expected = (up - down) / (2.0 * f64::from(step));
        assert!((f64::from(got) - expected).abs() <= 2e-3 * expected.abs().max(0.1), "{name}: {got}, {expected}");
    };
    macro_rules! slopes {
        ($([$($parameter:tt)*] $index:expr;)*) => { $({
            let (mut up, mut down) = (network.clone(), network.clone());
            up $($parameter)* [$index] += step;
            down $($parameter)* [$index] -= step;
            let got = gradients.get(&network $($parameter)*)[$index];
            check(stringify!($($parameter)*), got, loss(&up, &x), loss(&down, &x));
        })* };
    }
    slopes! {
        [.0 .2.weight] [0, 0, 0, 0];
        [.0 .2.weight] [1, 1, 2, 3];
        [.0 .2.bias] [2];
        [.1 .0.weight] [3, 2, 1, 1];
        [.1 .0.bias] [0];
        [.1 .4.weight] [4, 35];
        [.1 .4.bias] [3];
    }
    for index in [[0, 0, 0, 0], [1, 1, 5, 6], [2, 0, 9, 9], [2, 1, 4, 0]] {
        let (mut up, mut down) = (x.clone(), x.clone());
        up[index] += step;
        down[index] -= step;
        check("x", gradients.get(&x)[index], loss(&network, &up), loss(&network, &down));
    }
}
