//! What the page and whoever computes for it say to each other.
//!
//! A web worker of the page's tab and a native worker over HTTP tell of an analysis in the same
//! words: its [`Cost`], what a lane told ([`LaneUpdate`]), what is wrong with a config
//! ([`ConfigProblem`]). What only one of them says is in [`tab`], and in [`service`] with the
//! requests of [`call`].
//!
//! Code that is downloaded counts by its length. serde's internally tagged enums (`tag = "..."`)
//! buffer all they read, and so have each type's reader twice: messages do not use them.

pub mod call;
mod form;
mod lane;
mod menu;
mod problem;
mod sealed;
pub mod service;
pub mod tab;

pub use ckptscope_vocabulary::{Rates, Work};
pub use form::{ComponentForm, ConfigForm, MetricForm, PicoReportForm};
pub use lane::{Cost, Crew, Event, LaneUpdate, Progress};
pub use menu::{ComponentMenu, Menu, MetricMenu, ParameterMenu, ParameterValues};
pub use problem::{ConfigProblem, Location};
pub use sealed::Sealed;
