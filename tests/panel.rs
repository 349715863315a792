//! What the browser did with the panel to draw digits in, as `panel.py` reports it.

use serde_json::Value;

use crate::Figure;

/// One panel, used in every way.
#[derive(Debug)]
pub struct Panel {
    /// The page's probabilities for each test image, given to its network as they are.
    pub forward: Vec<Vec<f64>>,
    /// The digits read from images that were painted onto the canvas with smooth edges, and with hard ones.
    pub painted: [Vec<usize>; 2],
    /// Milliseconds for each painted image: preprocessing, network and bars.
    pub milliseconds: Vec<f64>,
    /// Milliseconds from each of the mouse's movements to the new bars, waiting for the frame included.
    pub delays: Vec<f64>,
    /// The answer to a 7 drawn with the mouse, and after that was cleared.
    pub answers: [String; 2],
    /// The answers before, after and after clearing a line that was drawn with keys.
    pub keyboard: Vec<String>,
    /// What the panel looked like with the 7.
    pub picture: Figure,
    /// Milliseconds for each step of a stroke: drawing, preprocessing, network, bars and microscope.
    pub steps: Vec<f64>,
    /// What the lens says of a value in each row of the microscope: pointed at with the mouse, then of the next by a key.
    pub lens: [Vec<String>; 2],
    /// What the lens shows when the second input map is chosen.
    pub chosen: Vec<String>,
    /// The largest probability that the untrained network gives for the 7, and the trained one.
    pub largest: Vec<f64>,
}

impl Panel {
    pub(crate) fn parse(report: &Value) -> Self {
        let each = |way: &str| list(&report[way]);
        let painted = ["smooth", "hard"].map(|way| {
            let images = each(way).iter();
            images.map(|image| largest(&numbers(&image["probabilities"]))).collect()
        });
        let timed = ["smooth", "hard"].into_iter().flat_map(each);
        Self {
            forward: each("forward").iter().map(numbers).collect(),
            painted,
            milliseconds: timed.map(|image| image["milliseconds"].as_f64().unwrap_or(f64::INFINITY)).collect(),
            delays: numbers(&report["stroke"]["milliseconds"]),
            answers: [&report["stroke"]["answer"], &report["cleared"]].map(text),
            keyboard: texts(&report["keyboard"]),
            picture: Figure::parse(&report["picture"]),
            steps: numbers(&report["steps"]),
            lens: ["mouse", "keys"].map(|way| texts(&report["inside"][way])),
            chosen: texts(&report["inside"]["chosen"]),
            largest: numbers(&report["inside"]["largest"]),
        }
    }
}

/// Two panels on one page, after a 7 was drawn on the second.
#[derive(Debug)]
pub struct TwoPanels {
    /// Canvas pixels with ink on each.
    pub ink: Vec<f64>,
    /// Each one's answer.
    pub answers: Vec<String>,
    /// What the page asked the network for.
    pub requests: Vec<String>,
    /// What the second looked like.
    pub picture: Figure,
}

impl TwoPanels {
    pub(crate) fn parse(report: &Value) -> Self {
        Self {
            ink: numbers(&report["ink"]),
            answers: texts(&report["answers"]),
            requests: texts(&report["requests"]),
            picture: Figure::parse(&report["picture"]),
        }
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("the report has no list where one belongs, but {value}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    list(value).iter().map(number).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

fn largest(numbers: &[f64]) -> usize {
    let best = (0..numbers.len()).max_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    best.expect("ten probabilities")
}
