//! Other data sets in MNIST's file format, which is called IDX.
//!
//! A file is a header of big-endian 32-bit numbers, then the values. The header's third byte is the type of a value (8:
//! unsigned byte, 12: 32-bit integer), its fourth the number of dimensions, which follow. Images: `0x803`, count, rows,
//! columns. Labels: `0x801`, count. QMNIST's labels: `0xc02`, count, 8; the first of the eight integers of an image is
//! its class.

use std::fmt;
use std::path::Path;

use crate::input::Input;
use crate::set::{ImageSet, MAX_LEN};
use crate::Result;

/// Types of a value, as the header names them, and the bytes that each type from 8 on takes.
const BYTE: u8 = 8;
const INT: u8 = 12;
const VALUE_LENS: [u64; 7] = [1, 1, 0, 2, 4, 4, 8];

/// Bytes of a number of the header.
const NUMBER_LEN: usize = 4;

/// What a file promises to hold.
#[derive(Debug)]
pub(crate) struct Header {
    value: u8,
    dims: Vec<usize>,
}

impl Header {
    /// The header that `bytes` begin with, if they do.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0, 0, value @ (8 | 9 | 11..=14), rank @ 1..=4] = bytes.get(..NUMBER_LEN)? else {
            return None;
        };
        let dims = bytes[NUMBER_LEN..].get(..NUMBER_LEN * usize::from(rank))?;
        let dim = |bytes: &[u8]| bytes.iter().fold(0, |high, &low| high << 8 | usize::from(low));
        let dims = dims.chunks_exact(NUMBER_LEN).map(dim).collect();
        Some(Self { value, dims })
    }

    /// Bytes of header and values; where no file has as many, the largest number.
    pub fn file_len(&self) -> u64 {
        let value_len = VALUE_LENS[usize::from(self.value - BYTE)];
        let product = |len: u64, &dim: &usize| len.saturating_mul(dim as u64);
        let values_len = self.dims.iter().fold(value_len, product);
        values_len.saturating_add(self.len() as u64)
    }

    /// Bytes of the header.
    fn len(&self) -> usize {
        NUMBER_LEN * (1 + self.dims.len())
    }

    /// Count, height and width, if the file holds images.
    fn images(&self) -> Option<[usize; 3]> {
        let dims = self.dims[..].try_into().ok()?;
        (self.value == BYTE && !self.dims.contains(&0)).then_some(dims)
    }

    /// Count, if the file holds labels.
    fn labels(&self) -> Option<usize> {
        match (self.value, &self.dims[..]) {
            _ if self.dims.contains(&0) => None,
            (BYTE | INT, &[count]) | (INT, &[count, _]) => Some(count),
            _ => None,
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.images(), self.labels()) {
            (Some([count, height, width]), _) => write!(f, "{count} images of {height}x{width}"),
            (_, Some(count)) => write!(f, "{count} labels"),
            _ => write!(f, "values of type {} in dimensions {:?}", self.value, self.dims),
        }
    }
}

/// Images and labels of another data set in MNIST's format, such as Fashion-MNIST, EMNIST, QMNIST or one of your own,
/// from files packed with gzip or not. Images are of any size, labels from 0 to 255.
///
/// EMNIST stores its images with rows and columns exchanged: [`ImageSet::transposed`] turns them.
///
/// # Errors
/// When a file cannot be read or is something else; when counts differ; when a header promises more than the file has,
/// or more than [`MAX_LEN`].
///
/// # Example
/// ```
/// // Two images of 1 x 2 pixels, labelled 3 and 7.
/// let folder = std::env::temp_dir().join(format!("two-images-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// let (images, labels) = (folder.join("images"), folder.join("labels"));
/// std::fs::write(&images, b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02pqrs").unwrap();
/// std::fs::write(&labels, b"\0\0\x08\x01\0\0\0\x02\x03\x07").unwrap();
///
/// let set = lenet_mnist::read_idx(&images, &labels)?;
/// assert_eq!((set.count, set.height, set.width), (2, 1, 2));
/// assert_eq!((set.pixels, set.labels), (b"pqrs".to_vec(), vec![3, 7]));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), lenet_mnist::Error>(())
/// ```
pub fn read_idx(images: impl AsRef<Path>, labels: impl AsRef<Path>) -> Result<ImageSet> {
    let (images, labels) = (images.as_ref(), labels.as_ref());
    read_pair(Input::open(images)?, Input::open(labels)?)
}

/// Checks both headers, and only then reads what they promise.
pub(crate) fn read_pair(images: Input, labels: Input) -> Result<ImageSet> {
    const ORDER: &str = "give the images first, then the labels";
    let (image_header, label_header) = (header(&images)?, header(&labels)?);
    let wrong = |file: &Input, header: &Header, problem: &str, advice: &str| {
        file.error(&format!("holds {header}{problem}"), advice)
    };
    if image_header.labels().is_some() && label_header.images().is_some() {
        let problem = ": images and labels are swapped";
        return Err(wrong(&images, &image_header, problem, ORDER));
    }
    let no_images = || wrong(&images, &image_header, ", no images", ORDER);
    let no_labels = || wrong(&labels, &label_header, ", no labels", ORDER);
    let [count, height, width] = image_header.images().ok_or_else(no_images)?;
    if label_header.labels().ok_or_else(no_labels)? != count {
        let advice = "give images and labels of the same set, both to train or both to test";
        return Err(wrong(&labels, &label_header, &format!(" for {count} images"), advice));
    }
    let labels = classes(labels, &label_header)?;
    let pixels = values(images, &image_header)?;
    Ok(ImageSet { count, height, width, pixels, labels })
}

/// The header of a file that promises no more than is read.
fn header(input: &Input) -> Result<Header> {
    let Some(header) = Header::parse(&input.beginning) else {
        let (what, advice) = input.other_format();
        return Err(input.error(&what, advice));
    };
    if header.file_len() > MAX_LEN {
        let problem = format!("promises {header}: at most {MAX_LEN} bytes are read");
        return Err(input.error(&problem, "cut it into smaller files"));
    }
    Ok(header)
}

/// All values, to the file's end.
fn values(mut input: Input, header: &Header) -> Result<Vec<u8>> {
    let expected = header.file_len();
    // One byte more than promised is enough to see that there are too many.
    let mut values = input.read_all(expected + 1)?;
    if values.len() as u64 != expected {
        let got = if values.len() as u64 > expected { "more" } else { &values.len().to_string() };
        let problem = format!("promises {header}, {expected} bytes in all, but has {got}");
        return Err(input.error(&problem, "fetch it again"));
    }
    values.drain(..header.len());
    Ok(values)
}

/// The labels; of several integers an image, the first is the class.
fn classes(input: Input, header: &Header) -> Result<Vec<u8>> {
    let wrong = input.error("has a label below 0 or above 255", "give labels from 0 to 255");
    let values = values(input, header)?;
    if header.value == BYTE {
        return Ok(values);
    }
    let class = |row: &[u8]| row.starts_with(&[0, 0, 0]).then(|| row[3]);
    let rows = values.chunks_exact(values.len() / header.dims[0]);
    rows.map(class).collect::<Option<_>>().ok_or(wrong)
}
