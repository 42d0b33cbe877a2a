//! Results as a report: one HTML file with what was analysed, tables, charts and where it all
//! comes from.
//!
//! [`html`] makes it of [`Results`] alone. It needs no script, asks nobody for anything, and is
//! the same, byte for byte, for the same results: it shows a time only if it is handed one
//! ([`Provenance`]). This crate knows no files and no platform; the worker writes what it makes,
//! and so can the page.
//!
//! [`curve`] has the results as charts and tables want them, and [`figure`] makes single figures
//! for a paper of them.

pub mod curve;
pub mod figure;

mod cards;
mod charts;
mod document;
mod gaps;
mod heads;
mod markup;
mod origin;
mod overview;
mod section;
mod style;
mod table;

pub use ckptscope_results::Results;
pub use document::{Provenance, html};
