//! Tables.

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
        Self {
            heading: heading.into(),
            right: false,
        }
    }

    /// A column of numbers, aligned on the right.
    pub fn right(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
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
/// table.row(["S2", "0"]);
/// table.line("Total params: 156");
/// assert_eq!(
///     table.to_string(),
///     "\
/// Layer | Param #
/// ------+--------
/// C1    |     156
/// S2    |       0
/// ------+--------
/// Total params: 156"
/// );
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
        Self {
            caption: caption.into(),
            columns,
            rows: Vec::new(),
            lines: Vec::new(),
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

    /// The table as an HTML element.
    pub fn html(&self) -> String {
        let mut html = format!(
            "<table aria-label=\"{}\">\n<thead>\n",
            escape(&self.caption)
        );
        let headings: [String; N] = std::array::from_fn(|i| self.columns[i].heading.clone());
        self.push_html_row(&mut html, &headings, "th");
        html.push_str("</thead>\n<tbody>\n");
        for row in &self.rows {
            self.push_html_row(&mut html, row, "td");
        }
        html.push_str("</tbody>\n");
        if !self.lines.is_empty() {
            html.push_str("<tfoot>\n");
            for line in &self.lines {
                let line = escape(line);
                html.push_str(&format!(
                    "<tr><td colspan=\"{N}\" style=\"text-align:left\">{line}</td></tr>\n"
                ));
            }
            html.push_str("</tfoot>\n");
        }
        html.push_str("</table>");
        html
    }

    fn push_html_row(&self, html: &mut String, cells: &[String; N], tag: &str) {
        html.push_str("<tr>");
        for (cell, column) in cells.iter().zip(&self.columns) {
            let side = if column.right { "right" } else { "left" };
            html.push_str(&format!(
                "<{tag} style=\"text-align:{side}\">{}</{tag}>",
                escape(cell)
            ));
        }
        html.push_str("</tr>\n");
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
        let headings: [String; N] = std::array::from_fn(|i| self.columns[i].heading.clone());
        let all = || std::iter::once(&headings).chain(&self.rows);
        let widths: [usize; N] =
            std::array::from_fn(|i| all().map(|row| row[i].chars().count()).max().unwrap_or(0));
        let line = |cells: &[String; N]| {
            let cells: [String; N] = std::array::from_fn(|i| {
                let (cell, width) = (&cells[i], widths[i]);
                if self.columns[i].right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
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

/// `text` with the five characters that HTML and SVG would take for markup replaced, so that it is shown as it is.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
/// A number with commas between groups of three digits.
pub fn thousands(number: usize) -> String {
    const GROUP: usize = 3;
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(GROUP) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
