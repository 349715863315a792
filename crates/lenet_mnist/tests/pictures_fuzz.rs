//! Broken PNG and JPEG files, the same ones each time: 20,000, or as many as `PICTURE_FUZZ_INPUTS` says.

use std::sync::atomic::{AtomicBool, Ordering};

use lenet_mnist::picture::read_picture;
use png::{BitDepth, ColorType};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use ways::{black, image, jpeg, png, Page};

#[allow(dead_code)]
#[path = "pictures/ways.rs"]
mod ways;

/// Small files of every kind, so that a change reaches every part of them.
fn seeds() -> Vec<Vec<u8>> {
    let page = Page::enlarged(image(0), 1.0);
    let pixels = page.painted(|_, _, ink| black(ink));
    let all = [ColorType::Grayscale, ColorType::GrayscaleAlpha, ColorType::Rgb, ColorType::Rgba];
    let mut seeds: Vec<_> = all.map(|color| png(28, &pixels, color, BitDepth::Eight)).into();
    seeds.push(png(28, &pixels, ColorType::Grayscale, BitDepth::Sixteen));
    seeds.push(png(28, &pixels, ColorType::Indexed, BitDepth::Four));
    seeds.push(jpeg(28, &pixels, 90));
    seeds.push(jpeg(28, &pixels, 20));
    // Progressive ones, with colours as densely as brightness and half as densely.
    seeds.push(include_bytes!("pictures/progressive.jpg").into());
    seeds.push(include_bytes!("pictures/progressive-subsampled.jpg").into());
    seeds
}

/// Breaks a file in up to eight places.
fn break_some(random: &mut StdRng, bytes: &mut Vec<u8>) {
    for _ in 0..random.gen_range(1..=8) {
        // Headers matter most.
        let end = if random.gen() { bytes.len() } else { bytes.len().min(200) };
        let at = random.gen_range(0..=end);
        match random.gen_range(0..16) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.gen()),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let part = bytes[at..bytes.len().min(at + 40)].to_vec();
                let to = random.gen_range(0..=bytes.len());
                bytes.splice(to..to, part);
            }
            4..8 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.gen_range(0..5)],
            8.. if at < bytes.len() => bytes[at] ^= 1 << random.gen_range(0..8),
            _ => {}
        }
    }
}

/// The checksum of PNG's chunks (CRC-32), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)))
}

/// Makes the checksums of a PNG file's chunks right, so that the decoder looks further.
fn mend(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let Some(chunk) = at.checked_add(8 + length).and_then(|end| bytes.get(at + 4..end)) else { return };
        let checksum = crc(chunk).to_be_bytes();
        let Some(place) = bytes.get_mut(at + 8 + length..at + 12 + length) else { return };
        place.copy_from_slice(&checksum);
        at += 12 + length;
    }
}

static PANICS: AtomicBool = AtomicBool::new(false);

#[test]
fn fuzz_pictures() {
    let inputs: u64 = std::env::var("PICTURE_FUZZ_INPUTS").map_or(20_000, |text| text.parse().unwrap());
    let (seeds, mut random) = (seeds(), StdRng::seed_from_u64(26));
    // A panic counts even where it is caught.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.store(true, Ordering::Relaxed);
        hook(info);
    }));
    let path = std::env::temp_dir().join(format!("broken-picture-{}", std::process::id()));
    let mut read = 0;
    for i in 0..inputs {
        let mut bytes = seeds[i as usize % seeds.len()].clone();
        break_some(&mut random, &mut bytes);
        if bytes.starts_with(b"\x89PNG") && random.gen_range(0..4) > 0 {
            mend(&mut bytes);
        }
        std::fs::write(&path, &bytes).unwrap();
        read += u64::from(read_picture(&path).is_ok());
        assert!(!PANICS.load(Ordering::Relaxed), "input {i}: {bytes:?}");
    }
    std::fs::remove_file(path).unwrap();
    println!("{inputs} broken files, {read} are read all the same");
    assert!(read > inputs / 50 && read < inputs, "{read}");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        println!("at most {} MB of memory", peak >> 10);
        assert!(peak < 256 << 10, "{peak} kB");
    }
}
