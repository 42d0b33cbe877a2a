//! Tables: a row per number. `step` and `key` name a row of one entry, without nulls.
//!
//! What a series is of stands in all of its rows, so [`Table`] writes it once and copies the bytes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Write};

use serde_json::json;

use super::WriteError;
use crate::{EntryId, Results, SeriesId, SeriesPoint, Value};

/// The columns that say what a number is of.
pub(crate) const KEY_COLUMNS: [&str; 7] = [
    "step",
    "key",
    "component",
    "output",
    "layer",
    "head",
    "data_type",
];

/// The column behind them, where there are several stacks of layers.
pub(crate) const STACK: &str = "stack";

/// The column behind that, where there are experts.
pub(crate) const EXPERT: &str = "expert";

/// Which columns there are behind [`KEY_COLUMNS`]: only those that tell something apart, so that
/// tables of most runs have the columns that they always had.
#[derive(Clone, Copy)]
pub(crate) struct MoreColumns {
    stack: bool,
    expert: bool,
}

impl MoreColumns {
    pub(crate) fn of(results: &Results) -> Self {
        Self {
            stack: results.names_stacks(),
            expert: results.names_experts(),
        }
    }

    pub(crate) fn names<'a>(self) -> impl Iterator<Item = &'a str> {
        let stack = self.stack.then_some(STACK);
        stack.into_iter().chain(self.expert.then_some(EXPERT))
    }
}

/// The columns that say what it is.
const VALUE_COLUMNS: [&str; 3] = ["value", "status", "status_code"];

/// The table of one entry.
pub(super) fn of_entry(results: &Results, entry: &EntryId) -> Result<Vec<u8>, WriteError> {
    table(results, &[], results.rows_of(entry))
}

/// The table of everything.
pub(super) fn of_everything(results: &Results) -> Result<Vec<u8>, WriteError> {
    table(results, &["metric", "split"], results.rows())
}

/// Where runs are compared, the run is part of what names a row. Where there are several stacks of
/// layers, the stack is said by itself too, and so is the expert where there are some.
fn table<'a>(
    results: &Results,
    of_entry: &[&str],
    rows: impl Iterator<Item = (&'a SeriesId, SeriesPoint<'a>)>,
) -> Result<Vec<u8>, WriteError> {
    let more = MoreColumns::of(results);
    let names_runs = !results.runs.is_empty();
    let run: &[&str] = if names_runs { &["run"] } else { &[] };
    let named: Vec<&str> = more.names().collect();
    let mut table = Table::new(&[run, of_entry, &KEY_COLUMNS, &named, &VALUE_COLUMNS].concat())?;
    for (id, point) in rows {
        let run = names_runs.then(|| id.run.as_deref().unwrap_or_default());
        let entry = [&*id.entry.label, id.entry.split.name()];
        let entry = entry.into_iter().take(of_entry.len());
        table.begin_row(id, point.step, run.into_iter().chain(entry), more)?;
        table.add_value(point.value)?;
        let status = point.status;
        table.add_word(status.map_or("", |status| &status.text))?;
        table.add_word(status.map_or("", |status| &status.code))?;
        table.end_row();
    }
    Ok(table.bytes)
}

/// A table that is being written.
pub(crate) struct Table {
    bytes: Vec<u8>,
    /// What stands before and behind the step in rows of a series, by where its id lies.
    known: HashMap<*const SeriesId, [Vec<u8>; 2]>,
}

impl Table {
    /// One with a first row of names.
    pub(crate) fn new(columns: &[&str]) -> Result<Self, WriteError> {
        let mut bytes = cells(columns)?;
        bytes.push(b'\n');
        let known = HashMap::new();
        Ok(Self { bytes, known })
    }

    /// Writes what a number is of, behind the cells of `first`. The same id has the same ones in
    /// every row.
    pub(crate) fn begin_row<'a>(
        &mut self,
        id: &SeriesId,
        step: u64,
        first: impl Iterator<Item = &'a str>,
        more: MoreColumns,
    ) -> Result<(), WriteError> {
        let [before, behind] = match self.known.entry(std::ptr::from_ref(id)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let first: Vec<&str> = first.collect();
                let mut before = cells(&first)?;
                if !first.is_empty() {
                    before.push(b',');
                }
                new.insert([before, behind_step(id, more)?])
            }
        };
        self.bytes.extend(&*before);
        self.bytes.extend(step.to_string().bytes());
        self.bytes.push(b',');
        self.bytes.extend(&*behind);
        Ok(())
    }

    /// Writes a value; nothing where there is none.
    pub(crate) fn add_value(&mut self, value: Option<&Value>) -> Result<(), WriteError> {
        match value {
            None => self.add_word(""),
            Some(Value::Number(number)) => self.add_number(Some(*number)),
            Some(vector) => self.add_word(&json!(vector).to_string()),
        }
    }

    /// Writes a number; nothing where there is none.
    pub(crate) fn add_number(&mut self, number: Option<f64>) -> Result<(), WriteError> {
        self.bytes.push(b',');
        if let Some(number) = number {
            serde_json::to_writer(&mut self.bytes, &number)?;
        }
        Ok(())
    }

    /// Writes a word.
    pub(crate) fn add_word(&mut self, word: &str) -> Result<(), WriteError> {
        self.bytes.push(b',');
        if !word.is_empty() {
            self.bytes.extend(cells(&[word])?);
        }
        Ok(())
    }

    pub(crate) fn end_row(&mut self) {
        self.bytes.push(b'\n');
    }

    /// Bytes that are there so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Writes what is there so far elsewhere, and forgets it.
    pub(crate) fn pass_on(&mut self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

/// What a series is of, but for the step.
fn behind_step(id: &SeriesId, more: MoreColumns) -> Result<Vec<u8>, WriteError> {
    let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    let (key, layer, head) = (id.key(), number(id.layer), number(id.head));
    let mut row = vec![&*key, &*id.component, &*id.output, &*layer, &*head];
    row.push(id.kind.name());
    let expert = number(id.expert);
    row.extend(more.stack.then_some(&*id.stack));
    row.extend(more.expert.then_some(&*expert));
    cells(&row)
}

/// Cells with commas between them, quoted where they need it.
fn cells(row: &[&str]) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    if row.is_empty() {
        return Ok(bytes);
    }
    let mut writer = ::csv::Writer::from_writer(&mut bytes);
    writer.write_record(row)?;
    writer.flush().map_err(::csv::Error::from)?;
    drop(writer);
    bytes.truncate(bytes.len().saturating_sub(1));
    Ok(bytes)
}
