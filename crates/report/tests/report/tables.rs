//! The numbers of the tables, read back and computed again.

use ckptscope_plot::significant;
use ckptscope_results::{Number, Results, SeriesId, Status};

use crate::example::{STEPS, changed, report, results, rows};

/// (step, value) of a curve, straight from the results.
fn values(
    results: &Results,
    component: &str,
    layer: u64,
    head: Option<u64>,
) -> Vec<(u64, Option<f64>)> {
    let mut series = results.series.iter();
    let is_it =
        |id: &SeriesId| &*id.component == component && id.layer == Some(layer) && id.head == head;
    let own = series.find(|series| is_it(&series.id)).unwrap();
    own.numbers().collect()
}

/// What a row must say after its names.
fn expected(values: &[(u64, Option<f64>)], has_gaps: bool) -> Vec<String> {
    let defined: Vec<(u64, f64)> = values
        .iter()
        .filter_map(|&(step, value)| Some((step, value?)))
        .collect();
    let numbers: Vec<f64> = defined.iter().map(|(_, value)| *value).collect();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let mut steepest = (0, 0.0_f64);
    for pair in defined.windows(2) {
        let change = pair[1].1 - pair[0].1;
        if change.abs() > steepest.1.abs() {
            steepest = (pair[1].0, change);
        }
    }
    let plain = |value: f64| significant(value, 4);
    let signed = |value: f64| {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", plain(value))
    };
    let mut cells = vec![
        plain(first),
        plain(last),
        plain(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        plain(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        plain(mean),
        signed(last - first),
        signed(steepest.1),
        steepest.0.to_string(),
    ];
    if has_gaps {
        cells.push((values.len() - numbers.len()).to_string());
    }
    cells
}

#[test]
fn every_number_of_the_layers_is_right() {
    let results = results(3, 2);
    let rows = rows(&report(&results), "layers in numbers");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let layer = row[1].parse().unwrap();
        let values = values(&results, &row[0], layer, None);
        assert_eq!(values.len(), STEPS.len());
        assert_eq!(row[2..], expected(&values, true), "{row:?}");
    }
}

#[test]
fn every_number_of_the_heads_is_right() {
    let results = results(3, 2);
    let rows = rows(&report(&results), "heads in numbers");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let (layer, head) = (row[1].parse().unwrap(), row[2].parse().ok());
        assert!(head.is_some());
        let values = values(&results, &row[0], layer, head);
        assert_eq!(row[3..], expected(&values, false), "{row:?}");
    }
}

#[test]
fn the_glance_has_the_extremes_and_where_they_are() {
    let results = results(3, 2);
    let rows = rows(&report(&results), "All metrics and components");
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let component = &row[row.len() - 12];
        let own: Vec<(u64, u64, f64)> = results
            .rows()
            .filter(|(id, _)| *id.component == **component && id.head.is_none())
            .filter_map(|(id, point)| Some((id.layer?, point.step, point.number()?)))
            .collect();
        let largest = own
            .iter()
            .copied()
            .reduce(|one, other| if other.2 > one.2 { other } else { one })
            .unwrap();
        let said = &row[row.len() - 6..row.len() - 3];
        let (layer, step, value) = largest;
        let expected = [significant(value, 4), layer.to_string(), step.to_string()];
        assert_eq!(said, expected, "{row:?}");
    }
}

#[test]
fn what_is_undefined_is_counted_and_said() {
    let report = report(&results(3, 2));
    assert!(report.contains("of which 1 are undefined"), "{report}");
    assert!(report.contains("1 of 48 values are undefined: the matrix is zero"));
    let rows = rows(&report, "values that are undefined");
    assert_eq!(
        rows,
        [["the matrix is zero", "1", "attention.v_proj", "1", "", "10"]]
    );
}

#[test]
fn values_with_a_remark_keep_it() {
    let mut results = results(2, 0);
    let mut first = results.series.each().next().unwrap();
    first.status = Some(Status::new("signs_in_doubt", "good to 3 digits"));
    results.series.insert(first);
    let rows = rows(&report(&results), "values that have a remark");
    assert_eq!(rows[0][..2], ["good to 3 digits", "1"]);
}

#[test]
fn a_curve_without_values_has_dashes() {
    let results = changed(results(1, 0), |number| {
        Some(Number {
            value: None,
            ..number
        })
    });
    let report = report(&results);
    let rows = rows(&report, "layers in numbers");
    assert_eq!(rows[0][2..], ["–", "–", "–", "–", "–", "–", "–", "–", "4"]);
    assert!(report.contains("no values"));
}
