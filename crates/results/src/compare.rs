//! Several analyses as one: runs, seeds or sizes side by side.
//!
//! What is matched is what a number is of and what it means (`compare/meaning.rs`), whatever the
//! run, and whatever stands before the layers (one run's wrapper is not another's). Where a run has
//! one component in several stacks, the stacks tell its numbers apart. Heads of models that do not have
//! the same heads (`compare/heads.rs`) stand side by side. In the merged results every series names
//! its run.

mod heads;
mod labels;
mod meaning;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;

use self::heads::Heads;
use self::labels::Labels;
use crate::order::Order;
use crate::write::{EXPERT, KEY_COLUMNS, MoreColumns, STACK, Table};
use crate::{
    Entry, Input, MeasuredComponent, Results, SEPARATOR, Series, SeriesId, SeriesPoint, Text,
    UnreadableStep, WriteError,
};
use ckptscope_vocabulary::sort::sort_by_key;

/// The columns of the table before [`KEY_COLUMNS`].
const ENTRY_COLUMNS: [&str; 2] = ["metric", "split"];

/// A table is written when it has so many bytes.
const BYTES_AT_ONCE: usize = 1 << 20;

/// The column after those of the runs.
const DIFFERENCE: &str = "difference";

/// What a run's status is, where it has no row of a number at all.
const LACKING: &str = "lacking";

/// What it is where nobody says why there is no number.
const UNDEFINED: &str = "undefined";

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
    /// Whether it is of a head that the first and the last model do not both have.
    pub is_of_other_heads: bool,
}

/// The numbers of one match at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedRow<'a> {
    /// What they are of.
    pub id: &'a SeriesId,
    /// The step.
    pub step: u64,
    /// One per run; none where the run has no such row.
    pub points: Vec<Option<SeriesPoint<'a>>>,
    /// As [`Match::is_of_other_heads`].
    pub is_of_other_heads: bool,
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
    /// What was compared before: its numbers are of several runs.
    #[error("{name} is a comparison itself, of {runs}: give the analyses that it was made of")]
    OfComparison {
        /// Its name.
        name: String,
        /// The runs that it compares.
        runs: String,
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
        if let Some((_, comparison)) = runs.iter().find(|(_, run)| !run.runs.is_empty()) {
            return Err(CompareError::OfComparison {
                name: comparison.analysis_name.clone(),
                runs: comparison.runs.join(", "),
            });
        }
        let names = names(&runs);
        let mut runs: Vec<Results> = runs.into_iter().map(|(_, results)| results).collect();
        runs.iter_mut().for_each(list_all);
        let labels = Labels::of(&names, &runs);
        let heads = Heads::of(&names, &runs);
        let matches = matches(&runs, &labels, &heads);
        let meet = |row: ComparedRow<'_>| row.values().flatten().count() > 1;
        if !labels.some_stand_apart() && !matches.iter().any(|one| one.rows().any(meet)) {
            return Err(CompareError::NothingInCommon);
        }
        let mut merged = merged(&names, &runs, &labels);
        merged.warnings.splice(0..0, heads.warnings);
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

    /// The numbers side by side as CSV.
    ///
    /// # Errors
    /// [`WriteError::Csv`].
    pub fn csv(&self) -> Result<Vec<u8>, WriteError> {
        let mut bytes = Vec::new();
        self.write_csv(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes the numbers side by side as CSV: what and when, a column per run, and the last run's
    /// value less the first's. Some rows are in memory at a time: of half a million numbers, all are
    /// more than a hundred megabytes.
    ///
    /// # Errors
    /// [`WriteError::Csv`]; [`WriteError::Io`] where `to` takes no more.
    pub fn write_csv(&self, to: &mut impl Write) -> Result<(), WriteError> {
        let columns = ENTRY_COLUMNS.into_iter().chain(KEY_COLUMNS);
        let more = MoreColumns::of(&self.merged);
        let columns = columns.chain(more.names());
        let columns = columns.chain(self.names.iter().map(String::as_str));
        let statuses: Vec<String> = self.names.iter().map(|name| status_column(name)).collect();
        let columns = columns.chain([DIFFERENCE]);
        let columns: Vec<&str> = columns.chain(statuses.iter().map(String::as_str)).collect();
        let mut table = Table::new(&columns)?;
        for row in self.rows() {
            row.write(&mut table, more)?;
            if table.bytes() > BYTES_AT_ONCE {
                table.pass_on(to)?;
            }
        }
        Ok(table.pass_on(to)?)
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
        points.iter().any(Option::is_some).then_some(ComparedRow {
            id: &self.id,
            step,
            points,
            is_of_other_heads: self.is_of_other_heads,
        })
    }
}

impl<'a> ComparedRow<'a> {
    /// One per run; none where it is undefined or not there.
    pub fn values(&self) -> impl Iterator<Item = Option<f64>> {
        self.points.iter().map(|point| point.as_ref()?.number())
    }

    /// The last run's value less the first's, where both have one and it is of the same. What is
    /// beyond the largest number is none.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        if self.is_of_other_heads {
            return None;
        }
        let (first, last) = (self.points.first()?, self.points.last()?);
        let difference = last.as_ref()?.number()? - first.as_ref()?.number()?;
        Some(difference).filter(|one| one.is_finite())
    }

    /// One per run: a status' code where the number is undefined, `lacking` where there is no such
    /// row, nothing where there is a number.
    pub fn statuses(&self) -> impl Iterator<Item = &'a str> {
        self.points.iter().map(|point| match point {
            None => LACKING,
            Some(point) if point.value.is_some() => "",
            Some(point) => point.status.map_or(UNDEFINED, |status| &*status.code),
        })
    }

    fn write(&self, table: &mut Table, more: MoreColumns) -> Result<(), WriteError> {
        let entry = [&*self.id.entry.label, self.id.entry.split.name()];
        table.begin_row(self.id, self.step, entry.into_iter(), more)?;
        for value in self.values() {
            table.add_number(value)?;
        }
        table.add_number(self.difference())?;
        for status in self.statuses() {
            table.add_word(status)?;
        }
        table.end_row();
        Ok(())
    }
}

/// A name per run: the given one, else the analysis', numbered where it is there before. Names do
/// not repeat the table's own columns, and differ by more than capitals, which databases pass over.
fn names(runs: &[(Option<String>, Results)]) -> Vec<String> {
    let own = ENTRY_COLUMNS.into_iter().chain(KEY_COLUMNS);
    let own = own.chain([STACK, EXPERT, DIFFERENCE]);
    let mut taken: BTreeSet<String> = own.map(str::to_owned).collect();
    let mut names = Vec::new();
    for (given, results) in runs {
        let name = given.as_ref().unwrap_or(&results.analysis_name);
        let numbered = (2_u64..).map(|number| format!("{name} {number}"));
        let mut free = std::iter::once(name.clone()).chain(numbered);
        let is_free = |name: &String| {
            ![name, &status_column(name)]
                .iter()
                .any(|it| taken.contains(&it.to_lowercase()))
        };
        let name = free.find(is_free).unwrap_or_default();
        taken.extend([&name, &status_column(&name)].map(|it| it.to_lowercase()));
        names.push(name);
    }
    names
}

/// The column of a run's statuses.
fn status_column(name: &str) -> String {
    format!("{name}_status")
}

/// Lists in a run's entries what only its series name, as results of older versions have it.
fn list_all(run: &mut Results) {
    let mut listed = HashSet::new();
    for series in run.series.iter() {
        let id = &series.id;
        let (component, stack) = (Text::clone(&id.component), Text::clone(&id.stack));
        if !listed.insert((id.entry.clone(), component, id.kind, stack, id.layer)) {
            continue;
        }
        let place = run.entries.iter().position(|entry| entry.is(&id.entry));
        let place = place.unwrap_or_else(|| {
            run.entries.push(Entry {
                label: id.entry.label.to_string(),
                split: id.entry.split,
                ..Entry::default()
            });
            run.entries.len() - 1
        });
        let components = &mut run.entries[place].components;
        if !components.iter().any(|one| one.has(id)) {
            components.push(MeasuredComponent {
                component: id.component.to_string(),
                kind: id.kind,
                ..MeasuredComponent::default()
            });
        }
    }
}

/// All series of all runs, in the order of results.
fn matches(runs: &[Results], labels: &Labels, heads: &Heads) -> Vec<Match> {
    let mut matches: Vec<Match> = Vec::new();
    let mut places: HashMap<SeriesId, usize> = HashMap::new();
    for (index, run) in runs.iter().enumerate() {
        for series in run.series.iter() {
            let by = labels.matched_by(index, &series.id);
            let place = *places.entry(by).or_insert_with_key(|by| {
                matches.push(Match {
                    id: SeriesId {
                        stack: Text::clone(&series.id.stack),
                        ..by.clone()
                    },
                    series: vec![None; runs.len()],
                    is_of_other_heads: by.head.is_some() && heads.differ,
                });
                matches.len() - 1
            });
            matches[place].series[index] = Some(Arc::clone(series));
        }
    }
    let entries = entries(runs, labels);
    let order = Order::of(&entries, &[]);
    matches.sort_by_cached_key(|one| order.key(&one.id));
    matches
}

/// The entries of all runs, each once, with everything that any of them measures.
fn entries(runs: &[Results], labels: &Labels) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let all = runs.iter().enumerate();
    for entry in all.flat_map(|(index, run)| labels.entries(index, run)) {
        match entries.iter_mut().find(|known| is_same(known, &entry)) {
            None => entries.push(entry),
            Some(known) => {
                for one in entry.components {
                    if !known.components.contains(&one) {
                        known.components.push(one);
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
    sort_by_key(&mut steps, |it| it.step);
    steps
}

fn merged(names: &[String], runs: &[Results], labels: &Labels) -> Results {
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
        entries: entries(runs, labels),
        warnings: warnings(names, runs, labels),
        config: first.map(|run| run.config.clone()).unwrap_or_default(),
        ..Results::default()
    };
    for (index, (name, run)) in names.iter().zip(runs).enumerate() {
        let name = Text::from(name.as_str());
        for series in run.series.iter() {
            let mut series = Series::clone(series);
            series.id = labels.renamed(index, series.id);
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
fn warnings(names: &[String], runs: &[Results], labels: &Labels) -> Vec<String> {
    let mut warnings = labels.warnings.clone();
    for (index, (name, run)) in names.iter().zip(runs).enumerate() {
        warnings.extend(lacking_steps(name, run, runs));
        warnings.extend(lacking_series(name, index, runs, labels));
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

fn lacking_steps(name: &str, run: &Results, runs: &[Results]) -> Option<String> {
    let all: BTreeSet<u64> = runs.iter().flat_map(|run| run.steps.clone()).collect();
    let own: BTreeSet<u64> = run.steps.iter().copied().collect();
    let lacking: Vec<u64> = all.difference(&own).copied().collect();
    (!lacking.is_empty()).then(|| format!("{name} lacks steps {}", listed(&lacking)))
}

/// What others have and this run has not, by component; with the layers where it has others of it.
fn lacking_series(name: &str, index: usize, runs: &[Results], labels: &Labels) -> Vec<String> {
    let series = |(index, run): (usize, &Results)| -> BTreeSet<SeriesId> {
        let ids = run.series.iter();
        ids.map(|series| labels.matched_by(index, &series.id))
            .collect()
    };
    let own = runs.get(index).map(|run| series((index, run)));
    let own = own.unwrap_or_default();
    let own_parts: BTreeSet<String> = own.iter().map(part).collect();
    let others: BTreeSet<SeriesId> = runs.iter().enumerate().flat_map(series).collect();
    let mut lacking: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let lacks = others.difference(&own);
    for id in lacks.filter(|id| !labels.stands_apart(id)) {
        lacking.entry(part(id)).or_default().extend(id.layer);
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
    let place = match id.layer {
        Some(_) => "",
        None => " outside of layers",
    };
    format!("{} of {part} {}{place}", id.entry.stem(), id.kind)
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
