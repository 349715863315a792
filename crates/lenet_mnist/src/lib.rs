//! MNIST's files: found, fetched, verified, read; and pictures of one's own. No tensors here: plain vectors of bytes.
//!
//! MNIST is 60,000 handwritten digits to train on and 10,000 to test with, 28 x 28 grey pixels
//! each, collected by Yann LeCun and Corinna Cortes and offered under CC BY-SA 3.0. Its four files
//! are described in Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied
//! to Document Recognition", Proceedings of the IEEE 86(11), 1998, section III.
//!
//! A file's way:
//! - `folder.rs`: where MNIST is kept ([`data_folder`]), and one process at a time in it
//! - `find.rs`: the four files are found there by content; `files.rs` knows their SHA-256,
//!   `input.rs` unpacks
//! - `fetch.rs`: what is missing is fetched ([`Fetcher`]), from the places in `source.rs`, by the
//!   programs that `programs.rs` runs
//! - `load.rs`: the crate `mnist` parses what is verified ([`load`])
//!
//! One's own digits: [`picture`] reads PNG and JPEG files and prepares them as MNIST's were.
//!
//! Other data sets: `idx.rs` reads them in MNIST's format ([`read_idx`]), `csv.rs` as tables
//! ([`read_csv`]); `set.rs` is what comes out ([`ImageSet`]). `main.rs` is the program `fetch_mnist`.
//!
//! ```
//! use lenet_mnist::{data_folder, load, Fetcher};
//!
//! let folder = data_folder()?;
//! Fetcher::new(&folder).run(&mut |line| println!("{line}"))?;
//! let mnist = load(&folder)?;
//! assert_eq!(mnist.test.labels[0], 7);
//! # Ok::<(), lenet_mnist::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod csv;
mod error;
mod fetch;
mod files;
mod find;
mod folder;
#[cfg(test)]
#[path = "../tests/inside/fuzz.rs"]
mod fuzz;
mod idx;
mod input;
mod load;
pub mod picture;
mod programs;
mod set;
mod source;

pub use csv::{read_csv, write_submission};
pub use error::{Error, Result};
pub use fetch::Fetcher;
pub use folder::data_folder;
pub use idx::read_idx;
pub use load::{load, Mnist, Split};
pub use set::{ImageSet, FASHION_CLASSES, LETTER_CLASSES, MAX_LEN};
pub use source::Source;

/// Height and width of an image of MNIST, in pixels.
pub const SIDE: usize = 28;

/// Images of MNIST to train on.
pub const TRAIN_COUNT: usize = 60_000;

/// Images of MNIST to test with.
pub const TEST_COUNT: usize = 10_000;
