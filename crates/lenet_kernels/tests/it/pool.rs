use crate::naive::values;
use lenet_kernels::*;

/// The rest is tested with convolutions.
#[test]
fn a_map_by_hand() {
    #[rustfmt::skip]
    let map = [
        1.0, 2.0, 5.0, 5.0, 9.0,
        4.0, 4.0, 5.0, 1.0, 9.0,
        9.0, 9.0, 9.0, 9.0, 9.0,
    ];
    for isa in Isa::available() {
        let blocks = |values: &[f32]| Vec::from_iter(values.iter().flat_map(|value| vec![*value; isa.lanes()]));
        for (kind, wanted, gradient) in [
            (Pooling::Average, [2.75, 4.0], [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]),
            (Pooling::Max, [4.0, 5.0], [[0.0, 0.0, 8.0, 0.0], [4.0, 0.0, 0.0, 0.0]]),
        ] {
            let pool = Pool { isa, kind, window: 2, channels: 1, height: 3, width: 5 };
            let (x, mut y, mut dx) = (blocks(&map), blocks(&[f32::NAN; 2]), blocks(&[f32::NAN; 15]));
            pool.forward(&x, &mut y);
            assert_eq!(y, blocks(&wanted), "{pool:?}");
            pool.backward(&x, &blocks(&[4.0, 8.0]), &mut dx);
            let [[a, b, c, d], [e, f, g, h]] = gradient;
            assert_eq!(dx, blocks(&[a, b, c, d, 0.0, e, f, g, h, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), "{pool:?}");
        }
    }
}

#[test]
fn nan_is_the_largest() {
    for isa in Isa::available() {
        let pool = Pool { isa, kind: Pooling::Max, window: 2, channels: 1, height: 2, width: 2 };
        for place in 0..4 {
            let mut x = values(4 * isa.lanes(), 1);
            x[place * isa.lanes()] = f32::NAN;
            let mut y = vec![0.0; isa.lanes()];
            pool.forward(&x, &mut y);
            assert!(y[0].is_nan() && y[1].is_finite(), "{isa:?}");
        }
    }
}
