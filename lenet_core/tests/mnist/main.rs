//! How MNIST gets from the world into tensors, and what happens when the world misbehaves. Every
//! fault is caused for real: by a server on loopback, a full disk, a signal, a damaged file.

mod child;
mod corruption;
mod crowd;
mod facts;
mod faults;
mod folders;
mod idx;
mod kills;
#[cfg(unix)]
mod npm;
mod server;
mod support;
