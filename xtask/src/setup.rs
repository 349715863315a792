//! What the other commands need to be there.

use std::fs::{self, File};

use crate::process::file_failure;
use crate::{chromium, data, kernel, lab, library, python, Project, Result};

/// JupyterLab, the Rust kernel and the data.
pub fn for_learning(project: &Project) -> Result<()> {
    let _alone = lock(project)?;
    python::environment(project)?;
    python::requirements(project, "JupyterLab", "requirements.txt")?;
    let program = kernel::program(project)?;
    library::prepare(project);
    kernel::register(project, &program)?;
    lab::write_defaults(project)?;
    // IPython, which JupyterLab brings, warns of a folder that it cannot make.
    let own = project.jupyter_folder();
    fs::create_dir_all(&own).map_err(|error| file_failure("make", &own, &error))?;
    data::mnist(project)
}

/// The same, and what only tests need.
pub fn for_testing(project: &Project) -> Result<()> {
    for_learning(project)?;
    let _alone = lock(project)?;
    python::requirements(project, "tests", "tests/requirements.txt")?;
    chromium::make_sure();
    Ok(())
}

/// Waits until no other set-up runs in this project; the lock ends with the value.
fn lock(project: &Project) -> Result<File> {
    let folder = project.path("target");
    let path = folder.join("setup.lock");
    fs::create_dir_all(&folder)
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| file_failure("lock", &path, &error))
}
