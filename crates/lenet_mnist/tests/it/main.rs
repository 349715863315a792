//! Each promise about files, broken for real.

#[cfg(unix)]
mod fetch;
mod sets;
#[cfg_attr(not(unix), allow(dead_code))]
mod support;
