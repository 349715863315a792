//! Values for each class: bars, accuracies, the confusion matrix.
//!
//! Everywhere `names` are the classes' names; without any, the classes are numbers from 0.

use plotters::chart::ChartBuilder;
use plotters::element::{Circle, EmptyElement, Rectangle, Text};
use plotters::style::{Color as _, TRANSPARENT};

use crate::axis::Axis;
use crate::chart::{above, Around};
use crate::page::{fitting, grid, letters, percent, stroke, tint, widest, width, Point};
use crate::page::{BLUE, FRAME, INK, LABEL, MARGIN, ORANGE, PAGE_WIDTH, PALE, SMALL, TITLE};
use crate::{thousands, Error, Figure, Result};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Shares from 0 to 1, in per cent.
    Percent,
    /// Values that are not negative, as they are.
    Number,
}

impl Unit {
    fn written(self, value: f32) -> String {
        match self {
            Self::Percent => percent(value),
            Self::Number if value.fract() == 0.0 => thousands(value as usize),
            Self::Number => value.to_string(),
        }
    }

    fn check(self, name: &'static str, values: &[f32]) -> Result<()> {
        let (most, expected) = match self {
            Self::Percent => (1.0, "between 0 and 1"),
            Self::Number => (f32::MAX, "finite and not below 0"),
        };
        let outside = |value: &f32| !(0.0..=most).contains(value);
        match values.iter().position(outside) {
            Some(class) => Err(Error::argument(
                name,
                expected,
                format!("{} for {class}", values[class]),
            )),
            None if values.is_empty() => Err(Error::argument(name, "at least one", "none")),
            None => Ok(()),
        }
    }
}

/// The names of `count` classes.
pub(crate) fn named(names: &[&str], count: usize) -> Result<Vec<String>> {
    if names.is_empty() {
        return Ok((0..count).map(|class| class.to_string()).collect());
    }
    if names.len() != count {
        let expected = format!("{count}, one for each class");
        return Err(Error::argument("names", expected, names.len().to_string()));
    }
    Ok(names.iter().map(|name| name.to_string()).collect())
}

/// Each name with its value.
fn each(names: &[String], values: &[String]) -> String {
    let pairs = names.iter().zip(values);
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    pairs.join(", ")
}

/// A bar for each class, with its value above it; the largest stands out.
///
/// # Errors
/// If a value is not finite or not of the `unit`'s range, or there are none.
///
/// # Example
/// ```
/// use lenet_figures::{bars, Unit};
///
/// let figure = bars("What it may be", &["cat", "dog", "hat"], &[0.2, 0.7, 0.1], Unit::Percent)?;
/// assert!(figure.text().contains("largest: dog with 70.0 %"));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn bars(title: &str, names: &[&str], values: &[f32], unit: Unit) -> Result<Figure> {
    const SIDES: f64 = 60.0;
    const STEP: f64 = 84.0;
    const HALF_BAR: f64 = 0.33;
    const FAINT: f64 = 0.55;
    /// The bars' height, and with what stands above them.
    const HEIGHT: (f64, f64) = (240.0, 280.0);
    unit.check("values", values)?;
    let names = named(names, values.len())?;
    let written: Vec<_> = values.iter().map(|&value| unit.written(value)).collect();
    let count = values.len() as f64;
    let room = (PAGE_WIDTH - 2.0 * SIDES) / count;
    let step = STEP.max(widest(&names, LABEL)? + MARGIN).min(room);
    let (name_size, value_size) = (
        fitting(&names, LABEL, step - 6.0)?,
        fitting(&written, SMALL, step - 4.0)?,
    );
    let largest = (1..values.len()).fold(0, |best, class| {
        if values[class] > values[best] {
            class
        } else {
            best
        }
    });
    let full = if unit == Unit::Percent {
        1.0
    } else {
        f64::from(values[largest]).max(f64::MIN_POSITIVE)
    };
    let words = format!(
        "{title}; largest: {} with {}. {}.",
        names[largest],
        written[largest],
        each(&names, &written)
    );
    let page = (2.0 * SIDES + step * count).max(width(title, TITLE)? + 2.0 * MARGIN);
    let size = (page.ceil() as u32, (HEIGHT.1 + 2.2 * TITLE + 60.0) as u32);
    Figure::paint(size, 1, words, |area| {
        let sides = (page - step * count) / 2.0;
        let around = Around {
            title,
            x: "",
            y: "",
            sides,
            x_size: name_size,
            framed: false,
        };
        let high = full * HEIGHT.1 / HEIGHT.0;
        let mut chart = around.chart(area, Axis::named(&names), Axis::plain(0.0, high))?;
        let places = || {
            values
                .iter()
                .enumerate()
                .map(|(class, &value)| (class as f64, f64::from(value)))
        };
        let bar = |(class, value): Point| {
            let color = if class == largest as f64 {
                BLUE
            } else {
                tint(BLUE, FAINT)
            };
            Rectangle::new(
                [(class - HALF_BAR, value), (class + HALF_BAR, 0.0)],
                color.filled(),
            )
        };
        let value = |(place, text): (Point, &String)| {
            EmptyElement::at(place) + Text::new(text.clone(), (0, grid(-8.0)), above(value_size))
        };
        chart.draw_series(places().map(bar))?;
        chart.draw_series(places().zip(&written).map(value))?;
        Ok(())
    })
}

/// How many `labels` there are of each of `classes` classes, as bars.
///
/// # Errors
/// If a label is no class.
pub fn histogram(title: &str, names: &[&str], labels: &[usize], classes: usize) -> Result<Figure> {
    let mut counts = vec![0.0; classes];
    for &label in labels {
        let count = counts.get_mut(label);
        *count.ok_or_else(|| no_class("labels", label, classes))? += 1.0;
    }
    bars(title, names, &counts, Unit::Number)
}

/// The error of a class beyond the last.
pub(crate) fn no_class(name: &'static str, class: usize, classes: usize) -> Error {
    Error::argument(
        name,
        format!("below {classes}, the number of classes"),
        class.to_string(),
    )
}

/// The share of each class's images that is read right, as points on a scale that begins where the shares do. The lowest
/// stands out.
///
/// # Errors
/// If a share is not between 0 and 1, or there are none.
pub fn accuracy_by_class(names: &[&str], shares: &[f32]) -> Result<Figure> {
    const HEIGHT: u32 = 420;
    const STEP: f64 = 87.0;
    const AROUND: f64 = 130.0;
    const RADIUS: f64 = 8.0;
    /// Free space above and below the points, as a share of their span, and the least span in per cent.
    const FREE: (f64, f64) = (0.25, 1.0);
    let title = "Accuracy by class";
    Unit::Percent.check("shares", shares)?;
    let x = if names.is_empty() { "Digit" } else { "Class" };
    let names = named(names, shares.len())?;
    let written: Vec<_> = shares.iter().map(|&share| percent(share)).collect();
    let place = |class: usize| (class as f64, 100.0 * f64::from(shares[class]));
    let better = |&a: &usize, &b: &usize| shares[a].total_cmp(&shares[b]);
    let lowest = (0..shares.len()).min_by(better).unwrap_or(0);
    let highest = (0..shares.len()).max_by(better).unwrap_or(0);
    let (low, high) = (place(lowest).1, place(highest).1);
    let free = FREE.0 * (high - low).max(FREE.1);
    let count = shares.len() as f64;
    let step = STEP
        .max(widest(&names, 20.0)? + MARGIN)
        .min((PAGE_WIDTH - AROUND) / count);
    let (name_size, share_size) = (
        fitting(&names, 20.0, step - 6.0)?,
        fitting(&written, SMALL, step - 4.0)?,
    );
    let words = format!(
        "{title}; lowest: {} with {}. {}.",
        names[lowest],
        written[lowest],
        each(&names, &written)
    );
    let size = ((AROUND + step * count).max(400.0) as u32, HEIGHT);
    Figure::paint(size, 1, words, |area| {
        let around = Around {
            title,
            x,
            y: "Accuracy (%)",
            sides: MARGIN,
            x_size: name_size,
            framed: true,
        };
        let y = Axis::values(low - free, high + free, 100.0);
        let mut chart = around.chart(area, Axis::named(&names), y)?;
        let point = |(class, text): (usize, &String)| {
            let color = if class == lowest { ORANGE } else { BLUE };
            EmptyElement::at(place(class))
                + Circle::new((0, 0), grid(RADIUS), color.filled())
                + Text::new(text.clone(), (0, grid(-RADIUS - 6.0)), above(share_size))
        };
        chart.draw_series(written.iter().enumerate().map(point))?;
        Ok(())
    })
}

/// How many images of each class (rows) are read as which class (columns), and the share of each row that is right.
///
/// `counts` holds the rows one after the other; in per cent, each cell is its share of the row. Blue is right. Orange is wrong, the
/// stronger the more frequent; cells without images are empty.
///
/// # Errors
/// If `counts` is no square, or all counts are 0.
pub fn confusion(names: &[&str], counts: &[usize], unit: Unit) -> Result<Figure> {
    /// A cell's least and largest width, its height, and the share of both that letters may fill.
    const CELL: (f64, f64, f64) = (84.0, 126.0, 52.0);
    const GAP: f64 = 24.0;
    /// Letters smaller than this are left out.
    const READABLE: f64 = 8.0;
    const RIGHT_TINT: f64 = 0.25;
    const WRONG_TINT: f64 = 0.9;
    let classes = counts.len().isqrt();
    let total: usize = counts.iter().sum();
    if classes * classes != counts.len() || total == 0 {
        let got = format!("{} counts of {total} images", counts.len());
        return Err(Error::argument(
            "counts",
            "a square with at least one image",
            got,
        ));
    }
    let names = named(names, classes)?;
    let rows: Vec<&[usize]> = counts.chunks(classes).collect();
    let right: usize = (0..classes).map(|class| rows[class][class]).sum();
    let wrong =
        || (0..counts.len()).filter(|cell| cell / classes != cell % classes && counts[*cell] > 0);
    // Of equally frequent mistakes, the first.
    let worst = wrong().rev().max_by_key(|&cell| counts[cell]);
    let most = worst.map_or(1, |cell| counts[cell]) as f64;
    let share = |label: usize, read: usize| {
        let all: usize = rows[label].iter().sum();
        rows[label][read] as f64 / all.max(1) as f64
    };
    let written = |cell: usize| match unit {
        Unit::Number => thousands(counts[cell]),
        Unit::Percent => format!("{:.1}", 100.0 * share(cell / classes, cell % classes)),
    };

    let left = widest(&names, LABEL)? + 2.8 * LABEL + MARGIN;
    let wide = CELL.0.max(widest(&names, SMALL)? + MARGIN).min(CELL.1);
    let cell = wide.min((PAGE_WIDTH - left - 2.0 * MARGIN - CELL.0 - GAP) / classes as f64);
    let cell = (cell, CELL.2.min(cell));
    let texts: Vec<_> = (0..counts.len()).map(written).collect();
    let value_size = SMALL.min(0.8 * cell.1);
    let value_size = value_size * ((cell.0 - 4.0) / widest(&texts, value_size)?).min(1.0);
    let name_size = fitting(&names, LABEL, cell.0 - 6.0)?.min(cell.1);
    let (side, top) = (
        (cell.0 * classes as f64, cell.1 * classes as f64),
        2.2 * TITLE,
    );
    let above_cells = 2.9 * LABEL;
    let size = (
        left + side.0 + GAP + CELL.0 + MARGIN,
        top + above_cells + side.1 + MARGIN,
    );
    let title = match unit {
        Unit::Number => "Confusion matrix",
        Unit::Percent => "Confusion matrix, in per cent of each row",
    };
    let mut words = format!(
        "Confusion matrix of {} images: {} ({}) are read right.",
        thousands(total),
        thousands(right),
        percent(right as f64 / total as f64)
    );
    if let Some(cell) = worst {
        let times = match counts[cell] {
            1 => "once".to_string(),
            count => format!("{} times", thousands(count)),
        };
        let (label, read) = (&names[cell / classes], &names[cell % classes]);
        words.push_str(&format!(
            " The most frequent mistake: a {label} read as {read}, {times}."
        ));
    }
    Figure::paint(
        (size.0.ceil() as u32, size.1.ceil() as u32),
        1,
        words,
        |area| {
            let (page, side) = (area.dim_in_pixel(), (grid(side.0), grid(side.1)));
            // plotters draws from the first to the last point: one more than the cells are wide.
            let mut chart = ChartBuilder::on(area)
                .margin_top(grid(top))
                .top_x_label_area_size(grid(above_cells))
                .margin_left(grid(MARGIN))
                .y_label_area_size(grid(left - MARGIN))
                .margin_right(page.0 as i32 - grid(left) - side.0 - 1)
                .margin_bottom(page.1 as i32 - grid(top) - grid(above_cells) - side.1 - 1)
                .build_cartesian_2d(Axis::named(&names), Axis::named(&names).reversed())?;
            let mut mesh = chart.configure_mesh();
            mesh.disable_mesh()
                .axis_style(TRANSPARENT)
                .set_all_tick_mark_size(grid(7.0));
            mesh.x_label_style(letters(name_size, INK))
                .y_label_style(letters(LABEL.min(cell.1), INK));
            mesh.axis_desc_style(letters(LABEL, INK))
                .x_desc("Read as")
                .y_desc("Label");
            mesh.draw()?;
            let square = |cell: usize| {
                let (x, y) = ((cell % classes) as f64, (cell / classes) as f64);
                [(x - 0.5, y - 0.5), (x + 0.5, y + 0.5)]
            };
            let cells = || (0..counts.len()).filter(|&cell| counts[cell] > 0);
            let fill = |cell| {
                let strength = WRONG_TINT * (counts[cell] as f64 / most).sqrt();
                let right = cell / classes == cell % classes;
                let color = if right {
                    tint(BLUE, RIGHT_TINT)
                } else {
                    tint(ORANGE, strength)
                };
                Rectangle::new(square(cell), color.filled())
            };
            chart.draw_series(cells().map(fill))?;
            let lines =
                (0..counts.len()).map(|cell| Rectangle::new(square(cell), stroke(PALE, 1.0)));
            chart.draw_series(lines)?;
            let end = classes as f64 - 0.5;
            let frame = Rectangle::new([(-0.5, -0.5), (end, end)], stroke(FRAME, 1.0));
            chart.draw_series([frame])?;
            if value_size >= READABLE {
                let value = |cell: usize| {
                    let place = ((cell % classes) as f64, (cell / classes) as f64);
                    Text::new(texts[cell].clone(), place, letters(value_size, INK))
                };
                chart.draw_series(cells().map(value))?;
            }
            let beside = grid(GAP + CELL.0 / 2.0);
            let shares = (0..classes).map(|class| {
                let all: usize = rows[class].iter().sum();
                let text = if all == 0 {
                    "–".into()
                } else {
                    percent(share(class, class))
                };
                let text = Text::new(text, (beside, 0), letters(SMALL.min(cell.1), INK));
                EmptyElement::at((end, class as f64)) + text
            });
            chart.draw_series(shares)?;
            let plot = chart.plotting_area().get_base_pixel();
            let write = |text: &str, em: f64, x: i32, y: f64| {
                area.draw_text(text, &letters(em, INK), (x, grid(y)))
            };
            write(
                "Right",
                LABEL,
                plot.0 + side.0 + beside,
                top + above_cells - LABEL,
            )?;
            write(title, TITLE, plot.0 + side.0 / 2, 1.1 * TITLE)?;
            Ok(())
        },
    )
}
