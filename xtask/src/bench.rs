//! `cargo xtask bench`.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{announce, capture, cargo, file_failure, run};
use crate::project::python_of;
use crate::{data, setup, Project, Result};

/// Everything that only the comparison needs.
const FOLDER: &str = "target/peers";
const PEERS: &str = "lenet_core/benches/peers";
const REQUIREMENTS: &str = "lenet_core/tests/reference/requirements.txt";
const NOTEBOOK: &str = "notebooks/lenet5.ipynb";
const RESULTS: &str = "BENCHMARKS.md";
const MNIST_VARIABLE: &str = "LENET_MNIST_DIR";
const ADVICE: &str = "read the message above";
/// The commit of our own engine that the present one is compared with: the last one before it.
const BEFORE: &str = "d2b48fb";
const BEFORE_TARGET: &str = "target/peers/before/target";

/// Compares the training speed with PyTorch, JAX, Keras, candle, burn and our own earlier engine, times the walkthrough's
/// cells and writes the tables.
pub fn measure(project: &Project, arguments: &[OsString]) -> Result<()> {
    setup::for_learning(project)?;
    let folder = project.path(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| file_failure("make", &folder, &error))?;
    let python = python(project)?;
    let mut programs = vec![build(project, "ours")?];
    for peer in ["before", "candle", "burn"] {
        programs.push(build(project, peer)?);
    }

    announce("Kernels: what they would take without one of their tricks");
    let kernels = folder.join("kernels.md");
    let mut tricks = cargo(project);
    tricks.args(["bench", "--package", "lenet_kernels", "--bench", "lenet5", "--", "tricks"]);
    let table = capture(&mut tricks, "the kernels could not be measured", ADVICE)?;
    fs::write(&kernels, table).map_err(|error| file_failure("write", &kernels, &error))?;

    announce("Cells: running the walkthrough four times, first with nothing compiled");
    let kernel = folder.join("kernel");
    if kernel.exists() {
        fs::remove_dir_all(&kernel).map_err(|error| file_failure("remove", &kernel, &error))?;
    }
    let mnist = data::folder(project)?;
    let records = ["cold", "warm-1", "warm-2", "warm-3"].map(|name| folder.join(format!("{name}.json")));
    for record in &records {
        let mut notebook = project.jupyter();
        notebook
            .arg(project.path("tests/run_notebook.py"))
            .args([NOTEBOOK, "--record"])
            .arg(record)
            .env("LENET_KERNEL_BUILDS", kernel.join("builds"))
            // The kernel keeps compiled crates in the user's cache folder, too.
            .env("XDG_CACHE_HOME", kernel.join("cache"))
            .env(MNIST_VARIABLE, &mnist)
            .current_dir(project.root());
        run(&mut notebook, "the walkthrough did not run to its end", ADVICE)?;
    }

    announce("Comparison: every program in turns; this takes about three quarters of an hour");
    let mut compare = Command::new(python);
    compare
        .env(MNIST_VARIABLE, &mnist)
        .arg(project.path(PEERS).join("compare.py"))
        .arg("--cells")
        .args(records)
        .arg("--kernels")
        .arg(kernels)
        .arg("--output")
        .arg(project.path(RESULTS));
    for (name, program) in ["--ours", "--before", "--candle", "--burn"].iter().zip(programs) {
        compare.arg(name).arg(program);
    }
    run(compare.args(arguments), "the comparison was not finished", ADVICE)?;
    announce(&format!("Benchmarks: written to {RESULTS}"));
    Ok(())
}

/// A Python with PyTorch and Keras, apart from the project's own.
fn python(project: &Project) -> Result<PathBuf> {
    let venv = project.path(FOLDER).join("python");
    let python = python_of(&venv);
    if !python.exists() {
        announce("PyTorch and Keras: making a Python environment for them");
        let mut make = Command::new(project.python());
        run(make.args(["-m", "venv"]).arg(&venv), "no environment could be made", ADVICE)?;
    }
    announce(&format!("PyTorch and Keras: installing {REQUIREMENTS} where it is missing"));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(project.path(REQUIREMENTS));
    run(&mut pip, "pip could not install PyTorch and Keras", "check the network and run this command again")?;
    Ok(python)
}

/// Checks out our earlier engine from this clone's history, and gives its folder.
fn check_out_before(project: &Project) -> Result<PathBuf> {
    let folder = project.path(FOLDER).join("before");
    if !folder.exists() {
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--shared"]).arg(project.root()).arg(&folder);
        run(&mut clone, "the earlier engine could not be cloned", "run this in a clone that has its history")?;
    }
    let mut check_out = Command::new("git");
    check_out.arg("-C").arg(&folder).args(["checkout", "--quiet", BEFORE]);
    run(&mut check_out, &format!("there is no {BEFORE}"), "run this in a clone that has its history")?;
    Ok(folder)
}

/// Builds the program of one peer, or our own, and gives its path.
fn build(project: &Project, peer: &str) -> Result<PathBuf> {
    announce(&format!("Programs: building {peer}"));
    let mut command = cargo(project);
    command.args(["build", "--release"]);
    let (target, program) = if peer == "ours" || peer == "before" {
        command.args(["--package", "lenet_core", "--example", "lenet5"]);
        if peer == "before" {
            command.current_dir(check_out_before(project)?);
        }
        (project.path(if peer == "ours" { "target" } else { BEFORE_TARGET }), "examples/lenet5".to_owned())
    } else {
        // In its folder, where its own settings of cargo are.
        command.current_dir(project.path(PEERS).join(peer)).arg("--locked");
        (project.path(FOLDER), format!("peer_{peer}"))
    };
    command.arg("--target-dir").arg(&target);
    run(&mut command, &format!("{peer} could not be built"), ADVICE)?;
    Ok(target.join("release").join(program + EXE_SUFFIX))
}
