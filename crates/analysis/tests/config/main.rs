//! Configs: what is read, what is refused and how, and the way back to text.

mod files;
mod registry;
