//! The native worker in the page.
//!
//! What is here at once is little, because everybody fetches it: which worker it is, and how things
//! stand with it. Speaking to it and showing what it has is a part of the program ([`views`]) that
//! is fetched when there is a worker, or when somebody looks into its menu.

mod chip;
pub(super) mod fetching;
mod history;
mod menu;
mod runs;
pub(super) mod starting;
pub(super) mod views;

pub(super) use chip::NativeWorkerMenu;
