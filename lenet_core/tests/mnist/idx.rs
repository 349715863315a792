//! Other data sets in MNIST's format, and files that only pretend.

use std::fs::{self, File};
use std::path::PathBuf;

use dfdx::prelude::{AsArray, HasShape, Shape};
use lenet_core::dfdx;
use lenet_core::mnist::{load_idx, load_idx_dyn, MAX_IMAGES};

use crate::support::{clear, Scratch};

/// The header of a file, of so many numbers.
fn header<const N: usize>(numbers: [u32; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A file of `count` images, each pixel with the number of its image.
fn images(count: u8) -> Vec<u8> {
    let mut bytes = header([0x803, count.into(), 28, 28]);
    (0..count).for_each(|image| bytes.extend([image; 28 * 28]));
    bytes
}

fn labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = header([0x801, labels.len() as u32]);
    bytes.extend(labels);
    bytes
}

/// Two files for a test.
struct Pair {
    _scratch: Scratch,
    images: PathBuf,
    labels: PathBuf,
}

impl Pair {
    fn new(images: &[u8], labels: &[u8]) -> Self {
        let scratch = Scratch::new();
        scratch.replace("images", images);
        scratch.replace("labels", labels);
        let (images, labels) = (scratch.0.join("images"), scratch.0.join("labels"));
        Self { _scratch: scratch, images, labels }
    }

    /// The error, which names the file that is to blame.
    fn refused(&self, to_blame: &str) -> String {
        let text = clear(&load_idx_dyn(&self.images, &self.labels).unwrap_err());
        assert!(text.contains(&format!("{to_blame}: ")), "{text}");
        text
    }
}

#[test]
fn small_set_of_a_class() {
    let pair = Pair::new(&images(3), &labels(&[9, 0, 4]));
    let (x, y) = load_idx::<3>(&pair.images, &pair.labels).unwrap();
    assert_eq!(x.shape().concrete(), [3, 28, 28]);
    assert_eq!(y.array(), [9, 0, 4]);
    let pixels = x.as_vec();
    assert!((0..3).all(|n| pixels[n * 784..(n + 1) * 784].iter().all(|&p| usize::from(p) == n)));

    let (x, y) = load_idx_dyn(&pair.images, &pair.labels).unwrap();
    assert_eq!(x.shape().concrete(), [3, 28, 28]);
    assert_eq!((x.as_vec(), y.as_vec()), (pixels, vec![9, 0, 4]));
}

#[test]
fn empty_set() {
    let pair = Pair::new(&images(0), &labels(&[]));
    assert!(pair.refused("images").contains("holds no items"));
}

#[test]
fn count_that_differs_from_the_type() {
    let pair = Pair::new(&images(3), &labels(&[9, 0, 4]));
    let text = clear(&load_idx::<4>(&pair.images, &pair.labels).unwrap_err());
    assert!(text.contains("expected 4 items, got 3"), "{text}");
}

#[test]
fn missing_file() {
    let pair = Pair::new(&images(1), &labels(&[1]));
    fs::remove_file(&pair.labels).unwrap();
    let text = load_idx_dyn(&pair.images, &pair.labels).unwrap_err().to_string();
    assert!(text.contains(pair.labels.to_str().unwrap()), "{text}");
}

#[test]
fn what_does_not_fit_is_named() {
    let good_images = images(2);
    let good_labels = labels(&[1, 2]);
    let cases: [(&[u8], &[u8], &str, &str); 11] = [
        (&good_labels, &good_images, "images", "expected the magic number 0x00000803, got 0x00000801"),
        (&good_images, &good_images, "labels", "expected the magic number 0x00000801, got 0x00000803"),
        (b"", &good_labels, "images", "ends after 0 bytes"),
        (&good_images[..14], &good_labels, "images", "ends after 14 bytes"),
        (&good_images[..1000], &good_labels, "images", "expected 1584 bytes"),
        (&[&good_images[..], b"!"].concat(), &good_labels, "images", "got 1585"),
        (&good_images, &good_labels[..9], "labels", "expected 10 bytes"),
        (&good_images, &labels(&[1]), "labels", "holds 1 labels, but there are 2 images"),
        (&good_images, &labels(&[1, 10]), "labels", "expected labels from 0 to 9, got 10 at index 1"),
        (&header([0x803, 1, 32, 32]), &good_labels, "images", "[28, 28] pixels, got [32, 32]"),
        (&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0], &good_labels, "images", "still packed with gzip"),
    ];
    for (images, labels, to_blame, problem) in cases {
        let text = Pair::new(images, labels).refused(to_blame);
        assert!(text.contains(problem), "{text}");
    }
}

#[test]
fn a_folder_is_not_a_file() {
    let pair = Pair::new(&images(1), &labels(&[1]));
    fs::remove_file(&pair.images).unwrap();
    fs::create_dir(&pair.images).unwrap();
    assert!(pair.refused("images").contains("not a file"));
}

/// Headers that promise a lot, some of them in files that are as long as promised but take no room
/// on the disk.
fn hostile_pairs() -> Vec<Pair> {
    let most = u32::MAX;
    let limit = MAX_IMAGES as u32;
    let mut pairs = vec![];
    for count in [limit, limit + 1, 1 << 31, most] {
        let pair = Pair::new(&header([0x803, count, 28, 28]), &header([0x801, count]));
        pairs.push(pair);
    }
    for count in [limit + 1, most] {
        let pair = Pair::new(&header([0x803, count, 28, 28]), &header([0x801, count]));
        let grow = |path, len| File::options().write(true).open(path).unwrap().set_len(len).unwrap();
        grow(&pair.images, 16 + u64::from(count) * 784);
        grow(&pair.labels, 8 + u64::from(count));
        pairs.push(pair);
    }
    pairs.push(Pair::new(&header([0x803, 1, most, most]), &labels(&[1])));
    pairs
}

#[test]
fn hostile_headers_are_refused() {
    for pair in hostile_pairs() {
        let text = pair.refused("images");
        assert!(!text.contains("memory"), "{text}");
    }
}

/// With room for little more than the program itself, an allocation of what the headers promise
/// would end the process.
#[cfg(target_os = "linux")]
#[test]
fn hostile_headers_take_no_memory() {
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"ulimit -v 400000; exec "$0" "$@""#]).arg(program);
    command.args(["--exact", "idx::hostile_headers_are_refused", "--nocapture"]);
    let (success, text) = crate::child::output(&mut command);
    assert!(success && text.contains("1 passed"), "{text}");
}
