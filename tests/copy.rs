//! A copy of the project, so that running a notebook leaves the original alone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use xtask::Project;

use crate::output_folder;

/// What is built, installed or left behind, and so not in a fresh clone.
const LEFT_OUT: &[&str] = &["target", ".venv", ".git", ".ipynb_checkpoints", "__pycache__"];

/// The folder of the copy, with what the last run of a notebook left in it.
pub fn clean_copy_folder() -> PathBuf {
    output_folder("project")
}

/// Copies the project anew and gives the copy's folder.
///
/// Files keep their times, by which cargo tells what has changed since the last test run.
pub fn clean_copy() -> PathBuf {
    let copy = clean_copy_folder();
    fs::remove_dir_all(&copy)
        .and_then(|()| copy_folder(Project::find().root(), &copy))
        .unwrap_or_else(|error| panic!("cannot copy the project to {}: {error}", copy.display()));
    copy
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
            File::options().write(true).open(&target)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}
