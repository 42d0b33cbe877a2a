//! The mathematics of ckptscope: matrices in, numbers out.
//!
//! [`Facts`] hold one matrix and what several metrics need of it, each fact computed once.
//! [`METRICS`] lists every [`Metric`]; a metric asks facts and answers with a [`Measurement`]: a
//! number, or the reason why there is none.

pub mod comparative;
pub mod facts;
pub mod float32;
pub mod linalg;
pub mod measurement;
pub mod metric;
pub mod parameter;
pub mod single;
pub mod sort;
pub mod tally;

pub use ckptscope_vocabulary::{Rates, Work};
pub use facts::{Facts, Held, LargestRank, MatrixExtent, Needs, Precision};
pub use float32::Float32Entries;
pub use measurement::{Measurement, Status};
pub use metric::{About, Bias, Comparative, DataKind, Form, Metric, Single};
pub use parameter::{AUTO, Parameter, ParameterKind, ParameterValue, Parameters};
pub use tally::{Ascending, CountedValue, Tally};

/// Every metric, in the order in which they are shown: those of one matrix, and those of a pair.
pub const METRICS: &[&dyn Metric] = &ALL;

const ALL: [&dyn Metric; single::METRICS.len() + comparative::METRICS.len()] = {
    let (first, then) = (single::METRICS, comparative::METRICS);
    let mut all = [first[0]; single::METRICS.len() + comparative::METRICS.len()];
    let mut place = 1;
    while place < all.len() {
        all[place] = if place < first.len() {
            first[place]
        } else {
            then[place - first.len()]
        };
        place += 1;
    }
    all
};
