//! Matrices of which only the tally of their entries is known.

use ckptscope_metrics::{Facts, Measurement, Tally};
use nalgebra::DMatrix;

use crate::ask::measure;
use crate::matrices::gaussian;
use crate::registry::{difficult, every_question};

fn tally(matrix: &DMatrix<f64>) -> Tally {
    Tally::of(matrix.iter().map(|entry| (*entry, 1)))
}

fn counted(matrix: &DMatrix<f64>) -> Facts {
    Facts::counted_values(matrix.nrows(), matrix.ncols(), &tally(matrix))
}

/// Entries that are few values, as those of 16 bits are.
fn coarse(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    matrix.map(|entry| (entry * 8.0).round() / 8.0)
}

fn matrices() -> Vec<(&'static str, DMatrix<f64>)> {
    let mut all = difficult();
    all.push(("coarse", coarse(&gaussian(40, 30, 77))));
    all.push(("coarse and huge", coarse(&gaussian(40, 30, 78)) * 1e200));
    all.push((
        "both zeros",
        DMatrix::from_vec(2, 3, vec![0.0, -0.0, 1.0, -1.0, -0.0, 2.0]),
    ));
    let mut holes = gaussian(3, 4, 79);
    (holes[2], holes[7]) = (f64::NAN, f64::NEG_INFINITY);
    all.push(("not finite", holes));
    all
}

#[test]
fn metrics_that_ignore_places_say_the_same_of_counts_as_of_entries() {
    let mut asked = 0;
    for (name, matrix) in matrices() {
        for (metric, parameters) in every_question() {
            if !metric.ignores_places(&parameters) {
                continue;
            }
            asked += 1;
            let of = |facts: &Facts| measure(metric, &parameters, facts, facts);
            let (dense, of_counts) = (of(&Facts::dense(matrix.clone())), of(&counted(&matrix)));
            let context = format!("{} of {name}", metric.name());
            assert_close(&of_counts, &dense, &context);
            // With entries at hand the tally still decides, so that neighbours change no digit.
            let both = Facts::dense(matrix.clone());
            both.set_tally(&tally(&matrix));
            assert_eq!(of(&both), of_counts, "{context}");
        }
    }
    assert!(asked > 200, "{asked}");
}

#[test]
fn what_depends_on_places_has_no_value() {
    let matrix = coarse(&gaussian(30, 30, 80));
    for (metric, parameters) in every_question() {
        if metric.ignores_places(&parameters) {
            continue;
        }
        // Told by its needs: what asks for sums and an order only would be right.
        let needs = metric.needs(&parameters);
        let is_of_values = needs
            == ckptscope_metrics::Needs {
                magnitude_sums: needs.magnitude_sums,
                sorted_magnitudes: needs.sorted_magnitudes,
                sorted_entries: needs.sorted_entries,
                entries_by_rank: needs.entries_by_rank,
                ..Default::default()
            };
        let facts = counted(&matrix);
        let found = measure(metric, &parameters, &facts, &facts);
        let has_value = found.iter().any(|measurement| measurement.value.is_some());
        assert!(!has_value || is_of_values, "{}: {found:?}", metric.name());
    }
}

fn assert_close(found: &[Measurement], expected: &[Measurement], context: &str) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.status, expected.status, "{context}");
        match (found.value, expected.value) {
            (Some(found), Some(expected)) => {
                let bound = 1e-12 * expected.abs().max(1e-300).max(found.abs());
                // Moments of odd order may cancel to nothing but rounding.
                let is_close =
                    (found - expected).abs() <= bound.max(1e-13 * f64::from(found.abs() < 1.0));
                assert!(is_close, "{context}: {found} instead of {expected}");
            }
            (found, expected) => assert_eq!(found, expected, "{context}"),
        }
    }
}
