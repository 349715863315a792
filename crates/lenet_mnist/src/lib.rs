//! MNIST's files: found, fetched, verified, read.
