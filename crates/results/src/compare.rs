//! Several analyses as one: runs, seeds or sizes side by side.
//!
//! What is matched is what a number is of, whatever the run, and whatever stands before the layers
//! (one run's wrapper is not another's). Where a run has one part in several stacks, the stacks
//! tell its numbers apart. In the merged results every series names its run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use ckptscope_vocabulary::without_wrappers;
use serde_json::json;

use crate::order::Order;
use crate::write::{Cell, KEY_COLUMNS, STACK, key_cells, number_cell, written};
use crate::{
    Entry, Input, ResultFile, Results, SEPARATOR, Series, SeriesId, Text, UnreadableStep,
    WriteError,
};

/// The columns of the table before [`KEY_COLUMNS`].
const ENTRY_COLUMNS: [&str; 2] = ["metric", "split"];

/// The column after those of the runs.
const DIFFERENCE: &str = "difference";

/// Analyses side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The runs' names, in the order in which they were given; no two are equal.
    pub names: Vec<String>,
    /// All numbers, each with its run; the warnings say what does not match.
    pub merged: Results,
    /// Every series by what it is of, in the order of results.
    pub matches: Vec<Match>,
}

/// What is compared: one number of one part of the model, over the steps of all runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// What it is of, without the run; the stack is that of the first run that has it.
    pub id: SeriesId,
    /// As many as there are runs; none where a run lacks it.
    pub series: Vec<Option<Arc<Series>>>,
}

/// The numbers of one match at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedRow<'a> {
    /// What they are of.
    pub id: &'a SeriesId,
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
        let matches = matches(&runs);
        let meet = |row: ComparedRow<'_>| row.values.iter().flatten().count() > 1;
        if !matches.iter().any(|one| one.rows().any(meet)) {
            return Err(CompareError::NothingInCommon);
        }
        let merged = merged(&names, &runs);
        Ok(Self {
            names,
            merged,
            matches,
        })
    }

    /// Every number by what it is of: by entry, then by step, then in the order of matches.
    pub fn rows(&self) -> impl Iterator<Item = ComparedRow<'_>> {
        let entries = self
            .matches
            .chunk_by(|one, other| one.id.entry == other.id.entry);
        entries.flat_map(|matches| {
            let steps: BTreeSet<u64> = matches.iter().flat_map(Match::steps).collect();
            let at = move |step| matches.iter().filter_map(move |one| one.row(step));
            steps.into_iter().flat_map(at)
        })
    }

    /// The numbers side by side as CSV: what and when, a column per run, and the last run's value
    /// less the first's.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn csv(&self) -> Result<Vec<u8>, WriteError> {
        let columns = ENTRY_COLUMNS.into_iter().chain(KEY_COLUMNS);
        let names_stacks = self.merged.names_stacks();
        let columns = columns.chain(names_stacks.then_some(STACK));
        let columns = columns.chain(self.names.iter().map(String::as_str));
        let columns: Vec<&str> = columns.chain([DIFFERENCE]).collect();
        written(&columns, self.rows().map(|row| row.cells(names_stacks)))
    }

    /// `compare.csv` and the merged `results.json`.
    ///
    /// # Errors
    /// When a value cannot be written, which values that were read cannot be.
    pub fn files(&self) -> Result<Vec<ResultFile>, WriteError> {
        let file = |path: &str, bytes| ResultFile {
            path: path.to_owned(),
            bytes,
        };
        Ok(vec![
            file("compare.csv", self.csv()?),
            file("results.json", self.merged.to_json()?),
        ])
    }
}

impl Match {
    /// Its numbers by ascending step.
    pub fn rows(&self) -> impl Iterator<Item = ComparedRow<'_>> {
        let steps: BTreeSet<u64> = self.steps().collect();
        steps.into_iter().filter_map(|step| self.row(step))
    }

    fn steps(&self) -> impl Iterator<Item = u64> {
        let series = self.series.iter().flatten();
        series.flat_map(|series| series.steps().iter().copied())
    }

    fn row(&self, step: u64) -> Option<ComparedRow<'_>> {
        let points = self
            .series
            .iter()
            .map(|series| series.as_ref()?.point(step));
        let points: Vec<_> = points.collect();
        points.iter().any(Option::is_some).then(|| ComparedRow {
            id: &self.id,
            step,
            values: points
                .iter()
                .map(|point| point.as_ref()?.number())
                .collect(),
        })
    }
}

impl<'a> ComparedRow<'a> {
    /// The last run's value less the first's, where both have one.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        let (first, last) = (self.values.first()?, self.values.last()?);
        Some((*last)? - (*first)?)
    }

    fn cells(self, names_stacks: bool) -> Vec<Cell<'a>> {
        let id: &'a SeriesId = self.id;
        let mut cells: Vec<Cell<'a>> =
            vec![(&*id.entry.label).into(), id.entry.split.name().into()];
        cells.extend(key_cells(id, self.step));
        cells.extend(names_stacks.then(|| Cell::from(&*id.stack)));
        cells.extend(self.values.iter().copied().map(number_cell));
        // What is beyond the largest number has no place in a table.
        cells.push(number_cell(self.difference().filter(|one| one.is_finite())));
        cells
    }
}

/// A name per run: the given one, else the analysis', numbered where it is there before. Names do
/// not repeat the table's own columns.
fn names(runs: &[(Option<String>, Results)]) -> Vec<String> {
    let own = ENTRY_COLUMNS.into_iter().chain(KEY_COLUMNS);
    let mut taken: BTreeSet<String> = own.chain([STACK, DIFFERENCE]).map(str::to_owned).collect();
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

/// What series of several runs are matched by.
struct Matching {
    /// What some run has in several stacks, so that only the stack tells its numbers apart.
    in_several_stacks: HashSet<SeriesId>,
}

impl Matching {
    fn of(runs: &[Results]) -> Self {
        let mut several = HashSet::new();
        for run in runs {
            let mut seen = HashSet::new();
            for series in run.series.iter() {
                let id = with_stack(&series.id, Text::default());
                if !seen.insert(id.clone()) {
                    several.insert(id);
                }
            }
        }
        Self {
            in_several_stacks: several,
        }
    }

    /// The id without what differs between runs: the run, wrappers, and the stack where it tells
    /// nothing apart.
    fn by(&self, id: &SeriesId) -> SeriesId {
        let by = with_stack(id, Text::default());
        if self.in_several_stacks.contains(&by) {
            with_stack(id, without_wrappers(&id.stack).into())
        } else {
            by
        }
    }
}

fn with_stack(id: &SeriesId, stack: Text) -> SeriesId {
    SeriesId {
        run: None,
        stack,
        ..id.clone()
    }
}

/// All series of all runs, in the order of results.
fn matches(runs: &[Results]) -> Vec<Match> {
    let matching = Matching::of(runs);
    let mut matches: Vec<Match> = Vec::new();
    let mut places: HashMap<SeriesId, usize> = HashMap::new();
    for (index, run) in runs.iter().enumerate() {
        for series in run.series.iter() {
            let by = matching.by(&series.id);
            let place = *places.entry(by).or_insert_with(|| {
                matches.push(Match {
                    id: SeriesId {
                        run: None,
                        ..series.id.clone()
                    },
                    series: vec![None; runs.len()],
                });
                matches.len() - 1
            });
            matches[place].series[index] = Some(Arc::clone(series));
        }
    }
    let entries = entries(runs);
    let order = Order::of(&entries, &[]);
    matches.sort_by_cached_key(|one| order.key(&one.id));
    matches
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
    (&one.label, one.split) == (&other.label, other.split)
}

/// The steps that some run lacks because they cannot be read there.
fn unreadable(names: &[String], runs: &[Results]) -> Vec<UnreadableStep> {
    let of_run = |(name, run): (&String, &Results)| {
        let steps = run.unreadable_steps.iter();
        let named = steps.map(|it| UnreadableStep {
            step: it.step,
            reason: format!("{name}: {}", it.reason),
        });
        named.collect::<Vec<_>>()
    };
    let mut steps: Vec<UnreadableStep> = names.iter().zip(runs).flat_map(of_run).collect();
    steps.sort_by_key(|it| it.step);
    steps
}

fn merged(names: &[String], runs: &[Results]) -> Results {
    let steps: BTreeSet<u64> = runs.iter().flat_map(|run| run.steps.clone()).collect();
    let missing = runs.iter().flat_map(|run| run.missing_steps.clone());
    let missing: BTreeSet<u64> = missing.filter(|step| !steps.contains(step)).collect();
    let sources: Vec<&str> = runs.iter().map(|run| run.source.as_str()).collect();
    let first = runs.first();
    let model = first.and_then(|run| run.model.clone());
    let mut merged = Results {
        program: concat!("ckptscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        analysis_name: names.join(" vs "),
        source: sources.join("; "),
        runs: names.to_vec(),
        inputs: inputs(names, runs),
        model: model.filter(|model| runs.iter().all(|run| run.model.as_ref() == Some(model))),
        steps: steps.into_iter().collect(),
        missing_steps: missing.into_iter().collect(),
        unreadable_steps: unreadable(names, runs),
        entries: entries(runs),
        warnings: warnings(names, runs),
        config: first.map(|run| run.config.clone()).unwrap_or_default(),
        ..Results::default()
    };
    for (name, run) in names.iter().zip(runs) {
        let name = Text::from(name.as_str());
        for series in run.series.iter() {
            let mut series = Series::clone(series);
            series.id.run = Some(Text::clone(&name));
            merged.series.insert_series(series);
        }
    }
    merged.sort();
    merged
}

/// What every run read, its paths marked with the run.
fn inputs(names: &[String], runs: &[Results]) -> Vec<Input> {
    let of = |(name, run): (&String, &Results)| -> Vec<Input> {
        let marked = run.inputs.iter().map(|input| Input {
            path: format!("{}{SEPARATOR}{name}", input.path),
            ..input.clone()
        });
        marked.collect()
    };
    names.iter().zip(runs).flat_map(of).collect()
}

/// What does not match, and then what the runs' own analyses warned of.
fn warnings(names: &[String], runs: &[Results]) -> Vec<String> {
    let mut warnings = differing_entries(names, runs);
    let matching = Matching::of(runs);
    for (name, run) in names.iter().zip(runs) {
        warnings.extend(lacking_steps(name, run, runs));
        warnings.extend(lacking_series(name, run, runs, &matching));
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
            let stem = entry.id().stem();
            differing.push(format!(
                "{stem} is not the same in all: {one} in {first}, {other} in {name}"
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
fn lacking_series(name: &str, run: &Results, runs: &[Results], matching: &Matching) -> Vec<String> {
    let series = |run: &Results| -> BTreeSet<SeriesId> {
        let ids = run.series.iter();
        ids.map(|series| matching.by(&series.id)).collect()
    };
    let own = series(run);
    let own_parts: BTreeSet<String> = own.iter().map(part).collect();
    let others: BTreeSet<SeriesId> = runs.iter().flat_map(series).collect();
    let mut lacking: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for id in others.difference(&own) {
        lacking.entry(part(id)).or_default().insert(id.layer);
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

/// A series without layer and head, in words.
fn part(id: &SeriesId) -> String {
    let part = id.subject(!id.stack.is_empty()).part();
    format!("{} of {part} {}", id.entry.stem(), id.kind)
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
