//! `cargo xtask platforms`: the systems that learners have and this machine has not.

use std::ffi::OsString;
use std::process::Command;

use crate::process::{announce, cargo, output, run};
use crate::{Failure, Project, Result};

/// Windows, macOS on ARM, Linux on ARM.
const TARGETS: [&str; 3] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin", EMULATED];
const EMULATED: &str = "aarch64-unknown-linux-gnu";
/// Debian's cross compiler and emulator for it, and how to get them.
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
const EMULATOR_ADVICE: &str =
    "`sudo apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user` (Debian, Ubuntu)";
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Checks the crates for each target, runs the tests for ARM where they can be emulated, and tells what was done;
/// `--check` leaves out the tests.
pub fn check(project: &Project, arguments: &[OsString]) -> Result<()> {
    let only_checks = match arguments {
        [] => false,
        [argument] if argument == "--check" => true,
        _ => {
            return Err(Failure::new(
                format!("`--check` is the only argument, got {arguments:?}"),
                "see `cargo xtask help`",
            ))
        }
    };
    let mut done = Vec::new();
    for target in TARGETS {
        if !has_target(project, target) {
            done.push(format!("skipped {target}: `rustup target add {target}` did not work"));
            continue;
        }
        announce(&format!("Platforms: cargo check for {target}"));
        run(
            cargo(project).args(["check", "--package", "lenet_core", "--package", "xtask", "--target", target]),
            &format!("the crates do not compile for {target}"),
            "read the message above",
        )?;
        done.push(format!("checked {target}: lenet_core with the crates below it, xtask"));
    }
    done.push(if only_checks { "skipped the tests on ARM: `--check`".to_owned() } else { test_on_arm(project)? });
    println!("\n{}", done.join("\n"));
    Ok(())
}

fn has_target(project: &Project, target: &str) -> bool {
    let mut rustup = Command::new("rustup");
    rustup.env_remove("RUSTUP_TOOLCHAIN").current_dir(project.root());
    output(rustup.args(["target", "add", target])).is_some()
}

fn test_on_arm(project: &Project) -> Result<String> {
    for program in [LINKER, EMULATOR] {
        if output(Command::new(program).arg("--version")).is_none() {
            return Ok(format!("skipped the tests on ARM: there is no {program}; {EMULATOR_ADVICE}"));
        }
    }
    if !has_target(project, EMULATED) {
        return Ok(format!("skipped the tests on ARM: there is no target {EMULATED}"));
    }
    announce("Platforms: the tests of lenet_kernels and lenet_core for ARM, emulated (a quarter of an hour)");
    let variable = |name: &str| format!("CARGO_TARGET_{}_{name}", EMULATED.to_uppercase().replace('-', "_"));
    run(
        cargo(project)
            .args(["test", "--release", "--target", EMULATED, "--package", "lenet_kernels", "--package", "lenet_core"])
            .args(["--lib", "--test", "layers", "--test", "parity"])
            .env(variable("LINKER"), LINKER)
            .env(variable("RUNNER"), format!("{EMULATOR} -L {LIBRARIES}")),
        "a test failed on ARM",
        "read its message above",
    )?;
    Ok("tested on ARM, by emulation: lenet_kernels; lenet_core's unit tests, layers, parity".to_owned())
}
