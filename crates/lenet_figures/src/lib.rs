//! Pictures for a notebook: values in, a [`Figure`] out.
//!
//! As the last expression of a notebook cell a figure shows itself, trusted or not, with words for readers who can't see it; in a
//! program, [`Figure::save_png`] writes it to a file.
//!
//! ```
//! use lenet_figures::{curves, Axes, Line};
//!
//! let axes = Axes { title: "Model Loss", y: "Loss", ..Axes::default() };
//! let figure = curves(&axes, &[Line::new("Train", [0.36, 0.12]), Line::new("Validation", [0.16, 0.09])])?;
//! assert!(figure.text().contains("Train: from 0.3600 to 0.1200."));
//! # Ok::<(), lenet_figures::Error>(())
//! ```
//!
//! The way of a figure, by files: `curves`, `classes`, `confusion` make plotters' charts, with the axes of `axis` and what
//! stands around them in `chart`; `digits`, `pictures`, `maps`, `architecture` put shapes on a `page`. All paint on the `canvas`,
//! plotters' bitmap at four times the density; `figure` takes the mean of the points and writes the PNG. `panel` is a page
//! of HTML in which one draws, `table` a table. [`chart()`] is for figures of one's own, with [`plotters`].
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod architecture;
mod axis;
mod canvas;
mod chart;
mod classes;
mod confusion;
mod curves;
mod digits;
mod error;
mod figure;
mod maps;
mod page;
mod panel;
mod pictures;
mod table;

pub use architecture::{architecture, layer_table, Row};
pub use canvas::Canvas;
pub use chart::chart;
pub use classes::{accuracy_by_class, bars, class_table, histogram, Unit};
pub use confusion::confusion;
pub use curves::{curves, Axes, Line};
pub use digits::{digit, digits, mistakes, predictions, Images, Reading};
pub use error::{Error, Result};
pub use figure::{Area, Figure};
pub use maps::{feature_maps, filters, Maps};
pub use panel::{drawn_seven, Layer, Panel, PanelLayer};
pub use pictures::{pictures, Sight};
pub use plotters;
pub use table::{escape, thousands, Table};
