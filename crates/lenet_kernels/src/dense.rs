//! A dense layer on images as rows.

use crate::blocks::Transpose;
use crate::isa::Isa;
use crate::products::SumRows;

/// A dense layer, `y = x W^T + b`, on images as rows. The weights are `[output][input]`.
#[derive(Debug, Clone, Copy)]
pub struct Dense {
    /// The instruction set.
    pub isa: Isa,
    /// Values of one image going in.
    pub inputs: usize,
    /// Values of one image coming out.
    pub outputs: usize,
}

impl Dense {
    /// Values that [`Dense::prepare`] makes of the weights.
    pub fn prepared_len(&self) -> usize {
        self.inputs * self.outputs
    }

    /// Turns the weights around, so that those of an input lie side by side.
    pub fn prepare(&self, weight: &[f32], prepared: &mut [f32]) {
        let Self { inputs, outputs, .. } = *self;
        assert!(weight.len() == inputs * outputs && prepared.len() == inputs * outputs, "weights and prepared weights");
        let (from, to) = ((weight.as_ptr(), inputs), (prepared.as_mut_ptr(), outputs));
        // SAFETY: both slices have `inputs * outputs` values.
        unsafe { self.isa.run(&Transpose { rows: outputs, columns: inputs, from, to }) };
    }

    /// Writes the outputs `y` of the images `x`.
    pub fn forward(&self, x: &[f32], prepared: &[f32], bias: &[f32], y: &mut [f32]) {
        let Self { inputs, outputs, .. } = *self;
        let images = self.images(x.len(), y.len(), prepared.len(), bias.len());
        y.chunks_exact_mut(outputs).for_each(|y| y.copy_from_slice(bias));
        self.add([images, inputs, outputs], (x, [inputs, 1]), prepared, y);
    }

    /// Adds to the gradients of weights and biases, and writes that of the input if it is wanted, from that of the
    /// output, `dy`.
    pub fn backward(
        &self,
        x: &[f32],
        dy: &[f32],
        weight: &[f32],
        (dw, db): (&mut [f32], &mut [f32]),
        dx: Option<&mut [f32]>,
    ) {
        let Self { inputs, outputs, .. } = *self;
        let images = self.images(x.len(), dy.len(), weight.len(), db.len());
        assert_eq!(dw.len(), weight.len(), "the weights' gradient");
        for dy in dy.chunks_exact(outputs) {
            db.iter_mut().zip(dy).for_each(|(db, dy)| *db += dy);
        }
        self.add([outputs, images, inputs], (dy, [1, outputs]), x, dw);
        if let Some(dx) = dx {
            assert_eq!(dx.len(), x.len(), "the input's gradient");
            dx.fill(0.0);
            self.add([images, outputs, inputs], (dy, [outputs, 1]), weight, dx);
        }
    }

    fn images(&self, x: usize, y: usize, weight: usize, bias: usize) -> usize {
        let images = x / self.inputs;
        assert!(x == images * self.inputs && y == images * self.outputs, "{x} values in, {y} values out: {self:?}");
        assert!(weight == self.inputs * self.outputs && bias == self.outputs, "weights and biases");
        images
    }

    /// `to[row][column] += sum over term of a[row][term] * b[term][column]`, where `a` comes with how far it is to the next
    /// row and to the next term.
    fn add(
        &self,
        [rows, terms, columns]: [usize; 3],
        (a, [a_row, a_term]): (&[f32], [usize; 2]),
        b: &[f32],
        to: &mut [f32],
    ) {
        if rows == 0 || terms == 0 {
            return;
        }
        assert!((rows - 1) * a_row + (terms - 1) * a_term < a.len());
        assert!(b.len() == terms * columns && to.len() == rows * columns);
        let product = SumRows {
            rows,
            columns,
            batch: 1,
            next: [0; 3],
            terms: [1, terms],
            a: a.as_ptr(),
            a_row,
            a_term: [0, a_term],
            b: b.as_ptr(),
            b_term: [0, columns as isize],
            to: to.as_mut_ptr(),
            to_row: columns,
            add: true,
        };
        // SAFETY: the slices have just been checked.
        unsafe { self.isa.run(&product) };
    }
}
