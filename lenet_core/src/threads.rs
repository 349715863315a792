//! The threads that training runs on.

use rayon::prelude::*;

use crate::error::{Error, Result};

/// Runs `work` on `threads` threads, or on all that the machine has.
///
/// # Errors
/// [`Error::Argument`] if the system cannot start as many.
pub(crate) fn in_pool<R: Send>(threads: Option<usize>, work: impl FnOnce() -> R + Send) -> Result<R> {
    let Some(threads) = threads else {
        return Ok(rayon::scope(|_| work()));
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|problem| {
        let got = format!("{threads} ({problem})");
        Error::argument("threads", "a number that the system can start", got)
    })?;
    Ok(pool.install(work))
}

/// Calls `work` with each item, on all threads of the current pool.
pub(crate) fn for_each<T: Send>(items: impl IntoIterator<Item = T>, work: impl Fn(T) + Sync + Send) {
    Vec::from_iter(items).into_par_iter().with_max_len(1).for_each(work);
}
