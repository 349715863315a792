//! The browser of the browser tests.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{announce, is_root, output, run};

/// How to get a browser where none was found.
pub const ADVICE: &str =
    "install Chromium (Debian: `sudo apt install chromium`), or name a Chromium or Chrome program \
                          in the variable LENET_CHROMIUM";

const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser that `LENET_CHROMIUM` names, or the first one on the PATH.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("LENET_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let files = PROGRAMS.iter().flat_map(|program| folders.iter().map(move |folder| folder.join(program)));
    files.into_iter().find(|file| file.is_file())
}

/// Installs Debian's Chromium where that can be done without asking; else says how to get one.
pub(crate) fn make_sure() {
    if let Some(program) = find() {
        announce(&format!("Browser: {}", program.display()));
        return;
    }
    let has_apt = output(Command::new("apt-get").arg("--version")).is_some();
    if is_root() && has_apt {
        announce("Browser: installing Debian's Chromium for the browser tests");
        let mut update = Command::new("apt-get");
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends", "chromium"])
            .env("DEBIAN_FRONTEND", "noninteractive");
        let installed = run(update.arg("update"), "apt-get update failed", ADVICE)
            .and_then(|()| run(&mut install, "Chromium could not be installed", ADVICE));
        if let Err(failure) = installed {
            println!("{failure}");
        }
    }
    if find().is_none() {
        println!("==> Browser: none found, so the browser tests will be skipped; to run them, {ADVICE}");
    }
}
