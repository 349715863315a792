//! A thousand random corruptions give a thousand clear errors or a healed cache.

use std::fs::{self, File};

use lenet_core::mnist::{load_data_from, Source};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::server::Server;
use crate::support::{clear, fetcher, real, real_gz, run, same, Scratch, NAMES};

/// Corruptions of the four files, and of the four as they travel, packed.
const OF_FILES: usize = 900;
const OF_PACKED: usize = 100;

/// One in so many damaged files is healed too.
const HEAL_EVERY: usize = 20;

/// Bytes of an image.
const IMAGE_LEN: usize = 28 * 28;

/// One of the four files; the big one, which takes longest, comes up once in ten times.
fn pick(random: &mut StdRng) -> &'static str {
    match random.gen_range(0..10) {
        0 => NAMES[3],
        n => NAMES[n % 3],
    }
}

/// Damages `bytes`, in one of the ways in which files are damaged.
fn damage(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let at = random.gen_range(0..bytes.len());
    let length = 1 + random.gen_range(0..IMAGE_LEN);
    match random.gen_range(0..7) {
        // Cut short, or grown.
        0 => damaged.truncate(at),
        1 => damaged.extend((0..length).map(|_| random.gen::<u8>())),
        // One bit flips, one byte is lost, a stretch is wiped.
        2 => damaged[at] ^= 1 << random.gen_range(0..8),
        3 => drop(damaged.remove(at)),
        4 => damaged[at..].iter_mut().take(length).for_each(|byte| *byte = 0),
        // Two stretches trade places, as when two images are swapped.
        5 => {
            let other = random.gen_range(0..bytes.len());
            let length = length.min(at.abs_diff(other)).min(bytes.len() - at.max(other));
            (0..length).for_each(|i| damaged.swap(at + i, other + i));
        }
        // Another file has come under this name.
        _ => damaged = real(NAMES[random.gen_range(0..NAMES.len())]).to_vec(),
    }
    if damaged == bytes {
        damaged[at] ^= 1;
    }
    damaged
}

#[test]
fn damaged_files_are_refused_or_healed() {
    let mut random = StdRng::seed_from_u64(1);
    let scratch = Scratch::with_data();
    let server = Server::good();
    for round in 0..OF_FILES {
        let name = pick(&mut random);
        scratch.replace(name, &damage(real(name), &mut random));
        let text = clear(&load_data_from(&scratch.0).unwrap_err());
        assert!(text.contains(scratch.0.join(name).to_str().unwrap()), "{text}");
        if round % HEAL_EVERY == 0 {
            run(&fetcher(&scratch, &server.url())).0.unwrap();
            fs::remove_file(scratch.0.join(format!("{name}.damaged"))).unwrap();
            scratch.assert_complete();
        }
        fs::remove_file(scratch.0.join(name)).unwrap();
        scratch.link(name);
    }
    load_data_from(&scratch.0).unwrap();
}

#[test]
fn damaged_packed_files_are_refused_or_harmless() {
    let mut random = StdRng::seed_from_u64(2);
    let scratch = Scratch::with_data();
    let mut fetcher = fetcher(&scratch, "");
    fetcher.sources = vec![Source::Folder(scratch.0.clone())];
    let mut refused = 0;
    for _ in 0..OF_PACKED {
        let name = pick(&mut random);
        let packed = scratch.0.join(format!("{name}.gz"));
        fs::remove_file(scratch.0.join(name)).unwrap();
        fs::write(&packed, damage(real_gz(name), &mut random)).unwrap();
        match run(&fetcher).0 {
            // Bytes behind the end and the header's date do not matter.
            Ok(()) => assert!(same(File::open(scratch.0.join(name)).unwrap(), real(name))),
            Err(text) => {
                refused += 1;
                assert!(text.contains(&format!("{name}.gz")), "{text}");
                assert!(!scratch.0.join(name).exists());
                scratch.link(name);
            }
        }
        fs::remove_file(packed).unwrap();
    }
    assert!(refused > OF_PACKED / 2, "only {refused} were refused");
    scratch.assert_complete();
}
