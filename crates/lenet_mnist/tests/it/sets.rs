//! Other data sets: IDX and CSV files as people have them, and files that only pretend.

use std::fs;

use lenet_mnist::{read_csv, read_idx, write_submission, MAX_LEN};

use crate::support::{gz, idx, Scratch};

/// Two images of 2 x 3 pixels.
fn images() -> Vec<u8> {
    idx(0x803, &[2, 2, 3], b"abcdefABCDEF")
}

fn labels() -> Vec<u8> {
    idx(0x801, &[2], &[3, 200])
}

/// The error for a pair of files has each part of `problem`.
fn refused(images: &[u8], labels: &[u8], problem: &str) {
    let scratch = Scratch::new();
    let images = scratch.write("images", images);
    let text = read_idx(images, scratch.write("labels", labels));
    let text = text.unwrap_err().to_string();
    assert!(problem.split(" ... ").all(|part| text.contains(part)), "{problem}: {text}");
}

#[test]
fn any_size_packed_or_not_by_paths_as_text() {
    let scratch = Scratch::new();
    for (images, labels) in [(images(), labels()), (gz(&images()), gz(&labels()))] {
        scratch.write("images.gz", images);
        scratch.write("labels", labels);
        let text = |name| format!("{}/{name}", scratch.0.display());
        let set = read_idx(text("images.gz"), text("labels")).unwrap();
        assert_eq!((set.count, set.height, set.width), (2, 2, 3));
        assert_eq!((&set.pixels[..], &set.labels[..]), (&b"abcdefABCDEF"[..], &[3, 200][..]));
        let turned = set.clone().transposed();
        assert_eq!((turned.height, turned.width), (3, 2));
        assert_eq!(turned.pixels, b"adbecfADBECF");
        assert_eq!(turned.transposed(), set);
    }
}

#[test]
fn labels_as_qmnist_has_them() {
    let scratch = Scratch::new();
    let pixels = scratch.write("images", images());
    for (magic, dims, row) in [(0xc01, &[2][..], 1), (0xc02, &[2, 8], 8)] {
        let mut values = vec![0; 2 * 4 * row];
        (values[3], values[4 * row + 3], values[4 * row - 1]) = (7, 9, 7);
        let path = scratch.write("labels", idx(magic, dims, &values));
        assert_eq!(read_idx(&pixels, path).unwrap().labels, [7, 9]);
        values[4 * row + 2] = 1;
        refused(&images(), &idx(magic, dims, &values), "labels has a label below 0 or above 255");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let (images, labels) = (&images()[..], &labels()[..]);
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132\n";
    refused(lfs, labels, "images is a Git LFS pointer ... `git lfs pull`");
    refused(images, lfs, "labels is a Git LFS pointer ... `git lfs pull`");
    refused(b"\n<!DOCTYPE html><html>", labels, "images is a web page ... <!DOCTYPE html>");
    refused(b"", labels, "images is empty ... fetch it again");
    refused(b"PK\x03\x04...", labels, "images is a zip archive ... unpack it");
    refused(b"5,0,0", labels, "images is not in MNIST's format ... \"5,0,0\"");
    refused(labels, images, "images holds 2 labels: images and labels are swapped");
    refused(images, images, "labels holds 2 images of 2x3, no labels");
    refused(labels, labels, "images holds 2 labels, no images");
    refused(images, &idx(0x801, &[3], &[1; 3]), "labels holds 3 labels for 2 images");
    refused(&idx(0x803, &[0, 2, 3], b""), &idx(0x801, &[0], b""), "images ... no images");
    refused(&images[..20], labels, "promises 2 images of 2x3, 28 bytes in all, but has 20");
    let longer = [images, b"x"].concat();
    refused(&longer, labels, "promises 2 images of 2x3, 28 bytes in all, but has more");
    refused(&gz(&longer), labels, "promises 2 images of 2x3, 28 bytes in all, but has more");
    refused(&gz(images)[..25], labels, "images ends early ... fetch it again");
    for count in [(MAX_LEN / 784) as u32 + 1, u32::MAX] {
        refused(&idx(0x803, &[count, 28, 28], b""), labels, "images promises ... bytes are read");
    }
    let scratch = Scratch::new();
    let text = read_idx(scratch.0.join("missing"), &scratch.0).unwrap_err().to_string();
    assert!(text.contains("missing: ") && text.contains("path is right"), "{text}");
    let text = read_idx(&scratch.0, &scratch.0).unwrap_err().to_string();
    assert!(text.contains("is not a file"), "{text}");
}

#[test]
fn gzip_bomb_is_read_as_far_as_it_promised() {
    // The header promises 12 pixels. Whoever reads on meets an end that is cut off.
    let mut bomb = images();
    bomb.resize(1 << 26, 0);
    let mut bomb = gz(&bomb);
    bomb.truncate(bomb.len() - 20);
    refused(&bomb, &labels(), "has more");
}

#[test]
fn tables_as_kaggle_has_them() {
    let scratch = Scratch::new();
    let row = |label: &str, pixel: &str| format!("{label}{}\r\n", [pixel; 784].join(","));
    let train = row("label,", "pixel") + &row("7,", "9") + "\n" + &row("1,", "255");
    let set = read_csv(scratch.write("train.csv", &train)).unwrap();
    assert_eq!((set.count, set.height, set.width), (2, 28, 28));
    assert_eq!((set.labels, set.pixels), (vec![7, 1], [[9; 784], [255; 784]].concat()));
    let test = gz((row("", "pixel") + &row("", "3")).as_bytes());
    let set = read_csv(scratch.write("test.csv", test)).unwrap();
    assert_eq!((set.count, set.labels, set.pixels), (1, vec![], vec![3; 784]));

    for (text, problem) in [
        (row("7,", "9") + "1,2\n", "2 columns in line 2: expected 785"),
        (row("256,", "9"), "\"256\" in line 1"),
        ("ImageId,Label\n1,2\n".into(), "2 columns: no square image"),
        ("<!DOCTYPE html>".into(), "\"<!DOCTYPE html>\" in line 1"),
        (String::new(), "holds no images"),
    ] {
        let text = read_csv(scratch.write("wrong.csv", text)).unwrap_err().to_string();
        assert!(text.contains(problem) && text.contains("wrong.csv"), "{text}");
    }
}

#[test]
fn answers_replace_answers_and_nothing_else() {
    let scratch = Scratch::new();
    let path = scratch.0.join("answers.csv");
    write_submission(&path, &[1, 2, 3]).unwrap();
    write_submission(&path, &[9]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"ImageId,Label\n1,9\n");
    let precious = scratch.write("test.csv", "pixel0\n");
    let text = write_submission(&precious, &[9]).unwrap_err().to_string();
    assert!(text.contains("stays as it is"), "{text}");
    assert_eq!(fs::read(&precious).unwrap(), b"pixel0\n");
}
