//! Tables, and how text stands in HTML.

use std::fmt;

/// A table of `N` columns that shows itself as the result of a notebook cell, and as aligned text elsewhere.
///
/// Columns of numbers are aligned on the right. Cells are shown as they are: markup in them is escaped.
///
/// # Example
/// ```
/// let mut table = lenet_figures::Table::new("Layers", ["Layer", "Param #"]);
/// table.row(["C1", "156"]);
/// table.line("Total params: 156");
/// let rule = "------+--------";
/// let lines = ["Layer | Param #", rule, "C1    |     156", rule, "Total params: 156"];
/// assert_eq!(table.to_string(), lines.join("\n"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table<const N: usize> {
    caption: String,
    headings: [String; N],
    rows: Vec<[String; N]>,
    lines: Vec<String>,
}

impl<const N: usize> Table<N> {
    /// An empty table. `caption` tells readers who can't see it what the table is about.
    pub fn new(caption: impl Into<String>, headings: [impl Into<String>; N]) -> Self {
        Self { caption: caption.into(), headings: headings.map(Into::into), rows: Vec::new(), lines: Vec::new() }
    }

    /// Adds a row below the rows that are there.
    pub fn row(&mut self, cells: [impl Into<String>; N]) {
        self.rows.push(cells.map(Into::into));
    }

    /// Adds a line below all rows, across the columns, as for a total.
    pub fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// Whether a column holds numbers.
    fn right(&self, column: usize) -> bool {
        let number = |cell: &str| cell.replace([',', '%', ' '], "").parse::<f64>().is_ok();
        self.rows.iter().all(|row| number(&row[column]))
    }

    /// The table as an HTML element.
    pub fn html(&self) -> String {
        let cell = |tag: &str, (i, text): (usize, &String)| {
            let (side, text) = (["left", "right"][usize::from(self.right(i))], escape(text));
            format!("<{tag} style=\"text-align:{side}\">{text}</{tag}>")
        };
        let row = |tag: &str, cells: &[String; N]| {
            let cells = cells.iter().enumerate().map(|place| cell(tag, place));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let head = row("th", &self.headings);
        let body: String = self.rows.iter().map(|cells| row("td", cells)).collect();
        let wide = format!("<tr><td colspan=\"{N}\" style=\"text-align:left\">");
        let lines = self.lines.iter().map(|line| format!("{wide}{}</td></tr>\n", escape(line)));
        let (foot, caption) = (lines.collect::<String>(), escape(&self.caption));
        format!(
            "<table aria-label=\"{caption}\">\n<thead>\n{head}</thead>\n<tbody>\n{body}</tbody>\n\
             <tfoot>\n{foot}</tfoot>\n</table>"
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
        let all = || std::iter::once(&self.headings).chain(&self.rows);
        let widest = |i: usize| all().map(|row| row[i].chars().count()).max();
        let widths: [usize; N] = std::array::from_fn(|i| widest(i).unwrap_or(0));
        let line = |cells: &[String; N]| {
            let cells: [String; N] = std::array::from_fn(|i| match (&cells[i], widths[i]) {
                (cell, width) if self.right(i) => format!("{cell:>width$}"),
                (cell, width) => format!("{cell:<width$}"),
            });
            cells.join(" | ").trim_end().to_string()
        };
        let rule = widths.map(|width| "-".repeat(width)).join("-+-");
        let mut lines = vec![line(&self.headings), rule.clone()];
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
    // The ampersand first: it stands in the others' replacements.
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let text = text.replace('>', "&gt;").replace('"', "&quot;");
    text.replace('\'', "&#39;")
}

/// A whole number with commas between groups of three digits.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}
