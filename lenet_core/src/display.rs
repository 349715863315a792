//! Rich output in a notebook, and the same in plain text.
//!
//! A notebook cell shows its last value through the method `evcxr_display`, which hands the kernel one text for each
//! form (HTML, SVG, PNG, plain text). The viewer picks the richest that it can show.

mod encode;
mod show;
mod table;

pub(crate) use encode::{base64, escape, thousands};
pub use show::Show;
pub use table::{Column, Table};
