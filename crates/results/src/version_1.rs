//! `results.json`, version 1: a record for each number. It is read and no longer written.

use ckptscope_vocabulary::{DataKind, ModelShape, Split};
use serde::Deserialize;

use crate::{
    Entry, EntryId, Input, MeasuredComponent, Number, Results, SEPARATOR, SeriesId, Status, Text,
    Value,
};

/// The contents of a file of version 1.
#[derive(Deserialize)]
pub(crate) struct FileOfVersion1 {
    program: String,
    analysis_name: String,
    source: String,
    #[serde(default)]
    inputs: Vec<Input>,
    model: Option<ModelShape>,
    steps: Vec<u64>,
    missing_steps: Vec<u64>,
    entries: Vec<Entry>,
    warnings: Vec<String>,
    config: String,
    records: Vec<RecordOfVersion1>,
}

/// One number.
#[derive(Clone, Deserialize)]
pub(crate) struct RecordOfVersion1 {
    label: Text,
    split: Split,
    step: u64,
    /// With the stack before the layer, and with the run behind it where several were compared.
    key: String,
    /// With the run behind it where several were compared.
    component: String,
    layer: u64,
    head: Option<u64>,
    #[serde(rename = "data_type")]
    kind: DataKind,
    #[serde(default = "no_text")]
    output: Text,
    value: Option<f64>,
    status: Option<String>,
}

impl FileOfVersion1 {
    pub(crate) fn into_results(self) -> Results {
        let mut results = Results {
            program: self.program,
            analysis_name: self.analysis_name,
            source: self.source,
            runs: Vec::new(),
            inputs: self.inputs,
            model: self.model,
            steps: self.steps,
            missing_steps: self.missing_steps,
            unreadable_steps: Vec::new(),
            entries: self.entries,
            warnings: self.warnings,
            config: self.config,
            series: self
                .records
                .into_iter()
                .map(RecordOfVersion1::into_number)
                .collect(),
        };
        results.runs = runs(&results);
        for entry in &mut results.entries {
            split_runs(entry, &results.runs);
        }
        results.sort();
        results
    }
}

/// The runs in the order in which the entries list them, else in that of the series.
fn runs(results: &Results) -> Vec<String> {
    let of_series: Vec<&str> = results
        .series
        .iter()
        .filter_map(|series| series.id.run.as_deref())
        .collect();
    let listed = results.entries.iter().flat_map(|entry| &entry.components);
    let listed = listed.filter_map(|one| Some(one.component.split_once(SEPARATOR)?.1));
    let listed = listed.filter(|run| of_series.contains(run));
    let mut runs: Vec<String> = Vec::new();
    for run in listed.chain(of_series.iter().copied()) {
        if !runs.iter().any(|known| known == run) {
            runs.push(run.to_owned());
        }
    }
    runs
}

/// Takes the runs out of the names of what an entry measures.
fn split_runs(entry: &mut Entry, runs: &[String]) {
    let mut components: Vec<MeasuredComponent> = Vec::new();
    for mut one in std::mem::take(&mut entry.components) {
        if let Some((component, run)) = one.component.split_once(SEPARATOR)
            && runs.iter().any(|known| known == run)
        {
            one.component = component.to_owned();
        }
        if !components.contains(&one) {
            components.push(one);
        }
    }
    entry.components = components;
}

impl RecordOfVersion1 {
    pub(crate) fn into_number(self) -> Number {
        let (component, run) = match self.component.split_once(SEPARATOR) {
            Some((component, run)) if self.key.ends_with(&format!("{SEPARATOR}{run}")) => {
                (component, Some(Text::from(run)))
            }
            _ => (self.component.as_str(), None),
        };
        let of_layer = format!("{}.{component}.{}", self.layer, self.kind);
        let stack = self.key.find(&of_layer).and_then(|at| self.key.get(..at));
        let status = self.status;
        Number {
            id: SeriesId {
                run,
                entry: EntryId {
                    label: self.label,
                    split: self.split,
                },
                component: component.into(),
                kind: self.kind,
                stack: stack.unwrap_or_default().into(),
                layer: Some(self.layer),
                expert: None,
                head: self.head,
                output: self.output,
            },
            step: self.step,
            value: self.value.map(Value::Number),
            status: status.map(|text| Status::new(Status::UNSPECIFIED, &text)),
        }
    }
}

fn no_text() -> Text {
    Text::default()
}
