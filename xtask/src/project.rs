//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the workspace, and what lies where in it.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The workspace of the crate that cargo is running.
    pub fn find() -> Self {
        // Cargo sets it for what it runs; the folder may have moved since this was compiled.
        let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let member = Path::new(&manifest_dir);
        Self { root: member.parent().unwrap_or(member).to_path_buf() }
    }

    /// The workspace's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder of the workspace.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The project's own Python environment.
    pub fn venv(&self) -> PathBuf {
        self.path(".venv")
    }

    /// The Python program of that environment.
    pub fn python(&self) -> PathBuf {
        python_of(&self.venv())
    }

    /// Where the Rust kernel is registered for Jupyter.
    pub(crate) fn kernel_folder(&self) -> PathBuf {
        self.venv().join("share/jupyter/kernels/rust")
    }

    /// Where Jupyter keeps its own files.
    pub(crate) fn jupyter_folder(&self) -> PathBuf {
        self.venv().join("jupyter")
    }

    /// A Python command that finds the project's kernel first and keeps Jupyter's own files in `.venv`.
    pub fn jupyter(&self) -> Command {
        let own = self.jupyter_folder();
        let mut command = Command::new(self.python());
        command
            .env("JUPYTER_PREFER_ENV_PATH", "1")
            .env("JUPYTER_CONFIG_DIR", own.join("config"))
            .env("JUPYTER_DATA_DIR", own.join("data"))
            .env("JUPYTER_RUNTIME_DIR", own.join("runtime"))
            .env("IPYTHONDIR", own.join("ipython"))
            .env_remove("JUPYTER_PATH");
        command
    }
}

/// The Python program of a virtual environment.
pub(crate) fn python_of(venv: &Path) -> PathBuf {
    venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}
