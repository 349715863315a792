//! The four files of MNIST, and how each is told from everything else.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hmac_sha256::Hash;

/// One of the four files of MNIST.
#[derive(Debug)]
pub(super) struct DataFile {
    /// The name it has had since 1998.
    pub name: &'static str,
    /// Length in bytes, unpacked.
    pub len: u64,
    /// Length in bytes of the mirrors' `.gz`.
    pub gz_len: u64,
    /// SHA-256 of the unpacked file, in lower-case hexadecimal.
    pub sha256: &'static str,
}

pub(super) const TRAIN_IMAGES: DataFile = DataFile {
    name: "train-images-idx3-ubyte",
    len: 47_040_016,
    gz_len: 9_912_422,
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
};

pub(super) const TRAIN_LABELS: DataFile = DataFile {
    name: "train-labels-idx1-ubyte",
    len: 60_008,
    gz_len: 28_881,
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
};

pub(super) const TEST_IMAGES: DataFile = DataFile {
    name: "t10k-images-idx3-ubyte",
    len: 7_840_016,
    gz_len: 1_648_877,
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
};

pub(super) const TEST_LABELS: DataFile = DataFile {
    name: "t10k-labels-idx1-ubyte",
    len: 10_008,
    gz_len: 4_542,
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/// All four, the smallest first, so that a flaw in a small file is found before a big one is read.
pub(super) const FILES: [&DataFile; 4] = [&TEST_LABELS, &TRAIN_LABELS, &TEST_IMAGES, &TRAIN_IMAGES];

/// Why a file in the data folder cannot be used.
#[derive(Debug)]
pub(super) enum Flaw {
    /// There is no such file.
    Missing,
    /// The operating system does not let us read it.
    Unreadable(io::Error),
    /// It is not MNIST's: what was expected and what was found.
    Damaged(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "missing"),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::Damaged(how) => write!(f, "not MNIST's: {how}"),
        }
    }
}

/// The files in `dir` that cannot be used, one after the other as they are asked for.
pub(super) fn flaws(dir: &Path) -> impl Iterator<Item = (&'static DataFile, Flaw)> + '_ {
    FILES
        .into_iter()
        .filter_map(move |file| Some((file, file.check(dir).err()?)))
}

impl DataFile {
    /// Where the file is, or would be, in `dir`.
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.name)
    }

    /// The name under which mirrors send it.
    pub fn gz_name(&self) -> String {
        format!("{}.gz", self.name)
    }

    /// Reads the file in `dir` and compares it with what it has been since 1998.
    pub fn check(&self, dir: &Path) -> Result<(), Flaw> {
        let path = self.path(dir);
        let metadata = fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Flaw::Missing,
            _ => Flaw::Unreadable(error),
        })?;
        if !metadata.is_file() {
            return Err(Flaw::Damaged("it is not a file".into()));
        }
        let len = metadata.len();
        if len != self.len {
            return Err(Flaw::Damaged(format!(
                "expected {} bytes, got {len}",
                self.len
            )));
        }
        let mut file = File::open(&path).map_err(Flaw::Unreadable)?;
        let mut checksum = Checksum::new();
        let mut buffer = vec![0; BUFFER_LEN];
        loop {
            match file.read(&mut buffer).map_err(Flaw::Unreadable)? {
                0 => break,
                n => checksum.update(&buffer[..n]),
            }
        }
        checksum.compare(self).map_err(Flaw::Damaged)
    }
}

/// What every gzip file begins with.
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes that are read, hashed or written at a time.
pub(super) const BUFFER_LEN: usize = 128 * 1024;

/// A SHA-256 that grows with the bytes that it is shown.
pub(super) struct Checksum(Hash);

impl Checksum {
    pub fn new() -> Self {
        Self(Hash::new())
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// `Err` says in words how the bytes differ from `file`'s.
    pub fn compare(self, file: &DataFile) -> Result<(), String> {
        let got: String = self
            .0
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if got == file.sha256 {
            Ok(())
        } else {
            Err(format!("expected SHA-256 {}, got {got}", file.sha256))
        }
    }
}
