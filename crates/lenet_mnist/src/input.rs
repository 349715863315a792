//! A file as it is read: packed with gzip or not, told from its first bytes.

use std::fs::{self, File};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::read::GzDecoder;

use crate::{Error, Result};

/// A file that is read from its beginning, and unpacked on the way if it is packed.
pub(crate) struct Input<'a> {
    path: &'a Path,
    reader: Box<dyn Read + 'a>,
    /// The first bytes, unpacked; reading begins with them, too.
    pub beginning: Vec<u8>,
    /// Whether the file is packed with gzip, whatever its name says.
    pub packed: bool,
}

impl<'a> Input<'a> {
    /// Opens the file at `path`.
    pub fn open(path: &'a Path) -> Result<Self> {
        // Asked first: to open a pipe is to wait for its writer.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Error::data(path, "is not a file", "give the path of one"));
        }
        let opened = File::open(path).and_then(|file| Self::new(path, file));
        opened.map_err(|error| read_error(path, &error))
    }

    /// Reads from `file`, which messages call `path`.
    pub fn new(path: &'a Path, mut file: impl Read + 'a) -> io::Result<Self> {
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
        let mut start = reader.by_ref().take(BEGINNING_LEN);
        start.read_to_end(&mut beginning)?;
        let reader = Box::new(Cursor::new(beginning.clone()).chain(reader));
        Ok(Self { path, reader, beginning, packed })
    }

    /// All bytes, but at most `limit`. Memory is taken as they arrive.
    pub fn read_all(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(limit).read_to_end(&mut bytes);
        read.map_err(|error| read_error(self.path, &error))?;
        Ok(bytes)
    }

    /// What the file has or is, and what to do next.
    pub fn error(&self, problem: &str, advice: &str) -> Error {
        Error::data(self.path, problem, advice)
    }

    /// What a file is that is not IDX, and what to do next.
    pub fn other_format(&self) -> (String, &'static str) {
        const LETTERS: usize = 40;
        let text = String::from_utf8_lossy(&self.beginning);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let head: String = text.chars().take(LETTERS).collect();
        let (what, advice) = match text {
            "" => ("is empty", "fetch it again"),
            _ if text.starts_with("version https://git-lfs") => {
                ("is a Git LFS pointer", "run `git lfs pull` in its folder")
            }
            _ if text.starts_with('<') => ("is a web page", "fetch the file that it is about"),
            _ if text.starts_with("PK\u{3}\u{4}") => ("is a zip archive", "unpack it"),
            _ => ("is not in MNIST's format", "give a file that is, packed or not"),
        };
        (format!("{what} that begins with {head:?}"), advice)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// What is wrong with a packed file, if `error` is about that and not about the disk.
pub(crate) fn gzip_problem(error: &io::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::UnexpectedEof => Some("ends early: the rest is missing".into()),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => Some(format!("is not sound gzip data ({error})")),
        _ => None,
    }
}

/// The error for a file that cannot be read to its end.
pub(crate) fn read_error(path: &Path, error: &io::Error) -> Error {
    match gzip_problem(error) {
        Some(problem) => Error::data(path, &problem, "fetch it again"),
        None => Error::io("read", path, error),
    }
}
