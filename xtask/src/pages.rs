//! `cargo xtask pages`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::process::{announce, run};
use crate::progress::{side_by_side, Report, Task};
use crate::{python, Project, Result};

/// Writes the committed notebooks as static pages into the folder that the arguments name, or into `target/pages`.
///
/// # Errors
/// If Python or nbconvert can't do it, or a page would load something from elsewhere.
pub fn write(project: &Project, arguments: &[OsString]) -> Result<()> {
    python::environment(project)?;
    let install = |report: &Report| python::requirements(project, "JupyterLab", "requirements.txt", report);
    side_by_side(project, vec![Task { name: "nbconvert", seconds: 15, crates: 0, work: Box::new(install) }])?;
    let folder = arguments.first().map_or_else(|| project.path("target/pages"), PathBuf::from);
    write_to(project, &folder)?;
    announce(&format!("Pages: open {}", folder.join("index.html").display()));
    Ok(())
}

/// The same, once Python is set up.
///
/// # Errors
/// As [`write`].
pub fn write_to(project: &Project, folder: &Path) -> Result<()> {
    run(
        project.jupyter().arg(project.path("xtask/pages.py")).arg(project.root()).arg(folder),
        "the pages are not as they should be",
        "read the message above; `cargo xtask notebooks` runs the notebooks again",
    )
}
