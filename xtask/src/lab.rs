//! `cargo xtask lab`.

use std::ffi::OsString;

use crate::process::{announce, is_root, run};
use crate::{setup, Project, Result};

const NOTEBOOK: &str = "notebooks/lenet5.ipynb";

/// Options of JupyterLab that keep it from asking the network for news and updates.
pub const QUIET: &[&str] =
    &["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"];

/// Sets up and opens the walkthrough in JupyterLab, until the user ends it.
pub fn open(project: &Project, arguments: &[OsString]) -> Result<()> {
    setup::for_learning(project)?;
    let mut lab = project.jupyter();
    lab.args(["-m", "jupyterlab", NOTEBOOK]).args(QUIET).current_dir(project.root());
    if is_root() {
        announce("JupyterLab: you are root, which it refuses by default, so it gets --allow-root");
        lab.arg("--allow-root");
    }
    announce(&format!("JupyterLab: opening {NOTEBOOK} (Ctrl-C here ends it)"));
    run(
        lab.args(arguments),
        "JupyterLab ended with an error",
        "read its messages above; `cargo xtask lab --no-browser` starts it without a browser",
    )
}
