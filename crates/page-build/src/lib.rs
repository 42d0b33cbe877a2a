//! What is done to the page that trunk built: its program is cut into parts, and the names of its
//! files get hashes.

pub mod fingerprint;
pub mod split;
