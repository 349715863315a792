//! The threads that training runs on.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::Yield;

use crate::error::{Error, Result};

/// Looks for work before an idle thread lets other programs have its core: longer than the gaps within
/// a training step, some tenths of a millisecond.
const PATIENCE: u32 = 10_000;

/// Runs `work` on `threads` threads, or on all that the machine has.
///
/// # Errors
/// [`Error::Argument`] if the system cannot start so many.
pub(crate) fn in_pool<R: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> R + Send,
) -> Result<R> {
    let Some(threads) = threads else {
        return Ok(rayon::scope(|_| awake(work)));
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|problem| Error::Argument {
        name: "threads",
        expected: "a number that the system can start".into(),
        got: format!("{threads} ({problem})"),
    })?;
    Ok(pool.install(|| awake(work)))
}

/// Runs `work` while the pool's other threads stay awake and look for parts of it.
///
/// A training step forks and joins a dozen times, some microseconds apart. Left alone, rayon's threads
/// fall asleep in between, and waking them takes longer than the gap.
fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    let worker = rayon::current_thread_index();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, context| {
            let mut idle = 0;
            while Some(context.index()) != worker && !done.load(Ordering::Relaxed) {
                idle += 1;
                if rayon::yield_now() == Some(Yield::Executed) {
                    idle = 0;
                } else if idle < PATIENCE {
                    std::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            }
        });
        // Set when `work` is over, by a panic too.
        let _done = SetOnDrop(&done);
        work()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
