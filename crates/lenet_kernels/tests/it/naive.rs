//! The convolution and its gradients as plain loops, image by image: the oracle of the tests.

/// A convolution without padding, with stride 1: `y[o][r][c] = bias[o] + sum over i, u, v of weight[o][i][u][v] *
/// x[i][r + u][c + v]`.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Channels of the input.
    pub inputs: usize,
    /// Height of the input.
    pub height: usize,
    /// Width of the input.
    pub width: usize,
    /// Filters, and maps of the output.
    pub outputs: usize,
    /// Side of a filter.
    pub kernel: usize,
}

impl Shape {
    /// Values of one image going in.
    pub fn input_len(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one image coming out.
    pub fn output_len(&self) -> usize {
        self.outputs * (self.height + 1 - self.kernel) * (self.width + 1 - self.kernel)
    }

    /// Values of the weights, `[output][input][row][column]`.
    pub fn weights(&self) -> usize {
        self.outputs * self.inputs * self.kernel * self.kernel
    }

    /// Calls `f` with the places in input, weights and output of each product of each image.
    fn products(&self, images: usize, mut f: impl FnMut(usize, usize, usize)) {
        let (height, width) = (self.height + 1 - self.kernel, self.width + 1 - self.kernel);
        for n in 0..images {
            for o in 0..self.outputs {
                for r in 0..height {
                    for c in 0..width {
                        let y = ((n * self.outputs + o) * height + r) * width + c;
                        for i in 0..self.inputs {
                            for u in 0..self.kernel {
                                for v in 0..self.kernel {
                                    let x = ((n * self.inputs + i) * self.height + r + u) * self.width + c + v;
                                    f(x, ((o * self.inputs + i) * self.kernel + u) * self.kernel + v, y);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Writes the output `y` of the images `x`.
pub fn forward(shape: Shape, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let map = shape.output_len() / shape.outputs;
    for (at, y) in y.iter_mut().enumerate() {
        *y = bias[at / map % shape.outputs];
    }
    shape.products(x.len() / shape.input_len(), |at_x, at_w, at_y| y[at_y] += weight[at_w] * x[at_x]);
}

/// Adds to the gradient of the weights, from that of the output.
pub fn weight_gradient(shape: Shape, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    shape.products(x.len() / shape.input_len(), |at_x, at_w, at_y| dw[at_w] += dy[at_y] * x[at_x]);
}

/// Adds to the gradient of the biases, from that of the output.
pub fn bias_gradient(shape: Shape, dy: &[f32], db: &mut [f32]) {
    let map = shape.output_len() / shape.outputs;
    for (at, dy) in dy.iter().enumerate() {
        db[at / map % shape.outputs] += dy;
    }
}

/// Writes the gradient of the input, from that of the output.
pub fn input_gradient(shape: Shape, weight: &[f32], dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    shape.products(dx.len() / shape.input_len(), |at_x, at_w, at_y| dx[at_x] += weight[at_w] * dy[at_y]);
}

/// Values in -1..1 that look random, for tests and benchmarks; each `seed` has its own.
pub fn values(count: usize, seed: u32) -> Vec<f32> {
    let value = |i: u32| (i.wrapping_add(seed << 20).wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    (0..count as u32).map(value).collect()
}

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
