//! Numbers as Parquet files: what the CSV tables have, with types, for pandas, R and DuckDB.
//!
//! Nothing in them knows the time, and they are not compressed: words are in dictionaries, and
//! numbers hardly get smaller.

use std::sync::Arc;

use anyhow::{Context, Result};
use ckptscope_results::compare::Comparison;
use ckptscope_results::{Results, SeriesId};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

/// The name of the table of an analysis.
pub(crate) const FILE_NAME: &str = "results.parquet";

/// The name of the table of a comparison.
pub(crate) const COMPARISON: &str = "compare.parquet";

/// Rows of a part of a file whose columns lie one after the other: their cells are in memory
/// together.
const ROWS_OF_GROUP: usize = 1 << 17;

/// Cells of a column that are made before they are written.
const ROWS_AT_ONCE: usize = 1 << 12;

/// A row per number, in the order of tables. Columns are named as in CSV tables; what is undefined
/// is null. `metric`, `split`, `step` and `key` name a row, and are never null. Where there are
/// several stacks of layers, `stack` stands behind `data_type`, and `expert` where there are some.
///
/// # Errors
/// A step, layer or head beyond 2^63.
pub(crate) fn of(results: &Results) -> Result<Vec<u8>> {
    written(results, results.rows(), |rows| {
        let mut columns = key_columns(rows, results, |(id, point)| (*id, point.step));
        columns.push(column("value", rows, |(_, point)| {
            Ok(Cell::Real(point.number()))
        }));
        columns.push(column("status", rows, |(_, point)| {
            Ok(word(point.status.map(|status| &*status.text)))
        }));
        columns.push(column("status_code", rows, |(_, point)| {
            Ok(word(point.status.map(|status| &*status.code)))
        }));
        columns
    })
}

/// A row per number that some run has, as in `compare.csv`.
///
/// # Errors
/// A step, layer or head beyond 2^63.
pub(crate) fn of_comparison(comparison: &Comparison) -> Result<Vec<u8>> {
    written(&comparison.merged, comparison.rows(), |rows| {
        let mut columns = key_columns(rows, &comparison.merged, |row| (row.id, row.step));
        for (run, name) in comparison.names.iter().enumerate() {
            columns.push(column(name, rows, move |row| {
                Ok(Cell::Real(row.values().nth(run).flatten()))
            }));
        }
        columns.push(column("difference", rows, |row| {
            Ok(Cell::Real(row.difference()))
        }));
        for (run, name) in comparison.names.iter().enumerate() {
            columns.push(column(&format!("{name}_status"), rows, move |row| {
                let status = row.statuses().nth(run);
                Ok(word(status.filter(|status| !status.is_empty())))
            }));
        }
        columns
    })
}

/// A cell; none where it is null.
enum Cell {
    Word(Option<ByteArray>),
    Whole(Option<i64>),
    Real(Option<f64>),
}

/// A column, whose cells are made when it is written.
struct Column<'a> {
    name: String,
    cell: Box<dyn Fn(usize) -> Result<Cell> + 'a>,
    /// Whether it is never null.
    is_required: bool,
    /// What a cell of it is.
    physical: Physical,
}

fn column<'a, R>(
    name: &str,
    rows: &'a [R],
    cell: impl Fn(&'a R) -> Result<Cell> + 'a,
) -> Column<'a> {
    let cell = move |row: usize| cell(rows.get(row).context("a row too many")?);
    let physical = match cell(0) {
        Ok(Cell::Whole(_)) => Physical::INT64,
        Ok(Cell::Real(_)) => Physical::DOUBLE,
        Ok(Cell::Word(_)) | Err(_) => Physical::BYTE_ARRAY,
    };
    Column {
        name: name.to_owned(),
        cell: Box::new(cell),
        is_required: false,
        physical,
    }
}

/// What a number is of.
fn key_columns<'a, R>(
    rows: &'a [R],
    results: &Results,
    key: impl Fn(&'a R) -> (&'a SeriesId, u64) + Copy + 'a,
) -> Vec<Column<'a>> {
    let id = move |row| key(row).0;
    let mut columns = vec![
        column("metric", rows, move |row| {
            Ok(word(Some(&id(row).entry.label)))
        }),
        column("split", rows, move |row| {
            Ok(word(Some(id(row).entry.split.name())))
        }),
        column("step", rows, move |row| whole(Some(key(row).1))),
        column("key", rows, move |row| Ok(word(Some(&id(row).key())))),
        column("component", rows, move |row| {
            Ok(word(Some(&id(row).component)))
        }),
        column("output", rows, move |row| Ok(word(Some(&id(row).output)))),
        column("layer", rows, move |row| whole(id(row).layer)),
        column("head", rows, move |row| whole(id(row).head)),
        column("data_type", rows, move |row| {
            Ok(word(Some(id(row).kind.name())))
        }),
    ];
    if results.names_stacks() {
        let stack = move |row| Ok(word(Some(&id(row).stack)));
        columns.push(column("stack", rows, stack));
    }
    if results.names_experts() {
        columns.push(column("expert", rows, move |row| whole(id(row).expert)));
    }
    let mut series = results.series.iter();
    let all_in_layers = series.all(|series| series.id.layer.is_some());
    for column in &mut columns {
        column.is_required = match column.name.as_str() {
            "head" | "expert" => false,
            "layer" => all_in_layers,
            _ => true,
        };
    }
    columns
}

fn word(text: Option<&str>) -> Cell {
    Cell::Word(text.map(ByteArray::from))
}

fn whole(number: Option<u64>) -> Result<Cell> {
    Ok(Cell::Whole(number.map(i64::try_from).transpose()?))
}

/// The file's content, some rows at a time. Its metadata say what the numbers are from.
fn written<R>(
    results: &Results,
    mut rows: impl Iterator<Item = R>,
    columns: impl Fn(&[R]) -> Vec<Column<'_>>,
) -> Result<Vec<u8>> {
    let about = [
        ("analysis_name", &results.analysis_name),
        ("run", &results.source),
        ("program", &results.program),
        ("config", &results.config),
    ];
    let about =
        about.map(|(name, value)| KeyValue::new(format!("ckptscope.{name}"), value.clone()));
    let properties = WriterProperties::builder()
        .set_created_by(results.program.clone())
        .set_key_value_metadata(Some(about.to_vec()));
    let mut some: Vec<R> = rows.by_ref().take(ROWS_OF_GROUP).collect();
    let fields = columns(&some)
        .iter()
        .map(Column::field)
        .collect::<Result<Vec<_>>>()?;
    let schema = Type::group_type_builder("numbers")
        .with_fields(fields)
        .build()?;
    let properties = Arc::new(properties.build());
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties)?;
    loop {
        let mut group = file.next_row_group()?;
        for column in columns(&some) {
            let writer = group.next_column()?.context("a column too many")?;
            column.write(some.len(), writer)?;
        }
        group.close()?;
        some.clear();
        some.extend(rows.by_ref().take(ROWS_OF_GROUP));
        if some.is_empty() {
            return Ok(file.into_inner()?);
        }
    }
}

impl Column<'_> {
    fn field(&self) -> Result<Arc<Type>> {
        let repetition = match self.is_required {
            true => Repetition::REQUIRED,
            false => Repetition::OPTIONAL,
        };
        let is_word = self.physical == Physical::BYTE_ARRAY;
        let built = Type::primitive_type_builder(&self.name, self.physical)
            .with_repetition(repetition)
            .with_logical_type(is_word.then_some(LogicalType::String))
            .build();
        Ok(Arc::new(built?))
    }

    fn write(&self, rows: usize, writer: SerializedColumnWriter<'_>) -> Result<()> {
        let cells = (0..rows).map(&self.cell);
        match self.physical {
            Physical::INT64 => write::<Int64Type>(writer, cells, |cell| match cell {
                Cell::Whole(number) => number,
                Cell::Word(_) | Cell::Real(_) => None,
            }),
            Physical::DOUBLE => write::<DoubleType>(writer, cells, |cell| match cell {
                Cell::Real(number) => number,
                Cell::Word(_) | Cell::Whole(_) => None,
            }),
            _ => write::<ByteArrayType>(writer, cells, |cell| match cell {
                Cell::Word(text) => text,
                Cell::Whole(_) | Cell::Real(_) => None,
            }),
        }
    }
}

fn write<T: DataType>(
    mut writer: SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = Result<Cell>>,
    own: impl Fn(Cell) -> Option<T::T>,
) -> Result<()> {
    let typed = writer.typed::<T>();
    let mut cells = cells.map(|cell| cell.map(&own)).peekable();
    while cells.peek().is_some() {
        let some = cells
            .by_ref()
            .take(ROWS_AT_ONCE)
            .collect::<Result<Vec<_>>>()?;
        let is_there: Vec<i16> = some.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = some.into_iter().flatten().collect();
        typed.write_batch(&values, Some(&is_there), None)?;
    }
    Ok(writer.close()?)
}
