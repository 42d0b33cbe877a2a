//! Numbers that the page saved or shows, and those that are expected.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::given::Given;

/// Expected values of the bundled run, by an independent program.
const EXPECTED: &str = "tests/data/pico-decoder-micro-1.expected.json";

/// Condition numbers from which on a float64 decomposition has fewer digits to give.
const ILL_CONDITIONED: f64 = 1e6;

/// One row of a CSV table.
pub(super) struct Row(BTreeMap<String, String>);

impl Row {
    /// A field by its column; empty where there is no such column.
    pub(super) fn field(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// A field as a number; none where it is empty.
    pub(super) fn number(&self, column: &str) -> Result<Option<f64>> {
        match self.field(column) {
            "" => Ok(None),
            text => Ok(Some(
                text.parse().with_context(|| format!("{column}: {text}"))?,
            )),
        }
    }

    /// `layer 0 · v_proj`, as legends call the row's series.
    pub(super) fn series(&self) -> String {
        let component = self
            .field("component")
            .rsplit('.')
            .next()
            .unwrap_or_default();
        let head = match self.field("head") {
            "" => String::new(),
            head => format!(" · head {head}"),
        };
        format!("layer {} · {component}{head}", self.field("layer"))
    }
}

/// Reads a CSV file.
pub(super) fn rows(path: &Path) -> Result<Vec<Row>> {
    let mut reader = csv::Reader::from_path(path)?;
    let columns = reader.headers()?.clone();
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record?;
        let fields = columns.iter().zip(&record);
        let fields = fields.map(|(column, field)| (column.to_owned(), field.to_owned()));
        Ok(Row(fields.collect()))
    };
    reader.records().map(row).collect()
}

/// What an independent program found in the bundled run.
pub(super) fn expected(given: &Given) -> Result<Value> {
    let path = given.root.join(EXPECTED);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Compares a table of the bundled run with what is expected of a metric; gives how many values
/// were compared.
pub(super) fn agree(rows: &[Row], metric: &str, split: &str, expected: &Value) -> Result<usize> {
    for row in rows {
        let key = row.field("key");
        let place = format!("{split}/step_{}", row.field("step"));
        let wanted = expected[&place][metric].get(key);
        let wanted =
            wanted.with_context(|| format!("nothing is expected of {place} {metric} {key}"))?;
        let (found, wanted) = (row.number("value")?, wanted.as_f64());
        ensure!(
            is_same(found, wanted, allowed(metric, wanted, row.field("status"))),
            "{place} {metric} {key}: {found:?} for {wanted:?}"
        );
    }
    Ok(rows.len())
}

/// The relative difference that is allowed; see `crates/analysis/tests/golden/mod.rs`.
pub(super) fn allowed(metric: &str, wanted: Option<f64>, status: &str) -> f64 {
    let is_ill_conditioned = wanted.is_some_and(|wanted| wanted > ILL_CONDITIONED);
    match metric {
        _ if status.contains("good to 3 digits") => 1e-2,
        "condition_number" if is_ill_conditioned => 1e-6,
        _ => 1e-9,
    }
}

/// Whether two values differ by no more than a part.
pub(super) fn is_same(found: Option<f64>, wanted: Option<f64>, allowed: f64) -> bool {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            (found - wanted).abs() <= allowed * wanted.abs().max(f64::MIN_POSITIVE)
        }
        (found, wanted) => found.is_none() && wanted.is_none(),
    }
}

/// Whether a number that is shown is this value, rounded to the digits that are shown.
pub(super) fn is_shown_as(value: Option<f64>, shown: &str) -> Result<bool> {
    let Some(value) = value else {
        return Ok(shown == "–");
    };
    let (digits, exponent) = shown.split_once('e').unwrap_or((shown, "0"));
    let decimals = digits
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().with_context(|| shown.to_owned())?;
    let last_place = 10f64.powi(exponent - i32::try_from(decimals)?);
    let number: f64 = shown.parse().with_context(|| shown.to_owned())?;
    Ok((number - value).abs() <= last_place * 0.500_001)
}

#[cfg(test)]
mod tests {
    use super::is_shown_as;

    #[test]
    fn what_is_shown_is_rounded() {
        for (value, shown) in [
            (0.925_14, "0.925"),
            (12_345.6, "12346"),
            (0.000_012_34, "1.23e-5"),
        ] {
            assert!(is_shown_as(Some(value), shown).unwrap(), "{shown}");
        }
        assert!(!is_shown_as(Some(0.9256), "0.925").unwrap());
        assert!(is_shown_as(None, "–").unwrap());
    }
}
