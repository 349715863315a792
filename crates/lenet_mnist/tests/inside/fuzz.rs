//! Broken inputs for the reader of IDX, the same ones each time: 300,000, or as many as
//! `MNIST_FUZZ_INPUTS` says.

use std::io::Write;
use std::path::Path;

use flate2::write::GzEncoder;
use flate2::Compression;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::idx::read_pair;
use crate::input::Input;

/// Breaks `bytes` in up to three places, or not at all.
fn break_some(random: &mut StdRng, bytes: &mut Vec<u8>) {
    const NASTY: [u32; 10] = [0, 1, 2, 8, 0x801, 0x803, 0xc02, 1 << 20, 1 << 31, u32::MAX];
    for _ in 0..random.gen_range(0..4) {
        let at = random.gen_range(0..=bytes.len());
        match random.gen_range(0..6) {
            0 => bytes.truncate(at),
            1 => bytes.extend(vec![7; random.gen_range(0..20)]),
            2 => bytes.insert(at, random.gen()),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.gen_range(0..8),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            // Most of what matters is near the beginning.
            _ => {
                let field = bytes.get_mut(at % 5 * 4..at % 5 * 4 + 4);
                let nasty = NASTY[random.gen_range(0..NASTY.len())].to_be_bytes();
                field.into_iter().for_each(|field| field.copy_from_slice(&nasty));
            }
        }
    }
}

/// What the format says, written down once more: the pixels and the labels of a sound pair.
fn oracle(images: &[u8], labels: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let number =
        |bytes: &[u8], i: usize| Some(u32::from_be_bytes(bytes.get(4 * i..4 * i + 4)?.try_into().ok()?) as u128);
    let (count, height, width) = (number(images, 1)?, number(images, 2)?, number(images, 3)?);
    let pixels = images[16..].to_vec();
    let sound = number(images, 0)? == 0x803 && pixels.len() as u128 == count * height * width;
    if !sound || pixels.is_empty() || number(labels, 1)? != count {
        return None;
    }
    let (columns, header, size) = match number(labels, 0)? {
        0x801 => (1, 8, 1),
        0xc01 => (1, 8, 4),
        0xc02 => (number(labels, 2)?, 12, 4),
        _ => return None,
    };
    let values = &labels[header..];
    if columns == 0 || values.len() as u128 != count * columns * size {
        return None;
    }
    let first = |row: &[u8]| match size {
        1 => Some(row[0]),
        _ => u8::try_from(number(row, 0)?).ok(),
    };
    let rows = values.chunks((columns * size) as usize);
    Some((pixels, rows.map(first).collect::<Option<_>>()?))
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn fuzz_idx() {
    let inputs = std::env::var("MNIST_FUZZ_INPUTS").map_or(300_000, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(26);
    let mut sound = 0;
    for i in 0..inputs {
        let count = random.gen_range(1..4);
        let mut images = [0x803, count, 3, 2].map(u32::to_be_bytes).concat();
        images.resize(images.len() + 6 * count as usize, random.gen());
        let (magic, row) = [(0x801, 1), (0xc01, 4), (0xc02, 8)][random.gen_range(0..3)];
        let mut labels = [magic, count, row / 4].map(u32::to_be_bytes).concat();
        labels.truncate(if magic == 0xc02 { 12 } else { 8 });
        labels.extend([[0, 0, 0, 9, 0, 0, 0, 1]; 3].as_flattened()[..(row * count) as usize].iter());
        break_some(&mut random, &mut images);
        break_some(&mut random, &mut labels);
        let mut expected = oracle(&images, &labels);
        // One in sixteen comes packed, and may be broken after that.
        if i % 16 == 0 {
            images = pack(&images);
            let whole = images.clone();
            break_some(&mut random, &mut images);
            expected = expected.filter(|_| images == whole);
        }
        let open = |bytes| Input::new(Path::new("fuzz"), bytes).ok();
        let pair = open(&images[..]).zip(open(&labels[..]));
        let read = pair.and_then(|(images, labels)| read_pair(images, labels).ok());
        let read = read.map(|set| (set.pixels, set.labels));
        // What is broken after packing may still unpack to the same.
        if read.is_none() || expected.is_some() || i % 16 != 0 {
            assert_eq!(read, expected, "{images:?} {labels:?}");
        }
        sound += u64::from(expected.is_some());
    }
    // Both outcomes have come up often.
    assert!(sound > inputs / 20 && sound < inputs / 2, "{sound}");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak < 256 << 10, "{peak} kB");
    }
}
