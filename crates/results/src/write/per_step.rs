//! `step_{N}/{label}_{split}.json`: component key to value, `null` where there is none.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ResultFile, WriteError};
use crate::{EntryId, Results};

/// The files of one entry, a file per step.
pub(super) fn of_entry(results: &Results, entry: &EntryId) -> Result<Vec<ResultFile>, WriteError> {
    let mut steps: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for series in results.of_entry(entry) {
        let key = series.id.key();
        for point in series.points() {
            let values = steps.entry(point.step).or_default();
            values.insert(key.clone(), json!(point.value));
        }
    }
    let stem = entry.stem();
    let file = |(step, values): (u64, Map<String, Value>)| {
        Ok(ResultFile {
            path: format!("step_{step}/{stem}.json"),
            bytes: serde_json::to_vec(&values)?,
        })
    };
    steps.into_iter().map(file).collect()
}
