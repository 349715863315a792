//! Pictures for a notebook: values in, a [`Figure`] out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod architecture;
mod axis;
mod canvas;
mod chart;
mod classes;
mod curves;
mod digits;
mod error;
mod figure;
mod maps;
mod page;
mod panel;
mod table;

pub use architecture::{architecture, layer_table, Row};
pub use canvas::Canvas;
pub use chart::chart;
pub use classes::{accuracy_by_class, bars, confusion, histogram, Unit};
pub use curves::{curves, Axes, Line};
pub use digits::{digit, digits, mistakes, predictions, Images, Reading};
pub use error::{Error, Result};
pub use figure::{Area, Figure};
pub use maps::{feature_maps, filters, Maps};
pub use panel::{drawn_seven, Layer, Panel};
pub use plotters;
pub use table::{escape, thousands, Column, Table};
