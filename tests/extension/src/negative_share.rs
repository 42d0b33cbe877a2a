//! A metric of one's own.

use ckptscope_metrics::{
    DataKind, Facts, Form, Measurement, Metric, Needs, Parameters, Single, Status,
};

/// The share of entries below zero, from 0 to 1.
pub(crate) struct NegativeShare;

impl Metric for NegativeShare {
    fn name(&self) -> &'static str {
        "negative_share"
    }

    fn summary(&self) -> &'static str {
        "the share of entries below zero"
    }

    fn applies_to(&self) -> &'static [DataKind] {
        DataKind::ALL
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs::default()
    }

    fn form(&self) -> Form<'_> {
        Form::Single(self)
    }
}

impl Single for NegativeShare {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        vec![negative_share(matrix).into()]
    }
}

fn negative_share(matrix: &Facts) -> Result<f64, Status> {
    // Asked for its count only, it still says where entries are NaN or infinite.
    let count = matrix.entry_statistics()?.entries;
    if count == 0 {
        return Err(Status::TooFewEntries {
            entries: 0,
            needed: 1,
        });
    }
    let entries = matrix.entries();
    let negative = entries.iter().filter(|entry| **entry < 0.0).count();
    Ok(negative as f64 / count as f64)
}
