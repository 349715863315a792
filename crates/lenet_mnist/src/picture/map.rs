//! Grey levels as numbers, and the same in another size.

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

    /// The free pixels between both, to the side or up and down.
    pub fn gap(&self, other: &Self) -> usize {
        let across = self.left.max(other.left).saturating_sub(self.right.min(other.right));
        let down = self.top.max(other.top).saturating_sub(self.bottom.min(other.bottom));
        across.max(down)
    }
}

impl Map {
    pub fn new(width: usize, height: usize, value: impl FnMut(usize) -> f64) -> Self {
        let values = (0..width * height).map(value).collect();
        Self { width, height, values }
    }

    pub fn frame(&self) -> Frame {
        Frame { left: 0, top: 0, right: self.width, bottom: self.height }
    }

    /// The smallest rectangle around all values above `least`.
    pub fn frame_above(&self, least: f64) -> Option<Frame> {
        let inked = self.values.iter().enumerate().filter(|(_, value)| **value > least);
        inked
            .map(|(at, _)| (at % self.width, at / self.width))
            .map(|(x, y)| Frame { left: x, top: y, right: x + 1, bottom: y + 1 })
            .reduce(|all, one| all.with(&one))
    }

    /// What is inside of `frame`, a pixel for each `step` x `step` of it. Each is the mean of the area that it covers; where
    /// the frame ends, of nothing.
    pub fn means(&self, frame: Frame, step: f64, width: usize, height: usize) -> Self {
        let cover = |length: usize, count: usize| -> Vec<Vec<(usize, f64)>> {
            let pixel = |pixel: usize| {
                let from = pixel as f64 * step;
                let to = (from + step).min(length as f64);
                let share = move |point: usize| {
                    let share = to.min(point as f64 + 1.0) - from.max(point as f64);
                    (point, share / step)
                };
                (from as usize..to.ceil().max(0.0) as usize).map(share).collect()
            };
            (0..count).map(pixel).collect()
        };
        self.weighted(frame, &cover(frame.width(), width), &cover(frame.height(), height))
    }

    /// What is inside of `frame`, with its corner at `margin` of a square of `side` pixels, each `step` wide, and smooth in
    /// between (bilinear).
    pub fn smooth(&self, frame: Frame, step: f64, margin: usize, side: usize) -> Self {
        let reach = step.max(1.0);
        let tent = |length: usize| -> Vec<Vec<(usize, f64)>> {
            let pixel = |pixel: usize| {
                let middle = (pixel as f64 + 0.5 - margin as f64) * step - 0.5;
                let from = (middle - reach).ceil().max(0.0) as usize;
                let points = from..((middle + reach).floor() + 1.0).clamp(0.0, length as f64) as usize;
                let share = |point: usize| 1.0 - (point as f64 - middle).abs() / reach;
                // Beyond the frame there is no ink, which weighs as much as ink does.
                let first = (middle - reach).ceil() as i64;
                let all = (first..=(middle + reach).floor() as i64)
                    .map(|point| 1.0 - (point as f64 - middle).abs() / reach);
                let total: f64 = all.sum();
                points.map(|point| (point, share(point) / total)).collect()
            };
            (0..side).map(pixel).collect()
        };
        self.weighted(frame, &tent(frame.width()), &tent(frame.height()))
    }

    /// Sums over the pixels of `frame`, with the weights of a column and of a row.
    fn weighted(&self, frame: Frame, columns: &[Vec<(usize, f64)>], rows: &[Vec<(usize, f64)>]) -> Self {
        let row_of = |y: usize| &self.values[(frame.top + y) * self.width + frame.left..][..frame.width()];
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for row in rows {
            for column in columns {
                let line = |&(y, down): &(usize, f64)| {
                    let row = row_of(y);
                    column.iter().map(|&(x, across)| down * across * row[x]).sum::<f64>()
                };
                values.push(row.iter().map(line).sum());
            }
        }
        Self { width: columns.len(), height: rows.len(), values }
    }
}
