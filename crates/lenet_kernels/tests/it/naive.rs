use lenet_kernels::naive::*;

#[test]
fn a_convolution_by_hand() {
    let shape = Shape { inputs: 1, height: 3, width: 3, outputs: 1, kernel: 2 };
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    let (weight, dy) = ([1.0, 0.0, 0.0, -2.0], [1.0, 10.0, 100.0, 1000.0]);
    let mut y = [0.0; 4];
    forward(shape, &x, &weight, &[0.5], &mut y);
    assert_eq!(y, [-8.5, -9.5, -11.5, -12.5]);
    let (mut dw, mut db, mut dx) = ([1.0; 4], [1.0], [5.0; 9]);
    weight_gradient(shape, &x, &dy, &mut dw);
    bias_gradient(shape, &dy, &mut db);
    input_gradient(shape, &weight, &dy, &mut dx);
    assert_eq!(dw, [5422.0, 6533.0, 8755.0, 9866.0]);
    assert_eq!(db, [1112.0]);
    assert_eq!(dx, [1.0, 10.0, 0.0, 100.0, 998.0, -20.0, 0.0, -200.0, -2000.0]);
}
