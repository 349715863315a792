//! Which class is taken for which.

use plotters::chart::ChartBuilder;
use plotters::element::{EmptyElement, Rectangle, Text};
use plotters::style::{Color as _, TRANSPARENT};

use crate::axis::Axis;
use crate::classes::named;
use crate::page::{fitting, grid, letters, percent, stroke, tint, widest};
use crate::page::{BLUE, FRAME, INK, LABEL, MARGIN, ORANGE, PAGE_WIDTH, PALE, SMALL, TITLE};
use crate::{thousands, Error, Figure, Result, Unit};

/// A cell's least and largest width, and its largest height.
const LEAST_WIDTH: f64 = 84.0;
const LARGEST_WIDTH: f64 = 126.0;
const LARGEST_HEIGHT: f64 = 52.0;
/// Room for the shares beside the cells.
const GAP: f64 = 24.0;
const SHARES: f64 = 84.0;
/// Letters smaller than this are left out.
const READABLE: f64 = 8.0;
const RIGHT_TINT: f64 = 0.25;
const WRONG_TINT: f64 = 0.9;

/// How many images of each class (rows) are read as which class (columns), and the share of each row that is right.
///
/// `counts` holds the rows one after the other; in per cent, each cell is its share of the row. `names` are the classes'
/// names, or none for numbers. Blue is right. Orange is wrong, the stronger the more frequent; cells without images are
/// empty.
///
/// # Errors
/// If `counts` is no square, or all counts are 0.
pub fn confusion(names: &[&str], counts: &[usize], unit: Unit) -> Result<Figure> {
    let (classes, total) = (counts.len().isqrt(), counts.iter().sum::<usize>());
    if classes * classes != counts.len() || total == 0 {
        let got = format!("{} counts of {total} images", counts.len());
        return Err(Error::argument("counts", "a square with at least one image", got));
    }
    let names = named(names, classes)?;
    let place = |cell: usize| ((cell % classes) as f64, (cell / classes) as f64);
    let is_right = |cell: &usize| cell / classes == cell % classes;
    let cells: Vec<usize> = (0..counts.len()).filter(|&cell| counts[cell] > 0).collect();
    let right: usize = (0..classes).map(|class| counts[class * (classes + 1)]).sum();
    let wrong = cells.iter().rev().filter(|cell| !is_right(cell));
    // Of equally frequent mistakes, the first.
    let worst = wrong.max_by_key(|&&cell| counts[cell]);
    let most = worst.map_or(1, |&cell| counts[cell]) as f64;
    let of_row = |label: usize| counts[label * classes..][..classes].iter().sum::<usize>();
    let share = |cell: usize| counts[cell] as f64 / of_row(cell / classes).max(1) as f64;
    let write = |&cell: &usize| match unit {
        Unit::Number => thousands(counts[cell]),
        Unit::Percent => format!("{:.1}", 100.0 * share(cell)),
    };
    let written: Vec<_> = cells.iter().map(write).collect();

    let (images, read, share_right) = (thousands(total), thousands(right), percent(right as f64 / total as f64));
    let mut words = format!("Confusion matrix of {images} images: {read} ({share_right}) are read right.");
    if let Some(&cell) = worst {
        let (label, read) = (&names[cell / classes], &names[cell % classes]);
        let times = if counts[cell] == 1 { "once".into() } else { format!("{} times", thousands(counts[cell])) };
        words += &format!(" The most frequent mistake: a {label} read as {read}, {times}.");
    }

    let left = widest(&names, LABEL)? + 2.8 * LABEL;
    let room = PAGE_WIDTH - left - 3.0 * MARGIN - SHARES - GAP;
    let wide = (widest(&names, SMALL)? + MARGIN).clamp(LEAST_WIDTH, LARGEST_WIDTH);
    let wide = wide.min(room / classes as f64);
    let high = LARGEST_HEIGHT.min(wide);
    let name_size = fitting(&names, LABEL, wide - 6.0)?.min(high);
    let value_size = SMALL.min(0.8 * high);
    let value_size = value_size * ((wide - 4.0) / widest(&written, value_size)?).min(1.0);
    let (across, down) = (wide * classes as f64, high * classes as f64);
    let (top, above) = (2.2 * TITLE, 2.9 * LABEL);
    let page = (left + across + GAP + SHARES + 2.0 * MARGIN, top + above + down + MARGIN);
    let size = (page.0.ceil() as u32, page.1.ceil() as u32);
    Figure::paint(size, 1, words, |area| {
        // plotters draws from the first point to the last: one more than the cells are wide.
        let (width, height) = area.dim_in_pixel();
        let right_margin = width as i32 - grid(MARGIN) - grid(left) - grid(across) - 1;
        let bottom_margin = height as i32 - grid(top) - grid(above) - grid(down) - 1;
        let mut chart = ChartBuilder::on(area)
            .margin_top(grid(top))
            .margin_left(grid(MARGIN))
            .margin_right(right_margin)
            .margin_bottom(bottom_margin)
            .top_x_label_area_size(grid(above))
            .y_label_area_size(grid(left))
            .build_cartesian_2d(Axis::named(&names), Axis::named(&names).reversed())?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_mesh()
            .axis_style(TRANSPARENT)
            .set_all_tick_mark_size(grid(7.0))
            .x_label_style(letters(name_size, INK))
            .y_label_style(letters(LABEL.min(high), INK))
            .axis_desc_style(letters(LABEL, INK))
            .x_desc("Read as")
            .y_desc("Label");
        mesh.draw()?;
        let square = |cell: usize| {
            let (x, y) = place(cell);
            [(x - 0.5, y - 0.5), (x + 0.5, y + 0.5)]
        };
        chart.draw_series(cells.iter().map(|cell| {
            let wrong = WRONG_TINT * (counts[*cell] as f64 / most).sqrt();
            let color = if is_right(cell) { tint(BLUE, RIGHT_TINT) } else { tint(ORANGE, wrong) };
            Rectangle::new(square(*cell), color.filled())
        }))?;
        chart.draw_series((0..counts.len()).map(|cell| Rectangle::new(square(cell), stroke(PALE, 1.0))))?;
        let end = classes as f64 - 0.5;
        chart.draw_series([Rectangle::new([(-0.5, -0.5), (end, end)], stroke(FRAME, 1.0))])?;
        if value_size >= READABLE {
            let texts = cells.iter().zip(written);
            chart.draw_series(texts.map(|(&cell, text)| Text::new(text, place(cell), letters(value_size, INK))))?;
        }
        let beside = grid(GAP + SHARES / 2.0);
        chart.draw_series((0..classes).map(|class| {
            let share = if of_row(class) == 0 { "–".into() } else { percent(share(class * (classes + 1))) };
            EmptyElement::at((end, class as f64)) + Text::new(share, (beside, 0), letters(SMALL.min(high), INK))
        }))?;
        let title = match unit {
            Unit::Number => "Confusion matrix",
            Unit::Percent => "Confusion matrix, in per cent of each row",
        };
        let (start, middle) = (grid(MARGIN + left), grid(across / 2.0));
        let head = (start + grid(across) + beside, grid(top + above - LABEL));
        area.draw_text("Right", &letters(LABEL, INK), head)?;
        area.draw_text(title, &letters(TITLE, INK), (start + middle, grid(1.1 * TITLE)))?;
        Ok(())
    })
}
