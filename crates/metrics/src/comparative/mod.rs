//! Metrics of a pair: the step's matrix `X` `[n, p]` and the target's `Y` `[n, q]`, with the same
//! samples in the same order as rows.

pub mod cka;
pub mod cka_chance;
pub mod cosine;
pub mod procrustes;
pub mod pwcca;
pub mod relative_change;
pub mod rsa;
pub mod svcca;

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
