use lenet_core::dfdx::prelude::*;
use lenet_core::layers::*;
use lenet_core::network::Layer as _;
use std::time::Instant;
fn main() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(std::env::args().nth(1).map_or(1, |x| x.parse().unwrap()))
        .build()
        .unwrap();
    pool.install(|| {
        let dev = Cpu::default();
        dev.enable_cache();
        let a = Fused::<(Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>)>::build(&dev);
        let b = Fused::<(Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>)>::build(&dev);
        let c = Fused::<(modules::Linear<256, 120, f32, Cpu>, Tanh)>::build(&dev);
        let x: Tensor<Rank4<128, 1, 28, 28>, f32, _> = dev.sample_uniform();
        let h: Tensor<Rank4<128, 6, 12, 12>, f32, _> = dev.sample_uniform();
        let d: Tensor<Rank2<128, 256>, f32, _> = dev.sample_uniform();
        let mut a = a;
        a.skip_input_gradient(true);
        macro_rules! t {
            ($name:literal, $l:ident, $x:ident, $mac:expr) => {
                let mut best = (f64::MAX, f64::MAX, f64::MAX);
                for _ in 0..200 {
                    let t = Instant::now();
                    let y = $l.forward($x.clone());
                    let e0 = t.elapsed().as_secs_f64();
                    drop(y);
                    let t = Instant::now();
                    let y = $l.forward($x.leaky_trace());
                    let e1 = t.elapsed().as_secs_f64();
                    let loss = y.sum();
                    let t = Instant::now();
                    let g = loss.backward();
                    let e2 = t.elapsed().as_secs_f64();
                    drop(g);
                    best = (best.0.min(e0), best.1.min(e1), best.2.min(e2));
                }
                let f = |m: f64, s: f64| 2.0 * m * 128.0 / s / 1e9;
                println!(
                    "{} infer {:.0}us {:.0} GF/s | fwd {:.0}us {:.0} | bwd {:.0}us {:.0}",
                    $name,
                    best.0 * 1e6,
                    f($mac.0, best.0),
                    best.1 * 1e6,
                    f($mac.0, best.1),
                    best.2 * 1e6,
                    f($mac.1, best.2)
                );
            };
        }
        t!("c1", a, x, (86400f64, 86400f64));
        t!("c3", b, h, (153600f64, 307200f64));
        t!("c5", c, d, (30720f64, 61440f64));
    });
}
