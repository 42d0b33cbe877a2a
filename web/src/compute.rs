//! The web worker.

/// Answers the page's requests from now on.
pub fn listen() {}
