//! Pictures for a notebook: values in, a [`Figure`] out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod canvas;
mod chart;
mod classes;
mod digits;
mod error;
mod figure;
mod layers;
mod panel;
mod table;

pub use canvas::Canvas;
pub use chart::{chart, curves, Area, Axes, Line};
pub use classes::{accuracy_by_class, bars, confusion, histogram, Unit};
pub use digits::{digit, digits, mistakes, predictions, Images, Mistake};
pub use error::{Error, Result};
pub use figure::Figure;
pub use layers::{architecture, feature_maps, filters, layer_table, Maps, Row};
pub use panel::{drawn_seven, Activation, Layer, Panel};
pub use plotters;
pub use table::{escape, thousands, Column, Table};
