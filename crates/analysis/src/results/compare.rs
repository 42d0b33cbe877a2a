//! Several analyses as one: runs, seeds or sizes side by side.
//!
//! What is matched is a [`Series`]: one number of one part of the model, by the entry's label and
//! split, component, kind of data, layer and head. In the merged results every run's component is a
//! component of its own, `attention.o_proj · seed 1`, and so is its key: whoever draws or lists
//! results draws and lists the runs apart, and needs to know nothing of comparisons.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    Entry, FORMAT, Input, Measured, Order, ResultFile, Results, VERSION, WriteError, written,
};
use crate::protocol::Record;

/// Between a component and the run it is of.
pub const SEPARATOR: &str = " · ";

/// The columns of the table before those of the runs.
const COLUMNS: [&str; 7] = [
    "metric",
    "split",
    "step",
    "component",
    "layer",
    "head",
    "data_type",
];

/// The column after those of the runs.
const DIFFERENCE: &str = "difference";

/// Analyses side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The runs' names, in the order in which they were given; no two are equal.
    pub names: Vec<String>,
    /// All records, each with its run in component and key; the warnings say what does not match.
    pub merged: Results,
    /// Every number by what it is of, as many as there are runs: none where a run lacks it.
    pub rows: Vec<Row>,
}

/// What is compared: one number of one part of the model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The metric entry's label.
    pub label: String,
    /// `train` or `val`.
    pub split: String,
    /// A suffix, or the component's name.
    pub component: String,
    /// `weights`, `gradients` or `activations`.
    pub data_type: String,
    /// Which of the metric's numbers, where it gives several; else empty.
    pub output: String,
    /// The layer.
    pub layer: u64,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
}

/// The numbers of one series at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What they are of.
    pub series: Series,
    /// The step.
    pub step: u64,
    /// One per run; none where it is undefined or not there.
    pub values: Vec<Option<f64>>,
}

/// Analyses that cannot be compared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// One, or none.
    #[error("a comparison needs two analyses at least; there is {count}")]
    TooFew {
        /// How many there are.
        count: usize,
    },
    /// No number of one has a counterpart in another.
    #[error("these analyses have no number in common: no metric of the same component and step")]
    NothingInCommon,
}

impl Comparison {
    /// Puts analyses side by side. A run without a name of its own is called by its analysis; names
    /// that are equal are numbered.
    ///
    /// # Errors
    /// [`CompareError`] when there is nothing to compare.
    pub fn of(runs: Vec<(Option<String>, Results)>) -> Result<Self, CompareError> {
        if runs.len() < 2 {
            let count = runs.len();
            return Err(CompareError::TooFew { count });
        }
        let names = names(&runs);
        let runs: Vec<Results> = runs.into_iter().map(|(_, results)| results).collect();
        let rows = rows(&runs);
        if rows
            .iter()
            .all(|row| row.values.iter().flatten().count() < 2)
        {
            return Err(CompareError::NothingInCommon);
        }
        let merged = merged(&names, &runs);
        Ok(Self {
            names,
            merged,
            rows,
        })
    }

    /// The numbers side by side as CSV: what and when, a column per run, and the last run's value
    /// less the first's.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn csv(&self) -> Result<Vec<u8>, WriteError> {
        let names = self.names.iter().map(String::as_str);
        let columns: Vec<&str> = COLUMNS
            .into_iter()
            .chain(names)
            .chain([DIFFERENCE])
            .collect();
        written(&columns, self.rows.iter().map(Row::cells))
    }

    /// `compare.csv` and the merged `results.json`.
    ///
    /// # Errors
    /// When a value cannot be written, which values that were read cannot be.
    pub fn files(&self) -> Result<Vec<ResultFile>, WriteError> {
        let mut results = serde_json::to_vec(&self.merged)?;
        results.push(b'\n');
        let file = |path: &str, bytes| ResultFile {
            path: path.to_owned(),
            bytes,
        };
        Ok(vec![
            file("compare.csv", self.csv()?),
            file("results.json", results),
        ])
    }
}

impl Row {
    /// The last run's value less the first's, where both have one.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let (first, last) = (self.values.first()?, self.values.last()?);
        Some((*last)? - (*first)?)
    }

    fn cells(&self) -> Vec<String> {
        let number =
            |value: Option<f64>| value.map_or_else(String::new, |value| json!(value).to_string());
        let series = &self.series;
        let component = if series.output.is_empty() {
            series.component.clone()
        } else {
            format!("{}.{}", series.component, series.output)
        };
        let mut cells = vec![
            series.label.clone(),
            series.split.clone(),
            self.step.to_string(),
            component,
            series.layer.to_string(),
            series
                .head
                .map_or_else(String::new, |head| head.to_string()),
            series.data_type.clone(),
        ];
        cells.extend(self.values.iter().copied().map(number));
        // What is beyond the largest number has no place in a table.
        cells.push(number(self.difference().filter(|value| value.is_finite())));
        cells
    }
}

impl Series {
    fn of(record: &Record) -> Self {
        Self {
            label: record.label.clone(),
            split: record.split.clone(),
            component: record.component.clone(),
            data_type: record.data_type.clone(),
            output: record.output.clone(),
            layer: record.layer,
            head: record.head,
        }
    }

    /// Without layer and head, in words.
    fn part(&self) -> String {
        let Self {
            label,
            split,
            component,
            data_type,
            ..
        } = self;
        format!("{label}_{split} of {component} {data_type}")
    }
}

/// A name per run: the given one, else the analysis', numbered where it is there before. Names do
/// not repeat the table's own columns.
fn names(runs: &[(Option<String>, Results)]) -> Vec<String> {
    let mut taken: BTreeSet<String> = COLUMNS.map(str::to_owned).into();
    taken.insert(DIFFERENCE.to_owned());
    let mut names = Vec::new();
    for (given, results) in runs {
        let name = given.as_ref().unwrap_or(&results.analysis_name);
        let numbered = (2_u64..).map(|number| format!("{name} {number}"));
        let mut free = std::iter::once(name.clone()).chain(numbered);
        let name = free.find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// All numbers by series and step, in the order of records.
fn rows(runs: &[Results]) -> Vec<Row> {
    let mut rows: BTreeMap<(Series, u64), Vec<Option<f64>>> = BTreeMap::new();
    let entries = entries(runs);
    let order = Order::of(&entries);
    let mut places = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        for record in &run.records {
            let what = (Series::of(record), record.step);
            places
                .entry(what.clone())
                .or_insert_with(|| order.key(record));
            let values = rows.entry(what).or_insert_with(|| vec![None; runs.len()]);
            if let Some(value) = values.get_mut(index) {
                *value = record.value;
            }
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(one, _), (other, _)| places.get(one).cmp(&places.get(other)));
    let row = |((series, step), values)| Row {
        series,
        step,
        values,
    };
    rows.into_iter().map(row).collect()
}

/// The entries of all runs, each once, with everything that any of them measures.
fn entries(runs: &[Results]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for entry in runs.iter().flat_map(|run| &run.entries) {
        match entries.iter_mut().find(|known| is_same(known, entry)) {
            None => entries.push(entry.clone()),
            Some(known) => {
                for one in &entry.components {
                    if !known.components.contains(one) {
                        known.components.push(one.clone());
                    }
                }
            }
        }
    }
    entries
}

fn is_same(one: &Entry, other: &Entry) -> bool {
    (&one.label, &one.split) == (&other.label, &other.split)
}

/// The text with the run it is of.
fn of_run(text: &str, name: &str) -> String {
    format!("{text}{SEPARATOR}{name}")
}

fn merged(names: &[String], runs: &[Results]) -> Results {
    let steps: BTreeSet<u64> = runs.iter().flat_map(|run| run.steps.clone()).collect();
    let missing = runs.iter().flat_map(|run| run.missing_steps.clone());
    let missing: BTreeSet<u64> = missing.filter(|step| !steps.contains(step)).collect();
    let sources: Vec<&str> = runs.iter().map(|run| run.source.as_str()).collect();
    let first = runs.first();
    let model = first.and_then(|run| run.model.clone());
    let mut merged = Results {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: concat!("ckptscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        analysis_name: names.join(" vs "),
        source: sources.join("; "),
        inputs: inputs(names, runs),
        model: model.filter(|model| runs.iter().all(|run| run.model.as_ref() == Some(model))),
        steps: steps.into_iter().collect(),
        missing_steps: missing.into_iter().collect(),
        entries: entries(runs),
        warnings: warnings(names, runs),
        config: first.map(|run| run.config.clone()).unwrap_or_default(),
        records: Vec::new(),
    };
    for entry in &mut merged.entries {
        let apart = entry.components.iter().flat_map(|one| {
            names.iter().map(|name| Measured {
                component: of_run(&one.component, name),
                data_type: one.data_type.clone(),
            })
        });
        entry.components = apart.collect();
    }
    for (name, run) in names.iter().zip(runs) {
        merged
            .records
            .extend(run.records.iter().map(|record| Record {
                key: of_run(&record.key, name),
                component: of_run(&record.component, name),
                ..record.clone()
            }));
    }
    merged.sort();
    merged
}

/// What every run read, its paths marked with the run.
fn inputs(names: &[String], runs: &[Results]) -> Vec<Input> {
    let of = |(name, run): (&String, &Results)| -> Vec<Input> {
        let marked = run.inputs.iter().map(|input| Input {
            path: of_run(&input.path, name),
            ..input.clone()
        });
        marked.collect()
    };
    names.iter().zip(runs).flat_map(of).collect()
}

/// What does not match, and then what the runs' own analyses warned of.
fn warnings(names: &[String], runs: &[Results]) -> Vec<String> {
    let mut warnings = differing_entries(names, runs);
    for (name, run) in names.iter().zip(runs) {
        warnings.extend(lacking_steps(name, run, runs));
        warnings.extend(lacking_series(name, run, runs));
    }
    if let (Some(first), Some(name)) = (runs.first(), names.first())
        && runs.iter().any(|run| run.config != first.config)
    {
        warnings.push(format!(
            "the configs differ; the one that is shown is that of {name}"
        ));
    }
    for (name, run) in names.iter().zip(runs) {
        let own = run.warnings.iter();
        warnings.extend(own.map(|warning| format!("{name}: {warning}")));
    }
    warnings
}

/// Entries of one label that do not measure the same.
fn differing_entries(names: &[String], runs: &[Results]) -> Vec<String> {
    let mut differing = Vec::new();
    let all = names.iter().zip(runs);
    let all = all.flat_map(|(name, run)| run.entries.iter().map(move |entry| (name, entry)));
    let mut known: Vec<(&String, &Entry)> = Vec::new();
    for (name, entry) in all {
        let Some((first, before)) = known.iter().find(|(_, before)| is_same(before, entry)) else {
            known.push((name, entry));
            continue;
        };
        let (one, other) = (measures(before), measures(entry));
        if one != other {
            let (label, split) = (&entry.label, &entry.split);
            differing.push(format!(
                "{label}_{split} is not the same in all: {one} in {first}, {other} in {name}"
            ));
        }
    }
    differing
}

/// The metric with its parameters and its target.
fn measures(entry: &Entry) -> String {
    let parameters = json!(entry.parameters);
    let target = entry.target.map(|step| format!(" against step {step}"));
    format!(
        "{} {parameters}{}",
        entry.metric,
        target.unwrap_or_default()
    )
}

fn lacking_steps(name: &str, run: &Results, runs: &[Results]) -> Option<String> {
    let all: BTreeSet<u64> = runs.iter().flat_map(|run| run.steps.clone()).collect();
    let own: BTreeSet<u64> = run.steps.iter().copied().collect();
    let lacking: Vec<u64> = all.difference(&own).copied().collect();
    (!lacking.is_empty()).then(|| format!("{name} lacks steps {}", listed(&lacking)))
}

/// What others have and this run has not, by component; with the layers where it has others of it.
fn lacking_series(name: &str, run: &Results, runs: &[Results]) -> Vec<String> {
    let series =
        |run: &Results| -> BTreeSet<Series> { run.records.iter().map(Series::of).collect() };
    let own = series(run);
    let own_parts: BTreeSet<String> = own.iter().map(Series::part).collect();
    let others: BTreeSet<Series> = runs.iter().flat_map(series).collect();
    let mut lacking: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for series in others.difference(&own) {
        let layers = lacking.entry(series.part()).or_default();
        layers.insert(series.layer);
    }
    let told = lacking.into_iter().map(|(part, layers)| {
        if own_parts.contains(&part) {
            let layers: Vec<u64> = layers.into_iter().collect();
            format!("{name} lacks some of {part}: in layers {}", listed(&layers))
        } else {
            format!("{name} lacks {part}")
        }
    });
    told.collect()
}

/// The numbers, shortened where they are many.
fn listed(numbers: &[u64]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(u64::to_string).collect();
    let shown = shown.join(", ");
    match numbers.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}
