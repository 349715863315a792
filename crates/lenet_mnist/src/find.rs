//! MNIST's files are found by their content, whatever they are called.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::files::FILES;
use crate::idx::Header;
use crate::input::{read_error, Input};
use crate::{Error, Result};

/// Files that are not MNIST's and yet named, at most.
const STRANGERS: usize = 8;

/// What a data folder holds: where each of [`FILES`] is, and what else is there.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files that are ready to be read.
    pub ready: [Option<PathBuf>; FILES.len()],
    /// The files that are there, packed with gzip.
    pub packed: [Option<PathBuf>; FILES.len()],
    /// A line for each other file: its path and what it is.
    pub strangers: Vec<String>,
}

impl Found {
    /// The index of the first file that is not ready.
    pub fn missing(&self) -> Option<usize> {
        self.ready.iter().position(Option::is_none)
    }
}

/// Looks for the four files in `dir`: first under their own names, then everywhere.
///
/// # Errors
/// When another data set has the name of a file that is missing.
pub(crate) fn find(dir: &Path) -> Result<Found> {
    let mut found = Found::default();
    for (index, file) in FILES.iter().enumerate() {
        let path = dir.join(file.name);
        if matches!(identify(&path), Identity::Mnist(i, packed) if i == index && !packed) {
            found.ready[index] = Some(path);
        }
    }
    if found.missing().is_none() {
        return Ok(found);
    }
    let (mut paths, mut sets) = (Vec::new(), Vec::new());
    walk(dir, 1, &mut paths);
    for path in paths {
        match identify(&path) {
            Identity::Mnist(index, false) => drop(found.ready[index].get_or_insert(path)),
            Identity::Mnist(index, true) => drop(found.packed[index].get_or_insert(path)),
            Identity::OtherSet(what) => sets.push((path, what)),
            Identity::Other(line) => found.strangers.push(line),
        }
    }
    for (path, what) in sets {
        let what = format!("is another data set, sound IDX but not MNIST ({what})");
        let missing = |i: usize| found.ready[i].is_none() && found.packed[i].is_none();
        if stands_for(dir, &path).is_some_and(missing) && !is_ours(&path) {
            let advice = "`mnist::load_idx` reads it, or set LENET_MNIST_DIR to another folder";
            let advice = format!("{advice} (if it should be MNIST, delete it)");
            return Err(Error::data(&path, &what, &advice));
        }
        found.strangers.push(format!("{} {what}", path.display()));
    }
    found.strangers.truncate(STRANGERS);
    Ok(found)
}

/// What a file is.
enum Identity {
    /// One of [`FILES`], by its index, and whether it is packed.
    Mnist(usize, bool),
    /// Sound IDX with something else.
    OtherSet(String),
    /// Anything else: its path and what it is.
    Other(String),
}

fn identify(path: &Path) -> Identity {
    let other = |what: &str| Identity::Other(format!("{} {what}", path.display()));
    let mut input = match Input::open(path) {
        Ok(input) => input,
        Err(error) => return Identity::Other(error.to_string()),
    };
    let Some(header) = Header::parse(&input.beginning) else {
        return other(&input.other_format().0);
    };
    let (packed, promised) = (input.packed, header.file_len());
    let len = path.metadata().map_or(0, |metadata| metadata.len());
    if !packed && len != promised {
        return other(&format!("promises {header}, {promised} bytes in all, but has {len}"));
    }
    let Some(index) = FILES.iter().position(|file| file.len == promised) else {
        return Identity::OtherSet(header.to_string());
    };
    match FILES[index].copy(&mut input, &mut io::sink()) {
        Ok(None) => Identity::Mnist(index, packed),
        Ok(Some(how)) => Identity::OtherSet(format!("{header}; {how}")),
        Err(error) => Identity::Other(read_error(path, &error).to_string()),
    }
}

/// Which of [`FILES`] `path` claims to be: by the file's own name, with dots for hyphens, with `.gz`, in a folder of
/// the same name (as Kaggle packs it) or in `MNIST/raw` (as torchvision does).
fn stands_for(dir: &Path, path: &Path) -> Option<usize> {
    let path = path.strip_prefix(dir).ok()?.to_str()?.to_lowercase();
    let path = path.strip_suffix(".gz").unwrap_or(&path).replace('.', "-");
    let mut parts: Vec<_> = path.split(std::path::is_separator).collect();
    let last = parts.pop()?;
    parts.retain(|part| ![last, "mnist", "raw"].contains(part));
    FILES.iter().position(|file| file.name == last).filter(|_| parts.is_empty())
}

/// Adds the files in `dir` and below, in the order of their names; none that begins with a dot.
fn walk(dir: &Path, depth: usize, paths: &mut Vec<PathBuf>) {
    const MAX_DEPTH: usize = 4;
    const MAX_ENTRIES: usize = 10_000;
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.take(MAX_ENTRIES).map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if hidden || paths.len() > MAX_ENTRIES {
            continue;
        } else if !path.is_dir() {
            paths.push(path);
        } else if depth < MAX_DEPTH {
            walk(&path, depth + 1, paths);
        }
    }
}

/// The date that our own copies bear: the month of the paper that describes MNIST. Whoever changes a file changes its
/// date, too. So a file of this date with other bytes is a copy of ours that the disk has damaged.
pub(crate) fn our_date() -> SystemTime {
    const NOVEMBER_10_1998: Duration = Duration::from_secs(910_656_000);
    SystemTime::UNIX_EPOCH + NOVEMBER_10_1998
}

/// Whether the file at `path` is a copy of ours that nobody else has changed.
pub(crate) fn is_ours(path: &Path) -> bool {
    let date = |metadata: fs::Metadata| metadata.modified().ok().filter(|_| metadata.is_file());
    fs::symlink_metadata(path).ok().and_then(date) == Some(our_date())
}
