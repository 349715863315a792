//! `cargo xtask lab`.

use std::ffi::OsString;
use std::fs;

use crate::process::{announce, file_failure, output, run};
use crate::{setup, Project, Result};

const NOTEBOOK: &str = "notebooks/lenet5.ipynb";

/// Options of JupyterLab that keep it from asking the network for news and updates.
pub const QUIET: &[&str] = &[
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
];

/// What JupyterLab is to do where the user has not said otherwise: not ask, over the notebook, whether to show news.
const DEFAULTS: &str =
    "{\"@jupyterlab/apputils-extension:notification\": {\"fetchNews\": \"false\"}}\n";

/// Writes the defaults to where the project's JupyterLab looks for them.
pub(crate) fn write_defaults(project: &Project) -> Result<()> {
    let folder = project.venv().join("etc/jupyter/labconfig");
    let file = folder.join("default_setting_overrides.json");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, DEFAULTS))
        .map_err(|error| file_failure("write", &file, &error))
}

/// Sets up and opens the walkthrough in JupyterLab, until the user ends it.
pub fn open(project: &Project, arguments: &[OsString]) -> Result<()> {
    setup::for_learning(project)?;
    let mut lab = project.jupyter();
    lab.args(["-m", "jupyterlab", NOTEBOOK])
        .args(QUIET)
        .current_dir(project.root());
    if is_root() {
        announce("JupyterLab: you are root, which it refuses by default, so it gets --allow-root");
        lab.arg("--allow-root");
    }
    announce(&format!(
        "JupyterLab: opening {NOTEBOOK} (Ctrl-C here ends it)"
    ));
    run(
        lab.args(arguments),
        "JupyterLab ended with an error",
        "read its messages above; `cargo xtask lab --no-browser` starts it without a browser",
    )
}

/// Whether this is the administrator of a Unix machine.
pub fn is_root() -> bool {
    cfg!(unix) && output(std::process::Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}
