//! Other data sets in MNIST's file format, which is called IDX.
//!
//! A file is a header of big-endian 32-bit numbers, then bytes. Images: the magic number `0x803`
//! (bytes in three dimensions), count, rows, columns, then the pixels. Labels: `0x801`, count, then
//! the labels.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use dfdx::shapes::Const;

use super::files::GZIP_MAGIC;
use super::{tensor, DynSplit, Split, CLASSES, SIDE};
use crate::{Error, Result};

/// The most images that are loaded at once: 822 MB. A file that claims more is refused, so that no
/// file can fill the memory.
pub const MAX_IMAGES: usize = 1 << 20;

/// How the two kinds of files begin: unsigned bytes (8) in so many dimensions.
const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// Images and labels of another data set in MNIST's format, such as Fashion-MNIST, EMNIST's digits
/// or one that a class made itself. The count `N` is part of the type.
///
/// The files have to be unpacked. EMNIST stores its images transposed: rows and columns have changed
/// places.
///
/// # Errors
/// When a file cannot be read, or is not of the format, or does not hold exactly `N` images of
/// 28 x 28 pixels or `N` labels from 0 to 9, and at least one.
///
/// # Example
/// ```no_run
/// use lenet_core::mnist::load_idx;
/// use std::path::Path;
///
/// let (x_train, y_train) = load_idx::<60_000>(
///     Path::new("fashion/train-images-idx3-ubyte"),
///     Path::new("fashion/train-labels-idx1-ubyte"),
/// )?;
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load_idx<const N: usize>(images: &Path, labels: &Path) -> Result<Split<N>> {
    let (pixels, digits) = read_pair(images, labels, Some(N))?;
    Ok((
        tensor(pixels, Default::default())?,
        tensor(digits, Default::default())?,
    ))
}

/// The same for a count that is only known when the files are read.
///
/// # Errors
/// As [`load_idx`], and when there are more than [`MAX_IMAGES`].
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
pub fn load_idx_dyn(images: &Path, labels: &Path) -> Result<DynSplit> {
    let (pixels, digits) = read_pair(images, labels, None)?;
    let count = digits.len();
    Ok((
        tensor(pixels, (count, Const, Const))?,
        tensor(digits, (count,))?,
    ))
}

/// Pixels and labels of two files.
fn read_pair(images: &Path, labels: &Path, expected: Option<usize>) -> Result<(Vec<u8>, Vec<u8>)> {
    read_checked(&mut Idx::open(images)?, &mut Idx::open(labels)?, expected)
}

/// Checks both files from header to end, and only then takes memory for what they hold.
pub(super) fn read_checked<R: Read + Seek>(
    images: &mut Idx<'_, R>,
    labels: &mut Idx<'_, R>,
    expected: Option<usize>,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let image_count = images.count(IMAGES_MAGIC, &[SIDE, SIDE], expected)?;
    let label_count = labels.count(LABELS_MAGIC, &[], expected)?;
    if image_count != label_count {
        let problem = format!("holds {label_count} labels, but there are {image_count} images");
        return Err(labels.wrong(problem));
    }
    labels.check_label_range(label_count)?;
    Ok((
        images.items(image_count * SIDE * SIDE)?,
        labels.items(label_count)?,
    ))
}

/// A file of this format, opened but not believed.
pub(super) struct Idx<'a, R> {
    path: &'a Path,
    reader: R,
    /// Length of the whole file, in bytes.
    len: u64,
    /// Length of the header, once it has been read.
    header_len: u64,
}

impl<'a> Idx<'a, File> {
    fn open(path: &'a Path) -> Result<Self> {
        let unreadable = |source| Error::Io {
            action: "read",
            path: path.into(),
            source,
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(wrong(path, "is not a file".into()));
        }
        let reader = File::open(path).map_err(unreadable)?;
        Ok(Self::new(path, reader, metadata.len()))
    }
}

impl<'a, R: Read + Seek> Idx<'a, R> {
    /// What `reader` reads is `len` bytes long, and messages call it `path`.
    pub fn new(path: &'a Path, reader: R, len: u64) -> Self {
        Self {
            path,
            reader,
            len,
            header_len: 0,
        }
    }

    /// Reads the header and returns how many items the file holds, each of `dims` bytes.
    fn count(&mut self, magic: u32, dims: &[usize], expected: Option<usize>) -> Result<usize> {
        let got = self.number()?;
        if got.to_be_bytes().starts_with(&GZIP_MAGIC) {
            return Err(self.wrong("is still packed with gzip".into()));
        }
        if got != magic {
            let problem = format!("expected the magic number {magic:#010x}, got {got:#010x}");
            return Err(self.wrong(problem));
        }
        let count = self.number()? as usize;
        let got = dims
            .iter()
            .map(|_| Ok(self.number()? as usize))
            .collect::<Result<Vec<_>>>()?;
        if got != dims {
            return Err(self.wrong(format!("expected images of {dims:?} pixels, got {got:?}")));
        }
        if let Some(expected) = expected.filter(|&expected| expected != count) {
            return Err(self.wrong(format!("expected {expected} items, got {count}")));
        }
        if count == 0 {
            return Err(self.wrong("holds no items".into()));
        }
        if count > MAX_IMAGES {
            return Err(self.wrong(format!("expected at most {MAX_IMAGES} items, got {count}")));
        }
        let item_len: usize = dims.iter().product();
        let expected_len = self.header_len + (count * item_len) as u64;
        if self.len != expected_len {
            let problem = format!(
                "expected {expected_len} bytes for the {count} items that it promises, got {}",
                self.len
            );
            return Err(self.wrong(problem));
        }
        Ok(count)
    }

    /// The next number of the header.
    fn number(&mut self) -> Result<u32> {
        let mut bytes = [0; 4];
        self.reader
            .read_exact(&mut bytes)
            .map_err(|source| self.io_error(source))?;
        self.header_len += bytes.len() as u64;
        Ok(u32::from_be_bytes(bytes))
    }

    /// Checks that every label is a class, and goes back to the first.
    fn check_label_range(&mut self, count: usize) -> Result<()> {
        const BUFFER_LEN: usize = 4096;
        let mut buffer = [0; BUFFER_LEN];
        let mut seen = 0;
        while seen < count {
            let wanted = BUFFER_LEN.min(count - seen);
            let labels = &mut buffer[..wanted];
            self.reader
                .read_exact(labels)
                .map_err(|source| self.io_error(source))?;
            if let Some(at) = labels
                .iter()
                .position(|&label| usize::from(label) >= CLASSES)
            {
                let (label, at) = (labels[at], seen + at);
                let most = CLASSES - 1;
                let problem =
                    format!("expected labels from 0 to {most}, got {label} at index {at}");
                return Err(self.wrong(problem));
            }
            seen += wanted;
        }
        let start = SeekFrom::Start(self.header_len);
        self.reader
            .seek(start)
            .map_err(|source| self.io_error(source))?;
        Ok(())
    }

    /// The `len` bytes that follow.
    fn items(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut items = Vec::new();
        items
            .try_reserve_exact(len)
            .map_err(|_| self.wrong(format!("needs {len} bytes of memory, which are not free")))?;
        let read = self
            .reader
            .by_ref()
            .take(len as u64)
            .read_to_end(&mut items);
        match read {
            Ok(read) if read == len => Ok(items),
            Ok(_) => Err(self.wrong(format!("ended early, {len} bytes were to come"))),
            Err(source) => Err(self.io_error(source)),
        }
    }

    fn io_error(&self, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => self.wrong(format!("ends after {} bytes", self.len)),
            _ => Error::Io {
                action: "read",
                path: self.path.into(),
                source,
            },
        }
    }

    fn wrong(&self, problem: String) -> Error {
        wrong(self.path, problem)
    }
}

fn wrong(path: &Path, problem: String) -> Error {
    Error::Data {
        path: path.into(),
        problem,
        advice: "give unpacked files in MNIST's format, the images first, then the labels".into(),
    }
}
