//! What the page knows, as signals, and what changes it. Nothing here draws, and nothing here
//! imports what does.

pub(crate) mod address;
pub(crate) mod analysis;
pub(crate) mod arrival;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod explore;
pub(crate) mod given;
pub(crate) mod identity;
pub(crate) mod kept;
mod leaving_out;
mod meter;
pub(crate) mod native_worker;
pub(crate) mod open_request;
mod restoring;
mod state;
pub(crate) mod view;
mod web_workers;

pub(crate) use state::{OpenTask, Side, Stage, State, WorkbenchViews};
