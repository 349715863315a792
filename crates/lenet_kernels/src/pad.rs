//! Zeros around maps.

use crate::isa::Isa;

/// A layer that puts zeros around each map of blocks of images, as many rows and columns on each side.
#[derive(Debug, Clone, Copy)]
pub struct Pad {
    /// The instruction set, which decides how many images a block has.
    pub isa: Isa,
    /// Maps.
    pub channels: usize,
    /// Height of a map going in.
    pub height: usize,
    /// Width of a map going in.
    pub width: usize,
    /// Rows and columns of zeros on each side.
    pub padding: usize,
}

impl Pad {
    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        self.channels * (self.height + 2 * self.padding) * (self.width + 2 * self.padding)
    }

    /// Writes the maps `y` with zeros around those of the blocks `x`.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        y.fill(0.0);
        self.each_row(x.len(), y.len(), |at_x, at_y, len| y[at_y..][..len].copy_from_slice(&x[at_x..][..len]));
    }

    /// Writes the gradient of the input, `dx`, from that of the output, `dy`: what the zeros get is left out.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32]) {
        self.each_row(dx.len(), dy.len(), |at_x, at_y, len| dx[at_x..][..len].copy_from_slice(&dy[at_y..][..len]));
    }

    /// Calls `f` for each row with its places in `x` and `y`, and its length.
    fn each_row(&self, x: usize, y: usize, mut f: impl FnMut(usize, usize, usize)) {
        let Self { height, width, padding, .. } = *self;
        let (row, row_y) = (width * self.isa.lanes(), (width + 2 * padding) * self.isa.lanes());
        assert!(row > 0 && x.is_multiple_of(self.input_len() * self.isa.lanes()), "whole blocks, not {x} values");
        assert_eq!(y / self.output_len() * self.input_len(), x, "values of the padded maps");
        for at in 0..x / row {
            let at_y = at / height * (height + 2 * padding) + at % height + padding;
            f(at * row, at_y * row_y + padding * self.isa.lanes(), row);
        }
    }
}
