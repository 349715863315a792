//! What the other commands need to be there.

use std::fs::{self, File};

use crate::process::file_failure;
use crate::progress::{side_by_side, Report, Task};
use crate::{chromium, data, kernel, library, python, Project, Result};

/// What JupyterLab is to do where the user has not said otherwise: not ask, over the notebook, whether to show news.
const LAB_DEFAULTS: &str = "{\"@jupyterlab/apputils-extension:notification\": {\"fetchNews\": \"false\"}}\n";

/// JupyterLab, the Rust kernel, the crates that cells need, and the data.
pub fn for_learning(project: &Project) -> Result<()> {
    let _alone = lock(project)?;
    python::environment(project)?;
    let tasks = vec![
        task("the kernel program", 290, 274, |report| {
            let program = kernel::program(project, report)?;
            kernel::register(project, &program)
        }),
        task("the crates of the cells", 40, 105, |report| {
            library::prepare(project);
            kernel::compile_crates(project, report)
        }),
        task("JupyterLab", 15, 0, |report| python::requirements(project, "JupyterLab", "requirements.txt", report)),
        task("the data", 10, 5, |report| data::mnist(project, report)),
    ];
    side_by_side(project, tasks)?;
    // IPython, which JupyterLab brings, warns of a folder that it cannot make.
    let own = project.jupyter_folder();
    fs::create_dir_all(&own).map_err(|error| file_failure("make", &own, &error))?;
    let defaults = project.venv().join("etc/jupyter/labconfig");
    let file = defaults.join("default_setting_overrides.json");
    fs::create_dir_all(&defaults)
        .and_then(|()| fs::write(&file, LAB_DEFAULTS))
        .map_err(|error| file_failure("write", &file, &error))
}

/// The same, and what only tests need.
pub fn for_testing(project: &Project) -> Result<()> {
    for_learning(project)?;
    let _alone = lock(project)?;
    let install = |report: &Report| python::requirements(project, "tests", "tests/requirements.txt", report);
    side_by_side(project, vec![task("the tests' packages", 10, 0, install)])?;
    chromium::make_sure();
    Ok(())
}

/// A part of the set-up, with its seconds and crates on the machine on which they were measured.
fn task<'a>(
    name: &'static str,
    seconds: u32,
    crates: usize,
    work: impl FnOnce(&Report) -> Result<()> + Send + 'a,
) -> Task<'a> {
    Task { name, seconds, crates, work: Box::new(work) }
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
