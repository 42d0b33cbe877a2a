//! `results.parquet`: the same numbers as in the other files, read by the crate's own reader.

use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use serde_json::Value;

use crate::support::{Scratch, in_project, json, micro_run};

#[test]
fn it_has_every_record() {
    let scratch = Scratch::new();
    let config = std::fs::read_to_string(in_project("configs/every-metric.yaml")).unwrap();
    scratch.write("config.yaml", config);
    let run = micro_run();
    let run = run.to_str().unwrap();
    let arguments = [
        "analyze",
        "--config",
        "config.yaml",
        "--run-path",
        run,
        "--output-dir",
        "out",
    ];
    scratch.worker(&arguments).expect(0);
    let entries = std::fs::read_dir(scratch.path().join("out")).unwrap();
    let folder = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    let results = json(&folder.join("results.json"));

    let file = File::open(folder.join("results.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let made_by = reader.metadata().file_metadata().created_by();
    assert_eq!(made_by, results["program"].as_str());
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let records = results["records"].as_array().unwrap();
    assert_eq!(rows.len(), records.len());
    let (mut with_head, mut undefined, mut several) = (0, 0, 0);
    for (row, record) in rows.iter().zip(records) {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let component = match text("output").as_str() {
            "" => text("component"),
            output => format!("{}.{output}", text("component")),
        };
        several += usize::from(component != text("component"));
        assert_eq!(row.get_string(0).unwrap(), &text("label"));
        assert_eq!(row.get_string(1).unwrap(), &text("split"));
        assert_eq!(Value::from(row.get_long(2).unwrap()), record["step"]);
        assert_eq!(row.get_string(3).unwrap(), &component);
        assert_eq!(Value::from(row.get_long(4).unwrap()), record["layer"]);
        assert_eq!(row.get_long(5).ok(), record["head"].as_i64());
        assert_eq!(row.get_string(6).unwrap(), &text("data_type"));
        assert_eq!(row.get_double(7).ok(), record["value"].as_f64());
        assert_eq!(
            row.get_string(8).ok().map(String::as_str),
            record["status"].as_str()
        );
        with_head += usize::from(record["head"].is_u64());
        undefined += usize::from(record["value"].is_null());
    }
    assert!(with_head > 0 && undefined > 0 && several > 0);
}
