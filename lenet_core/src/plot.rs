//! Figures: drawn once, shown as SVG and as PNG.
//!
//! Each function takes the data and returns a [`Figure`]. As the last expression of a notebook cell a figure
//! shows itself; in a program, [`Figure::save_png`] and [`Figure::save_svg`] write it to a file.
//!
//! ```
//! use lenet_core::{plot, Epoch, History};
//!
//! let epoch = |loss, val_loss| Epoch {
//!     loss,
//!     accuracy: 0.9,
//!     val_loss: Some(val_loss),
//!     val_accuracy: Some(0.95),
//!     seconds: 1.0,
//! };
//! let epochs = vec![epoch(0.36, 0.16), epoch(0.12, 0.09)];
//! let history = History { epochs, ..History::default() };
//! let figure = plot::model_loss(&history)?;
//! assert!(figure.svg().contains("Model Loss"));
//! # Ok::<(), lenet_core::Error>(())
//! ```
//!
//! A figure is a list of shapes ([`drawing`](self)), which plotters' SVG and bitmap backends both paint. So the two
//! can't differ, and a figure costs the compiler no more than the list.

mod accuracies;
mod architecture;
mod axes;
mod bars;
mod confusion;
mod curves;
mod digits;
mod drawing;
mod figure;
mod font;
mod images;
mod legend;
mod maps;
mod page;
mod panel;
mod png;
mod tiles;

pub use accuracies::accuracy_by_class;
pub use architecture::architecture;
pub use bars::bars;
pub use confusion::confusion;
pub use curves::{model_accuracy, model_loss};
pub use digits::{digit, digits, mistakes, Mistake};
pub use figure::Figure;
pub use images::{Images, Labels, Pixel};
pub use maps::{feature_maps, filters, Maps};
pub(crate) use panel::drawing_panel;
