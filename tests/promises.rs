//! What environment.md promises about tests, requirements.txt about hashes and Cargo.toml about the cells' crates, holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::Project;

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Adds each test below `folder` under its own name and with the name of its file before it, as in
/// `faults::unknown_host`.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, tests);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let module = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = read(&path);
        let mut lines = text.lines().map(str::trim);
        while lines.by_ref().any(|line| line == "#[test]") {
            let name = lines.by_ref().find_map(|line| line.strip_prefix("fn "));
            let name = name
                .and_then(|name| name.split_once('('))
                .map_or("", |(name, _)| name);
            tests.extend([
                name.to_owned(),
                format!("{module}::{name}"),
                format!("{module}::*"),
            ]);
        }
    }
}

/// The words between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_in_the_table_of_promises_exists() {
    let project = Project::find();
    let mut tests = BTreeSet::new();
    for folder in ["lenet_core/src", "lenet_core/tests", "tests", "xtask/src"] {
        collect(&project.path(folder), &mut tests);
    }
    let text = read(project.path("environment.md"));
    let (_, table) = text.split_once("## Promises").expect("a table of promises");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.filter(|row| !row.contains(" --- ")).collect();
    assert!(rows.len() > 30);
    let mut missing = Vec::new();
    for row in rows {
        let (_, named) = row.rsplit_once(" | ").expect("two columns");
        for name in quoted(named) {
            let is_test =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:*".contains(c);
            if name.chars().all(is_test) {
                // The file and the test: inner modules do not matter.
                let parts: Vec<&str> = name.split("::").collect();
                let found = match parts[..] {
                    [test] => tests.contains(test),
                    [.., "unix", test] => {
                        tests.contains(&format!("{}::{test}", parts[parts.len() - 3]))
                    }
                    [.., file, test] => tests.contains(&format!("{file}::{test}")),
                    [] => false,
                };
                if !found {
                    missing.push(name);
                }
            } else if name.contains('/') && !name.contains(' ') && !project.path(name).exists() {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn every_requirement_is_pinned_and_has_a_hash() {
    for file in ["requirements.txt", "tests/requirements.txt"] {
        let text = read(Project::find().path(file)).replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        let wanted: Vec<&str> = lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        assert!(!wanted.is_empty(), "{file} lists nothing");
        for line in wanted {
            assert!(line.contains("=="), "{file}: not pinned: {line:.80}");
            assert!(
                line.contains("--hash=sha256:"),
                "{file}: no hash: {line:.80}"
            );
        }
    }
}

#[test]
fn cells_compile_without_syn() {
    let project = Project::find();
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--locked", "--package", "lenet_core"])
        .args(["--edges", "normal", "--prefix", "none"]);
    let listed = tree.current_dir(project.root()).output().expect("cargo");
    assert!(listed.status.success(), "{listed:?}");
    let listed = String::from_utf8(listed.stdout).expect("names");
    assert!(listed.contains("\ndfdx v"), "{listed}");
    let syn = listed.lines().find(|line| line.starts_with("syn "));
    assert_eq!(
        syn, None,
        "lenet_core/Cargo.toml says which crates are held back in Cargo.lock"
    );
}
