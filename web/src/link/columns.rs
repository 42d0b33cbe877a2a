//! Results by series instead of by record: what records repeat is said once.

use std::collections::{BTreeMap, HashMap};

use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::{FORMAT, Results, VERSION};
use serde::{Deserialize, Serialize};

use super::error::LinkError;

/// Results, and their records as columns. Values are the records' own, to the last bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Columns {
    /// Everything but the records.
    head: Results,
    /// Lists of steps that series share.
    steps: Vec<Vec<u64>>,
    series: Vec<Series>,
}

/// The records of one component of one layer, or of one head of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Series {
    label: String,
    split: String,
    key: String,
    component: String,
    layer: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    data_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    output: String,
    /// Which list of steps.
    steps: usize,
    /// One for each step of the list.
    values: Vec<Option<f64>>,
    /// By place in the list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    statuses: BTreeMap<usize, String>,
}

impl Columns {
    pub(super) fn of(results: &Results) -> Self {
        let mut series: Vec<(Series, Vec<u64>)> = Vec::new();
        let mut places = HashMap::new();
        for record in &results.records {
            let identity = (&record.label, &record.split, &record.output, &record.key);
            let place = *places.entry(identity).or_insert_with(|| {
                series.push((Series::of(record), Vec::new()));
                series.len() - 1
            });
            if let Some((series, steps)) = series.get_mut(place) {
                if let Some(status) = &record.status {
                    series.statuses.insert(steps.len(), status.clone());
                }
                steps.push(record.step);
                series.values.push(record.value);
            }
        }
        let mut lists: Vec<Vec<u64>> = Vec::new();
        let series = series.into_iter().map(|(mut series, steps)| {
            let place = lists.iter().position(|list| *list == steps);
            series.steps = place.unwrap_or_else(|| {
                lists.push(steps);
                lists.len() - 1
            });
            series
        });
        let series = series.collect();
        let head = Results {
            records: Vec::new(),
            // Long, and where files lie is nobody else's business.
            inputs: Vec::new(),
            ..results.clone()
        };
        Self {
            head,
            steps: lists,
            series,
        }
    }

    pub(super) fn into_results(self) -> Result<Results, LinkError> {
        let mut results = self.head;
        if results.format != FORMAT || results.version != VERSION {
            let reason = format!(
                "its results are {:?} of version {}, this page reads {FORMAT:?} of version {VERSION}",
                results.format, results.version
            );
            return Err(LinkError::Foreign { reason });
        }
        for series in self.series {
            let steps = self.steps.get(series.steps);
            let steps = steps.filter(|steps| steps.len() == series.values.len());
            let Some(steps) = steps else {
                let reason = format!("the values of {} have no steps", series.key);
                return Err(LinkError::Foreign { reason });
            };
            results.records.extend(series.records(steps));
        }
        results.sort();
        Ok(results)
    }
}

impl Series {
    fn of(record: &Record) -> Self {
        Self {
            label: record.label.clone(),
            split: record.split.clone(),
            key: record.key.clone(),
            component: record.component.clone(),
            layer: record.layer,
            head: record.head,
            data_type: record.data_type.clone(),
            output: record.output.clone(),
            steps: 0,
            values: Vec::new(),
            statuses: BTreeMap::new(),
        }
    }

    fn records(&self, steps: &[u64]) -> impl Iterator<Item = Record> {
        let points = steps.iter().zip(&self.values).enumerate();
        points.map(|(place, (step, value))| Record {
            label: self.label.clone(),
            split: self.split.clone(),
            step: *step,
            key: self.key.clone(),
            component: self.component.clone(),
            layer: self.layer,
            head: self.head,
            data_type: self.data_type.clone(),
            output: self.output.clone(),
            value: *value,
            status: self.statuses.get(&place).cloned(),
        })
    }
}
