//! The mathematics of trainscope: matrices in, numbers out.
