//! Every instruction set that this CPU has, against plain loops and known values.

mod activation;
mod blocks;
mod conv;
mod dense;
mod naive;
mod optimizer;
mod pad;
mod pool;
