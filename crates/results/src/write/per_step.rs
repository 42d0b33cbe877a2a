//! `step_{N}/{label}_{split}.json`: component key to value, `null` where there is none.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ResultFile, WriteError};
use crate::{EntryId, Results};

/// The path of an entry's file of a step.
pub(super) fn path(step: u64, entry: &EntryId) -> String {
    format!("step_{step}/{}.json", entry.stem())
}

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
    let file = |(step, values): (u64, Map<String, Value>)| {
        Ok(ResultFile {
            path: path(step, entry),
            bytes: serde_json::to_vec(&values)?,
        })
    };
    steps.into_iter().map(file).collect()
}
