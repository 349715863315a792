//! The standard library as kernels see it: its sources in a small workspace of their own.
//!
//! From these sources a kernel works out the types of variables. It reads and analyses all that it finds: at its start,
//! and again when the first cell names `lenet_core`. The toolchain's own workspace holds much that no types need: the
//! functions for single instructions of every CPU, and the crates that read debug information for backtraces.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{announce, cargo, output, run};
use crate::Project;

/// The folder of that workspace.
pub(crate) const LIBRARY: &str = "target/rust-library";

/// The crates in it, each with those that it depends on.
const CRATES: [(&str, &[&str]); 4] = [
    ("core", &[]),
    ("alloc", &["core"]),
    ("std_detect", &["core", "alloc"]),
    ("std", &["core", "alloc", "std_detect", HASH_TABLES]),
];
/// The crate from crates.io behind `HashMap` and `HashSet`: without it their values have no known types.
const HASH_TABLES: &str = "hashbrown";
/// How it calls `core` and `alloc` when it is a part of the standard library.
const STAND_INS: [(&str, &str); 2] = [("rustc-std-workspace-core", "core"), ("rustc-std-workspace-alloc", "alloc")];

/// Sees to the sources and to the workspace. A kernel would add the sources itself at its first start, silently;
/// without them it asks for explicit types.
pub fn prepare(project: &Project) {
    let mut rustc = Command::new("rustc");
    rustc.env_remove("RUSTUP_TOOLCHAIN").current_dir(project.root());
    let sysroot = output(rustc.args(["--print", "sysroot"])).unwrap_or_default();
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    if !sources.is_dir() {
        announce("Rust kernel: adding the standard library's sources (rustup component add rust-src)");
        let mut rustup = Command::new("rustup");
        rustup.env_remove("RUSTUP_TOOLCHAIN").current_dir(project.root());
        if let Err(failure) = run(
            rustup.args(["component", "add", "rust-src"]),
            "rust-src could not be added, so the kernel cannot tell the types of some variables",
            "install rust-src the way you installed Rust, or write types out, as in `let n: usize = ...`",
        ) {
            println!("{failure}\n       going on without it");
            return;
        }
    }
    let lock = |manifest: &Path| {
        let mut fetch = cargo(project);
        fetch.args(["fetch", "--quiet", "--manifest-path"]);
        let status = fetch.arg(manifest).status()?;
        let failed = || io::Error::other("`cargo fetch` failed there");
        status.success().then_some(()).ok_or_else(failed)
    };
    if let Err(error) = make(&sources, &project.path(LIBRARY), lock) {
        announce(&format!("Rust kernel: its start takes some seconds more, since {LIBRARY} cannot be made: {error}"));
    }
}

/// Makes the workspace of `sources` in `library`, unless it is there; `lock` writes a workspace's lock file, which a
/// kernel takes as it is.
fn make(sources: &Path, library: &Path, lock: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let manifests = manifests(sources);
    let is_written =
        |(path, text): &(PathBuf, String)| fs::read_to_string(library.join(path)).is_ok_and(|found| found == *text);
    let are_written = |manifests: &Vec<_>| manifests.iter().all(is_written);
    let is_linked = |(name, _): &(&str, _)| {
        let original = fs::read_link(library.join(name).join("src"));
        original.is_ok_and(|original| original == sources.join(name).join("src"))
    };
    if manifests.as_ref().is_ok_and(are_written) && CRATES.iter().all(is_linked) && library.join("Cargo.lock").is_file()
    {
        return Ok(());
    }
    let new = library.with_extension("new");
    for old in [&new, library] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    for (path, text) in manifests? {
        let path = new.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&new))?;
        fs::write(path, text)?;
    }
    for (name, _) in CRATES {
        link(&sources.join(name).join("src"), &new.join(name).join("src"))?;
    }
    lock(&new.join("Cargo.toml"))?;
    // A kernel that finds no such folder takes the toolchain's workspace, so this one is there whole or not at all.
    fs::rename(new, library)
}

/// The manifests of the workspace, each with its place there.
fn manifests(sources: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let locked = fs::read_to_string(sources.join("Cargo.lock"))?;
    let version = locked_version(&locked, HASH_TABLES)?;
    let hash_tables = format!(
        "{HASH_TABLES} = {{ version = \"={version}\", default-features = false, features = [\"rustc-dep-of-std\"] }}\n"
    );
    let dependency = |name: &&str| match *name {
        HASH_TABLES => hash_tables.clone(),
        name => format!("{name} = {{ path = \"../{name}\" }}\n"),
    };
    let package = |name: &str, version: &str, rest: &str| {
        let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n{rest}");
        (Path::new(name).join("Cargo.toml"), text)
    };

    let mut workspace = "[workspace]\nresolver = \"2\"\nmembers = [\"std\"]\n\n[patch.crates-io]\n".to_owned();
    for (name, _) in STAND_INS {
        workspace.push_str(&format!("{name} = {{ path = \"{name}\" }}\n"));
    }
    let mut manifests = vec![(PathBuf::from("Cargo.toml"), workspace)];
    for (name, dependencies) in CRATES {
        let dependencies: String = dependencies.iter().map(dependency).collect();
        let rest = format!("[dependencies]\n{dependencies}");
        manifests.push(package(name, "0.0.0", &rest));
    }
    for (name, original) in STAND_INS {
        let rest = format!("[lib]\npath = \"../{original}/src/lib.rs\"\n");
        manifests.push(package(name, "1.99.0", &rest));
    }
    Ok(manifests)
}

/// The version of a package in the text of a lock file.
fn locked_version<'a>(lock_file: &'a str, name: &str) -> io::Result<&'a str> {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = lock_file.split_once(&entry).and_then(|(_, rest)| rest.split_once('"'));
    version
        .map(|(version, _)| version)
        .ok_or_else(|| io::Error::other(format!("the toolchain's library locks no version of {name}")))
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

#[cfg(all(test, unix))]
mod tests {
    use super::{make, CRATES};
    use std::cell::Cell;
    use std::path::Path;
    use std::{env, fs, io, process};

    #[test]
    fn the_workspace_is_made_anew_when_the_toolchain_changes_and_only_then() {
        let place = env::temp_dir().join(format!("lenet-library-{}", process::id()));
        let library = place.join("library");
        let made = Cell::new(0);
        let lock = |manifest: &Path| {
            made.set(made.get() + 1);
            fs::write(manifest.with_extension("lock"), "")
        };
        let toolchain = |name: &str, hashbrown: &str| {
            let sources = place.join(name);
            for (name, _) in CRATES {
                fs::create_dir_all(sources.join(name).join("src")).expect("a folder");
            }
            let locked = format!("[[package]]\nname = \"hashbrown\"\nversion = \"{hashbrown}\"\n");
            fs::write(sources.join("Cargo.lock"), locked).expect("a lock file");
            sources
        };
        let steps = [
            ("old", "0.16.1", 1),
            ("old", "0.16.1", 1),
            ("old", "0.17.0", 2),
            ("new", "0.17.0", 3),
            ("new", "0.17.0", 3),
        ];
        for (name, hashbrown, expected) in steps {
            let sources = toolchain(name, hashbrown);
            make(&sources, &library, lock).expect("a workspace");
            assert_eq!(made.get(), expected, "{name}, {hashbrown}");
            let core = fs::read_link(library.join("core/src")).expect("a link");
            assert_eq!(core, sources.join("core/src"));
            let std = fs::read_to_string(library.join("std/Cargo.toml")).expect("a manifest");
            assert!(std.contains(&format!("\"={hashbrown}\"")), "{std}");
        }

        // What cannot be made anew is not left as it was, or half made: a kernel would take it.
        let offline = |_: &Path| Err(io::Error::other("no network"));
        make(&toolchain("old", "0.17.0"), &library, offline).expect_err("no lock file");
        assert!(!library.exists());
        let sources = toolchain("new", "0.17.0");
        make(&sources, &library, lock).expect("a workspace");
        fs::remove_file(sources.join("Cargo.lock")).expect("to remove a file");
        make(&sources, &library, lock).expect_err("no version of hashbrown");
        assert!(!library.exists());
        fs::remove_dir_all(&place).expect("to remove what the test made");
    }
}
