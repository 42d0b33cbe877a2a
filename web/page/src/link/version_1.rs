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
    /// What all records of a series say, and its `steps` (which list), `values` (one for each step
    /// of the list) and `statuses` (by place in the list).
    series: Vec<Map<String, Value>>,
}

impl ResultsOfVersion1 {
    /// As the results file of version 1 would be read.
    pub(super) fn into_results(mut self) -> Result<Results, LinkError> {
        let mut records = Vec::new();
        for series in self.series {
            add_records(series, &self.steps, &mut records)?;
        }
        self.head.insert("records".to_owned(), records.into());
        let text = Value::Object(self.head).to_string();
        Results::parse(&text).map_err(|error| foreign(error.to_string()))
    }
}

/// The records of a series, one for each of its values.
fn add_records(
    mut series: Map<String, Value>,
    lists: &[Vec<u64>],
    records: &mut Vec<Value>,
) -> Result<(), LinkError> {
    let list = series.remove("steps").and_then(|place| place.as_u64());
    let steps = list.and_then(|place| lists.get(usize::try_from(place).ok()?));
    let values = match series.remove("values") {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    let statuses = series.remove("statuses").unwrap_or_default();
    let Some(steps) = steps.filter(|steps| steps.len() == values.len()) else {
        let key = series.get("key").and_then(Value::as_str);
        let key = key.unwrap_or("a series");
        return Err(foreign(format!("the values of {key} have no steps")));
    };
    for (place, (step, value)) in steps.iter().zip(values).enumerate() {
        let mut record = series.clone();
        let status = statuses.get(place.to_string()).cloned();
        record.insert("step".to_owned(), json!(step));
        record.insert("value".to_owned(), value);
        record.insert("status".to_owned(), status.unwrap_or_default());
        records.push(Value::Object(record));
    }
    Ok(())
}

const fn foreign(reason: String) -> LinkError {
    LinkError::Foreign { reason }
}
