//! Grey levels as numbers, and the same in another size.

use super::Grey;

/// Values in rows of `width`.
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f64>,
}

/// A rectangle of whole pixels; `right` and `bottom` lie just outside of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Frame {
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    /// The longer of its sides.
    pub fn side(&self) -> usize {
        self.width().max(self.height())
    }

    /// The smallest rectangle around both.
    pub fn with(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// The free columns between both.
    pub fn gap_across(&self, other: &Self) -> usize {
        self.left.max(other.left).saturating_sub(self.right.min(other.right))
    }

    /// The free columns or rows between both.
    pub fn gap(&self, other: &Self) -> usize {
        let down = self.top.max(other.top).saturating_sub(self.bottom.min(other.bottom));
        self.gap_across(other).max(down)
    }
}

impl Map {
    /// The levels of a picture, from 0 to 255; made smaller if it has more than `most` pixels in a row or a column.
    pub fn of(grey: &Grey, most: usize) -> Self {
        let level = |at: usize| f64::from(grey.pixels[at]);
        let step = grey.width.max(grey.height) as f64 / most as f64;
        if step <= 1.0 {
            return Self::new(grey.width, grey.height, level);
        }
        let shorter = |length: usize| ((length as f64 / step) as usize).max(1);
        Self::squashed(grey, shorter(grey.width), shorter(grey.height))
    }

    /// The levels of a picture, whatever its shape, in so many pixels, each the mean of those that it covers.
    pub fn squashed(grey: &Grey, width: usize, height: usize) -> Self {
        let axis = |length: usize, count: usize| cover(length, length as f64 / count as f64, count);
        let frame = Frame { left: 0, top: 0, right: grey.width, bottom: grey.height };
        let level = |at: usize| f64::from(grey.pixels[at]);
        weighted(grey.width, &level, frame, &axis(grey.width, width), &axis(grey.height, height))
    }

    pub fn new(width: usize, height: usize, value: impl FnMut(usize) -> f64) -> Self {
        let values = (0..width * height).map(value).collect();
        Self { width, height, values }
    }

    /// The levels from 0 to 1.
    pub fn levels(&self) -> Vec<f32> {
        self.values.iter().map(|level| (level / 255.0) as f32).collect()
    }

    /// The smallest rectangle around all values above `least`.
    pub fn frame_above(&self, least: f64) -> Option<Frame> {
        let inked = self.values.iter().enumerate().filter(|(_, value)| **value > least);
        inked
            .map(|(at, _)| (at % self.width, at / self.width))
            .map(|(x, y)| Frame { left: x, top: y, right: x + 1, bottom: y + 1 })
            .reduce(|all, one| all.with(&one))
    }

    /// What is inside of `frame`, a pixel for each `step` x `step` of it, from its upper left corner on.
    pub fn means(&self, frame: Frame, step: f64, width: usize, height: usize) -> Self {
        let (columns, rows) = (cover(frame.width(), step, width), cover(frame.height(), step, height));
        weighted(self.width, &|at| self.values[at], frame, &columns, &rows)
    }

    /// The same on a square of `side` pixels, `margin` from its edges, and smooth (bilinear) where pixels become more.
    pub fn smooth(&self, frame: Frame, step: f64, margin: usize, side: usize) -> Self {
        let (columns, rows) = (tent(frame.width(), step, margin, side), tent(frame.height(), step, margin, side));
        weighted(self.width, &|at| self.values[at], frame, &columns, &rows)
    }
}

/// For each pixel along an axis, the points that it is made of, and their weights.
type Weights = Vec<Vec<(usize, f64)>>;

/// Each of `count` pixels is the mean of the `step` points that it covers. Beyond `length` points there is no ink.
fn cover(length: usize, step: f64, count: usize) -> Weights {
    let pixel = |pixel: usize| {
        let from = pixel as f64 * step;
        let to = (from + step).min(length as f64);
        let share = |point: usize| to.min(point as f64 + 1.0) - from.max(point as f64);
        (from as usize..to.ceil() as usize).map(|point| (point, share(point) / step)).collect()
    };
    (0..count).map(pixel).collect()
}

/// Each of `count` pixels is a mean with weights that fall off from its middle, to the next pixel's or the next point's.
fn tent(length: usize, step: f64, margin: usize, count: usize) -> Weights {
    let reach = step.max(1.0);
    let pixel = |pixel: usize| {
        let middle = (pixel as f64 + 0.5 - margin as f64) * step - 0.5;
        let weight = |point: i64| 1.0 - (point as f64 - middle).abs() / reach;
        let points = (middle - reach).ceil() as i64..=(middle + reach).floor() as i64;
        let total: f64 = points.clone().map(weight).sum();
        let there = points.filter(|point| (0..length as i64).contains(point));
        there.map(|point| (point as usize, weight(point) / total)).collect()
    };
    (0..count).map(pixel).collect()
}

/// For each row and column of weights, the sum over the points of `frame`, which is a part of rows of `width` values.
fn weighted(width: usize, value: &dyn Fn(usize) -> f64, frame: Frame, columns: &Weights, rows: &Weights) -> Map {
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        for column in columns {
            let mut sum = 0.0;
            for &(y, down) in row {
                let first = (frame.top + y) * width + frame.left;
                for &(x, across) in column {
                    sum += down * across * value(first + x);
                }
            }
            values.push(sum);
        }
    }
    Map { width: columns.len(), height: rows.len(), values }
}
