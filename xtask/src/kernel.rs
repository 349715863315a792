//! The Rust kernel: the program evcxr_jupyter, and its registration with the project's Jupyter.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{announce, cargo, file_failure, output, run};
use crate::{Failure, Project, Result};

/// Where kernels build their cells.
pub(crate) const BUILDS: &str = "target/notebook";
const VERSION: &str = "0.22.0";
/// The standard library's sources as kernels see them.
const LIBRARY: &str = "target/rust-library";
/// What they do not see: the functions for single instructions of every CPU, more than half of the library, which
/// a kernel would read and analyse before its first cell.
const LEFT_OUT: &str = "stdarch";

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

/// Sees to the standard library's sources, by which the kernel works out the types of variables, and to the folder
/// through which it sees them.
///
/// The kernel would add them itself at its first start, silently; without them it asks for explicit types.
pub fn library_sources(project: &Project) {
    let mut rustc = Command::new("rustc");
    rustc
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(project.root());
    let sysroot = output(rustc.args(["--print", "sysroot"])).unwrap_or_default();
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    if !sources.is_dir() {
        announce(
            "Rust kernel: adding the standard library's sources (rustup component add rust-src)",
        );
        let mut rustup = Command::new("rustup");
        rustup
            .env_remove("RUSTUP_TOOLCHAIN")
            .current_dir(project.root());
        if let Err(failure) = run(
            rustup.args(["component", "add", "rust-src"]),
            "rust-src could not be added, so the kernel cannot tell the types of some variables",
            "install rust-src the way you installed Rust, or write types out, as in `let n: usize = ...`",
        ) {
            println!("{failure}\n       going on without it");
            return;
        }
    }
    if let Err(error) = link_library(&sources, &project.path(LIBRARY)) {
        announce(&format!(
            "Rust kernel: its start takes some seconds more, since {LIBRARY} cannot be made: {error}"
        ));
    }
}

/// Makes `library` a folder of links to what is in `sources`, but for [`LEFT_OUT`].
fn link_library(sources: &Path, library: &Path) -> io::Result<()> {
    let mut wanted = names(sources)?;
    wanted.retain(|name| name != LEFT_OUT);
    let is_wanted = |name: &OsString| {
        fs::read_link(library.join(name)).is_ok_and(|original| original == sources.join(name))
    };
    if names(library).is_ok_and(|linked| linked == wanted) && wanted.iter().all(is_wanted) {
        return Ok(());
    }
    let new = library.with_extension("new");
    for old in [&new, library] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    fs::create_dir_all(&new)?;
    for name in &wanted {
        link(&sources.join(name), &new.join(name))?;
    }
    fs::rename(new, library)
}

/// What is in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

/// Windows lets only some users link.
#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
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
    #[cfg(unix)]
    fn the_library_is_linked_without_stdarch_and_anew_when_the_toolchain_changes() {
        use super::{link_library, names};
        use std::{env, fs, process};

        let place = env::temp_dir().join(format!("lenet-library-{}", process::id()));
        let library = place.join("library");
        let linked = |toolchain: &str, parts: &[&str]| {
            let sources = place.join(toolchain);
            for part in parts {
                fs::create_dir_all(sources.join(part)).expect("a folder");
            }
            link_library(&sources, &library).expect("links");
            let core = fs::read_link(library.join("core")).expect("a link");
            assert_eq!(core, sources.join("core"));
            names(&library).expect("the folder of links")
        };
        assert_eq!(linked("old", &["core", "stdarch", "std"]), ["core", "std"]);
        assert_eq!(linked("new", &["core", "stdarch", "std"]), ["core", "std"]);
        assert_eq!(linked("new", &["alloc"]), ["alloc", "core", "std"]);
        assert_eq!(linked("old", &[]), ["core", "std"]);
        fs::remove_dir_all(&place).expect("to remove what the test made");
    }

    #[test]
    fn paths_are_quoted_for_json() {
        assert_eq!(json_string(r#"C:\a "b""#), r#""C:\\a \"b\"""#);
        assert_eq!(json_string("tab\tend é"), "\"tab\\u0009end é\"");
    }
}
