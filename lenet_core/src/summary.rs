//! The layer table.

use std::fmt;

use crate::display::{thousands, Column, Table};
use crate::network::{Layer, Outline, Row};

/// A network's layers with their output shapes and parameters, as Keras' `summary()` prints them.
///
/// ```
/// use lenet_core::{LeNet5, Summary};
/// let table = Summary::of::<LeNet5>().to_string();
/// assert!(table.contains("C3 (Conv2D 5x5, tanh)"));
/// assert!(table.contains("(None, 16, 8, 8)"));
/// assert!(table.contains("Total params: 44,426"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary(Outline);

impl Summary {
    /// The table of the network `N`.
    pub fn of<N: Layer>() -> Self {
        Self(Outline::of::<N>())
    }

    /// The outline behind the table.
    pub fn outline(&self) -> &Outline {
        &self.0
    }

    fn table(&self) -> Table<4> {
        let columns = [
            Column::left("Layer (type)"),
            Column::left("Output Shape"),
            Column::right("Param #"),
            Column::left("Counted as"),
        ];
        let mut table = Table::new("The network's layers and their parameters", columns);
        for row in &self.0.rows {
            table.row([
                layer(row),
                shape(&row.output),
                thousands(row.parameters),
                row.formula.clone(),
            ]);
        }
        let total = thousands(self.0.parameters());
        table.line(format!("Total params: {total}"));
        table.line(format!("Trainable params: {total}"));
        table.line("Non-trainable params: 0");
        table
    }

    /// Shows the table as the result of a notebook cell. The kernel calls it for a cell's last
    /// expression.
    pub fn evcxr_display(&self) {
        self.table().evcxr_display();
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table().fmt(f)
    }
}

fn layer(row: &Row) -> String {
    let Row {
        name,
        kind,
        activation,
        ..
    } = row;
    match (name == kind, activation.is_empty()) {
        (true, _) => name.clone(),
        (false, true) if name == "Output" => format!("{name} ({kind}, softmax)"),
        (false, true) => format!("{name} ({kind})"),
        (false, false) => format!("{name} ({kind}, {activation})"),
    }
}

fn shape(output: &[usize]) -> String {
    let sides: Vec<String> = output.iter().map(usize::to_string).collect();
    format!("(None, {})", sides.join(", "))
}
