use crate::naive::values;
use lenet_kernels::*;

#[test]
fn blocks_hold_images_side_by_side_and_come_back() {
    for isa in Isa::available() {
        let lanes = isa.lanes();
        for (images, len) in [(1, 1), (lanes, 7), (lanes - 1, 16), (2 * lanes + 3, 35), (40, 64)] {
            let rows = values(images * len, 1);
            let mut blocks = vec![f32::NAN; images.div_ceil(lanes) * lanes * len];
            to_blocks(isa, &rows, len, &mut blocks);
            for (at, value) in blocks.iter().enumerate() {
                let (image, i) = (at / (len * lanes) * lanes + at % lanes, at / lanes % len);
                let wanted = if image < images { rows[image * len + i] } else { 0.0 };
                assert_eq!(*value, wanted, "{isa:?} {images} {len}");
            }
            let mut back = vec![f32::NAN; rows.len()];
            to_rows(isa, &blocks, len, &mut back);
            assert_eq!(back, rows);
        }
    }
}
