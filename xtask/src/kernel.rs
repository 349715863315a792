//! The Rust kernel: the program evcxr_jupyter, and its registration with the project's Jupyter.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::library::LIBRARY;
use crate::process::{announce, cargo, file_failure, output, run};
use crate::{Failure, Project, Result};

/// Where kernels build their cells.
pub(crate) const BUILDS: &str = "target/notebook";
const VERSION: &str = "0.22.0";

/// Installs the kernel program if it is missing or of another version, and gives its path.
pub fn program(project: &Project) -> Result<PathBuf> {
    let home = cargo_home()?;
    let program = home
        .join("bin")
        .join(format!("evcxr_jupyter{}", env::consts::EXE_SUFFIX));
    let listed = output(
        cargo(project)
            .args(["install", "--list", "--root"])
            .arg(&home),
    )
    .unwrap_or_default();
    let wanted = format!("evcxr_jupyter v{VERSION}:");
    if program.is_file() && listed.lines().any(|line| line == wanted) {
        announce(&format!(
            "Rust kernel: evcxr_jupyter {VERSION} is installed"
        ));
        return Ok(program);
    }
    announce(&format!(
        "Rust kernel: building evcxr_jupyter {VERSION} (once, about five minutes on two cores)"
    ));
    run(
        cargo(project).args(["install", "--locked", &format!("evcxr_jupyter@{VERSION}"), "--root"]).arg(&home),
        "the Rust kernel could not be installed",
        "check the network, and that a C compiler is there (Debian and Ubuntu: `sudo apt install build-essential`); \
         then run this command again",
    )?;
    Ok(program)
}

/// Registers the kernel in `.venv` under the name `rust`, started through `launch_kernel.py`.
pub fn register(project: &Project, program: &Path) -> Result<()> {
    let folder = project.kernel_folder();
    let spec_file = folder.join("kernel.json");
    let spec = spec(project, program);
    if folder.join("version.txt").is_file()
        && fs::read_to_string(&spec_file).is_ok_and(|found| found == spec)
    {
        announce("Rust kernel: registered with Jupyter");
        return Ok(());
    }
    announce("Rust kernel: registering it with Jupyter");
    // It writes its icons below the folder that JUPYTER_PATH names, and a kernel.json, which ours replaces.
    let share = project.venv().join("share/jupyter");
    run(
        Command::new(program)
            .arg("--install")
            .env("JUPYTER_PATH", share),
        "the Rust kernel could not be registered",
        "delete the folder .venv and run this command again",
    )?;
    fs::write(&spec_file, spec).map_err(|error| file_failure("write", &spec_file, &error))
}

fn spec(project: &Project, program: &Path) -> String {
    let launcher = project.path("xtask/launch_kernel.py");
    let builds = project.path(BUILDS);
    let argv = [&project.python(), &launcher, program, &builds]
        .map(|path| json_string(&path.to_string_lossy()));
    // Where this folder is missing, the kernel looks for the sources in the toolchain.
    let library = json_string(&project.path(LIBRARY).to_string_lossy());
    format!(
        "{{\n \"argv\": [{}, \"{{connection_file}}\"],\n \"env\": {{\"RUST_SRC_PATH\": {library}}},\n \
         \"display_name\": \"Rust\",\n \"language\": \"rust\",\n \"interrupt_mode\": \"message\"\n}}\n",
        argv.join(", ")
    )
}

fn json_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", control as u32))
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

fn cargo_home() -> Result<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    named
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .ok_or_else(|| {
            Failure::new(
                "there is no home folder to install the kernel in",
                "set the variable CARGO_HOME to a folder",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::json_string;

    #[test]
    fn paths_are_quoted_for_json() {
        assert_eq!(json_string(r#"C:\a "b""#), r#""C:\\a \"b\"""#);
        assert_eq!(json_string("tab\tend é"), "\"tab\\u0009end é\"");
    }
}
