//! Each kernel on one thread, with GFLOP/s and its share of the multiply-add peak that the widest
//! instructions of this machine reached just before: `cargo bench -p lenet_core`. For one instruction set: `-- avx2`.
//!
//! `products` and `gradients` are the convolutions alone; `forward` and `backward` are the layers, with
//! tanh, pooling and the way between tensors and blocks of images, of which only the convolutions'
//! operations are counted. Counted are those of the textbook's sum, two for each tap of each output,
//! as is usual: the kernels get the same numbers with fewer, and so may come out above the peak.

use std::cell::Cell;
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput};
use lenet_core::measure::{self, Workload};
use lenet_core::Isa;

const IMAGES: usize = 128;

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let one_thread = pool.use_current_thread().build_global();
    one_thread.expect("no other pool has been started");
    let rates = Rates::default();
    let mut criterion = Criterion::default()
        .with_measurement(&rates)
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    rates.peak.set(peak(Isa::best()));
    for isa in Isa::available() {
        for workload in measure::workloads(isa, IMAGES) {
            bench(&mut criterion, isa, workload);
        }
    }
    criterion.final_summary();
}

/// The multiply-add peak in operations a nanosecond: the best of a quarter of a second.
fn peak(isa: Isa) -> f64 {
    let (mut workload, start) = (measure::peak(isa), Instant::now());
    let mut best = f64::INFINITY;
    while start.elapsed() < Duration::from_millis(250) {
        let start = Instant::now();
        workload.run();
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    let peak = workload.operations as f64 / best;
    println!("{isa:?}: multiply-add peak {peak:.1} GFLOP/s a thread");
    peak
}

fn bench(criterion: &mut Criterion<&Rates>, isa: Isa, mut workload: Workload) {
    let mut group = criterion.benchmark_group(format!("{isa:?}"));
    group.sampling_mode(SamplingMode::Flat);
    if workload.operations > 0 {
        group.throughput(Throughput::Elements(workload.operations));
    }
    group.bench_function(BenchmarkId::from_parameter(workload.name), |bencher| {
        bencher.iter_batched(|| (), |()| workload.run(), BatchSize::SmallInput);
    });
    group.finish();
}

/// Wall time, told as a rate of operations and as a share of the peak.
#[derive(Default)]
struct Rates {
    peak: Cell<f64>,
}

impl Measurement for &Rates {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        WallTime.start()
    }
    fn end(&self, start: Instant) -> Duration {
        WallTime.end(start)
    }
    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        WallTime.add(one, other)
    }
    fn zero(&self) -> Duration {
        WallTime.zero()
    }
    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        *self
    }
}

impl ValueFormatter for Rates {
    fn format_throughput(&self, throughput: &Throughput, nanoseconds: f64) -> String {
        let Throughput::Elements(operations) = throughput else {
            return String::new();
        };
        let rate = *operations as f64 / nanoseconds;
        let share = 100.0 * rate / self.peak.get();
        format!("{rate:.0} GFLOP/s ({share:.0} % of peak)")
    }
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }
    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_throughputs(typical, throughput, values)
    }
    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
