//! The scripts in `binder/` prepare a clean folder, with a home that holds nothing.
#![cfg(unix)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use notebook_tests::{clean_copy, output_folder};
use xtask::Project;

/// A script of the copy as Binder calls it, but for what would take long to fetch: Rust, the kernel program and MNIST
/// are those of this machine.
fn binder(copy: &Path, script: &str, home: &Path) -> Command {
    let project = Project::find();
    let real_home = PathBuf::from(env::var_os("HOME").expect("a home folder"));
    let or_in_home = |name: &str, folder: &str| env::var_os(name).unwrap_or_else(|| real_home.join(folder).into());
    // Binder has a Jupyter of its own, outside of the project.
    let path = format!("{}:{}", project.venv().join("bin").display(), env::var("PATH").expect("a PATH"));
    let mut command = Command::new(copy.join("binder").join(script));
    command
        .env("CARGO_HOME", or_in_home("CARGO_HOME", ".cargo"))
        .env("RUSTUP_HOME", or_in_home("RUSTUP_HOME", ".rustup"))
        .env("LENET_MNIST_DIR", lenet_mnist::data_folder().expect("a data folder"))
        .env_remove("CARGO_TARGET_DIR")
        .env("PATH", path)
        .env("HOME", home)
        .env("JUPYTER_PREFER_ENV_PATH", "0")
        .env_remove("XDG_DATA_HOME")
        .env_remove("JUPYTER_DATA_DIR");
    command
}

#[test]
fn a_clean_folder_is_prepared() {
    let (copy, home) = (clean_copy(), output_folder("binder-home"));
    fs::remove_dir_all(&home).and_then(|()| fs::create_dir(&home)).expect("an empty home");

    let status = binder(&copy, "postBuild", &home).status().expect("postBuild starts");
    assert!(status.success(), "binder/postBuild ended with {status}");

    let listed = binder(&copy, "start", &home).args(["jupyter", "kernelspec", "list"]).output().expect("start starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let kernel = home.join(".local/share/jupyter/kernels/rust");
    let has_ours = |line: &str| line.trim_start().starts_with("rust") && line.ends_with(&*kernel.to_string_lossy());
    assert!(listed.lines().any(has_ours), "no kernel of Binder's user in\n{listed}");
    let launches = fs::read_to_string(kernel.join("kernel.json")).expect("the kernel's file");
    assert!(launches.contains(&*copy.join("xtask/launch_kernel.py").to_string_lossy()), "{launches}");
}

#[test]
fn what_binder_starts_finds_cargo() {
    let copy = Project::find();
    let status = Command::new(copy.path("binder/start"))
        .args(["sh", "-c", "command -v cargo && command -v rustc"])
        .status()
        .expect("start starts");
    assert!(status.success());
}
