//! Metrics of a pair: the step's matrix `X` `[n, p]` and the target's `Y` `[n, q]`, with the same
//! samples in the same order as rows.

ckptscope_vocabulary::registry! {
    /// Every metric of a pair, in the order in which they are shown.
    pub(crate) const METRICS: [&dyn crate::Metric] = pub mod {
        cka: Cka;
        cka_chance: CkaChance;
        pwcca: Pwcca;
        svcca: Svcca;
        procrustes: Procrustes;
        rsa: Rsa;
        relative_change: RelativeChange;
        cosine: Cosine;
    }
}

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
