//! The layer table.

use std::fmt;

use crate::display::escape;
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

const HEADINGS: [&str; 4] = ["Layer (type)", "Output Shape", "Param #", "Counted as"];

impl Summary {
    /// The table of the network `N`.
    pub fn of<N: Layer>() -> Self {
        Self(Outline::of::<N>())
    }

    /// The outline behind the table.
    pub fn outline(&self) -> &Outline {
        &self.0
    }

    fn cells(&self) -> impl Iterator<Item = [String; 4]> + '_ {
        self.0.rows.iter().map(|row| {
            [
                layer(row),
                shape(&row.output),
                thousands(row.parameters),
                row.formula.clone(),
            ]
        })
    }

    fn totals(&self) -> [String; 3] {
        let total = thousands(self.0.parameters());
        [
            format!("Total params: {total}"),
            format!("Trainable params: {total}"),
            "Non-trainable params: 0".into(),
        ]
    }

    /// Shows the table as the result of a notebook cell. The kernel calls it for a cell's last
    /// expression.
    pub fn evcxr_display(&self) {
        let row = |tag: &str, cells: &[String; 4]| {
            let styles = ["left", "left", "right", "left"];
            let cells = cells.iter().zip(styles).map(|(cell, align)| {
                format!(
                    "<{tag} style=\"text-align:{align}\">{}</{tag}>",
                    escape(cell)
                )
            });
            format!("<tr>{}</tr>", cells.collect::<String>())
        };
        let head = row("th", &HEADINGS.map(String::from));
        let body: String = self.cells().map(|cells| row("td", &cells)).collect();
        let totals = self.totals().join("<br>");
        let html =
            format!("<table><thead>{head}</thead><tbody>{body}</tbody></table><p>{totals}</p>");
        evcxr_runtime::mime_type("text/html").text(html);
        evcxr_runtime::mime_type("text/plain").text(self.to_string());
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 4]> = std::iter::once(HEADINGS.map(String::from))
            .chain(self.cells())
            .collect();
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: [usize; 4] = std::array::from_fn(width);
        let rule = "=".repeat(widths.iter().sum::<usize>() + 6);
        for (index, [layer, shape, count, formula]) in rows.iter().enumerate() {
            let [a, b, c, _] = widths;
            let line = format!("{layer:a$}  {shape:b$}  {count:>c$}  {formula}");
            writeln!(f, "{}", line.trim_end())?;
            if index == 0 {
                writeln!(f, "{rule}")?;
            }
        }
        writeln!(f, "{rule}")?;
        write!(f, "{}", self.totals().join("\n"))
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

/// A number with commas between groups of three digits.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
