//! Metrics of a pair: the step's matrix `X` `[n, p]` and the target's `Y` `[n, q]`, with the same
//! samples in the same order as rows.

pub mod cka;
pub mod pwcca;

use crate::facts::Facts;
use crate::measurement::Status;

fn same_samples(step: &Facts, target: &Facts) -> Result<(), Status> {
    if step.rows() == target.rows() {
        Ok(())
    } else {
        Err(Status::DifferentSamples {
            step: step.rows(),
            target: target.rows(),
        })
    }
}
