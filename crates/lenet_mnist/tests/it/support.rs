//! What the tests share: scratch folders, and MNIST's files themselves.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::time::SystemTime;

use flate2::write::GzEncoder;
use flate2::Compression;

/// Every file below a folder, with its date and bytes.
pub type Content = BTreeMap<PathBuf, (SystemTime, Vec<u8>)>;

/// A folder that goes when it is dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mnist-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, and makes the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// All but the lock's file.
    pub fn content(&self) -> Content {
        fn add(dir: &Path, content: &mut Content) {
            for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    add(&path, content);
                } else if !path.ends_with(".lock") {
                    let date = path.metadata().unwrap().modified().unwrap();
                    content.insert(path.clone(), (date, fs::read(&path).unwrap()));
                }
            }
        }
        let mut content = Content::new();
        add(&self.0, &mut content);
        content
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `bytes`, packed with gzip.
pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file: type and number of dimensions, the dimensions, the values.
pub fn idx(magic: u32, dims: &[u32], values: &[u8]) -> Vec<u8> {
    let dims = dims.iter().flat_map(|dim| dim.to_be_bytes());
    let header = magic.to_be_bytes().into_iter().chain(dims);
    header.chain(values.iter().copied()).collect()
}

/// The four files of MNIST, the smallest first.
pub const NAMES: [&str; 4] =
    ["t10k-labels-idx1-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "train-images-idx3-ubyte"];

/// The bytes of one of them, from this user's data folder, and packed as mirrors send it.
fn bytes(name: &str) -> &'static (Vec<u8>, Vec<u8>) {
    static FILES: OnceLock<[(Vec<u8>, Vec<u8>); 4]> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let folder = lenet_mnist::data_folder().unwrap();
        let fetcher = lenet_mnist::Fetcher::new(&folder);
        fetcher.run(&mut |_| ()).expect("these tests need MNIST once");
        NAMES.map(|name| {
            let real = fs::read(folder.join(name)).unwrap();
            let packed = gz(&real);
            (real, packed)
        })
    });
    &files[NAMES.iter().position(|other| *other == name).unwrap()]
}

pub fn real(name: &str) -> &'static [u8] {
    &bytes(name).0
}

pub fn packed(name: &str) -> &'static [u8] {
    &bytes(name).1
}
