//! The mathematics of trainscope: matrices in, numbers out.

pub mod facts;
pub mod measurement;
pub mod metric;
pub mod parameter;

pub use facts::{Facts, Needs};
pub use measurement::{Measurement, Status};
pub use metric::{Comparative, Form, Metric, Quantity, Single};
pub use parameter::{Parameter, ParameterKind, ParameterValue, Parameters};

/// Every metric, in the order in which they are shown.
pub const METRICS: &[&dyn Metric] = &[];
