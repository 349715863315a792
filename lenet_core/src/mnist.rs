//! MNIST as dfdx tensors, from a verified copy on this machine, and other data sets in its format.
//!
//! MNIST is 60,000 handwritten digits to train on and 10,000 to test with, 28 x 28 grey pixels
//! each, collected by Yann LeCun and Corinna Cortes and offered under CC BY-SA 3.0. Its four files
//! are described in Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied
//! to Document Recognition", Proceedings of the IEEE 86(11), 1998, section III.
//!
//! The crate `lenet_mnist` finds, fetches and checks the files; this is its face in tensors.

use std::path::Path;

use dfdx::shapes::{Const, Dim, HasShape, Rank1, Rank3, Shape};
use dfdx::tensor::{Cpu, Tensor, TensorFromVec};
use lenet_mnist::{Fetcher, ImageSet, Mnist, Split as Bytes};
pub use lenet_mnist::{FASHION_CLASSES, LETTER_CLASSES, TEST_COUNT, TRAIN_COUNT};

use crate::slices::values;
use crate::{Error, Result};

/// Height and width of an image, in pixels.
const SIDE: usize = lenet_mnist::SIDE;

/// `N` images of 28 x 28 pixels, from 0 (paper) to 255 (ink), and the digit that each of them shows.
pub type Split<const N: usize> = (Tensor<Rank3<N, SIDE, SIDE>, u8, Cpu>, Tensor<Rank1<N>, u8, Cpu>);

/// Images of 28 x 28 pixels, from 0 (paper) to 255 (ink), as many as a file holds.
pub type DynImages = Tensor<(usize, Const<SIDE>, Const<SIDE>), u8, Cpu>;

/// The same and their labels.
pub type DynSplit = (DynImages, Tensor<(usize,), u8, Cpu>);

/// The training split and the test split of MNIST, from the folder that `LENET_MNIST_DIR` names, or the user's cache.
///
/// The first call fetches what is missing there (11 MB) and prints how far it is; later calls only
/// check and read.
///
/// # Errors
/// When a file is missing or damaged and no source has it, when the folder refuses, or when it holds another data set.
///
/// # Example
/// ```
/// use lenet_core::mnist;
///
/// let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
/// let first_label: u8 = y_train.as_vec()[0];
/// assert_eq!(first_label, 5);
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load_data() -> Result<(Split<TRAIN_COUNT>, Split<TEST_COUNT>)> {
    let folder = lenet_mnist::data_folder()?;
    typed(Fetcher::new(folder).load(&mut |line| println!("{line}"))?)
}

/// The two splits of MNIST from the four files in `folder`. Looks nowhere else, fetches nothing and
/// writes nothing.
///
/// # Errors
/// When a file is missing or not MNIST's.
pub fn load_data_from(folder: impl AsRef<Path>) -> Result<(Split<TRAIN_COUNT>, Split<TEST_COUNT>)> {
    typed(lenet_mnist::load(folder)?)
}

fn typed(Mnist { train, test }: Mnist) -> Result<(Split<TRAIN_COUNT>, Split<TEST_COUNT>)> {
    Ok((split(train)?, split(test)?))
}

fn split<const N: usize>(Bytes { images, labels }: Bytes) -> Result<Split<N>> {
    Ok((tensor(images, Default::default())?, tensor(labels, Default::default())?))
}

/// Images and labels of another data set in MNIST's format (IDX), such as Fashion-MNIST, EMNIST's digits
/// or one that a class made itself, packed with gzip or not. The count `N` is part of the type.
/// EMNIST's images lie on their side: [`transposed`] turns them.
///
/// # Errors
/// When a file cannot be read, or is not of the format, or does not hold exactly `N` images of
/// 28 x 28 pixels and `N` labels.
///
/// # Example
/// ```no_run
/// use lenet_core::mnist::load_idx;
///
/// let (x_train, y_train) =
///     load_idx::<60_000>("fashion/train-images-idx3-ubyte", "fashion/train-labels-idx1-ubyte")?;
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load_idx<const N: usize>(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<Split<N>> {
    let set = read(images.as_ref(), labels.as_ref())?;
    if set.count != N {
        let got = format!("a file of {} images", set.count);
        return Err(Error::argument("N", format!("the number of images, as in `load_idx::<{}>`", set.count), got));
    }
    split(Bytes { images: set.pixels, labels: set.labels })
}

/// The same for a count that is only known when the files are read. `reshape::<DynRank4<1, 28, 28>>()` gives the images the
/// axis for the channel; all else is done as with MNIST.
///
/// Classes have names: [`FASHION_CLASSES`] and [`LETTER_CLASSES`] are two sets' own, which
/// [`plot::Named`](crate::plot::Named) gives to figures, and `to_categorical::<{ mnist::LETTER_CLASSES.len() }, _>` takes as many.
/// EMNIST's images lie on their side: [`transposed`] turns them.
///
/// # Errors
/// As [`load_idx`].
///
/// # Example
/// ```
/// use lenet_core::mnist::load_idx_dyn;
///
/// // Two empty images, labelled 3 and 7.
/// let folder = std::env::temp_dir().join(format!("two-images-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// let (images, labels) = (folder.join("images"), folder.join("labels"));
/// let header = [[0, 0, 8, 3], [0, 0, 0, 2], [0, 0, 0, 28], [0, 0, 0, 28]].concat();
/// std::fs::write(&images, [header, vec![0; 2 * 28 * 28]].concat()).unwrap();
/// std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 3, 7]).unwrap();
///
/// let (x, y) = load_idx_dyn(&images, &labels)?;
/// assert_eq!(y.as_vec(), [3, 7]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load_idx_dyn(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<DynSplit> {
    dynamic(read(images.as_ref(), labels.as_ref())?)
}

/// Images and labels from a table as Kaggle's `train.csv`: a line for each image, its label and its 784 pixels.
///
/// # Errors
/// When the file cannot be read, or is no such table.
///
/// # Example
/// ```
/// use lenet_core::prelude::*;
///
/// let folder = std::env::temp_dir();
/// let path = folder.join(format!("one-{}.csv", std::process::id()));
/// std::fs::write(&path, format!("7{}", ",255".repeat(784)))?;
///
/// let (x, y) = mnist::load_csv(&path)?;
/// assert!(x.dims() == [1, 28, 28] && y.as_vec() == [7]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn load_csv(path: impl AsRef<Path>) -> Result<DynSplit> {
    let (path, set) = (path.as_ref(), table(path.as_ref())?);
    if set.labels.is_empty() {
        return Err(Error::file(path, "holds no labels; `mnist::load_csv_images` reads such a table"));
    }
    dynamic(set)
}

/// Images from a table without labels, as Kaggle's `test.csv`. Where there are labels, they are left out.
///
/// # Errors
/// As [`load_csv`].
pub fn load_csv_images(path: impl AsRef<Path>) -> Result<DynImages> {
    let set = table(path.as_ref())?;
    tensor(set.pixels, (set.count, Const, Const))
}

fn table(path: &Path) -> Result<ImageSet> {
    of_our_size(lenet_mnist::read_csv(path)?, path)
}

/// Writes the answers to Kaggle's test images: `ImageId,Label`, with images counted from 1. It replaces an earlier file of
/// answers, and no other.
///
/// # Errors
/// When the file cannot be written, or is there and of another kind.
///
/// # Example
/// ```
/// use lenet_core::prelude::*;
///
/// let folder = std::env::temp_dir();
/// let name = |what| folder.join(format!("{what}-{}.csv", std::process::id()));
/// let (test, answers) = (name("test"), name("answers"));
/// std::fs::write(&test, vec!["0"; 784].join(","))?;
///
/// let model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
/// let images = mnist::load_csv_images(&test)?;
/// let images = normalize(&images.reshape::<DynRank4<1, 28, 28>>());
/// mnist::write_submission(&answers, &model.predict_classes(&images)?)?;
/// assert!(std::fs::read_to_string(&answers)?.starts_with("ImageId,Label\n1,"));
/// # std::fs::remove_file(&test)?;
/// # std::fs::remove_file(&answers)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_submission(path: impl AsRef<Path>, classes: &[u8]) -> Result<()> {
    Ok(lenet_mnist::write_submission(path, classes)?)
}

/// The same images with rows and columns exchanged: EMNIST's are stored so.
///
/// ```
/// use lenet_core::prelude::*;
/// let images = Cpu::default().tensor([[[1u8, 2], [3, 4]]]);
/// assert_eq!(mnist::transposed(&images).array(), [[[1, 3], [2, 4]]]);
/// ```
pub fn transposed<N: Dim, R: Dim, C: Dim>(images: &Tensor<(N, R, C), u8, Cpu>) -> Tensor<(N, C, R), u8, Cpu> {
    let (n, rows, columns) = *images.shape();
    let (count, height, width) = (n.size(), rows.size(), columns.size());
    let set = ImageSet { count, height, width, pixels: values(images).into_owned(), labels: Vec::new() };
    Cpu::default().tensor_from_vec(set.transposed().pixels, (n, columns, rows))
}

fn read(images: &Path, labels: &Path) -> Result<ImageSet> {
    of_our_size(lenet_mnist::read_idx(images, labels)?, images)
}

fn of_our_size(set: ImageSet, path: &Path) -> Result<ImageSet> {
    if (set.height, set.width) != (SIDE, SIDE) {
        let got = format!("{} of {}x{}", path.display(), set.height, set.width);
        return Err(Error::argument("images", format!("images of {SIDE}x{SIDE} pixels"), got));
    }
    Ok(set)
}

fn dynamic(set: ImageSet) -> Result<DynSplit> {
    Ok((tensor(set.pixels, (set.count, Const, Const))?, tensor(set.labels, (set.count,))?))
}

/// A tensor that takes over `values` without a copy.
fn tensor<S: Shape>(values: Vec<u8>, shape: S) -> Result<Tensor<S, u8, Cpu>> {
    Ok(Cpu::default().try_tensor_from_vec(values, shape)?)
}
