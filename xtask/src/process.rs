//! Running other programs, with their output where the user sees it.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Failure, Project, Result};

/// Announces what is about to be done.
pub fn announce(what: &str) {
    println!("==> {what}");
}

/// A cargo command in the workspace's folder, with the toolchain that `rust-toolchain.toml` names.
pub fn cargo(project: &Project) -> Command {
    let mut command = Command::new("cargo");
    // Set by `cargo +nightly xtask ...`, and stronger than rust-toolchain.toml; dfdx needs stable.
    command.env_remove("RUSTUP_TOOLCHAIN").current_dir(project.root());
    command
}

/// Runs a command to its end; its output goes straight to the terminal.
///
/// # Errors
/// If it can't be started or doesn't succeed; `problem` and `advice` say what that means.
pub fn run(command: &mut Command, problem: &str, advice: &str) -> Result<()> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("{problem} ({status})"), advice)),
        Err(error) => Err(not_started(command, &error)),
    }
}

/// Runs a command quietly and gives what it printed, or `None` if it failed or isn't there.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a command to its end and gives what it printed; what it says on stderr goes to the terminal.
///
/// # Errors
/// As [`run`].
pub fn capture(command: &mut Command, problem: &str, advice: &str) -> Result<String> {
    match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(Failure::new(format!("{problem} ({})", output.status), advice)),
        Err(error) => Err(not_started(command, &error)),
    }
}

/// Says that a program could not be started.
pub(crate) fn not_started(command: &Command, error: &io::Error) -> Failure {
    let program = command.get_program().to_string_lossy().into_owned();
    Failure::new(
        format!("cannot start {program}: {error}"),
        format!("make sure that `{program}` is installed and on the PATH"),
    )
}

/// Says what could not be done with a file.
pub fn file_failure(action: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot {action} {}: {error}", path.display()),
        "make sure that the folder is yours to write in and that the disk is not full",
    )
}

/// Whether this is the administrator of a Unix machine.
pub fn is_root() -> bool {
    cfg!(unix) && output(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}
