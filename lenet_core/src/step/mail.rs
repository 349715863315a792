//! What one half sends to the other.

use crate::error::Result;
use crate::kernels::buffer::{Buffer, Pool, LINE};
use crate::kernels::stream::Writer;
use crate::kernels::Isa;
use crate::learner::Learner;
use crate::tensors::ALL;

/// Numbers for some tensors, the same tensors each time. Each tensor's begin on a cache line.
pub(super) struct Mail {
    numbers: Buffer,
    sent: bool,
}

impl Mail {
    /// Room for a number for each weight of `network`. Factors, where they are sent, are fewer.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub(super) fn new(network: &mut dyn Learner) -> Result<Self> {
        let mut len = 0;
        network
            .tensors_mut()
            .each_weight(ALL, [None, None], &mut |stretch| {
                len += stretch.weights.len().next_multiple_of(LINE);
            })?;
        Ok(Self {
            numbers: Pool::default().take(len),
            sent: false,
        })
    }

    /// Writes from the beginning.
    pub(super) fn write(&mut self) -> Writer<'_> {
        self.sent = true;
        Writer::new(Isa::best(), &mut self.numbers)
    }

    /// Nothing is to be read.
    pub(super) fn leave_empty(&mut self) {
        self.sent = false;
    }

    /// Reads from the beginning, if something was written.
    pub(super) fn read(&self) -> Option<Reader<'_>> {
        self.sent.then_some(Reader(&self.numbers))
    }
}

/// Where mail is read.
pub(super) struct Reader<'a>(&'a [f32]);

impl<'a> Reader<'a> {
    /// The next tensor's `len` numbers.
    pub(super) fn next(&mut self, len: usize) -> &'a [f32] {
        let here = self.0.split_off(..len.next_multiple_of(LINE));
        &here.unwrap_or_default()[..len]
    }
}
