//! What the project's commands do. The tests of the notebooks use the same paths and settings.

pub mod accuracy;
pub mod bench;
pub mod chromium;
mod data;
pub mod deny;
mod failure;
pub mod kernel;
pub mod lab;
mod library;
pub mod notebooks;
pub mod pages;
pub mod platforms;
mod process;
mod progress;
mod project;
mod python;
pub mod setup;
pub mod test;

pub use failure::{Failure, Result};
pub use process::is_root;
pub use project::Project;
