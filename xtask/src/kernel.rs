//! The Rust kernel: the program evcxr_jupyter, its registration with the project's Jupyter, and the crates that cells
//! need. How it is started and where it builds is in `launch_kernel.py`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::library::LIBRARY;
use crate::process::{announce, cargo, run};
use crate::progress::Report;
use crate::{Failure, Project, Result};

/// Where kernels build their cells.
const BUILDS: &str = "target/notebook";
const LAUNCHER: &str = "xtask/launch_kernel.py";
const VERSION: &str = "0.22.0";

/// The path of the kernel program: of one that is there, on the PATH or in cargo's folder, or of one that is built now.
pub fn program(project: &Project, report: &Report) -> Result<PathBuf> {
    let home = cargo_home()?;
    let name = format!("evcxr_jupyter{}", env::consts::EXE_SUFFIX);
    let built = home.join("bin").join(&name);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join(&name));
    if let Some(program) = [built.clone()].into_iter().chain(on_path).find(|program| has_version(program)) {
        announce(&format!("Rust kernel: {} is version {VERSION}", program.display()));
        return Ok(program);
    }
    announce(&format!(
        "Rust kernel: building evcxr_jupyter {VERSION}, which compiles and runs the cells, completes names and shows \
         types\n    (once for all your projects, five to ten minutes on two cores; two thirds of it is rust-analyzer)"
    ));
    report.run(
        cargo(project).args(["install", "--locked", &format!("evcxr_jupyter@{VERSION}"), "--root"]).arg(&home),
        "the Rust kernel could not be installed",
        "check the network, and that a C compiler is there (Debian and Ubuntu: `sudo apt install build-essential`); \
         then run this command again",
    )?;
    Ok(built)
}

/// Whether this is a kernel program of the wanted version: its file holds the greeting that it sends to Jupyter, while
/// no option makes it tell its version.
fn has_version(program: &Path) -> bool {
    let greeting = format!("EvCxR {VERSION} - ");
    let bytes = fs::read(program).unwrap_or_default();
    bytes.windows(greeting.len()).any(|window| window == greeting.as_bytes())
}

/// Registers the kernel in `.venv` under the name `rust`.
pub fn register(project: &Project, program: &Path) -> Result<()> {
    announce("Rust kernel: registering it with the project's Jupyter");
    let folder = project.kernel_folder();
    if !folder.join("version.txt").is_file() {
        // It writes its icons below the folder that JUPYTER_PATH names, and a kernel.json, which ours replaces.
        let share = project.venv().join("share/jupyter");
        run(
            Command::new(program).arg("--install").env("JUPYTER_PATH", share),
            "the Rust kernel could not be registered",
            "delete the folder .venv and run this command again",
        )?;
    }
    let mut launcher = launcher(project, "--register");
    // Where the library's folder is missing, the kernel looks for the sources in the toolchain.
    launcher.args([&folder, program, &project.path(LIBRARY)]);
    run(&mut launcher, "the Rust kernel could not be registered", "read the message above")
}

/// Compiles what the notebooks' first cells need, where new kernels take it from.
pub fn compile_crates(project: &Project, report: &Report) -> Result<()> {
    announce("Crates of the cells: compiling what is not yet, so that the notebooks start at once");
    let mut launcher = launcher(project, "--compile");
    report.run(
        launcher.current_dir(project.path("notebooks")),
        "the crates that the notebooks need could not be compiled",
        "read the message above; if crates could not be fetched, check the network",
    )
}

/// A command of `launch_kernel.py`, with the folder for builds as its first argument.
pub fn launcher(project: &Project, what: &str) -> Command {
    let mut command = Command::new(project.python());
    command.arg(project.path(LAUNCHER)).arg(what).arg(project.path(BUILDS));
    command
}

fn cargo_home() -> Result<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| env::home_dir().map(|home| home.join(".cargo"))).ok_or_else(|| {
        Failure::new("there is no home folder to install the kernel in", "set the variable CARGO_HOME to a folder")
    })
}
