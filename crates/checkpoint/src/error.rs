//! What can go wrong, one variant each.

/// A file of a known format that is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {}

/// Bytes that could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {}

/// A tree in which no run was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {}
