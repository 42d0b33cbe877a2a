//! Records as files: per-step JSON as the reference tool writes it, CSV tables, and
//! `results.json` with everything.
//!
//! The same records give the same bytes: they are sorted along the config, and nothing here knows
//! the time.

pub mod compare;

use std::collections::{BTreeMap, HashMap};

use ckptscope_checkpoint::{ModelShape, Run};
use ckptscope_metrics::ParameterValue;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::{ComponentEntry, Config, MetricEntry, Target};
use crate::plan::Plan;
use crate::protocol::Record;

/// The version of the layout of `results.json`.
pub const VERSION: u32 = 1;

/// The value of [`Results::format`].
pub const FORMAT: &str = "ckptscope-results";

/// What files that were saved under the project's former name say instead.
const FORMER_FORMAT: &str = "trainscope-results";

/// One file of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFile {
    /// Path below the analysis' folder, separated by `/`.
    pub path: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// Everything an analysis found: the contents of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Results {
    /// Always `ckptscope-results`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = FORMAT)))]
    pub format: String,
    /// Version of this layout.
    #[cfg_attr(feature = "schema", schemars(extend("const" = VERSION)))]
    pub version: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// The analysis' name.
    pub analysis_name: String,
    /// The run that was read, as it was named.
    pub source: String,
    /// The files that were read, by path, where whoever analysed could tell; not the time of
    /// their last change, so that the same bytes give the same results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// The model's dimensions, where they were found.
    pub model: Option<Model>,
    /// The steps computed, ascending.
    pub steps: Vec<u64>,
    /// Steps that were asked for and do not exist.
    pub missing_steps: Vec<u64>,
    /// The metric entries, in the config's order.
    pub entries: Vec<Entry>,
    /// What was skipped or assumed.
    pub warnings: Vec<String>,
    /// The config, as it was written.
    pub config: String,
    /// Every number, in the order of entries, steps, components, layers and heads.
    pub records: Vec<Record>,
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// Its path in the run.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// The commit it was read of, where it lies in a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What names its content where it lies, without its having been read whole: the Hub's
    /// object id (SHA-256 of large files, git's SHA-1 of others). None for files of a disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

/// The model's dimensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    /// Width of the residual stream.
    pub d_model: Option<u64>,
    /// Layers.
    pub n_layers: Option<u64>,
    /// Attention heads.
    pub n_heads: Option<u64>,
    /// Key-value heads.
    pub n_kv_heads: Option<u64>,
    /// The file that said so.
    pub source: String,
}

/// One metric entry of the config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Its label; with the split it names its files.
    pub label: String,
    /// The metric.
    pub metric: String,
    /// One line on what the metric says.
    pub summary: String,
    /// `train` or `val`.
    pub split: String,
    /// The step compared with, for comparative metrics.
    pub target: Option<u64>,
    /// The metric's parameters.
    pub parameters: Map<String, Value>,
    /// What it measures, in the config's order, as its records name it.
    #[serde(default)]
    pub components: Vec<Measured>,
}

/// One component of a metric entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measured {
    /// A suffix, or the component's name.
    pub component: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
}

impl Results {
    /// Of an analysis' records, in any order; [`Results::sort`] again where more come later.
    #[must_use]
    pub fn new(
        analysis_name: &str,
        source: &str,
        config: &Config,
        run: &Run,
        plan: &Plan,
        records: Vec<Record>,
    ) -> Self {
        let last = run.steps.last().map(|step| step.number);
        let mut results = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: concat!("ckptscope ", env!("CARGO_PKG_VERSION")).to_owned(),
            analysis_name: analysis_name.to_owned(),
            source: source.to_owned(),
            inputs: Vec::new(),
            model: run.model.as_ref().map(Model::of),
            steps: plan.steps.clone(),
            missing_steps: plan.missing_steps.clone(),
            entries: config
                .metrics
                .iter()
                .map(|entry| Entry::of(entry, last))
                .collect(),
            warnings: plan.warnings.clone(),
            config: config.text.clone(),
            records,
        };
        results.sort();
        results
    }

    /// Reads the text of a results file.
    ///
    /// # Errors
    /// [`ResultsError`] when it is something else, or of a version that is not known here.
    pub fn parse(text: &str) -> Result<Self, ResultsError> {
        let head: Head = serde_json::from_str(text).map_err(ResultsError::NotJson)?;
        let format = head.format.as_ref().and_then(Value::as_str);
        if ![Some(FORMAT), Some(FORMER_FORMAT)].contains(&format) {
            return Err(ResultsError::Foreign);
        }
        match head.version.as_ref().and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {
                serde_json::from_str(text).map_err(ResultsError::Broken)
            }
            Some(version) if version > u64::from(VERSION) => Err(ResultsError::Newer { version }),
            _ => Err(ResultsError::NoVersion),
        }
    }

    /// Brings the records into the order of entries, steps, components, layers and heads.
    pub fn sort(&mut self) {
        let order = Order::of(&self.entries);
        self.records.sort_by_cached_key(|record| order.key(record));
    }

    /// The CSV table of one metric entry: a row per record.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn csv(&self, label: &str, split: &str) -> Result<Vec<u8>, WriteError> {
        table(&self.of_entry(label, split))
    }

    /// The CSV table of everything: the entry's label and split, and what [`Results::csv`] has.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn long_csv(&self) -> Result<Vec<u8>, WriteError> {
        long_table(&self.records)
    }

    fn of_entry(&self, label: &str, split: &str) -> Vec<&Record> {
        self.records
            .iter()
            .filter(|record| (record.label.as_str(), record.split.as_str()) == (label, split))
            .collect()
    }

    /// The contents of `results.json`.
    ///
    /// # Errors
    /// [`WriteError::Json`].
    pub fn to_json(&self) -> Result<Vec<u8>, WriteError> {
        let mut everything = serde_json::to_vec(self)?;
        everything.push(b'\n');
        Ok(everything)
    }

    /// Every file but those that know the time: per-step JSON, CSV tables, `results.json` and
    /// `config.yaml`.
    ///
    /// # Errors
    /// When a value cannot be written as JSON or CSV, which records that were read from either
    /// cannot be.
    pub fn files(&self) -> Result<Vec<ResultFile>, WriteError> {
        let mut files = Vec::new();
        for entry in &self.entries {
            let of_entry = self.of_entry(&entry.label, &entry.split);
            let stem = format!("{}_{}", entry.label, entry.split);
            files.extend(per_step(&stem, &of_entry)?);
            files.push(ResultFile {
                path: format!("{stem}.csv"),
                bytes: table(&of_entry)?,
            });
        }
        files.push(ResultFile {
            path: "results.json".to_owned(),
            bytes: self.to_json()?,
        });
        let config = self.config.clone().into_bytes();
        files.push(ResultFile {
            path: "config.yaml".to_owned(),
            bytes: config,
        });
        Ok(files)
    }
}

/// The JSON schema of `results.json`, as this version writes it.
#[cfg(feature = "schema")]
#[must_use]
pub fn schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Results>()
        .to_value()
}

/// What says which version of the layout a text has, before the rest is looked at.
#[derive(Deserialize)]
struct Head {
    format: Option<Value>,
    version: Option<Value>,
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
}

/// Records that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// As JSON.
    #[error("records as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// As CSV.
    #[error("records as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// `step_{N}/{label}_{split}.json`: component key to value, `null` where there is none.
fn per_step(stem: &str, records: &[&Record]) -> Result<Vec<ResultFile>, WriteError> {
    let mut steps: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for record in records {
        steps
            .entry(record.step)
            .or_default()
            .insert(record.key.clone(), json!(record.value));
    }
    let file = |(step, values): (u64, Map<String, Value>)| {
        let path = format!("step_{step}/{stem}.json");
        Ok(ResultFile {
            path,
            bytes: serde_json::to_vec(&values)?,
        })
    };
    steps.into_iter().map(file).collect()
}

/// The columns of a table.
const COLUMNS: [&str; 7] = [
    "step",
    "component",
    "layer",
    "head",
    "data_type",
    "value",
    "status",
];

/// A row per record.
fn table(records: &[&Record]) -> Result<Vec<u8>, WriteError> {
    let rows = records.iter().map(|record| row(record).to_vec());
    written(&COLUMNS, rows)
}

/// A row per record, and which entry's it is.
fn long_table(records: &[Record]) -> Result<Vec<u8>, WriteError> {
    let columns = [&["metric", "split"], &COLUMNS[..]].concat();
    let rows = records.iter().map(|record| {
        let entry = [record.label.clone(), record.split.clone()];
        entry.into_iter().chain(row(record)).collect()
    });
    written(&columns, rows)
}

fn row(record: &Record) -> [String; 7] {
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    [
        record.step.to_string(),
        record.component_and_output(),
        record.layer.to_string(),
        number(record.head),
        record.data_type.clone(),
        record
            .value
            .map_or_else(String::new, |value| json!(value).to_string()),
        record.status.clone().unwrap_or_default(),
    ]
}

fn written(
    columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    let mut writer = csv::Writer::from_writer(&mut bytes);
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.flush().map_err(csv::Error::from)?;
    drop(writer);
    Ok(bytes)
}

/// The order of records: along the entries, and along what they measure.
struct Order<'a> {
    entries: HashMap<(&'a str, &'a str), usize>,
    components: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Order<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let measured = entries.iter().flat_map(|entry| &entry.components);
        Self {
            entries: places(
                entries
                    .iter()
                    .map(|entry| (entry.label.as_str(), entry.split.as_str())),
            ),
            components: places(
                measured.map(|one| (one.component.as_str(), one.data_type.as_str())),
            ),
        }
    }

    fn key(&self, record: &Record) -> (usize, u64, usize, u64, Option<u64>, String) {
        let place = |places: &HashMap<(&str, &str), usize>, a: &str, b: &str| {
            places.get(&(a, b)).copied().unwrap_or(usize::MAX)
        };
        (
            place(&self.entries, &record.label, &record.split),
            record.step,
            place(&self.components, &record.component, &record.data_type),
            record.layer,
            record.head,
            record.key.clone(),
        )
    }
}

/// Where each name occurs first.
fn places<'a>(
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> HashMap<(&'a str, &'a str), usize> {
    let mut places = HashMap::new();
    for (place, name) in names.enumerate() {
        places.entry(name).or_insert(place);
    }
    places
}

impl Entry {
    fn of(entry: &MetricEntry, last: Option<u64>) -> Self {
        let value = |value| match value {
            ParameterValue::Choice(word) => json!(word),
            ParameterValue::Integer(number) => json!(number),
            ParameterValue::Fraction(number) => json!(number),
            ParameterValue::Boolean(answer) => json!(answer),
        };
        Self {
            label: entry.label.clone(),
            metric: entry.metric.name().to_owned(),
            summary: entry.metric.summary().to_owned(),
            split: entry.split.name().to_owned(),
            target: match entry.target {
                Some(Target::Step(step)) => Some(step),
                Some(Target::Last) => last,
                None => None,
            },
            parameters: entry
                .parameters
                .iter()
                .map(|(name, parameter)| (name.to_owned(), value(parameter)))
                .collect(),
            components: entry.components.iter().map(Measured::of).collect(),
        }
    }
}

impl Record {
    /// The component as tables call it: with the output's name behind it, where its metric has
    /// several.
    #[must_use]
    pub fn component_and_output(&self) -> String {
        if self.output.is_empty() {
            self.component.clone()
        } else {
            format!("{}.{}", self.component, self.output)
        }
    }
}

impl Measured {
    fn of(component: &ComponentEntry) -> Self {
        Self {
            component: component.label().to_owned(),
            data_type: component.kind.name().to_owned(),
        }
    }
}

impl Model {
    fn of(model: &ModelShape) -> Self {
        Self {
            d_model: model.d_model,
            n_layers: model.n_layers,
            n_heads: model.n_heads,
            n_kv_heads: model.n_kv_heads,
            source: model.source.clone(),
        }
    }
}

impl ComponentEntry {
    /// The component as keys and tables call it: its plain suffix, or its name where it combines
    /// several.
    #[must_use]
    pub fn label(&self) -> &str {
        match self.suffixes.as_slice() {
            [suffix] if self.component.roles().is_empty() => suffix,
            _ => self.component.name(),
        }
    }
}
