//! Pictures for a notebook: numbers in, a figure out.
