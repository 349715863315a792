//! A file as it is read: packed with gzip or not, told from its first bytes.

use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::read::GzDecoder;

use crate::{Error, Result};

/// A file that is read from its beginning, and unpacked on the way if it is packed.
pub(crate) struct Input<'a> {
    reader: Box<dyn Read + 'a>,
    /// The first bytes, unpacked; reading begins with them, too.
    pub beginning: Vec<u8>,
    /// Whether the file is packed with gzip, whatever its name says.
    pub packed: bool,
}

impl Input<'static> {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        // Asked first: to open a pipe is to wait for its writer.
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(Error::data(
                    path,
                    "is not a file",
                    "give the path of a file",
                ));
            }
            Ok(_) => {}
            Err(error) => return Err(Error::io("read", path, &error)),
        }
        File::open(path)
            .and_then(Self::new)
            .map_err(|error| read_error(path, &error))
    }
}

impl<'a> Input<'a> {
    /// Reads from `file`.
    pub fn new(mut file: impl Read + 'a) -> io::Result<Self> {
        const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
        const BEGINNING_LEN: u64 = 256;
        let (mut magic, mut beginning) = (Vec::new(), Vec::new());
        file.by_ref().take(2).read_to_end(&mut magic)?;
        let packed = magic == GZIP_MAGIC;
        let file = Cursor::new(magic).chain(file);
        let mut reader: Box<dyn Read + 'a> = match packed {
            true => Box::new(GzDecoder::new(file)),
            false => Box::new(file),
        };
        reader
            .by_ref()
            .take(BEGINNING_LEN)
            .read_to_end(&mut beginning)?;
        Ok(Self {
            reader: Box::new(Cursor::new(beginning.clone()).chain(reader)),
            beginning,
            packed,
        })
    }

    /// What a file is that is not IDX, and what to do about it.
    pub fn other_format(&self) -> (String, &'static str) {
        const LETTERS: usize = 40;
        let text = String::from_utf8_lossy(&self.beginning);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let (what, advice) = match text {
            "" => ("is empty", "fetch it again"),
            _ if text.starts_with("version https://git-lfs") => {
                ("is a Git LFS pointer", "run `git lfs pull` in its folder")
            }
            _ if text.starts_with('<') => {
                ("is a web page", "fetch the file that the page is about")
            }
            _ if text.starts_with("PK\u{3}\u{4}") => ("is a zip archive", "unpack it"),
            _ => {
                let head: String = text.chars().take(LETTERS).collect();
                let advice = "give a file in MNIST's format, packed with gzip or not";
                return (format!("is not IDX: it begins with {head:?}"), advice);
            }
        };
        (what.into(), advice)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// Whether a file could be read, but not be unpacked.
pub(crate) fn is_gzip_error(error: &io::Error) -> bool {
    use ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// A file at `path` that cannot be read to its end.
pub(crate) fn read_error(path: &Path, error: &io::Error) -> Error {
    match is_gzip_error(error) {
        true => Error::data(path, &gzip_problem(error), "fetch it again"),
        false => Error::io("read", path, error),
    }
}

/// Why a file cannot be unpacked.
pub(crate) fn gzip_problem(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => "ends early: the rest is missing".into(),
        _ => format!("is not sound gzip data ({error})"),
    }
}
