use crate::naive::values;
use lenet_kernels::*;

#[test]
fn layers_are_as_plain_loops_have_them() {
    for isa in Isa::available() {
        for (inputs, outputs, images) in [(256, 120, 32), (120, 84, 9), (84, 10, 40), (1, 1, 1), (5, 7, 3), (33, 70, 2)]
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
