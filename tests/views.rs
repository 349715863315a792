//! What the browser saw of a notebook, as `browser.py` reports it.

use serde_json::Value;

use crate::{Panel, TwoPanels};

/// The report on a notebook's views: `lab` (run in JupyterLab), `untrusted` (opened there without trust) and
/// `page` (made by nbconvert).
pub struct Views {
    report: Value,
}

/// A picture or table on the screen: its size in pixels, its number of colours, and the shares of the pixels, in
/// 0..=1, that are blue, orange, dark and light.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Figure {
    pub width: f64,
    pub height: f64,
    pub colours: f64,
    pub blue: f64,
    pub orange: f64,
    pub dark: f64,
    pub light: f64,
}

impl Figure {
    pub(crate) fn parse(report: &Value) -> Self {
        let number = |name: &str| report[name].as_f64().unwrap_or_default();
        Self {
            width: number("width"),
            height: number("height"),
            colours: number("colours"),
            blue: number("blue"),
            orange: number("orange"),
            dark: number("dark"),
            light: number("light"),
        }
    }
}

impl Views {
    /// Reads the report.
    pub fn parse(text: &str) -> Self {
        Self { report: serde_json::from_str(text).unwrap_or_else(|error| panic!("the report is not JSON: {error}")) }
    }

    /// The cells that failed and should not.
    pub fn failed(&self) -> Vec<String> {
        let ids = self.report["failed"].as_array().into_iter().flatten();
        ids.map(|id| id.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Whether every code cell was run.
    pub fn done(&self) -> bool {
        self.report["done"] == true
    }

    /// Whether JupyterLab asked for something, over the notebook.
    pub fn asked(&self) -> bool {
        self.report["asked"] == true
    }

    /// Whether the view `untrusted` was trusted after all.
    pub fn trusted(&self) -> bool {
        self.report["trusted"] == true
    }

    /// The numbers of lines that the training cell showed, one after the other.
    pub fn printed_lines(&self) -> Vec<usize> {
        let counts = self.report["printed_lines"].as_array().into_iter().flatten();
        counts.map(|count| count.as_u64().unwrap_or_default() as usize).collect()
    }

    /// What the panel to draw digits in does in a view.
    pub fn panel(&self, view: &str) -> Panel {
        Panel::parse(&self.report["panels"][view])
    }

    /// What two panels on one page do, in the theme `light` or `dark`.
    pub fn two_panels(&self, theme: &str) -> TwoPanels {
        TwoPanels::parse(&self.report["panels"]["two"][theme])
    }

    /// On a screen of 390 pixels: the panel's answer to a 7 drawn with a finger, and what its lens says of a value that is
    /// touched.
    pub fn by_finger(&self) -> [&str; 2] {
        ["answer", "lens"].map(|what| self.report["panels"]["finger"][what].as_str().unwrap_or_default())
    }

    /// The panel's elements that reach beyond that screen.
    pub fn overflow(&self) -> &Value {
        &self.report["panels"]["finger"]["overflow"]
    }

    /// What a cell shows in a view: of the kind `img` or `table`.
    pub fn figures(&self, view: &str, cell: &str, kind: &str) -> Vec<Figure> {
        let seen = self.report[view][cell].as_array().unwrap_or_else(|| panic!("the view {view} has no cell [{cell}]"));
        let figures = seen.iter().filter(|figure| figure["kind"] == kind).map(Figure::parse);
        figures.collect()
    }
}
