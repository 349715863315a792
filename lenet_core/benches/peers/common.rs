//! What the Rust peers share: flags, MNIST, running means, and the JSON lines they print.

use std::env;
use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub const SIDE: usize = 28;
const USAGE: &str = "flags: --epochs N --batch-size N --threads N --seed N";

pub struct Options {
    pub epochs: usize,
    pub batch_size: usize,
    pub threads: usize,
    pub seed: u64,
}

impl Options {
    pub fn from_flags() -> Result<Self> {
        let mut options = Self {
            epochs: 10,
            batch_size: 128,
            threads: 2,
            seed: 0,
        };
        let mut arguments = env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            let wrong = |e| format!("{flag} {value:?}: {e}; {USAGE}");
            let at_least_one = || value.parse::<NonZeroUsize>().map(usize::from);
            match flag.as_str() {
                "--epochs" => options.epochs = value.parse().map_err(wrong)?,
                "--batch-size" => options.batch_size = at_least_one().map_err(wrong)?,
                "--threads" => options.threads = at_least_one().map_err(wrong)?,
                "--seed" => options.seed = value.parse().map_err(wrong)?,
                _ => return Err(format!("{flag}: no such flag; {USAGE}").into()),
            }
        }
        Ok(options)
    }

    /// Tells rayon, and what else reads its variable. Call it before anything else, while no
    /// other thread runs and no pool exists.
    pub fn limit_threads(&self) {
        env::set_var("RAYON_NUM_THREADS", self.threads.to_string());
    }
}

/// Images as rows of 784 values in 0..=1, one label each.
pub struct Split {
    pub images: Vec<f32>,
    pub labels: Vec<u8>,
}

impl Split {
    /// Reads `train` or `t10k` from the folder `LENET_MNIST_DIR`, or lenet_core's cache.
    pub fn read(name: &str) -> Result<Self> {
        let folder = match env::var_os("LENET_MNIST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => {
                Path::new(&env::var_os("HOME").unwrap_or_default()).join(".cache/lenet_core/mnist")
            }
        };
        let pixels = read_idx::<3>(&folder.join(format!("{name}-images-idx3-ubyte")))?;
        let labels = read_idx::<1>(&folder.join(format!("{name}-labels-idx1-ubyte")))?;
        if pixels.len() != labels.len() * SIDE * SIDE {
            return Err(format!("{name}: images and labels differ in number").into());
        }
        let images = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
        Ok(Self { images, labels })
    }
}

/// The bytes after an IDX header, which holds the type (8: u8), the rank, and `RANK` sizes.
fn read_idx<const RANK: usize>(path: &Path) -> Result<Vec<u8>> {
    let content = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    match content.split_at_checked(4 + 4 * RANK) {
        Some((header, bytes)) if header[..4] == [0, 0, 8, RANK as u8] => Ok(bytes.to_vec()),
        _ => Err(format!("{}: no IDX file of u8 with rank {RANK}", path.display()).into()),
    }
}

/// Sums over the images seen so far.
#[derive(Default)]
pub struct Running {
    loss: f64,
    right: usize,
    seen: usize,
}

impl Running {
    /// Adds a batch: its mean loss, and how many of its `size` images were recognised.
    pub fn add(&mut self, loss: f32, right: usize, size: usize) {
        self.loss += f64::from(loss) * size as f64;
        self.right += right;
        self.seen += size;
    }

    pub fn loss(&self) -> f64 {
        self.loss / self.seen as f64
    }

    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.seen as f64
    }
}

/// One line when an epoch ends; `time` is training and validation.
pub fn print_epoch(epoch: usize, time: Duration, train: &Running, val: &Running) {
    println!(
        r#"{{"epoch": {epoch}, "seconds": {:.4}, "loss": {}, "accuracy": {}, "val_loss": {}, "val_accuracy": {}}}"#,
        time.as_secs_f64(),
        train.loss(),
        train.accuracy(),
        val.loss(),
        val.accuracy(),
    );
}

/// The last line; `compare.py` measures time and memory of the whole program from outside. `lock` is the
/// text of the peer's Cargo.lock, which knows the versions of `packages`.
pub fn print_end(peer: &str, options: &Options, test: &Running, (lock, packages): (&str, &[&str])) {
    let versions: Vec<_> = packages
        .iter()
        .map(|package| format!(r#""{package}": "{}""#, version(lock, package)))
        .collect();
    println!(
        r#"{{"peer": "{peer}", "epochs": {}, "batch_size": {}, "threads": {}, "test_loss": {}, "test_accuracy": {}, "versions": {{{}}}}}"#,
        options.epochs,
        options.batch_size,
        options.threads,
        test.loss(),
        test.accuracy(),
        versions.join(", "),
    );
}

fn version<'a>(lock: &'a str, package: &str) -> &'a str {
    let start = format!("name = \"{package}\"\nversion = \"");
    let rest = lock.split_once(&start).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}
