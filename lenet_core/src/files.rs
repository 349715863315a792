//! Files that are read and written as a whole.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// All bytes of the file at `path`, which has at most `limit` of them.
///
/// # Errors
/// [`Error::Data`] for a file that is longer; [`Error::Io`] for one that cannot be read.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let limit = limit as u64;
        // One byte more than allowed is enough to see that there are too many.
        file.take(limit + 1).read_to_end(&mut bytes)
    });
    match read {
        Ok(length) if length > limit => Err(Error::Data {
            path: path.into(),
            problem: format!("it is too long: expected at most {limit} bytes"),
            advice: "give a file that was written for this network".into(),
        }),
        Ok(_) => Ok(bytes),
        Err(source) => Err(Error::Io {
            action: "read",
            path: path.into(),
            source,
        }),
    }
}

/// Writes `bytes` to `path`. What was there stays until all bytes are on disk, and is then replaced
/// in one step.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = beside(path);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|source| {
        // The error that matters is the first; a temporary file that stays behind does no harm.
        let _ = std::fs::remove_file(&temporary);
        Error::Io {
            action: "write",
            path: path.into(),
            source,
        }
    })
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
