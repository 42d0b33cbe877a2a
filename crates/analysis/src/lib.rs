//! Configuration, components, plan, engine, protocol and results.

pub mod component;
pub mod config;
pub mod protocol;
pub mod registry;

pub use component::{COMPONENTS, Component};
pub use config::{Config, ConfigErrors};
pub use registry::Registry;
