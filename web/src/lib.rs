//! The page of trainscope.
