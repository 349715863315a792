//! Helpers for tests that run the notebooks.

mod copy;
mod notebook;
mod runs;
mod script;
mod views;

pub use copy::clean_copy;
pub use notebook::{Cell, Notebook};
pub use runs::{Executed, Run};
pub use script::{output_folder, python};
pub use views::{Figure, Views};
