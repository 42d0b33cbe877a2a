//! `results.json`, version 2: entries once, and numbers in columns.

use std::collections::{BTreeMap, HashMap};

use ckptscope_vocabulary::{DataKind, ModelShape};
use serde::{Deserialize, Serialize};

use crate::version_1::FileOfVersion1;
use crate::{
    Entry, Input, Results, Series, SeriesId, SeriesSet, Status, Text, UnreadableStep, Value,
    WriteError,
};

/// The version of the layout that is written.
pub const VERSION: u32 = 2;

/// What the file says it is.
pub const FORMAT: &str = "ckptscope-results";

/// What files that were saved under the project's former name say instead.
const FORMER_FORMAT: &str = "trainscope-results";

/// The contents of `results.json`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Results"))]
pub(crate) struct File {
    /// Always `ckptscope-results`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = FORMAT)))]
    format: String,
    /// Version of this layout.
    #[cfg_attr(feature = "schema", schemars(extend("const" = VERSION)))]
    version: u32,
    /// Version of the program that wrote it.
    program: String,
    /// The analysis' name.
    analysis_name: String,
    /// The run that was read, as it was named.
    source: String,
    /// The names of the runs, where several are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<String>,
    /// The files that were read, by path, where whoever analysed could tell; not the time of
    /// their last change, so that the same bytes give the same results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Input>,
    /// The model's dimensions, where they were found.
    model: Option<ModelShape>,
    /// The steps computed, ascending.
    steps: Vec<u64>,
    /// Steps that were asked for and do not exist.
    missing_steps: Vec<u64>,
    /// Steps that were asked for and cannot be read, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unreadable_steps: Vec<UnreadableStep>,
    /// The metric entries, in the config's order.
    entries: Vec<Entry>,
    /// What was skipped or assumed.
    warnings: Vec<String>,
    /// The config, as it was written.
    config: String,
    /// Lists of steps, ascending; series refer to them by place.
    step_lists: Vec<Vec<u64>>,
    /// Every number: a series for each component of each layer and head, in the order of entries,
    /// components, layers, experts and heads.
    series: Vec<Column>,
}

/// The numbers of one component of one layer, or of one head or expert of it, over the steps.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Series"))]
struct Column {
    /// The run, where several are compared: a place in `runs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<usize>,
    /// The metric entry: a place in `entries`.
    entry: usize,
    /// A tensor's name within its layer or, outside of layers, its whole name; or the component's
    /// name.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    component: Text,
    /// What the tensors are of.
    data_type: DataKind,
    /// The names before the layer's number, with the dot: `model.layers.`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    stack: Text,
    /// The layer; none of tensors outside of layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<u64>,
    /// The expert, counted from 0; none of what all tokens go through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expert: Option<u64>,
    /// The head; none for the layer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    /// Which of the metric's numbers, where it gives several (`top_k_mean`).
    #[serde(default = "no_text", skip_serializing_if = "is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    output: Text,
    /// The steps of the values: a place in `step_lists`.
    steps: usize,
    /// A value for each of these steps, `null` where it is undefined; several numbers where the
    /// metric gives several that belong together.
    values: Vec<Option<Value>>,
    /// Why a value does not exist, or what to know of it: by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    statuses: BTreeMap<u64, Status>,
}

/// A text that is no results file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// It is not JSON, or no JSON object.
    #[error("this is no results file, it is not the JSON that it should be: {0}")]
    NotJson(serde_json::Error),
    /// JSON of another kind.
    #[error("this is no results file of ckptscope: it does not say `\"format\": \"{FORMAT}\"`")]
    Foreign,
    /// No version, or one that never was.
    #[error("this results file does not say which version it is; save it again where it was made")]
    NoVersion,
    /// A version that is not known yet.
    #[error(
        "these results were made by a newer ckptscope (version {version} of the file, \
         {VERSION} is known here): open them with that one, or update this one"
    )]
    Newer {
        /// The file's.
        version: u64,
    },
    /// The right version, but not what it should hold.
    #[error("this results file is broken: {0}")]
    Broken(serde_json::Error),
    /// A series that refers to what the file does not have, or whose columns do not fit.
    #[error("this results file is broken: {problem} (number {number} of its series)")]
    BrokenSeries {
        /// Which of its series, counted from 1.
        number: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// Two series of the same thing.
    #[error("this results file is broken: it has {key} of {entry} twice")]
    Twice {
        /// The key.
        key: String,
        /// The metric entry.
        entry: String,
    },
}

/// What says which version of the layout a text has, before the rest is looked at.
#[derive(Deserialize)]
struct Head {
    format: Option<serde_json::Value>,
    version: Option<serde_json::Value>,
}

impl Results {
    /// Reads the text of a results file, of any version so far.
    ///
    /// # Errors
    /// [`ResultsError`] when it is something else, or of a version that is not known here.
    pub fn parse(text: &str) -> Result<Self, ResultsError> {
        let head: Head = serde_json::from_str(text).map_err(ResultsError::NotJson)?;
        if !head
            .format
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .is_some_and(is_format)
        {
            return Err(ResultsError::Foreign);
        }
        match head.version.as_ref().and_then(serde_json::Value::as_u64) {
            Some(1) => serde_json::from_str::<FileOfVersion1>(text)
                .map(FileOfVersion1::into_results)
                .map_err(ResultsError::Broken),
            Some(2) => serde_json::from_str::<File>(text)
                .map_err(ResultsError::Broken)?
                .into_results(),
            Some(version) if version > u64::from(VERSION) => Err(ResultsError::Newer { version }),
            _ => Err(ResultsError::NoVersion),
        }
    }

    /// Whether a text that begins so may be a results file.
    #[must_use]
    pub fn is_beginning(text: &str) -> bool {
        [FORMAT, FORMER_FORMAT]
            .iter()
            .any(|format| text.contains(&format!("\"{format}\"")))
    }

    /// The contents of `results.json`, with a line's end.
    ///
    /// # Errors
    /// [`WriteError::Json`].
    pub fn to_json(&self) -> Result<Vec<u8>, WriteError> {
        let mut everything = serde_json::to_vec(&File::of(self))?;
        everything.push(b'\n');
        Ok(everything)
    }
}

/// As in `results.json`.
impl Serialize for Results {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        File::of(self).serialize(serializer)
    }
}

/// As in `results.json` of the current version.
impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = File::deserialize(deserializer)?;
        file.into_results().map_err(serde::de::Error::custom)
    }
}

fn is_format(word: &str) -> bool {
    word == FORMAT || word == FORMER_FORMAT
}

impl File {
    pub(crate) fn of(results: &Results) -> Self {
        let mut lists: Vec<Vec<u64>> = Vec::new();
        let mut places: HashMap<Vec<u64>, usize> = HashMap::new();
        let mut list = |steps: &[u64]| {
            if let Some(place) = places.get(steps) {
                return *place;
            }
            places.insert(steps.to_vec(), lists.len());
            lists.push(steps.to_vec());
            lists.len() - 1
        };
        let mut entries = results.entries.clone();
        let mut runs = results.runs.clone();
        let series = results.series.iter();
        let series =
            series.map(|series| Column::of(series, &mut entries, &mut runs, list(series.steps())));
        let series = series.collect();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: results.program.clone(),
            analysis_name: results.analysis_name.clone(),
            source: results.source.clone(),
            runs,
            inputs: results.inputs.clone(),
            model: results.model.clone(),
            steps: results.steps.clone(),
            missing_steps: results.missing_steps.clone(),
            unreadable_steps: results.unreadable_steps.clone(),
            entries,
            warnings: results.warnings.clone(),
            config: results.config.clone(),
            step_lists: lists,
            series,
        }
    }

    pub(crate) fn into_results(self) -> Result<Results, ResultsError> {
        let mut series = SeriesSet::default();
        for (place, column) in self.series.into_iter().enumerate() {
            let number = place + 1;
            let one = column
                .into_series(&self.entries, &self.runs, &self.step_lists)
                .map_err(|problem| ResultsError::BrokenSeries { number, problem })?;
            if series.get(&one.id).is_some() {
                return Err(ResultsError::Twice {
                    key: one.id.key(),
                    entry: one.id.entry.stem(),
                });
            }
            series.insert_series(one);
        }
        let mut results = Results {
            program: self.program,
            analysis_name: self.analysis_name,
            source: self.source,
            runs: self.runs,
            inputs: self.inputs,
            model: self.model,
            steps: self.steps,
            missing_steps: self.missing_steps,
            unreadable_steps: self.unreadable_steps,
            entries: self.entries,
            warnings: self.warnings,
            config: self.config,
            series,
        };
        results.sort();
        Ok(results)
    }
}

impl Column {
    /// An entry or a run that the results do not list is added: no number loses what it is of.
    fn of(series: &Series, entries: &mut Vec<Entry>, runs: &mut Vec<String>, steps: usize) -> Self {
        let id = &series.id;
        let entry = entries.iter().position(|entry| entry.is(&id.entry));
        let entry = entry.unwrap_or_else(|| {
            entries.push(Entry {
                label: id.entry.label.to_string(),
                split: id.entry.split,
                ..Entry::default()
            });
            entries.len() - 1
        });
        let run = id.run.as_ref().map(|name| {
            let place = runs.iter().position(|run| *run == **name);
            place.unwrap_or_else(|| {
                runs.push(name.to_string());
                runs.len() - 1
            })
        });
        let values = series.points().map(|point| point.value.cloned());
        Self {
            run,
            entry,
            component: id.component.clone(),
            data_type: id.kind,
            stack: id.stack.clone(),
            layer: id.layer,
            expert: id.expert,
            head: id.head,
            output: id.output.clone(),
            steps,
            values: values.collect(),
            statuses: series.statuses().clone(),
        }
    }

    fn into_series(
        self,
        entries: &[Entry],
        runs: &[String],
        step_lists: &[Vec<u64>],
    ) -> Result<Series, &'static str> {
        let entry = entries.get(self.entry).ok_or("it has no such entry")?;
        let run = match self.run {
            Some(place) => Some(runs.get(place).ok_or("it has no such run")?.as_str().into()),
            None => None,
        };
        let steps = step_lists.get(self.steps).ok_or("it has no such steps")?;
        if self.statuses.keys().any(|step| !steps.contains(step)) {
            return Err("it has a status where there is no value");
        }
        let id = SeriesId {
            run,
            entry: entry.id(),
            component: self.component,
            kind: self.data_type,
            stack: self.stack,
            layer: self.layer,
            expert: self.expert,
            head: self.head,
            output: self.output,
        };
        Series::of_columns(id, steps.clone(), self.values, self.statuses)
            .ok_or("its steps and values do not fit each other")
    }
}

fn no_text() -> Text {
    Text::default()
}

fn is_empty(text: &Text) -> bool {
    text.is_empty()
}

/// The JSON schema of `results.json`, as this version writes it.
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value()
}
