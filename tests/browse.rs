//! Looking at a notebook in the browser of this machine.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use xtask::{chromium, is_root, lab};

use crate::{clean_copy, output_folder, python, Views};

impl Views {
    /// Runs a notebook of a clean copy of the project in JupyterLab, in a real browser, and looks at it in every view;
    /// gives what was seen, or `None` where there is no browser. Screenshots are left in the output folder `name`.
    ///
    /// # Panics
    /// If the browser could not do it; the script has said why. If there is no browser though CI needs one.
    pub fn look(path: &str, name: &str) -> Option<Self> {
        Self::look_in(&clean_copy(), path, name)
    }

    /// The same for a notebook in another folder than a copy of the project.
    ///
    /// # Panics
    /// As [`Views::look`].
    pub fn look_in(project: &Path, path: &str, name: &str) -> Option<Self> {
        let Some(chromium) = chromium::find() else {
            assert!(env::var_os("CI").is_none(), "no browser was found: {}", chromium::ADVICE);
            // Not by `eprintln!`, which the test runner keeps to itself.
            let _ =
                writeln!(io::stderr(), "SKIPPED: no browser was found; to run the browser tests, {}", chromium::ADVICE);
            return None;
        };
        let folder = output_folder(name);
        let mut command = python("browser.py");
        command.arg(chromium).arg(project).arg(path).arg(&folder).args(lab::QUIET);
        if is_root() {
            command.arg("--allow-root");
        }
        let status = command.status().unwrap_or_else(|error| panic!("cannot start Python: {error}"));
        assert!(status.success(), "the browser could not look at {path}: see the messages above");
        let report = folder.join("report.json");
        let text =
            fs::read_to_string(&report).unwrap_or_else(|error| panic!("cannot read {}: {error}", report.display()));
        Some(Views::parse(&text))
    }
}
