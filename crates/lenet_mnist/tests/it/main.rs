//! Each promise about files, broken for real.

#[cfg(unix)]
mod fetch;
mod sets;
mod support;
