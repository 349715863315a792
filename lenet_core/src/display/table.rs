//! Tables.

use std::fmt;

use super::escape;

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
/// use lenet_core::display::{Column, Table};
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<2> {
        let mut table = Table::new(
            "a \"quoted\" caption",
            [Column::left("Name"), Column::right("Count")],
        );
        table.row(["<script>alert(1)</script>", "1"]);
        table.row(["b & c", "1,000"]);
        table
    }

    #[test]
    fn cells_and_caption_are_escaped() {
        let html = table().html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{html}"
        );
        assert!(
            html.contains("aria-label=\"a &quot;quoted&quot; caption\""),
            "{html}"
        );
        assert!(html.contains("b &amp; c"), "{html}");
    }

    #[test]
    fn lines_stand_below_the_rows() {
        let mut table = table();
        assert!(!table.html().contains("<tfoot>"));
        assert_eq!(table.to_string().lines().count(), 4);
        table.line("Total: 1,001 < 2,000");
        assert!(
            table
                .html()
                .contains("colspan=\"2\" style=\"text-align:left\">Total: 1,001 &lt; 2,000</td>"),
            "{}",
            table.html()
        );
        assert_eq!(table.to_string().lines().count(), 6);
        assert_eq!(
            table.to_string().lines().last(),
            Some("Total: 1,001 < 2,000")
        );
    }
}
