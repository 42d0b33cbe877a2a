//! How far an analysis is.

/// How far an analysis is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// Nothing was asked for.
    Idle,
    /// Catalogs are read, or it waits for its turn on a native worker.
    Planning,
    /// Numbers are on their way.
    Computing,
    /// All are there, after so many seconds.
    Done(f64),
    /// The person stopped it; what is there stays.
    Cancelled,
    /// It could not be done; in words.
    Failed(String),
}
