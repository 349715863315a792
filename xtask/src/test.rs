//! `cargo xtask test`.

use std::ffi::OsString;

use crate::process::{self, announce, cargo};
use crate::{setup, Project, Result};

/// Sets up what the tests need and runs all of them, doc tests too.
pub fn run(project: &Project, arguments: &[OsString]) -> Result<()> {
    setup::for_testing(project)?;
    announce("Tests: cargo test --workspace --release");
    process::run(
        // Training in a debug build would take minutes.
        cargo(project).args(["test", "--workspace", "--release"]).args(arguments),
        "a test failed",
        "read its message above",
    )
}
