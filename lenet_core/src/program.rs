//! A network as training runs it: a list of operations on one flat vector of parameters.
//!
//! [`Program::new`] walks a network's layers once. [`forward`](Program::forward) and [`backward`](Program::backward) then
//! work on slices: the values between two operations lie in a [`Workspace`] that is used again pass after pass, and the
//! gradient of all parameters in one vector, in the parameters' order.
//!
//! Convolutions and pooling want *blocks*, in which the same value of several images lies side by side, one image in each
//! lane of a vector; dense layers want *rows*, image after image. The program puts the change from one to the other where
//! it is needed, and computes a convolution together with the activation and the pooling behind it.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lenet_kernels::{to_blocks, to_rows, Activation, Buffer, Conv, Dense, Isa, Pad, Pool, Pooling};

use crate::network::LayerKind;
use crate::random::Sample;
use crate::threads::for_each;

/// Images that go through a program at once, at most: a core's cache holds what they need.
pub(crate) const PASS: usize = 32;

/// The operations of a network, in order.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    operations: Vec<Operation>,
    /// Values of an image that go in, and that come out.
    sizes: (usize, usize),
    parameters: usize,
    prepared: usize,
    isa: Isa,
}

/// One operation, and where its parameters lie among all.
#[derive(Debug, Clone)]
struct Operation {
    kernel: Kernel,
    /// Values of an image that it writes, and whether in blocks.
    output: usize,
    blocks: bool,
    weight: Range<usize>,
    bias: Range<usize>,
    /// Where its weights lie among the prepared ones.
    prepared: Range<usize>,
}

#[derive(Debug, Clone)]
enum Kernel {
    ToBlocks,
    ToRows,
    Conv(Conv),
    Pool(Pool),
    Pad(Pad),
    Dense(Dense),
    Activation(Activation),
    /// Sets some values to zero, with this probability, and scales the others up.
    Dropout(f32),
}

/// The memory of a pass: what each operation has made, what it saved for the way back, and gradients.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    images: usize,
    /// The instruction set of the pass.
    isa: Isa,
    /// What the kernels multiply with, made of the parameters of this version.
    prepared: Vec<f32>,
    version: Option<u64>,
    /// The input, then the output of each operation.
    values: Vec<Buffer>,
    saved: Vec<Buffer>,
    /// The gradient of an operation's output, and that of its input.
    gradients: [Buffer; 2],
    scratch: Buffer,
}

/// A workspace for each thread of the pool.
pub(crate) struct Workspaces(Vec<Mutex<Workspace>>);

impl Default for Workspaces {
    fn default() -> Self {
        Self((0..rayon::current_num_threads()).map(|_| Mutex::default()).collect())
    }
}

impl Workspaces {
    /// That of this thread.
    pub(crate) fn own(&self) -> MutexGuard<'_, Workspace> {
        let thread = rayon::current_thread_index().unwrap_or(0);
        self.0[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Program {
    /// The program of layers that fit one another, for images of these sizes: `[channels, side, side]` or `[values]`.
    pub(crate) fn new(layers: &[LayerKind], input: &[usize]) -> Self {
        let mut program = Self {
            operations: Vec::new(),
            sizes: (input.iter().product(), 0),
            parameters: 0,
            prepared: 0,
            isa: Isa::best(),
        };
        let (isa, mut sizes) = (program.isa, input.to_vec());
        let mut layers = layers.iter().copied().peekable();
        while let Some(layer) = layers.next() {
            let (channels, side) = (sizes[0], sizes.last().copied().unwrap_or(1));
            sizes = layer.output(&sizes);
            let kernel = match layer {
                LayerKind::Input { .. } => continue,
                LayerKind::Flatten => {
                    program.change(false);
                    continue;
                }
                LayerKind::Linear { inputs, outputs } => Kernel::Dense(Dense { isa, inputs, outputs }),
                LayerKind::Activation(activation) => Kernel::Activation(activation),
                LayerKind::Dropout { percent } => Kernel::Dropout(percent as f32 / 100.0),
                LayerKind::ZeroPad2D { padding } => {
                    Kernel::Pad(Pad { isa, padding, channels, height: side, width: side })
                }
                LayerKind::AvgPool2D { window } => pool(isa, Pooling::Average, window, channels, side),
                LayerKind::MaxPool2D { window } => pool(isa, Pooling::Max, window, channels, side),
                LayerKind::Conv2D { inputs, outputs, kernel } => {
                    let activation = layers.next_if(|next| matches!(next, LayerKind::Activation(_)));
                    let pool = layers.next_if(|next| next.pooling().is_some());
                    for fused in [activation, pool].into_iter().flatten() {
                        sizes = fused.output(&sizes);
                    }
                    Kernel::Conv(Conv {
                        isa,
                        inputs,
                        height: side,
                        width: side,
                        outputs,
                        kernel,
                        activation: activation.and_then(|layer| layer.activation()),
                        pool: pool.and_then(|layer| layer.pooling()),
                    })
                }
            };
            match kernel {
                Kernel::Conv(_) | Kernel::Pool(_) | Kernel::Pad(_) => program.change(true),
                _ => {}
            }
            program.push(kernel, sizes.iter().product());
        }
        program.change(false);
        program.sizes.1 = sizes.iter().product();
        program
    }

    /// From rows to blocks, or back, where the values do not lie so already.
    fn change(&mut self, blocks: bool) {
        let (kernel, output) = if blocks { (Kernel::ToBlocks, self.last()) } else { (Kernel::ToRows, self.last()) };
        if self.blocks() != blocks {
            self.push(kernel, output);
        }
    }

    fn push(&mut self, kernel: Kernel, output: usize) {
        let (weight, bias, prepared) = match &kernel {
            Kernel::Conv(conv) => {
                (conv.outputs * conv.inputs * conv.kernel * conv.kernel, conv.outputs, conv.prepared_len())
            }
            Kernel::Dense(dense) => (dense.inputs * dense.outputs, dense.outputs, dense.prepared_len()),
            _ => (0, 0, 0),
        };
        let next = |start: &mut usize, len| {
            *start += len;
            *start - len..*start
        };
        let blocks = match kernel {
            Kernel::ToBlocks => true,
            Kernel::ToRows => false,
            _ => self.blocks(),
        };
        self.operations.push(Operation {
            kernel,
            output,
            blocks,
            weight: next(&mut self.parameters, weight),
            bias: next(&mut self.parameters, bias),
            prepared: next(&mut self.prepared, prepared),
        });
    }

    /// Values of an image behind the last operation.
    fn last(&self) -> usize {
        self.operations.last().map_or(self.sizes.0, |last| last.output)
    }

    /// Whether they lie in blocks.
    fn blocks(&self) -> bool {
        self.operations.last().is_some_and(|last| last.blocks)
    }

    /// Values of an image that go in.
    pub(crate) fn input_len(&self) -> usize {
        self.sizes.0
    }

    /// Values of an image that come out.
    pub(crate) fn output_len(&self) -> usize {
        self.sizes.1
    }

    /// The number of parameters, and so of values in their gradient.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// Begins a pass: room for its input, image after image. The `version` of the parameters tells whether the workspace
    /// has to bring them into the kernels' form anew.
    pub(crate) fn begin<'a>(
        &self,
        workspace: &'a mut Workspace,
        (parameters, version): (&[f32], u64),
        images: usize,
    ) -> &'a mut [f32] {
        let buffers = self.operations.len() + 1;
        (workspace.images, workspace.isa) = (images, self.isa.for_images(images));
        workspace.values.resize_with(buffers, Buffer::default);
        workspace.saved.resize_with(buffers, Buffer::default);
        if workspace.version.replace(version) != Some(version) {
            self.prepare(parameters, &mut workspace.prepared);
        }
        workspace.values[0].resized(images * self.sizes.0)
    }

    fn prepare(&self, parameters: &[f32], prepared: &mut Vec<f32>) {
        prepared.resize(self.prepared, 0.0);
        for operation in &self.operations {
            let weight = &parameters[operation.weight.clone()];
            let prepared = &mut prepared[operation.prepared.clone()];
            match &operation.kernel {
                Kernel::Conv(conv) => conv.prepare(weight, prepared),
                Kernel::Dense(dense) => dense.prepare(weight, prepared),
                _ => {}
            }
        }
    }

    /// Runs all operations on the input of the workspace. Returns the output, image after image.
    pub(crate) fn forward<'a>(
        &self,
        parameters: &[f32],
        workspace: &'a mut Workspace,
        dropout: Option<&Sample<'_>>,
    ) -> &'a [f32] {
        let Workspace { images, isa, prepared, values, saved, scratch, .. } = workspace;
        let (images, isa) = (*images, *isa);
        let in_blocks = images.next_multiple_of(isa.lanes());
        for (at, operation) in self.operations.iter().enumerate() {
            let Operation { kernel, output, blocks, .. } = operation;
            let (before, after) = values.split_at_mut(at + 1);
            let (x, y) = (&before[at][..], after[0].resized(output * if *blocks { in_blocks } else { images }));
            let saved = &mut saved[at];
            let bias = &parameters[operation.bias.clone()];
            let prepared = &prepared[operation.prepared.clone()];
            match kernel {
                Kernel::ToBlocks => to_blocks(isa, x, *output, y),
                Kernel::ToRows => to_rows(isa, x, *output, y),
                Kernel::Conv(conv) => {
                    let conv = Conv { isa, ..*conv };
                    conv.forward(x, prepared, bias, y, saved.resized(conv.saved_len() * in_blocks), scratch);
                }
                Kernel::Pool(pool) => Pool { isa, ..*pool }.forward(x, y),
                Kernel::Pad(pad) => Pad { isa, ..*pad }.forward(x, y),
                Kernel::Dense(dense) => dense.forward(x, prepared, bias, y),
                Kernel::Activation(activation) => {
                    y.copy_from_slice(x);
                    activation.forward(isa, y);
                }
                Kernel::Dropout(rate) => {
                    y.copy_from_slice(x);
                    let factors = saved.resized(y.len());
                    match dropout {
                        Some(dropout) if *blocks => {
                            let rows = scratch.resized(images * output);
                            dropout.factors(*rate, at, *output, rows);
                            to_blocks(isa, rows, *output, factors);
                        }
                        Some(dropout) => dropout.factors(*rate, at, *output, factors),
                        None => factors.fill(1.0),
                    }
                    multiply(y, factors);
                }
            }
        }
        &values[self.operations.len()]
    }

    /// What the program makes of any number of images, pass by pass on all threads.
    pub(crate) fn infer(&self, parameters: &[f32], images: &[f32], outputs: &mut [f32]) {
        let workspaces = Workspaces::default();
        let passes = images.chunks(PASS * self.sizes.0).zip(outputs.chunks_mut(PASS * self.sizes.1));
        for_each(passes, |(images, outputs)| {
            let workspace = &mut workspaces.own();
            self.begin(workspace, (parameters, 0), images.len() / self.sizes.0).copy_from_slice(images);
            outputs.copy_from_slice(self.forward(parameters, workspace, None));
        });
    }

    /// Goes back through the operations of the last pass forward, from the gradient `slope` of its output: adds to the
    /// `gradient` of all parameters. Returns the gradient of the input, image after image, if that is wanted.
    pub(crate) fn backward<'a>(
        &self,
        parameters: &[f32],
        workspace: &'a mut Workspace,
        slope: &[f32],
        gradient: &mut [f32],
        of_input: bool,
    ) -> &'a [f32] {
        let Workspace { images, isa, prepared, values, saved, gradients: [dy, dx], scratch, .. } = workspace;
        let isa = *isa;
        dy.resized(slope.len()).copy_from_slice(slope);
        // Nobody asks for gradients in front of the first parameters, unless they are those of the input.
        let first = self.operations.iter().position(|operation| !operation.weight.is_empty());
        let first = if of_input { 0 } else { first.unwrap_or(self.operations.len()) };
        for (at, operation) in self.operations.iter().enumerate().skip(first).rev() {
            let (x, y) = (&values[at][..], &values[at + 1][..]);
            let dx_len = x.len();
            let prepared = &prepared[operation.prepared.clone()];
            let of_both = &mut gradient[operation.weight.start..operation.bias.end];
            let of_both = of_both.split_at_mut(operation.weight.len());
            match &operation.kernel {
                Kernel::ToBlocks => to_rows(isa, dy, operation.output, dx.resized(dx_len)),
                Kernel::ToRows => to_blocks(isa, dy, operation.output, dx.resized(dx_len)),
                Kernel::Conv(conv) => {
                    let dx = (at > first || of_input).then(|| dx.resized(dx_len));
                    let conv = Conv { isa, ..*conv };
                    conv.backward(x, y, &mut saved[at], dy, prepared, of_both, dx, scratch);
                }
                Kernel::Pool(pool) => Pool { isa, ..*pool }.backward(x, dy, dx.resized(dx_len)),
                Kernel::Pad(pad) => Pad { isa, ..*pad }.backward(dy, dx.resized(dx_len)),
                Kernel::Dense(dense) => {
                    let weight = &parameters[operation.weight.clone()];
                    let dx = (at > first || of_input).then(|| dx.resized(dx_len));
                    dense.backward(x, dy, weight, of_both, dx);
                }
                Kernel::Activation(activation) => {
                    activation.backward(isa, y, dy);
                    std::mem::swap(dx, dy);
                }
                Kernel::Dropout(_) => {
                    multiply(dy, &saved[at]);
                    std::mem::swap(dx, dy);
                }
            }
            std::mem::swap(dy, dx);
        }
        &dy[..if of_input { *images * self.sizes.0 } else { 0 }]
    }
}

fn pool(isa: Isa, kind: Pooling, window: usize, channels: usize, side: usize) -> Kernel {
    Kernel::Pool(Pool { isa, kind, window, channels, height: side, width: side })
}

fn multiply(values: &mut [f32], factors: &[f32]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}
