//! Helpers for tests that run the notebooks.

#![forbid(unsafe_code)]

mod browse;
mod cells;
mod copy;
mod figures;
mod notebook;
mod panel;
mod runs;
mod script;
mod views;

pub use cells::{first_cells, notebook_of, run_cells, Shown};
pub use copy::{clean_copy, clean_copy_folder};
pub use figures::{assert_figure, BY_HAND_FIGURES, EXPLORE_FIGURES, WALKTHROUGH_FIGURES};
pub use notebook::{number_after, numbers, Cell, Notebook, SEEDS};
pub use panel::{Panel, TwoPanels};
pub use runs::{Executed, Run};
pub use script::{output_folder, python};
pub use views::{Figure, Views};
