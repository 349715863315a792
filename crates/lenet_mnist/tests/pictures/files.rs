//! Files of every kind, whole, turned and damaged; folders; what is no digit.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use lenet_mnist::picture::{label, read_picture, read_pictures};
use png::{BitDepth, ColorType};

use crate::ways::{black, image, jpeg, png, Page};

/// A folder that goes when it is dropped.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pictures-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file, and makes the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A 7 of 140 x 140 pixels, black on white.
fn seven() -> Page {
    Page::enlarged(image(0), 5.0)
}

/// What is said about a file with these bytes.
fn refused(bytes: &[u8]) -> String {
    let scratch = Scratch::new();
    let path = scratch.write("picture.png", bytes);
    let text = read_picture(&path).expect_err("an error").to_string();
    assert!(text.starts_with(&format!("{} ", path.display())), "{text}");
    text
}

#[test]
fn every_kind_of_png_shows_the_same_digit() {
    let (scratch, page) = (Scratch::new(), seven());
    let pixels = page.painted(|_, _, ink| black(if ink > 0.5 { 1.0 } else { 0.0 }));
    let mut all = Vec::new();
    for (color, depth) in [
        (ColorType::Grayscale, BitDepth::Eight),
        (ColorType::Grayscale, BitDepth::Sixteen),
        (ColorType::GrayscaleAlpha, BitDepth::Eight),
        (ColorType::Rgb, BitDepth::Eight),
        (ColorType::Rgba, BitDepth::Eight),
        (ColorType::Indexed, BitDepth::Four),
    ] {
        let path = scratch.write("7.png", &png(page.width, &pixels, color, depth));
        all.push(read_picture(path).unwrap());
    }
    assert!(all.iter().all(|picture| *picture == all[0]));
    assert_eq!((all[0].original.width, all[0].original.height), (140, 140));
}

/// A JPEG file with this orientation in its EXIF data.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", &[orientation][..], b"\0\0\0\0\0\0"].concat();
    let length = (2 + 6 + tiff.len() as u16).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

#[test]
fn a_turned_camera_is_turned_back() {
    // What a viewer shows is the page; what the file holds is the page turned the other way.
    let page = Page::new(image(0), (120, 200), 4.0, (4.0, 80.0));
    let (width, height) = (page.width, page.ink.len() / page.width);
    let shown = |x: usize, y: usize| page.ink[y * width + x];
    let scratch = Scratch::new();
    let read = |orientation: u8, stored: &dyn Fn(usize, usize) -> f64| {
        let turned = orientation >= 5;
        let (columns, rows) = if turned { (height, width) } else { (width, height) };
        let ink = (0..columns * rows).map(|at| stored(at % columns, at / columns)).collect();
        let file = Page { width: columns, ink };
        let file = jpeg(columns, &file.painted(|_, _, ink| black(ink)), 95);
        read_picture(scratch.write("turned.jpg", &with_orientation(&file, orientation))).unwrap()
    };
    let (right, bottom) = (width - 1, height - 1);
    let upright = read(1, &shown);
    // The places of row 0 and column 0, by the standard: 2 top right, 3 bottom right, 4 bottom left, 5 left top,
    // 6 right top, 7 right bottom, 8 left bottom.
    let turned = [
        read(2, &|x, y| shown(right - x, y)),
        read(3, &|x, y| shown(right - x, bottom - y)),
        read(4, &|x, y| shown(x, bottom - y)),
        read(5, &|x, y| shown(y, x)),
        read(6, &|x, y| shown(right - y, x)),
        read(7, &|x, y| shown(right - y, bottom - x)),
        read(8, &|x, y| shown(y, bottom - x)),
    ];
    for (index, picture) in turned.iter().enumerate() {
        assert_eq!((picture.original.width, picture.original.height), (120, 200));
        let pairs = picture.prepared.pixels.iter().zip(upright.prepared.pixels);
        let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 0.2, "orientation {}: {apart}", index + 2);
    }
}

#[test]
fn what_is_no_digit_is_told() {
    let say = |ink: &dyn Fn(usize, usize) -> bool| {
        let page = Page { width: 200, ink: (0..200 * 120).map(|at| f64::from(ink(at % 200, at / 200))).collect() };
        refused(&jpeg(200, &page.painted(|_, _, ink| black(ink)), 90))
    };
    let dot = |x: usize, y: usize, at: usize| x.abs_diff(at).pow(2) + y.abs_diff(60).pow(2) < 900;
    let line = |x: usize, y: usize, at: usize| x.abs_diff(at) < 4 && y.abs_diff(60) < 40;
    assert!(say(&|_, _| false).ends_with("shows nothing that stands out from the paper; write with a darker pen"));
    assert!(say(&|x, y| dot(x, y, 60)).contains("a spot without strokes"));
    assert!(say(&|x, y| x.abs_diff(60) < 2 && y.abs_diff(60) < 2).contains("a speck of a few pixels"));
    assert!(say(&|x, y| x.abs_diff(100) < 50 && y.abs_diff(60) < 5).contains("too wide for one digit"));
    assert!(say(&|x, y| line(x, y, 60) || line(x, y, 130)).ends_with("shows several digits; cut out one"));
}

#[test]
fn a_file_of_another_kind_is_named() {
    for (bytes, kind) in [
        (&b"GIF89a......"[..], "is a GIF picture; give a PNG or JPEG"),
        (b"\0\0\0\x18ftypheic", "is a HEIC or AVIF picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "is a WebP picture"),
        (b"<!doctype html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (b"", "is empty"),
    ] {
        let text = refused(bytes);
        assert!(text.contains(kind), "{text}");
    }
}

#[test]
fn damage_and_bombs_are_refused() {
    let page = seven();
    let pixels = page.painted(|_, _, ink| black(ink));
    let whole = png(page.width, &pixels, ColorType::Rgb, BitDepth::Eight);
    assert!(refused(&whole[..whole.len() / 2]).contains("is no sound PNG file"));
    let whole = jpeg(page.width, &pixels, 90);
    assert!(refused(&whole[..200]).contains("is no sound JPEG file"));
    // A palette of four bytes, in front of sound pixels.
    let sound = png(page.width, &pixels, ColorType::Indexed, BitDepth::Four);
    let palette = b"PLTE\0\0\0\0";
    let start = sound.windows(4).position(|name| name == b"PLTE").unwrap() - 4;
    let changed = [b"\0\0\0\x04", &palette[..], &crc(palette).to_be_bytes()].concat();
    let broken = [&sound[..start], &changed, &sound[start + 12 + 48..]].concat();
    assert!(refused(&broken).contains("its palette ends within a colour"));
    // A header of 100,000 x 100,000 pixels, with its checksum, and nothing behind it.
    let header = [b"IHDR", &100_000u32.to_be_bytes()[..], &100_000u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let checksum = crc(&header).to_be_bytes();
    let bomb = [b"\x89PNG\r\n\x1a\n\0\0\0\r", &header[..], &checksum].concat();
    assert!(refused(&bomb).contains("is 100000 x 100000 pixels large, and at most 20 million are read"));
    // A sound file of 400 kB whose 400 million pixels are all white.
    let mut bomb = Vec::new();
    let mut encoder = png::Encoder::new(&mut bomb, 20_000, 20_000);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.write_header().unwrap().write_image_data(&vec![255; 20_000 / 8 * 20_000]).unwrap();
    assert!(refused(&bomb).contains("is 20000 x 20000 pixels large"));
}

/// The checksum of PNG's chunks (CRC-32), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| bit(crc)))
}

#[test]
fn a_folder_is_read_with_labels_by_name() {
    let (scratch, page) = (Scratch::new(), seven());
    let whole = jpeg(page.width, &page.painted(|_, _, ink| black(ink)), 90);
    for name in ["7-anna.JPG", "7/ben.jpeg", "9.png", "12.jpg"] {
        scratch.write(name, &whole);
    }
    scratch.write("3.png", b"not a picture");
    scratch.write("notes.txt", b"left alone");
    let read = read_pictures(&scratch.0).unwrap();
    let labels: Vec<_> = read.iter().map(|(path, picture)| (label(path), picture.is_ok())).collect();
    assert_eq!(labels, [(None, true), (Some(3), false), (Some(7), true), (Some(7), true), (Some(9), true)]);
    let empty = Scratch::new();
    let text = read_pictures(&empty.0).unwrap_err().to_string();
    assert!(text.ends_with("holds no pictures; put PNG or JPEG files there"), "{text}");
    assert!(read_pictures(empty.0.join("none")).is_err());
}
