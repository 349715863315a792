//! Python: the one on this machine, and the project's own environment made from it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{announce, file_failure, output, run};
use crate::progress::Report;
use crate::{Failure, Project, Result};

/// The oldest Python that JupyterLab 4.6 runs on.
const OLDEST: (u32, u32) = (3, 10);

/// Tried in this order, after the one that `LENET_PYTHON` names.
const CANDIDATES: &[&str] =
    &["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"];

/// Makes `.venv` if it is missing or broken.
pub fn environment(project: &Project) -> Result<()> {
    if version(&project.python()).is_some_and(|found| found >= OLDEST) {
        return Ok(());
    }
    let python = find()?;
    if output(Command::new(&python).args(["-c", "import ensurepip, venv"])).is_none() {
        return Err(Failure::new(
            format!("{python} cannot make virtual environments: its modules venv and ensurepip are missing"),
            "install them (Debian and Ubuntu: `sudo apt install python3-venv`) and run this command again",
        ));
    }
    announce("Python: making the environment .venv");
    run(
        Command::new(&python).args(["-m", "venv", "--clear"]).arg(project.venv()),
        "the Python environment .venv could not be made",
        "read the message above; then delete the folder .venv and run this command again",
    )
}

/// Installs what a requirements file lists, unless that very file was the last one installed under this name.
pub fn requirements(project: &Project, name: &str, file: &str, report: &Report) -> Result<()> {
    let path = project.path(file);
    let wanted = fs::read(&path).map_err(|error| file_failure("read", &path, &error))?;
    let installed = project.venv().join(format!("installed-{name}.txt"));
    if fs::read(&installed).is_ok_and(|last| last == wanted) {
        announce(&format!("Python packages for {name}: already in .venv"));
        return Ok(());
    }
    announce(&format!("Python packages for {name}: installing {file} into .venv"));
    report.run(
        Command::new(project.python())
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r"])
            .arg(&path),
        &format!("pip could not install {file}"),
        "check the network (and HTTPS_PROXY, if you are behind a proxy) and run this command again",
    )?;
    fs::write(&installed, wanted).map_err(|error| file_failure("write", &installed, &error))
}

fn find() -> Result<String> {
    let named = env::var("LENET_PYTHON").ok();
    let mut too_old = None;
    for candidate in named.iter().map(String::as_str).chain(CANDIDATES.iter().copied()) {
        match version(Path::new(candidate)) {
            Some(found) if found >= OLDEST => return Ok(candidate.to_owned()),
            Some(found) => too_old = too_old.or(Some((candidate.to_owned(), found))),
            None => {}
        }
    }
    let problem = match too_old {
        Some((program, (major, minor))) => {
            format!("{program} is Python {major}.{minor}, and JupyterLab needs {}.{} or newer", OLDEST.0, OLDEST.1)
        }
        None => "no Python was found".to_owned(),
    };
    Err(Failure::new(
        problem,
        "install a newer Python (Debian and Ubuntu: `sudo apt install python3 python3-venv`; Windows and macOS: \
         from python.org), or name one in the variable LENET_PYTHON, and run this command again",
    ))
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print(sys.version_info[0], sys.version_info[1])";
    let printed = output(Command::new(python).args(["-c", script]))?;
    let (major, minor) = printed.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
