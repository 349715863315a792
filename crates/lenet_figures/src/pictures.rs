//! Pictures of one's own: as they were, as the network sees them, and what it makes of them.

use plotters::style::text_anchor::HPos::Left;

use crate::classes::{answer, best, named, share_bars};
use crate::page::{fitting, percent, Page, Raster};
use crate::page::{BLUE, MARGIN, ORANGE, SMALL};
use crate::{Error, Figure, Result};

/// A picture, and what a network makes of it.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The picture's name.
    pub name: &'a str,
    /// Its grey values from 0 (black) to 1 (white), row by row.
    pub original: &'a [f32],
    /// The original's pixels in a row.
    pub columns: usize,
    /// The square of ink that the network sees, from 0 to 1.
    pub seen: &'a [f32],
    /// The probability of each class; none, if no network has seen it.
    pub probabilities: &'a [f32],
    /// The class that the picture shows, if that is known.
    pub label: Option<usize>,
}

/// A row for each picture: the original, what the network sees of it, and a bar for the probability of each class. A wrong
/// answer is orange.
///
/// # Errors
/// If there is no picture, or one has no pixels, or not every probability is between 0 and 1.
///
/// # Example
/// ```
/// use lenet_figures::{drawn_seven, pictures, Sight};
///
/// let seen = drawn_seven();
/// let original: Vec<f32> = seen.iter().map(|ink| 1.0 - ink).collect();
/// let (probabilities, label) = ([0.2, 0.7, 0.1], Some(1));
/// let seven = Sight { name: "1.png", original: &original, columns: 28, seen: &seen, probabilities: &probabilities, label };
/// let figure = pictures(&[seven], &[])?;
/// assert!(figure.text().ends_with("1.png: 1 with 70.0 %."));
/// # Ok::<(), lenet_figures::Error>(())
/// ```
pub fn pictures(sights: &[Sight<'_>], names: &[&str]) -> Result<Figure> {
    const SIDE: f64 = 168.0;
    const LINE: f64 = 26.0;
    /// From the bars' names to their shares.
    const NAMES: f64 = 76.0;
    const BAR: f64 = 200.0;
    const SHARE: f64 = 80.0;
    let classes = sights.first().map_or(0, |sight| sight.probabilities.len());
    let fits = |sight: &Sight<'_>| {
        let Sight { original, columns, seen, probabilities, .. } = *sight;
        let rectangle = columns > 0 && !original.is_empty() && original.len().is_multiple_of(columns);
        let square = !seen.is_empty() && seen.len().isqrt().pow(2) == seen.len();
        let shares = probabilities.iter().all(|share| (0.0..=1.0).contains(share));
        rectangle && square && shares && probabilities.len() == classes
    };
    if sights.is_empty() || !sights.iter().all(fits) {
        let expected = "one or more, with whole rows of pixels and probabilities between 0 and 1 for the same classes";
        return Err(Error::argument("pictures", expected, format!("{} that are not", sights.len())));
    }
    let classes = named(names, classes)?;
    let caption = |Sight { name, probabilities, label, .. }: &Sight<'_>| match best(probabilities) {
        _ if classes.is_empty() => Ok(name.to_string()),
        class => Ok(format!("{name}: {} with {}", answer(names, class, *label)?, percent(probabilities[class]))),
    };
    let captions: Vec<_> = sights.iter().map(caption).collect::<Result<_>>()?;
    let text = format!("Pictures, and what the network sees of them. {}.", captions.join("; "));
    let (seen_at, bars_at) = (2.0 * MARGIN + SIDE, 3.0 * MARGIN + 2.0 * SIDE + NAMES);
    let width = if classes.is_empty() { seen_at + SIDE } else { bars_at + BAR + SHARE };
    let height = SIDE + LINE + MARGIN;
    let page = (width + MARGIN, MARGIN + height * sights.len() as f64);
    Page::figure(page, text, &|page| {
        for (row, (sight, caption)) in sights.iter().zip(&captions).enumerate() {
            let above = MARGIN + height * row as f64;
            let em = fitting(&[caption], SMALL, width - MARGIN)?;
            page.text((MARGIN, above + LINE / 2.0), caption, em, Left)?;
            let top = above + LINE;
            let rows = sight.original.len() / sight.columns;
            let pixel = SIDE / sight.columns.max(rows) as f64;
            let free = |pixels: usize| (SIDE - pixel * pixels as f64) / 2.0;
            let corner = (MARGIN + free(sight.columns), top + free(rows));
            page.picture(corner, (pixel, pixel), &Raster::grey(sight.columns, sight.original))?;
            let side = sight.seen.len().isqrt();
            let pixel = SIDE / side as f64;
            page.picture((seen_at, top), (pixel, pixel), &Raster::grey(side, sight.seen))?;
            if classes.is_empty() {
                continue;
            }
            let is_wrong = sight.label.is_some_and(|label| label != best(sight.probabilities));
            let (size, color) = ((BAR, SIDE / classes.len() as f64), if is_wrong { ORANGE } else { BLUE });
            share_bars(page, (bars_at, top), size, &classes, sight.probabilities, color, SMALL)?;
        }
        Ok(())
    })
}
