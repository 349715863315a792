//! From a stream of bytes to a file in the data folder that is MNIST's for sure.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::files::{Checksum, DataFile, BUFFER_LEN};
use super::folder::{folder_error, sync_folder};
use crate::Error;

/// Why a file did not arrive.
#[derive(Debug)]
pub(super) enum Setback {
    /// The source is to blame: another one may do better.
    Source(String),
    /// So it is, but it began well: it may do better at the next try.
    BrokenOff(String),
    /// The folder is to blame: no other source can help.
    Folder(Error),
}

impl Setback {
    /// Puts what it is about before a source's problem.
    pub fn about(self, what: &str) -> Self {
        match self {
            Self::Source(problem) | Self::BrokenOff(problem) => {
                Self::Source(format!("{what}: {problem}"))
            }
            Self::Folder(error) => Self::Folder(error),
        }
    }
}

/// Where files go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folders<'a> {
    /// For finished files.
    pub data: &'a Path,
    /// For unfinished work; on the same disk.
    pub staging: &'a Path,
}

/// Writes `body` to the staging folder, compares it with `file` on the way, and puts it into the
/// data folder.
///
/// Never writes more than the file's length, whatever the body does. What is in the file's place
/// already (a damaged file, or another data set of the same name) is kept under another name.
pub(super) fn store(
    body: &mut dyn Read,
    file: &DataFile,
    folders: Folders<'_>,
) -> Result<(), Setback> {
    let staged = folders.staging.join(file.name);
    let refuses = |action, path: &Path, error| Setback::Folder(folder_error(action, path, error));

    let mut out = File::create(&staged).map_err(|e| refuses("create", &staged, e))?;
    copy_checked(body, file, &mut out).map_err(|problem| match problem {
        Problem::Body(text) => Setback::Source(text),
        Problem::Disk(error) => refuses("write", &staged, error),
    })?;
    out.sync_all().map_err(|e| refuses("write", &staged, e))?;
    drop(out);

    let path = file.path(folders.data);
    if path.exists() {
        let aside = folders.data.join(format!("{}.damaged", file.name));
        fs::rename(&path, &aside).map_err(|e| refuses("rename", &path, e))?;
    }
    fs::rename(&staged, &path).map_err(|e| refuses("write", &path, e))?;
    sync_folder(folders.data);
    Ok(())
}

/// Which end of a copy is to blame.
#[derive(Debug)]
pub(super) enum Problem {
    Body(String),
    Disk(io::Error),
}

/// Copies `body` to `out`, never more than the length of `file`, and says how they differ.
pub(super) fn copy_checked(
    body: &mut dyn Read,
    file: &DataFile,
    out: &mut impl Write,
) -> Result<(), Problem> {
    let mut checksum = Checksum::new();
    let mut buffer = vec![0; BUFFER_LEN];
    let mut len = 0;
    loop {
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Problem::Body(broken_off(file, len, &error))),
        };
        len += n as u64;
        if len > file.len {
            return Err(Problem::Body(format!(
                "unpacks to more than {} bytes",
                file.len
            )));
        }
        checksum.update(&buffer[..n]);
        out.write_all(&buffer[..n]).map_err(Problem::Disk)?;
    }
    if len < file.len {
        return Err(Problem::Body(format!(
            "unpacks to {len} bytes, expected {}",
            file.len
        )));
    }
    checksum.compare(file).map_err(Problem::Body)
}

/// How a body ended too early or turned out to be nonsense.
fn broken_off(file: &DataFile, len: u64, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            format!(
                "ended early, after {len} of {} bytes when unpacked",
                file.len
            )
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("is not sound gzip data ({error})")
        }
        _ => error.to_string(),
    }
}
