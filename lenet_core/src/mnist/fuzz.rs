//! Millions of broken inputs for everything here that parses. `MNIST_FUZZ_INPUTS=10000000 cargo test
//! --release -p lenet_core fuzz` runs ten million for each parser.

use std::env;
use std::io::{Cursor, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::Compression;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::files::DataFile;
use super::idx::{read_checked, Idx};
use super::unpack::copy_checked;
use super::{tar, SIDE};

/// How many inputs each parser is given unless the environment says so.
const DEFAULT_INPUTS: u64 = 100_000;

fn inputs() -> u64 {
    let asked = env::var("MNIST_FUZZ_INPUTS").ok();
    asked.map_or(DEFAULT_INPUTS, |text| {
        text.parse().expect("MNIST_FUZZ_INPUTS is a number")
    })
}

/// Breaks things, the same way for the same seed.
struct Random(StdRng);

impl Random {
    fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// From 0 to `below - 1`.
    fn below(&mut self, below: usize) -> usize {
        self.0.gen_range(0..below)
    }

    /// A number that parsers get wrong more often than others.
    fn nasty(&mut self) -> u32 {
        let special = [
            0,
            1,
            2,
            3,
            27,
            28,
            29,
            0x801,
            0x803,
            1 << 20,
            1 << 31,
            u32::MAX - 1,
        ];
        match self.below(4) {
            0 => self.0.gen(),
            1 => u32::MAX - self.below(1000) as u32,
            _ => special[self.below(special.len())],
        }
    }

    /// Breaks `bytes` in up to three places, or not at all.
    fn break_some(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.extend((0..self.below(20)).map(|i| i as u8)),
                2 => bytes[at] = self.0.gen(),
                3 => bytes[at] ^= 1 << self.below(8),
                4 => drop(bytes.remove(at)),
                // Most of what matters is near the beginning.
                _ => {
                    let at = 4 * self.below(5);
                    if let Some(field) = bytes.get_mut(at..at + 4) {
                        field.copy_from_slice(&self.nasty().to_be_bytes());
                    }
                }
            }
        }
    }
}

/// What the format says, written down once more: the pixels and labels of a sound pair.
fn oracle<'a>(images: &'a [u8], labels: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let digits = labels.strip_prefix(&[0, 0, 8, 1])?;
    let pixels = images.strip_prefix(&[0, 0, 8, 3])?;
    let (count, digits) = digits.split_at_checked(4)?;
    let pixels = pixels
        .strip_prefix(count)?
        .strip_prefix(&[0, 0, 0, 28, 0, 0, 0, 28])?;
    let count = u32::from_be_bytes(count.try_into().ok()?) as usize;
    let sound = count > 0
        && digits.len() == count
        && pixels.len() == count * SIDE * SIDE
        && digits.iter().all(|&digit| digit < 10);
    sound.then_some((pixels, digits))
}

#[test]
fn fuzz_idx() {
    let mut random = Random::new(1);
    let mut sound = 0;
    for _ in 0..inputs() {
        let count = 1 + random.below(2);
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count as u8, 0, 0, 0, 28, 0, 0, 0, 28];
        images.resize(images.len() + count * SIDE * SIDE, random.0.gen());
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count as u8];
        labels.resize(labels.len() + count, random.below(11) as u8);
        random.break_some(&mut images);
        random.break_some(&mut labels);

        let path = Path::new("fuzz");
        let mut image_file = Idx::new(path, Cursor::new(&images), images.len() as u64);
        let mut label_file = Idx::new(path, Cursor::new(&labels), labels.len() as u64);
        let parsed = read_checked(&mut image_file, &mut label_file, None);
        let expected = oracle(&images, &labels);
        sound += u64::from(expected.is_some());
        assert_eq!(
            parsed
                .as_ref()
                .ok()
                .map(|(pixels, digits)| (&pixels[..], &digits[..])),
            expected,
            "{parsed:?}"
        );
    }
    // Both outcomes have come up often.
    assert!(sound > inputs() / 50 && sound < inputs() / 2, "{sound}");
}

/// A file's length that is not the real one, as when it shrinks or grows while it is read.
#[test]
fn fuzz_idx_with_wrong_lengths() {
    let mut random = Random::new(2);
    for _ in 0..inputs() {
        let mut images: Vec<u8> = [0x803, random.nasty(), 28, 28]
            .map(u32::to_be_bytes)
            .concat();
        images.resize(random.below(2000), 0);
        let mut labels: Vec<u8> = [0x801, random.nasty()].map(u32::to_be_bytes).concat();
        labels.resize(random.below(20), 0);
        let path = Path::new("fuzz");
        let mut file = |bytes| {
            let len = match random.below(3) {
                0 => random.0.gen(),
                1 => 8 + u64::from(random.nasty()),
                _ => 16 + 784 * u64::from(random.nasty()),
            };
            Idx::new(path, Cursor::new(bytes), len)
        };
        let (mut images, mut labels) = (file(&images), file(&labels));
        // Whatever it makes of them, it returns.
        let _ = read_checked(&mut images, &mut labels, None);
    }
}

#[test]
fn fuzz_tar() {
    let mut random = Random::new(3);
    let mut archive = Vec::new();
    for (path, len) in [
        ("package/data/one", 700),
        ("package/two", 0),
        ("three", 512),
    ] {
        let mut header = [0; 512];
        header[..path.len()].copy_from_slice(path.as_bytes());
        header[124..135].copy_from_slice(format!("{len:011o}").as_bytes());
        header[156] = b'0';
        archive.extend(header);
        archive.resize(archive.len() + usize::next_multiple_of(len, 512), b'x');
    }
    archive.extend([0; 1024]);

    let mut whole = 0;
    for _ in 0..inputs() {
        let mut broken = archive.clone();
        random.break_some(&mut broken);
        let mut read = 0;
        let outcome = tar::for_each_file(&broken[..], &mut |_, body| {
            read += body.read_to_end(&mut Vec::new()).unwrap();
            Ok(())
        });
        assert!(read <= broken.len());
        whole += u64::from(outcome.is_ok() && read == 700 + 512);
    }
    assert!(whole > inputs() / 10, "{whole}");
}

#[test]
fn fuzz_gzip() {
    let content = b"sixty thousand images and as many labels";
    let file = DataFile {
        name: "fuzz",
        len: content.len() as u64,
        gz_len: 0,
        sha256: "b332fceb14dae2d96137e4b87a08f4cb4edcaa623706e008ea91e604213fedd6",
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    let packed = encoder.finish().unwrap();

    let mut random = Random::new(4);
    let mut whole = 0;
    for _ in 0..inputs() {
        let mut broken = packed.clone();
        random.break_some(&mut broken);
        let mut out = Vec::new();
        let outcome = copy_checked(&mut GzDecoder::new(&broken[..]), &file, &mut out);
        assert!(out.len() <= content.len());
        assert!(outcome.is_err() || out == content);
        whole += u64::from(outcome.is_ok());
    }
    assert!(whole > inputs() / 10, "{whole}");
}
