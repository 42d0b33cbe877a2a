//! What norms of a circuit cannot tell: it from its transpose, and one head from another.

use ckptscope_metrics::{
    About, DataKind, Facts, Form, Measurement, Metric, Needs, Parameters, Single, Status,
};

/// `sum_ab sin(1 + a) C_ab cos(1 + 2 b)` of a circuit `C`.
pub(crate) struct Probe;

impl Metric for Probe {
    fn about(&self) -> About<'_> {
        About {
            name: "probe",
            title: "Probe",
            summary: "between two fixed vectors",
            applies_to: DataKind::ALL,
            parameters: &[],
            form: Form::Single(self),
        }
    }

    fn needs(&self, _: &Parameters) -> Needs {
        Needs::default()
    }
}

impl Single for Probe {
    fn measure(&self, _: &Parameters, matrix: &Facts) -> Vec<Measurement> {
        let of_rows = |a: usize| (1.0 + a as f64).sin();
        let of_columns = |b: usize| (1.0 + 2.0 * b as f64).cos();
        let entries = matrix.entries();
        let terms = (0..entries.nrows()).flat_map(|a| {
            let entries = &entries;
            (0..entries.ncols()).map(move |b| of_rows(a) * entries[(a, b)] * of_columns(b))
        });
        vec![Ok::<f64, Status>(terms.sum()).into()]
    }
}
