//! Tables, and how text stands in HTML.

use std::fmt;

/// A column's heading, and the side on which its cells are aligned.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    heading: String,
    right: bool,
}

impl Column {
    /// A column of words.
    pub fn left(heading: impl Into<String>) -> Self {
        let heading = heading.into();
        Self {
            heading,
            right: false,
        }
    }

    /// A column of values, aligned on the right.
    pub fn right(heading: impl Into<String>) -> Self {
        let heading = heading.into();
        Self {
            heading,
            right: true,
        }
    }
}

/// A table of `N` columns that shows itself as the result of a notebook cell, and as aligned text elsewhere.
///
/// Cells are shown as they are: markup in them is escaped.
///
/// ```
/// use lenet_figures::{Column, Table};
///
/// let mut table = Table::new("Layers", [Column::left("Layer"), Column::right("Param #")]);
/// table.row(["C1", "156"]);
/// table.line("Total params: 156");
/// let lines = ["Layer | Param #", "------+--------", "C1    |     156", "------+--------", "Total params: 156"];
/// assert_eq!(table.to_string(), lines.join("\n"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table<const N: usize> {
    caption: String,
    columns: [Column; N],
    rows: Vec<[String; N]>,
    lines: Vec<String>,
}

impl<const N: usize> Table<N> {
    /// An empty table. `caption` tells readers who can't see it what the table is about.
    pub fn new(caption: impl Into<String>, columns: [Column; N]) -> Self {
        let (caption, rows, lines) = (caption.into(), Vec::new(), Vec::new());
        Self {
            caption,
            columns,
            rows,
            lines,
        }
    }

    /// Adds a row below the rows that are there.
    pub fn row(&mut self, cells: [impl Into<String>; N]) {
        self.rows.push(cells.map(Into::into));
    }

    /// Adds a line below all rows, across the columns, as for a total.
    pub fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    fn headings(&self) -> [String; N] {
        std::array::from_fn(|i| self.columns[i].heading.clone())
    }

    /// The table as an HTML element.
    pub fn html(&self) -> String {
        let cell = |tag: &str, (cell, column): (&String, &Column)| {
            let side = if column.right { "right" } else { "left" };
            format!(
                "<{tag} style=\"text-align:{side}\">{}</{tag}>",
                escape(cell)
            )
        };
        let row = |tag: &str, cells: &[String; N]| {
            let cells: String = cells
                .iter()
                .zip(&self.columns)
                .map(|pair| cell(tag, pair))
                .collect();
            format!("<tr>{cells}</tr>\n")
        };
        let line = |text: &String| {
            format!(
                "<tr><td colspan=\"{N}\" style=\"text-align:left\">{}</td></tr>\n",
                escape(text)
            )
        };
        let rows: String = self.rows.iter().map(|cells| row("td", cells)).collect();
        let lines: String = self.lines.iter().map(line).collect();
        format!(
            "<table aria-label=\"{}\">\n<thead>\n{}</thead>\n<tbody>\n{rows}</tbody>\n<tfoot>\n{lines}</tfoot>\n</table>",
            escape(&self.caption),
            row("th", &self.headings())
        )
    }

    /// Shows the table as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {
        evcxr_runtime::mime_type("text/html").text(self.html());
        evcxr_runtime::mime_type("text/plain").text(self.to_string());
    }
}

/// Aligned text, with rules under the headings and above the lines at the end.
impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = self.headings();
        let all = || std::iter::once(&headings).chain(&self.rows);
        let widest = |i: usize| all().map(|row| row[i].chars().count()).max();
        let widths: [usize; N] = std::array::from_fn(|i| widest(i).unwrap_or(0));
        let line = |cells: &[String; N]| {
            let cells: [String; N] = std::array::from_fn(|i| match (&cells[i], widths[i]) {
                (cell, width) if self.columns[i].right => format!("{cell:>width$}"),
                (cell, width) => format!("{cell:<width$}"),
            });
            cells.join(" | ").trim_end().to_string()
        };
        let rule = widths.map(|width| "-".repeat(width)).join("-+-");
        let mut lines = vec![line(&headings), rule.clone()];
        lines.extend(self.rows.iter().map(line));
        if !self.lines.is_empty() {
            lines.push(rule);
            lines.extend(self.lines.iter().cloned());
        }
        f.write_str(&lines.join("\n"))
    }
}

/// `text` with the characters that HTML would take for markup replaced, so that it is shown as it is.
pub fn escape(text: &str) -> String {
    let replace = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&quot;"),
        ("'", "&#39;"),
    ];
    let replaced = |text: String, (letter, instead): (&str, &str)| text.replace(letter, instead);
    replace.into_iter().fold(text.to_string(), replaced)
}

/// A whole number with commas between groups of three digits.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    groups.join(",")
}
