use crate::naive::values;
use lenet_kernels::*;

#[test]
fn zeros_stand_around_and_get_no_gradient() {
    for isa in Isa::available() {
        let pad = Pad { isa, channels: 2, height: 3, width: 4, padding: 2 };
        let x = values(3 * pad.input_len() * isa.lanes(), 1);
        let mut y = vec![f32::NAN; 3 * pad.output_len() * isa.lanes()];
        pad.forward(&x, &mut y);
        for (at, y) in y.iter().enumerate() {
            let (lane, column, row) = (at % isa.lanes(), at / isa.lanes() % 8, at / isa.lanes() / 8 % 7);
            let inside = (2..5).contains(&row) && (2..6).contains(&column);
            let map = at / isa.lanes() / 56;
            let wanted = if inside { x[((map * 3 + row - 2) * 4 + column - 2) * isa.lanes() + lane] } else { 0.0 };
            assert_eq!(*y, wanted);
        }
        let mut dx = vec![f32::NAN; x.len()];
        pad.backward(&y, &mut dx);
        assert_eq!(dx, x);
    }
}
