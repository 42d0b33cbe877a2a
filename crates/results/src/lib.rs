//! What an analysis found.
//!
//! A number is known by its [`SeriesId`] and its step: which metric entry, which component of which
//! layer and head, of which kind of data. A [`SeriesSet`] holds all numbers in columns, [`Results`]
//! hold the set and what there is to know of the analysis. Engine, page, report, plots, comparison,
//! links and files take numbers from here; nobody else stores or rebuilds what a number is of.
//!
//! To begin, read `series.rs`, then `set.rs`, then `results.rs`.

pub mod compare;
mod entry;
mod file;
mod names;
mod numbers;
mod order;
mod panel;
mod results;
mod series;
mod set;
mod status;
mod summary;
pub mod title;
mod value;
mod version_1;
mod write;

pub use entry::{Entry, MeasuredComponent};
#[cfg(feature = "schema")]
pub use file::schema;
pub use file::{FORMAT, ResultsError, VERSION};
pub use names::Names;
pub use numbers::{Number, Numbers};
pub use panel::{PanelId, SEPARATOR, Subject, SubjectError, layer_in_words};
pub use results::{Input, Results, UNREADABLE, UnreadableStep};
pub use series::{EntryId, Series, SeriesId, SeriesPoint, Text};
pub use set::SeriesSet;
pub use status::Status;
pub use summary::Summary;
pub use value::Value;
pub use write::{ResultFile, WriteError};

pub use ckptscope_vocabulary::{DataKind, ModelShape, Split};
