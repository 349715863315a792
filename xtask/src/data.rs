//! The MNIST data.

use crate::process::{announce, cargo, run};
use crate::{Project, Result};

/// Fetches what is missing and verifies all of it.
pub fn mnist(project: &Project) -> Result<()> {
    announce("Data: fetching what is missing of MNIST, verifying the rest");
    run(
        cargo(project).args([
            "run",
            "--release",
            "--package",
            "lenet_core",
            "--example",
            "fetch_mnist",
        ]),
        "MNIST is not there yet",
        "follow the message above and run this command again",
    )
}
