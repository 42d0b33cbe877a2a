//! All numbers as one Parquet file: what `results.csv` has, with types, for pandas, R and DuckDB.

use std::sync::Arc;

use anyhow::{Context, Result};
use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::Results;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// Its name.
pub(crate) const FILE_NAME: &str = "results.parquet";

/// The columns, named as in CSV tables. What is undefined is null.
const SCHEMA: &str = "message records {
    required binary metric (STRING);
    required binary split (STRING);
    required int64 step;
    required binary component (STRING);
    required int64 layer;
    optional int64 head;
    required binary data_type (STRING);
    optional double value;
    optional binary status (STRING);
}";

/// The file's content: a row per record, in the order of the records.
///
/// Nothing in it knows the time, and it is not compressed: words are in dictionaries, and numbers
/// hardly get smaller.
///
/// # Errors
/// A step, layer or head beyond 2^63.
pub(crate) fn of(results: &Results) -> Result<Vec<u8>> {
    let properties = WriterProperties::builder().set_created_by(results.program.clone());
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    write(Columns {
        records: &results.records,
        group: file.next_row_group()?,
    })?;
    Ok(file.into_inner()?)
}

/// Every column of the schema, in its order.
fn write(mut columns: Columns<'_>) -> Result<()> {
    columns.add_words(|record| Some(&record.label))?;
    columns.add_words(|record| Some(&record.split))?;
    columns.add_whole_numbers(|record| Some(record.step))?;
    columns.add::<ByteArrayType>(|record| Ok(Some(bytes(&record.component_and_output()))))?;
    columns.add_whole_numbers(|record| Some(record.layer))?;
    columns.add_whole_numbers(|record| record.head)?;
    columns.add_words(|record| Some(&record.data_type))?;
    columns.add::<DoubleType>(|record| Ok(record.value))?;
    columns.add_words(|record| record.status.as_deref())?;
    columns.group.close()?;
    Ok(())
}

/// The columns, one after the other.
struct Columns<'a> {
    records: &'a [Record],
    group: SerializedRowGroupWriter<'a, Vec<u8>>,
}

impl Columns<'_> {
    fn add_words(&mut self, word: impl Fn(&Record) -> Option<&str>) -> Result<()> {
        self.add::<ByteArrayType>(|record| Ok(word(record).map(bytes)))
    }

    fn add_whole_numbers(&mut self, number: impl Fn(&Record) -> Option<u64>) -> Result<()> {
        self.add::<Int64Type>(|record| Ok(number(record).map(i64::try_from).transpose()?))
    }

    /// The next column of the schema: a cell per record, none where it is null.
    fn add<T: DataType>(&mut self, cell: impl Fn(&Record) -> Result<Option<T::T>>) -> Result<()> {
        let cells = self.records.iter().map(cell);
        let cells = cells.collect::<Result<Vec<_>>>()?;
        let is_there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        let mut column = self.group.next_column()?.context("a column too many")?;
        let typed = column.typed::<T>();
        typed.write_batch(&values, Some(&is_there), None)?;
        Ok(column.close()?)
    }
}

fn bytes(word: &str) -> ByteArray {
    ByteArray::from(word)
}
