//! Other data sets: IDX and CSV files as people have them, and files that only pretend.

use crate::support::{gz, idx, Scratch};
use lenet_mnist::{read_csv, read_idx, write_submission, MAX_LEN};

/// Two images of 2 x 3 pixels.
fn images() -> Vec<u8> {
    idx(0x803, &[2, 2, 3], b"abcdefABCDEF")
}

fn labels() -> Vec<u8> {
    idx(0x801, &[2], &[3, 200])
}

/// The error for a pair of files.
fn refused(images: &[u8], labels: &[u8]) -> String {
    let scratch = Scratch::new();
    let (images, labels) = (
        scratch.write("images", images),
        scratch.write("labels", labels),
    );
    read_idx(images, labels).unwrap_err().to_string()
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
        assert_eq!(
            (&set.pixels[..], &set.labels[..]),
            (&b"abcdefABCDEF"[..], &[3, 200][..])
        );
        let turned = set.clone().transposed();
        assert_eq!((turned.height, turned.width), (3, 2));
        assert_eq!(turned.pixels, b"adbecfADBECF");
        assert_eq!(turned.transposed(), set);
    }
}

#[test]
fn labels_as_qmnist_has_them() {
    let scratch = Scratch::new();
    let images = scratch.write("images", images());
    let rows = [[7, 4, 0, 0, 0, 0, 0, 0], [9, 1, 2, 3, 4, 5, 6, 70_000u32]];
    let values: Vec<u8> = rows
        .iter()
        .flatten()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    let labels = scratch.write("labels", idx(0xc02, &[2, 8], &values));
    assert_eq!(read_idx(&images, &labels).unwrap().labels, [7, 9]);
    let one_each = idx(0xc01, &[2], &[0, 0, 0, 5, 0, 0, 0, 6]);
    let labels = scratch.write("labels", one_each);
    assert_eq!(read_idx(&images, &labels).unwrap().labels, [5, 6]);
    let labels = scratch.write("labels", idx(0xc01, &[2], &[0, 0, 0, 5, 0, 0, 1, 6]));
    let text = read_idx(&images, &labels).unwrap_err().to_string();
    assert!(text.contains("a label below 0 or above 255"), "{text}");
}

#[test]
fn what_does_not_fit_is_named() {
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132\n";
    let most = (MAX_LEN / 784) as u32 + 1;
    let long = [&images()[..], b"x"].concat();
    let cases: [(&[u8], &[u8], &str, &str); 17] = [
        (
            lfs,
            &labels(),
            "images is a Git LFS pointer",
            "`git lfs pull`",
        ),
        (
            &images(),
            lfs,
            "labels is a Git LFS pointer",
            "`git lfs pull`",
        ),
        (
            b"\n<!DOCTYPE html><html>",
            &labels(),
            "images is a web page",
            "<!DOCTYPE html>",
        ),
        (b"", &labels(), "images is empty", "fetch it again"),
        (
            b"PK\x03\x04...",
            &labels(),
            "images is a zip archive",
            "unpack it",
        ),
        (
            b"5,0,0",
            &labels(),
            "images is not in MNIST's format",
            "\"5,0,0\"",
        ),
        (
            &labels(),
            &images(),
            "images holds 2 labels",
            "images and labels are swapped",
        ),
        (
            &images(),
            &images(),
            "labels holds 2 images of 2x3",
            "no labels",
        ),
        (&labels(), &labels(), "images holds 2 labels", "no images"),
        (
            &images(),
            &idx(0x801, &[3], &[1; 3]),
            "labels holds 3 labels",
            "for 2 images",
        ),
        (
            &idx(0x803, &[0, 2, 3], b""),
            &idx(0x801, &[0], b""),
            "images",
            "no images",
        ),
        (
            &images()[..20],
            &labels(),
            "promises 2 images of 2x3, 28 bytes in all",
            "has 20",
        ),
        (
            &long,
            &labels(),
            "promises 2 images of 2x3, 28 bytes in all",
            "has more",
        ),
        (
            &gz(&long),
            &labels(),
            "promises 2 images of 2x3, 28 bytes in all",
            "has more",
        ),
        (
            &idx(0x803, &[most, 28, 28], b""),
            &labels(),
            "images promises",
            "bytes are read",
        ),
        (
            &idx(0x803, &[u32::MAX; 3], b""),
            &labels(),
            "images promises",
            "bytes are read",
        ),
        (
            &gz(&images())[..25],
            &labels(),
            "images ends early",
            "fetch it again",
        ),
    ];
    for (images, labels, problem, detail) in cases {
        let text = refused(images, labels);
        assert!(
            text.contains(problem) && text.contains(detail),
            "{problem}: {text}"
        );
    }
    let scratch = Scratch::new();
    let text = read_idx(scratch.0.join("missing"), &scratch.0)
        .unwrap_err()
        .to_string();
    assert!(text.contains("missing: No such file"), "{text}");
    let text = read_idx(&scratch.0, &scratch.0).unwrap_err().to_string();
    assert!(text.contains("is not a file"), "{text}");
}

#[test]
fn gzip_bomb_is_read_as_far_as_it_promised() {
    // A megabyte that unpacks to a gigabyte, of which the header promises 12 pixels.
    let mut bomb = images();
    bomb.resize(1 << 30, 0);
    let bomb = gz(&bomb);
    let began = std::time::Instant::now();
    assert!(refused(&bomb, &labels()).contains("has more"));
    assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
}

#[test]
fn tables_as_kaggle_has_them() {
    let scratch = Scratch::new();
    let row =
        |label: &str, pixel: u8| format!("{label}{}\n", vec![pixel.to_string(); 784].join(","));
    let names = |first: &str| format!("{first}{}\r\n", vec!["pixel"; 784].join(","));
    let train = names("label,") + &row("7,", 9) + "\n" + &row("1,", 255);
    let path = scratch.write("train.csv", &train);
    let set = read_csv(path).unwrap();
    assert_eq!((set.count, set.height, set.width), (2, 28, 28));
    assert_eq!(
        (set.labels, set.pixels),
        (vec![7, 1], [[9; 784], [255; 784]].concat())
    );

    let test = [names("").into_bytes(), row("", 3).into_bytes()].concat();
    let set = read_csv(scratch.write("test.csv", gz(&test))).unwrap();
    assert_eq!(
        (set.count, set.labels, set.pixels),
        (1, vec![], vec![3; 784])
    );

    for (text, problem) in [
        (row("7,", 9) + "1,2\n", "2 columns in line 2: expected 785"),
        (row("256,", 9), "\"256\" in line 1"),
        ("ImageId,Label\n1,2\n".into(), "2 columns: no square image"),
        ("<!DOCTYPE html>".into(), "\"<!DOCTYPE html>\" in line 1"),
        (String::new(), "holds no images"),
    ] {
        let path = scratch.write("wrong.csv", text);
        let text = read_csv(&path).unwrap_err().to_string();
        assert!(
            text.contains(problem) && text.contains("wrong.csv"),
            "{text}"
        );
    }
}

#[test]
fn answers_replace_answers_and_nothing_else() {
    let scratch = Scratch::new();
    let path = scratch.0.join("answers.csv");
    write_submission(&path, &[1, 2, 3]).unwrap();
    write_submission(&path, &[9]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"ImageId,Label\n1,9\n");
    let precious = scratch.write("test.csv", "pixel0\n");
    let text = write_submission(&precious, &[9]).unwrap_err().to_string();
    assert!(text.contains("stays as it is"), "{text}");
    assert_eq!(std::fs::read(&precious).unwrap(), b"pixel0\n");
}
