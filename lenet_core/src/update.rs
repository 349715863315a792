//! A step of an optimiser: all parameters moved against their gradient.

use lenet_kernels::optimizer::update;
use lenet_kernels::Isa;

use crate::optimizer::Optimizer;

/// What an optimiser remembers between steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Steps taken.
    pub(crate) steps: u64,
    /// A running mean of each parameter for each of [`Optimizer::moments`], in the parameters' order.
    pub(crate) moments: Vec<Vec<f32>>,
}

impl State {
    /// Takes a step: moves the parameters against the sum of their `gradients`.
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
        let mut moments = Vec::from_iter(self.moments.iter_mut().map(|moment| &mut moment[..]));
        let finite = update(Isa::best(), optimizer.rule(self.steps), parameters, gradients, &mut moments);
        match (finite.parameters, finite.averages) {
            (false, _) => Err("a weight"),
            (true, false) => Err("a running mean of the optimiser"),
            (true, true) => Ok(()),
        }
    }
}
