//! A layer on dfdx's tape: the program of that one layer, forward now, backward when the tape is played back.

use std::borrow::Cow;

use dfdx::prelude::*;
use rayon::prelude::*;

use crate::network::{kinds, parameters, Layer, LayerKind};
use crate::program::{Program, Workspace, PASS};
use crate::shape::{Arriving, BatchOf};
use crate::slices::{values, values_mut, Parameter};

/// Sends a batch through a layer.
///
/// # Errors
/// If dfdx cannot make a tensor.
pub(crate) fn apply<X: Arriving, Y: Arriving, B: Dim, T: Tape<f32, Cpu>, L: Layer>(
    layer: &L,
    x: BatchOf<X, B, T>,
) -> Result<BatchOf<Y, B, T>, CpuError> {
    let (x, mut tape) = x.split_tape();
    let shape = Y::shape(X::batch(x.shape()));
    let mut y: Tensor<_, f32, Cpu> = x.device().try_zeros_like(&shape)?;
    let mut layer = Traced::new(&kinds::<L>(), &X::sizes(), &parameters(layer));
    layer.forward(&values(&x), values_mut(&mut y));
    if T::OWNS_TAPE {
        let output = y.clone();
        tape.add_backward_op(move |gradients| {
            let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&output)?);
            let (dx, gradient) = layer.backward(&dy);
            add(gradients.get_or_alloc_mut(&x)?, &dx);
            let mut gradient = &gradient[..];
            for parameter in &layer.parameters {
                let to = parameter.gradient(gradients)?;
                let len = to.len();
                add(to, gradient.split_off(..len).unwrap_or_default());
            }
            **gradients.get_or_alloc_mut(&output)? = dy;
            Ok(())
        });
    }
    Ok(y.put_tape(tape))
}

fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// A layer between its forward and its backward pass.
struct Traced {
    program: Program,
    parameters: Vec<Box<dyn Parameter>>,
    flat: Vec<f32>,
    /// One for each pass.
    workspaces: Vec<Workspace>,
}

impl Traced {
    fn new(kinds: &[LayerKind], input: &[usize], parameters: &[&dyn Parameter]) -> Self {
        let program = Program::new(kinds, input);
        let parameters = Vec::from_iter(parameters.iter().map(|parameter| parameter.boxed()));
        let flat = parameters.iter().map(|parameter| parameter.values());
        let flat = Vec::from_iter(flat.flat_map(Cow::into_owned));
        Self { program, parameters, flat, workspaces: Vec::new() }
    }

    fn forward(&mut self, x: &[f32], y: &mut [f32]) {
        let (input, output) = (self.program.input_len(), self.program.output_len());
        let forward = |(x, y): (&[f32], &mut [f32])| {
            let mut workspace = Workspace::default();
            let images = x.len() / input;
            self.program.begin(&mut workspace, (&self.flat, 0), images).copy_from_slice(x);
            let made = self.program.forward(&self.flat, &mut workspace, None);
            y.copy_from_slice(made);
            workspace
        };
        let passes = x.par_chunks(PASS * input).zip(y.par_chunks_mut(PASS * output));
        self.workspaces = passes.map(forward).collect();
    }

    /// The gradients of the input and of the parameters from that of the output.
    fn backward(&mut self, dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (program, flat) = (&self.program, &self.flat);
        let passes = self.workspaces.par_iter_mut().zip(dy.par_chunks(PASS * program.output_len()));
        let backward = |(workspace, dy): (&mut Workspace, &[f32])| {
            let mut gradient = vec![0.0; flat.len()];
            let dx = program.backward(flat, workspace, dy, &mut gradient, true);
            (dx.to_vec(), gradient)
        };
        let passes: Vec<_> = passes.map(backward).collect();
        let (mut dx, mut gradient) = (Vec::new(), vec![0.0; flat.len()]);
        for (dx_of_pass, gradient_of_pass) in passes {
            dx.extend(dx_of_pass);
            add(&mut gradient, &gradient_of_pass);
        }
        (dx, gradient)
    }
}
