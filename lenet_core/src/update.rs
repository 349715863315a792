//! A step of an optimiser: all parameters moved against their gradient.

use lenet_kernels::optimizer::{update, Finite};
use lenet_kernels::Isa;

use crate::optimizer::Optimizer;
use crate::threads::for_each;

/// Parameters that one thread moves at once.
const RANGE: usize = 4096;

/// What an optimiser remembers between steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Steps taken.
    pub(crate) steps: u64,
    /// A running mean of each parameter for each of [`Optimizer::moments`], in the parameters' order.
    pub(crate) moments: Vec<Vec<f32>>,
}

impl State {
    /// Takes a step: moves the parameters against the sum of their `gradients`, range by range on all threads.
    ///
    /// # Errors
    /// What is not finite any more, as in "a weight".
    pub(crate) fn update(
        &mut self,
        optimizer: &Optimizer,
        parameters: &mut [f32],
        gradients: &[&[f32]],
    ) -> Result<(), &'static str> {
        self.steps += 1;
        self.moments.resize(optimizer.moments().len(), Vec::new());
        for moment in &mut self.moments {
            moment.resize(parameters.len(), 0.0);
        }
        let mut finite = vec![Finite { parameters: true, averages: true }; parameters.len().div_ceil(RANGE)];
        let mut moments = Vec::from_iter(self.moments.iter_mut().map(|moment| moment.chunks_mut(RANGE)));
        let ranges = parameters.chunks_mut(RANGE).zip(&mut finite).enumerate().map(|(at, (parameters, finite))| {
            let moments = moments.iter_mut().map(|ranges| ranges.next().unwrap_or_default());
            let gradients = gradients.iter().map(|gradient| &gradient[at * RANGE..][..parameters.len()]);
            (Vec::from_iter(gradients), Vec::from_iter(moments), parameters, finite)
        });
        let (isa, rule) = (Isa::best(), optimizer.rule(self.steps));
        for_each(ranges, |(gradients, mut moments, parameters, finite): (Vec<&[f32]>, Vec<&mut [f32]>, _, _)| {
            *finite = update(isa, rule, parameters, &gradients, &mut moments);
        });
        match (finite.iter().all(|range| range.parameters), finite.iter().all(|range| range.averages)) {
            (false, _) => Err("a weight"),
            (true, false) => Err("a running mean of the optimiser"),
            (true, true) => Ok(()),
        }
    }
}
