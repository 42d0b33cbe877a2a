//! The page's web worker.
fn main() {}
