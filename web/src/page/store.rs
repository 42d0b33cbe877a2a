//! What the page knows, as signals, and what changes it. Nothing here draws, and nothing here
//! imports what does.

pub(in crate::page) mod address;
pub(in crate::page) mod analysis;
pub(in crate::page) mod arrival;
pub(in crate::page) mod ask;
pub(in crate::page) mod companion;
pub(in crate::page) mod explore;
pub(in crate::page) mod given;
mod meter;
mod state;
pub(in crate::page) mod view;
pub(in crate::page) mod wanted;
mod web_workers;

pub(in crate::page) use state::{Side, Stage, State, Wish};
