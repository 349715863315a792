//! MNIST as dfdx tensors, from a verified copy on this machine.
//!
//! MNIST is 60,000 handwritten digits to train on and 10,000 to test with, 28 x 28 grey pixels
//! each, collected by Yann LeCun and Corinna Cortes and offered under CC BY-SA 3.0. Its four files
//! are described in Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied
//! to Document Recognition", Proceedings of the IEEE 86(11), 1998, section III.
//!
//! [`load_data`] fetches them once and checks their SHA-256 each time. The crate `mnist` then parses
//! them. Other data sets in the same format are read by [`load_idx`].

use std::path::Path;

use dfdx::shapes::{Const, Rank1, Rank3, Shape};
use dfdx::tensor::{Cpu, Tensor, TensorFromVec};

use crate::{Error, Result};

mod download;
mod fetch;
mod files;
mod folder;
#[cfg(test)]
mod fuzz;
mod idx;
mod npm;
mod programs;
mod progress;
mod source;
mod tar;
mod unpack;

pub use fetch::Fetcher;
pub use folder::data_folder;
pub use idx::{load_idx, load_idx_dyn, MAX_IMAGES};
pub use source::Source;

/// Height and width of an image, in pixels.
pub const SIDE: usize = 28;

/// Images to train on.
pub const TRAIN_COUNT: usize = 60_000;

/// Images to test with.
pub const TEST_COUNT: usize = 10_000;

/// How many different digits there are: labels are `0..CLASSES`.
pub const CLASSES: usize = 10;

/// `N` images of 28 x 28 pixels, from 0 (paper) to 255 (ink).
pub type Images<const N: usize> = Tensor<Rank3<N, SIDE, SIDE>, u8, Cpu>;

/// The digit that each of `N` images shows.
pub type Labels<const N: usize> = Tensor<Rank1<N>, u8, Cpu>;

/// Images and their labels.
pub type Split<const N: usize> = (Images<N>, Labels<N>);

/// Images and labels, as many as a file holds.
pub type DynSplit = (
    Tensor<(usize, Const<SIDE>, Const<SIDE>), u8, Cpu>,
    Tensor<(usize,), u8, Cpu>,
);

/// The training split and the test split of MNIST, from the [`data_folder`].
///
/// The first call fetches what is missing there (11 MB) and prints how far it is; later calls only
/// check and read. To fetch from elsewhere, or to print nothing, run a [`Fetcher`] first.
///
/// # Errors
/// When a file is missing or damaged and no source has it, or the folder refuses.
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
    let folder = data_folder()?;
    Fetcher::new(&folder).run(&mut |line| println!("{line}"))?;
    parse(&folder)
}

/// The two splits of MNIST from the four files in `folder`. Looks nowhere else, fetches nothing and
/// writes nothing.
///
/// # Errors
/// When a file is missing or not MNIST's.
pub fn load_data_from(folder: &Path) -> Result<(Split<TRAIN_COUNT>, Split<TEST_COUNT>)> {
    match files::flaws(folder).next() {
        None => parse(folder),
        Some((file, flaw)) => Err(Error::Data {
            path: file.path(folder),
            problem: flaw.to_string(),
            advice: format!(
                "`cargo run --release --example fetch_mnist \"{}\"` fetches what is wanted there",
                folder.display()
            ),
        }),
    }
}

/// Lets the crate `mnist` parse the files in `folder`. They have to be checked before, as it panics
/// on anything that it does not expect.
fn parse(folder: &Path) -> Result<(Split<TRAIN_COUNT>, Split<TEST_COUNT>)> {
    let problem = |problem: &str, advice: &str| Error::Data {
        path: folder.to_path_buf(),
        problem: problem.into(),
        advice: advice.into(),
    };
    let path = folder.to_str().ok_or_else(|| {
        problem(
            "the folder's name is not Unicode",
            "set LENET_MNIST_DIR to another folder",
        )
    })?;
    let parse = || {
        mnist::MnistBuilder::new()
            .base_path(path)
            .label_format_digit()
            .training_set_length(TRAIN_COUNT as u32)
            .validation_set_length(0)
            .test_set_length(TEST_COUNT as u32)
            .finalize()
    };
    // Files that someone changes between check and parse would still make it panic.
    let parsed = std::panic::catch_unwind(parse)
        .map_err(|_| problem("a file changed while it was read", "run this again"))?;
    Ok((
        split(parsed.trn_img, parsed.trn_lbl)?,
        split(parsed.tst_img, parsed.tst_lbl)?,
    ))
}

/// Tensors that take over the vectors without a copy.
fn split<const N: usize>(images: Vec<u8>, labels: Vec<u8>) -> Result<Split<N>> {
    Ok((
        tensor(images, Default::default())?,
        tensor(labels, Default::default())?,
    ))
}

/// A tensor that takes over `values` without a copy.
fn tensor<S: Shape>(values: Vec<u8>, shape: S) -> Result<Tensor<S, u8, Cpu>> {
    Ok(Cpu::default().try_tensor_from_vec(values, shape)?)
}
