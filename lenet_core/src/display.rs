//! How values show themselves in a notebook.

use std::fmt::Debug;

/// Shows a value as `Debug` writes it, where its type has no richer way of its own.
///
/// So does the kernel, but only after it has compiled the cell in vain with `evcxr_display`: with this trait in scope the
/// first time will do.
///
/// ```
/// use lenet_core::prelude::*;
/// (60_000, 28, 28).evcxr_display(); // hands the kernel the text `(60000, 28, 28)`
/// LeNet5::glorot_uniform(0).summary().evcxr_display(); // the table's own, with HTML
/// ```
pub trait Show {
    /// Shows the value as the result of a notebook cell. The kernel calls it for a cell's last expression.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> Show for T {
    fn evcxr_display(&self) {
        evcxr_runtime::mime_type("text/plain").text(format!("{self:?}"));
    }
}
