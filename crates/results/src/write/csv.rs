//! Tables: a row per number. `step` and `key` name a row of one entry, without nulls.

use std::borrow::Cow;

use serde_json::json;

use super::WriteError;
use crate::{EntryId, Results, SeriesId, SeriesPoint, Value};

/// One cell.
pub(crate) type Cell<'a> = Cow<'a, str>;

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

/// The columns that say what it is.
const VALUE_COLUMNS: [&str; 3] = ["value", "status", "status_code"];

/// The table of one entry.
pub(super) fn of_entry(results: &Results, entry: &EntryId) -> Result<Vec<u8>, WriteError> {
    let rows = results.rows_of(entry);
    let names = columns(results, &[]);
    let names_stacks = results.names_stacks();
    written(
        &names,
        rows.map(|row| cells(results, row, false, names_stacks)),
    )
}

/// The table of everything.
pub(super) fn of_everything(results: &Results) -> Result<Vec<u8>, WriteError> {
    let names = columns(results, &["metric", "split"]);
    let rows = results.rows();
    let names_stacks = results.names_stacks();
    written(
        &names,
        rows.map(|row| cells(results, row, true, names_stacks)),
    )
}

/// Where runs are compared, the run is part of what names a row. Where there are several stacks of
/// layers, the stack is said by itself too.
fn columns<'a>(results: &Results, first: &[&'a str]) -> Vec<&'a str> {
    let stack: &[&str] = if results.names_stacks() {
        &[STACK]
    } else {
        &[]
    };
    let run: &[&str] = if results.runs.is_empty() {
        &[]
    } else {
        &["run"]
    };
    [run, first, &KEY_COLUMNS, stack, &VALUE_COLUMNS].concat()
}

fn cells<'a>(
    results: &Results,
    (id, point): (&'a SeriesId, SeriesPoint<'a>),
    names_entry: bool,
    names_stacks: bool,
) -> Vec<Cell<'a>> {
    let mut cells = Vec::with_capacity(14);
    if !results.runs.is_empty() {
        cells.push(id.run.as_deref().unwrap_or_default().into());
    }
    if names_entry {
        cells.extend([(&*id.entry.label).into(), id.entry.split.name().into()]);
    }
    cells.extend(key_cells(id, point.step));
    if names_stacks {
        cells.push((&*id.stack).into());
    }
    let status = point.status;
    cells.extend([
        value_cell(point.value),
        status.map_or_else(Cell::default, |status| (&*status.text).into()),
        status.map_or_else(Cell::default, |status| (&*status.code).into()),
    ]);
    cells
}

/// What a number is of.
pub(crate) fn key_cells(id: &SeriesId, step: u64) -> [Cell<'_>; 7] {
    let head = id.head.map(|head| head.to_string());
    [
        step.to_string().into(),
        id.key().into(),
        (&*id.component).into(),
        (&*id.output).into(),
        id.layer.to_string().into(),
        head.unwrap_or_default().into(),
        id.kind.name().into(),
    ]
}

fn value_cell(value: Option<&Value>) -> Cell<'_> {
    match value {
        None => Cell::default(),
        Some(Value::Number(number)) => number_cell(Some(*number)),
        Some(vector) => json!(vector).to_string().into(),
    }
}

/// A number; nothing where there is none.
pub(crate) fn number_cell<'a>(number: Option<f64>) -> Cell<'a> {
    number.map_or_else(Cell::default, |number| json!(number).to_string().into())
}

/// A table with a first row of names.
pub(crate) fn written<'a>(
    columns: &[&str],
    rows: impl Iterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    let mut writer = ::csv::Writer::from_writer(&mut bytes);
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| cell.as_bytes()))?;
    }
    writer.flush().map_err(::csv::Error::from)?;
    drop(writer);
    Ok(bytes)
}
