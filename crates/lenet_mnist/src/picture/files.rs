//! Pictures in files and folders.

use std::fs;
use std::path::{Path, PathBuf};

use super::decode::decode;
use super::{prepare, Grey, Prepared};
use crate::input::Input;
use crate::{Error, Result};

/// A file's picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// As it was, upright and grey.
    pub original: Grey,
    /// As the network sees it.
    pub prepared: Prepared,
}

/// The most bytes of a file that are read.
const LONGEST: u64 = 64 << 20;

/// Names of files that are pictures end so. All but the first three are refused with a sentence.
const ENDINGS: [&str; 12] = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "heic", "heif", "avif", "tif", "tiff", "jfif"];

/// Reads a picture of a digit from a PNG or JPEG file, of any size and kind, and prepares it as MNIST's digits were.
///
/// # Errors
/// When the file cannot be read, is no sound PNG or JPEG or too large, or when the picture shows no digit, or several.
///
/// # Example
/// ```no_run
/// let picture = lenet_mnist::picture::read_picture("my7.jpg")?;
/// println!("{} x {} pixels: {}", picture.original.width, picture.original.height, picture.prepared.words);
/// # Ok::<(), lenet_mnist::Error>(())
/// ```
pub fn read_picture(path: impl AsRef<Path>) -> Result<Picture> {
    let path = path.as_ref();
    let mut input = Input::open(path)?;
    let bytes = input.read_all(LONGEST + 1)?;
    if bytes.len() as u64 > LONGEST {
        return Err(input.error("is longer than 64 MB", "save the picture smaller"));
    }
    let original = decode(&bytes).map_err(|problem| {
        let unknown = || input.other_format().0.replace("is not in MNIST's format", "is no picture, but a file");
        input.error(&problem.unwrap_or_else(unknown), "give a PNG or JPEG picture of a digit")
    })?;
    let prepared = prepare(&original).map_err(|problem| {
        let (problem, advice) = problem.words();
        input.error(problem, advice)
    })?;
    Ok(Picture { original, prepared })
}

/// Reads all pictures in `folder` and in the folders right below it, in the order of their paths: each with its path, and with
/// what went wrong where it is not read.
///
/// # Errors
/// When a folder cannot be read, or there are no pictures.
pub fn read_pictures(folder: impl AsRef<Path>) -> Result<Vec<(PathBuf, Result<Picture>)>> {
    let folder = folder.as_ref();
    let entries = |folder: &Path| -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder).and_then(|entries| {
            let paths = entries.map(|entry| Ok(entry?.path()));
            paths.collect()
        });
        entries.map_err(|error| Error::io("read", folder, &error))
    };
    let mut paths = entries(folder)?;
    for path in paths.clone().iter().filter(|path| path.is_dir()) {
        paths.extend(entries(path)?);
    }
    paths.retain(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        path.is_file() && ENDINGS.iter().any(|picture| picture.eq_ignore_ascii_case(ending))
    });
    paths.sort();
    if paths.is_empty() {
        return Err(Error::data(folder, "holds no pictures", "put PNG or JPEG files there"));
    }
    let read = |path| (read_picture(&path), path);
    Ok(paths.into_iter().map(read).map(|(picture, path)| (path, picture)).collect())
}

/// The digit that a picture's path says it shows: by the file's name, which begins with it (`7.png`, `7-anna.jpg`), or by the
/// folder's, which is it (`7/anna.jpg`).
///
/// # Example
/// ```
/// use lenet_mnist::picture::label;
///
/// assert_eq!(label("digits/7-anna.jpg"), Some(7));
/// assert_eq!(label("digits/3/anna.jpg"), Some(3));
/// assert_eq!(label("digits/2026.jpg"), None);
/// ```
pub fn label(path: impl AsRef<Path>) -> Option<u8> {
    let first = |name: &str| {
        let mut letters = name.chars().map(|letter| letter.to_digit(10));
        let first = letters.next()??;
        letters.next().flatten().is_none().then_some(first as u8)
    };
    let path = path.as_ref();
    let folder = path.parent().and_then(|folder| folder.file_name()?.to_str());
    let folder = folder.filter(|name| name.len() == 1);
    path.file_stem()?.to_str().and_then(first).or_else(|| folder.and_then(first))
}
