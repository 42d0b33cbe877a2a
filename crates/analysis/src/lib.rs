//! Configuration, components, plan and engine.
//!
//! A [`Config`] says what to compute, by names that a [`Registry`] knows. [`Plan::make`] resolves
//! it against a run to [`Lane`]s, which are plain data, and [`run_lane`] computes one, telling a
//! listener every [`Event`]. [`results`] fills in what an
//! analysis is known by besides its numbers; `ckptscope_results` holds the numbers and writes
//! files. Nothing here knows a platform: it is handed a tree to read and a listener to tell.

pub mod anatomy;
pub mod assembly;
#[cfg(feature = "hub")]
pub mod audit;
pub mod component;
pub mod config;
pub mod engine;
pub mod look;
pub mod plan;
pub mod proposal;
pub mod registry;
pub mod results;
pub mod speed;
pub mod survey;

pub use anatomy::Anatomy;
#[cfg(feature = "hub")]
pub use audit::{Audit, Finding};
pub use ckptscope_protocol::Event;
pub use ckptscope_protocol::tab::Proposal;
pub use component::{COMPONENTS, Component};
pub use config::{Config, ConfigErrors};
pub use engine::{EngineError, run_lane};
pub use plan::{Lane, Plan, PlanErrors};
pub use registry::Registry;
pub use survey::Survey;
