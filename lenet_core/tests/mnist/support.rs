//! What the tests share: scratch folders, the real files, seeded randomness.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

use flate2::write::GzEncoder;
use flate2::Compression;
use lenet_core::mnist::{self, Fetcher, Source};
use lenet_core::Error;

/// The four files, the smallest first.
pub const NAMES: [&str; 4] =
    ["t10k-labels-idx1-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "train-images-idx3-ubyte"];

/// A folder that goes when it is dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        Self::below(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    pub fn below(parent: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("mnist-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With all four files. They are links: take one away before you change it.
    pub fn with_data() -> Self {
        let scratch = Self::new();
        NAMES.iter().for_each(|name| scratch.link(name));
        scratch
    }

    pub fn link(&self, name: &str) {
        let (from, to) = (real_folder().join(name), self.0.join(name));
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).unwrap();
        }
    }

    /// Puts `bytes` in the place of a file.
    pub fn replace(&self, name: &str, bytes: &[u8]) {
        let path = self.0.join(name);
        let _ = fs::remove_file(&path);
        fs::write(path, bytes).unwrap();
    }

    /// What is in the folder, the lock's file aside.
    pub fn entries(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }

    /// The four files are there, every byte right, and nothing else is.
    pub fn assert_complete(&self) {
        let mut names = NAMES.map(String::from);
        names.sort();
        assert_eq!(self.entries(), names);
        self.assert_sound();
    }

    /// Those of the four files that are there are right.
    pub fn assert_sound(&self) {
        for name in NAMES {
            if let Ok(file) = File::open(self.0.join(name)) {
                assert!(same(file, real(name)), "{name} in {} is wrong", self.0.display());
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether a file has just these bytes.
pub fn same(mut file: File, mut expected: &[u8]) -> bool {
    let mut buffer = [0; 16 * 1024];
    loop {
        let n = file.read(&mut buffer).unwrap();
        match expected.split_at_checked(n) {
            Some((_, [])) if n == 0 => return true,
            Some((start, rest)) if n > 0 && buffer[..n] == *start => expected = rest,
            _ => return false,
        }
    }
}

/// The data folder of this user, filled.
fn real_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        mnist::load_data().expect("these tests need MNIST once");
        mnist::data_folder().unwrap()
    })
}

/// The bytes of a real file.
pub fn real(name: &str) -> &'static [u8] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let files = FILES.get_or_init(|| NAMES.iter().map(|name| fs::read(real_folder().join(name)).unwrap()).collect());
    &files[NAMES.iter().position(|other| *other == name).unwrap()]
}

/// The bytes of a real file, packed as mirrors send it.
pub fn real_gz(name: &str) -> &'static [u8] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let files = FILES.get_or_init(|| NAMES.iter().map(|name| gz(real(name))).collect());
    &files[NAMES.iter().position(|other| *other == name).unwrap()]
}

/// `bytes`, packed with gzip.
pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A fetcher that only knows the mirror at `url`.
pub fn fetcher(scratch: &Scratch, url: &str) -> Fetcher {
    let mut fetcher = Fetcher::new(&scratch.0);
    fetcher.sources = vec![Source::Mirror(url.into())];
    fetcher
}

/// Runs a fetcher; its lines come back with its outcome.
pub fn run(fetcher: &Fetcher) -> (Result<(), String>, Vec<String>) {
    let mut lines = Vec::new();
    let outcome = fetcher.run(&mut |line| lines.push(line.to_owned()));
    (outcome.map_err(|error| clear(&error)), lines)
}

/// An error's text, once it is seen to be one that a learner can use.
pub fn clear(error: &Error) -> String {
    let text = error.to_string();
    assert!(!matches!(error, Error::Io { .. }), "no advice: {text}");
    assert!(!text.ends_with('.') && text.len() > 40, "not a message: {text}");
    assert!(!text.contains("panicked") && !text.contains("Os {"), "for programmers: {text}");
    text
}
