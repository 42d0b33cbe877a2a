//! Results in links of version 1: series whose steps stand apart. They are read and no longer
//! written.

use ckptscope_results::Results;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::LinkError;

/// Results as links of version 1 have them.
#[derive(Deserialize)]
pub(super) struct ResultsOfVersion1 {
    /// A results file of version 1 without its records.
    head: Map<String, Value>,
    /// Lists of steps that series share.
    steps: Vec<Vec<u64>>,
    series: Vec<SeriesOfVersion1>,
}

/// The numbers of one component of one layer, or of one head of it.
#[derive(Deserialize)]
struct SeriesOfVersion1 {
    /// Which list of steps.
    steps: usize,
    /// One for each step of the list.
    values: Vec<Value>,
    /// By place in the list.
    #[serde(default)]
    statuses: Map<String, Value>,
    /// What all records of the series say.
    #[serde(flatten)]
    record: Map<String, Value>,
}

impl ResultsOfVersion1 {
    /// As the results file of version 1 would be read.
    pub(super) fn into_results(mut self) -> Result<Results, LinkError> {
        let foreign = |reason| LinkError::Foreign { reason };
        let mut records = Vec::new();
        for series in self.series {
            let steps = self.steps.get(series.steps);
            let steps = steps.filter(|steps| steps.len() == series.values.len());
            let steps = steps.ok_or_else(|| {
                let key = series.record.get("key").and_then(Value::as_str);
                let key = key.unwrap_or("a series");
                foreign(format!("the values of {key} have no steps"))
            })?;
            for (place, (step, value)) in steps.iter().zip(series.values).enumerate() {
                let mut record = series.record.clone();
                let status = series.statuses.get(&place.to_string()).cloned();
                record.insert("step".to_owned(), json!(step));
                record.insert("value".to_owned(), value);
                record.insert("status".to_owned(), status.unwrap_or_default());
                records.push(Value::Object(record));
            }
        }
        self.head.insert("records".to_owned(), records.into());
        let text = Value::Object(self.head).to_string();
        Results::parse(&text).map_err(|error| foreign(error.to_string()))
    }
}
