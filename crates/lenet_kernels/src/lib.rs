//! The arithmetic of LeNet-5's layers: slices in, slices out.
