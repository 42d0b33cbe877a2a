//! What the page knows, as signals, and what changes it. Nothing here draws, and nothing here
//! imports what does.

pub(in crate::page) mod address;
pub(in crate::page) mod analysis;
pub(in crate::page) mod arrival;
pub(in crate::page) mod ask;
pub(in crate::page) mod explore;
pub(in crate::page) mod given;
mod meter;
pub(in crate::page) mod native_worker;
pub(in crate::page) mod open_request;
mod state;
pub(in crate::page) mod view;
mod web_workers;

pub(in crate::page) use state::{OpenTask, Side, Stage, State};
