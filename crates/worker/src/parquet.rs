//! All numbers as one Parquet file: what `results.csv` has, with types, for pandas, R and DuckDB.

use std::sync::Arc;

use anyhow::{Context, Result};
use ckptscope_results::{Results, SeriesId, SeriesPoint};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// Its name.
pub(crate) const FILE_NAME: &str = "results.parquet";

/// The columns, named as in CSV tables. What is undefined is null; `metric`, `split`, `step` and
/// `key` name a row, and are never null.
/// Where there are several stacks of layers, `stack` stands behind `data_type`.
fn schema(names_stacks: bool) -> String {
    let stack = if names_stacks {
        "required binary stack (STRING);"
    } else {
        ""
    };
    format!(
        "message numbers {{
    required binary metric (STRING);
    required binary split (STRING);
    required int64 step;
    required binary key (STRING);
    required binary component (STRING);
    required binary output (STRING);
    required int64 layer;
    optional int64 head;
    required binary data_type (STRING);
    {stack}
    optional double value;
    optional binary status (STRING);
    optional binary status_code (STRING);
}}"
    )
}

/// The file's content: a row per number, in the order of tables.
///
/// Nothing in it knows the time, and it is not compressed: words are in dictionaries, and numbers
/// hardly get smaller.
///
/// # Errors
/// A step, layer or head beyond 2^63.
pub(crate) fn of(results: &Results) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder().set_created_by(results.program.clone());
    let names_stacks = results.names_stacks();
    let schema = Arc::new(parse_message_type(&schema(names_stacks))?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    let rows: Vec<Row<'_>> = results.rows().collect();
    let columns = Columns {
        rows: &rows,
        group: file.next_row_group()?,
    };
    write(columns, names_stacks)?;
    Ok(file.into_inner()?)
}

/// A number and what it is of.
type Row<'a> = (&'a SeriesId, SeriesPoint<'a>);

/// Every column of the schema, in its order.
fn write(mut columns: Columns<'_>, names_stacks: bool) -> Result<()> {
    columns.add_words(|(id, _)| Some(&id.entry.label))?;
    columns.add_words(|(id, _)| Some(id.entry.split.name()))?;
    columns.add_whole_numbers(|(_, point)| Some(point.step))?;
    columns.add_keys()?;
    columns.add_words(|(id, _)| Some(&id.component))?;
    columns.add_words(|(id, _)| Some(&id.output))?;
    columns.add_whole_numbers(|(id, _)| Some(id.layer))?;
    columns.add_whole_numbers(|(id, _)| id.head)?;
    columns.add_words(|(id, _)| Some(id.kind.name()))?;
    if names_stacks {
        columns.add_words(|(id, _)| Some(&id.stack))?;
    }
    columns.add::<DoubleType>(|(_, point)| Ok(point.number()))?;
    columns.add_words(|(_, point)| Some(&point.status?.text))?;
    columns.add_words(|(_, point)| Some(&point.status?.code))?;
    columns.group.close()?;
    Ok(())
}

/// The columns, one after the other.
struct Columns<'a> {
    rows: &'a [Row<'a>],
    group: SerializedRowGroupWriter<'a, Vec<u8>>,
}

impl<'a> Columns<'a> {
    fn add_words(&mut self, word: impl Fn(&Row<'a>) -> Option<&'a str>) -> Result<()> {
        self.add::<ByteArrayType>(|row| Ok(word(row).map(ByteArray::from)))
    }

    fn add_keys(&mut self) -> Result<()> {
        self.add::<ByteArrayType>(|(id, _)| Ok(Some(ByteArray::from(&*id.key()))))
    }

    fn add_whole_numbers(&mut self, number: impl Fn(&Row<'a>) -> Option<u64>) -> Result<()> {
        self.add::<Int64Type>(|row| Ok(number(row).map(i64::try_from).transpose()?))
    }

    /// The next column of the schema: a cell per row, none where it is null.
    fn add<T: DataType>(&mut self, cell: impl Fn(&Row<'a>) -> Result<Option<T::T>>) -> Result<()> {
        let cells = self.rows.iter().map(cell);
        let cells = cells.collect::<Result<Vec<_>>>()?;
        let is_there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        let mut column = self.group.next_column()?.context("a column too many")?;
        let typed = column.typed::<T>();
        typed.write_batch(&values, Some(&is_there), None)?;
        Ok(column.close()?)
    }
}
