//! Other data sets in MNIST's file format, which is called IDX.
//!
//! A file is a header of big-endian 32-bit numbers, then the values. The header's third byte is the
//! type of a value (8: unsigned byte, 12: 32-bit integer), its fourth the number of dimensions,
//! which follow. Images: `0x803`, count, rows, columns. Labels: `0x801`, count. QMNIST's labels:
//! `0xc02`, count, 8; the first of the eight integers of an image is its class.

use std::fmt;
use std::io::Read;
use std::path::Path;

use crate::input::{read_error, Input};
use crate::set::{ImageSet, MAX_VALUES};
use crate::{Error, Result};

/// Types of a value, as the header names them.
const BYTE: u8 = 8;
const INT: u8 = 12;

/// Bytes of a number of the header.
const NUMBER_LEN: usize = 4;

/// What to do about files in the wrong order.
const ORDER: &str = "give the images first, then the labels";

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
        let dim = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |high, &low| high << 8 | usize::from(low))
        };
        let dims = dims.chunks_exact(NUMBER_LEN).map(dim).collect();
        Some(Self { value, dims })
    }

    /// Bytes of header and values.
    pub fn file_len(&self) -> u64 {
        (NUMBER_LEN * (1 + self.dims.len())) as u64 + self.values_len()
    }

    /// Bytes of the values; where no file has as many, some number that no file has.
    fn values_len(&self) -> u64 {
        let value = match self.value {
            11 => 2,
            INT | 13 => 4,
            14 => 8,
            _ => 1,
        };
        let product = |len: u64, &dim: &usize| len.saturating_mul(dim as u64);
        self.dims.iter().fold(value, product).min(u64::MAX / 2)
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, &self.dims[..]) {
            (BYTE, [n, height, width]) => write!(f, "{n} images of {height}x{width} pixels"),
            (BYTE | INT, [n]) | (INT, [n, _]) => write!(f, "{n} labels"),
            (value, dims) => write!(f, "values of type {value} in dimensions {dims:?}"),
        }
    }
}

/// Images and labels of another data set in MNIST's format, such as Fashion-MNIST, EMNIST, QMNIST or
/// one of your own, from files packed with gzip or not. Images are of any size, labels from 0 to 255.
///
/// EMNIST stores its images with rows and columns exchanged: [`ImageSet::transposed`] turns them.
///
/// # Errors
/// When a file cannot be read or is something else; when counts differ; when a header promises more
/// than the file has, or more than [`MAX_VALUES`].
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
    read_pair(
        (images, Input::open(images)?),
        (labels, Input::open(labels)?),
    )
}

/// Checks both headers, and only then reads what they promise.
pub(crate) fn read_pair(images: (&Path, Input), labels: (&Path, Input)) -> Result<ImageSet> {
    let (images, labels) = (Idx::new(images)?, Idx::new(labels)?);
    let (count, height, width) = match (images.kind(), labels.kind()) {
        (Kind::Images(count, height, width), Kind::Labels(labelled)) => {
            if labelled != count {
                let advice =
                    "give images and labels of the same set, both to train or both to test";
                let there = format!(", but there are {count} images");
                return Err(labels.error("holds", &there, advice));
            }
            (count, height, width)
        }
        (Kind::Labels(_), Kind::Images(..)) => {
            return Err(images.error("holds", ": images and labels are swapped", ORDER));
        }
        (Kind::Images(..), _) => return Err(labels.error("holds", ", no labels", ORDER)),
        _ => return Err(images.error("holds", ", no images", ORDER)),
    };
    Ok(ImageSet {
        count,
        height,
        width,
        labels: labels.classes()?,
        pixels: images.values()?,
    })
}

/// What a file is good for.
enum Kind {
    Images(usize, usize, usize),
    Labels(usize),
    Neither,
}

/// A file whose header is sound.
struct Idx<'a> {
    path: &'a Path,
    input: Input<'a>,
    header: Header,
}

impl<'a> Idx<'a> {
    fn new((path, input): (&'a Path, Input<'a>)) -> Result<Self> {
        let Some(header) = Header::parse(&input.beginning) else {
            let (what, advice) = input.other_format();
            return Err(Error::data(path, &what, advice));
        };
        let idx = Self {
            path,
            input,
            header,
        };
        if idx.header.values_len() > MAX_VALUES as u64 {
            let most = format!(": at most {MAX_VALUES} bytes are read");
            return Err(idx.error("promises", &most, "cut it into smaller files"));
        }
        Ok(idx)
    }

    /// An error about what the header says.
    fn error(&self, verb: &str, problem: &str, advice: &str) -> Error {
        Error::data(
            self.path,
            &format!("{verb} {}{problem}", self.header),
            advice,
        )
    }

    fn kind(&self) -> Kind {
        match (self.header.value, &self.header.dims[..]) {
            _ if self.header.values_len() == 0 => Kind::Neither,
            (BYTE, &[count, height, width]) => Kind::Images(count, height, width),
            (BYTE | INT, &[count]) | (INT, &[count, _]) => Kind::Labels(count),
            _ => Kind::Neither,
        }
    }

    /// All values, to the file's end. Memory is taken as they arrive.
    fn values(mut self) -> Result<Vec<u8>> {
        let (mut file, len) = (Vec::new(), self.header.file_len());
        // One byte more than promised is enough to see that there are too many.
        let read = self.input.by_ref().take(len + 1).read_to_end(&mut file);
        read.map_err(|error| read_error(self.path, &error))?;
        if file.len() as u64 != len {
            let got = if file.len() as u64 > len {
                "more".into()
            } else {
                file.len().to_string()
            };
            let problem = format!(", {len} bytes in all, but has {got}");
            return Err(self.error("promises", &problem, "fetch it again"));
        }
        file.drain(..(len - self.header.values_len()) as usize);
        Ok(file)
    }

    /// The labels; of several integers an image, the first is the class.
    fn classes(self) -> Result<Vec<u8>> {
        let (path, value, count) = (self.path, self.header.value, self.header.dims[0]);
        let values = self.values()?;
        if value == BYTE {
            return Ok(values);
        }
        let rows = values.chunks_exact(values.len() / count);
        let class = |row: &[u8]| row.starts_with(&[0, 0, 0]).then(|| row[3]);
        let classes = rows.map(class).collect::<Option<_>>();
        let problem = "has a label that is not from 0 to 255";
        classes.ok_or_else(|| Error::data(path, problem, "give labels from 0 to 255"))
    }
}
