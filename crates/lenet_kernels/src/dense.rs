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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naive::values;

    #[test]
    fn layers_are_as_plain_loops_have_them() {
        for isa in Isa::available() {
            for (inputs, outputs, images) in
                [(256, 120, 32), (120, 84, 9), (84, 10, 40), (1, 1, 1), (5, 7, 3), (33, 70, 2)]
            {
                let dense = Dense { isa, inputs, outputs };
                let [x, weight] = [values(images * inputs, 1), values(outputs * inputs, 2)];
                let [bias, dy] = [values(outputs, 3), values(images * outputs, 4)];
                let (mut prepared, mut y) = (vec![f32::NAN; dense.prepared_len()], vec![f32::NAN; dy.len()]);
                let (mut dw, mut db, mut dx) = (vec![1.0; weight.len()], vec![1.0; outputs], vec![f32::NAN; x.len()]);
                dense.prepare(&weight, &mut prepared);
                dense.forward(&x, &prepared, &bias, &mut y);
                dense.backward(&x, &dy, &weight, (&mut dw, &mut db), Some(&mut dx));
                let (mut y_2, mut dw_2, mut db_2, mut dx_2) =
                    (vec![0.0; y.len()], vec![1.0; dw.len()], vec![1.0; outputs], vec![0.0; dx.len()]);
                for n in 0..images {
                    for o in 0..outputs {
                        y_2[n * outputs + o] = bias[o];
                        db_2[o] += dy[n * outputs + o];
                        for i in 0..inputs {
                            y_2[n * outputs + o] += x[n * inputs + i] * weight[o * inputs + i];
                            dw_2[o * inputs + i] += x[n * inputs + i] * dy[n * outputs + o];
                            dx_2[n * inputs + i] += weight[o * inputs + i] * dy[n * outputs + o];
                        }
                    }
                }
                for (found, wanted) in [(y, y_2), (dw, dw_2), (db, db_2), (dx, dx_2)] {
                    for (found, wanted) in found.into_iter().zip(wanted) {
                        assert!((found - wanted).abs() < 2e-5, "{dense:?}, {images} images: {found} {wanted}");
                    }
                }
            }
        }
    }
}
