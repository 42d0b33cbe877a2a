//! `results.parquet`: the same numbers as in the other files, read by the crate's own reader.

use std::collections::BTreeSet;
use std::fs::File;

use ckptscope_results::Results;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use crate::support::{Scratch, in_project, json, micro_run};

#[test]
fn it_has_every_number_under_a_key_of_its_own() {
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
    let about = reader.metadata().file_metadata().key_value_metadata();
    let about: Vec<_> = about
        .unwrap()
        .iter()
        .map(|it| (&*it.key, it.value.clone()))
        .collect();
    let told = |name: &str| results[name].as_str().map(str::to_owned);
    assert!(about.contains(&("ckptscope.analysis_name", told("analysis_name"))));
    assert!(about.contains(&("ckptscope.run", told("source"))));
    assert!(about.contains(&("ckptscope.config", told("config"))));
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let text = results.to_string();
    let results = Results::parse(&text).unwrap();
    assert_eq!(rows.len(), results.series.numbers());
    let (mut with_head, mut undefined, mut several) = (0, 0, 0);
    let mut keys = BTreeSet::new();
    for (row, (id, point)) in rows.iter().zip(results.rows()) {
        let text = |column: usize| row.get_string(column).ok().map(String::as_str);
        let whole = |column: usize| row.get_long(column).ok().map(|number| number as u64);
        assert_eq!(text(0), Some(&*id.entry.label));
        assert_eq!(text(1), Some(id.entry.split.name()));
        assert_eq!(whole(2), Some(point.step));
        assert_eq!(text(3), Some(id.key().as_str()));
        assert_eq!(text(4), Some(&*id.component));
        assert_eq!(text(5), Some(&*id.output));
        assert_eq!(whole(6), id.layer);
        assert_eq!(whole(7), id.head);
        assert_eq!(text(8), Some(id.kind.name()));
        assert_eq!(row.get_double(9).ok(), point.number());
        assert_eq!(text(10), point.status.map(|status| &*status.text));
        assert_eq!(text(11), point.status.map(|status| &*status.code));
        keys.insert([0, 1, 3].map(|column| (text(column).map(str::to_owned), point.step)));
        several += usize::from(!id.output.is_empty());
        with_head += usize::from(id.head.is_some());
        undefined += usize::from(point.value.is_none());
    }
    assert_eq!(keys.len(), rows.len());
    assert!(with_head > 0 && undefined > 0 && several > 0);
}

#[test]
fn comparisons_have_a_table_too() {
    let scratch = Scratch::with_run(crate::support::Sizes {
        layers: 2,
        steps: 3,
        width: 4,
    });
    for name in ["one", "two"] {
        let config = crate::support::CONFIG.replace("name: scratch", &format!("name: {name}"));
        scratch.analyze(&config, "out", &[]).expect(0);
    }
    let named = ["--name", "seed 1", "--name", "seed 2"];
    let compare = ["compare", "out/one", "out/two"];
    scratch.worker(&[&compare[..], &named].concat()).expect(0);
    let file = File::open(scratch.path().join("comparison/compare.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<&str> = schema.get_fields().iter().map(|it| it.name()).collect();
    let of_runs = [
        "seed 1",
        "seed 2",
        "difference",
        "seed 1_status",
        "seed 2_status",
    ];
    assert_eq!(names[9..], of_runs);
    let mut defined = 0;
    for row in reader.get_row_iter(None).unwrap().map(Result::unwrap) {
        match (row.get_double(9), row.get_double(10)) {
            (Ok(one), Ok(two)) => {
                assert_eq!(one.to_bits(), two.to_bits());
                assert_eq!(row.get_double(11).unwrap(), 0.0);
                defined += 1;
            }
            _ => assert!(row.get_string(12).is_ok(), "a status says why"),
        }
    }
    assert!(defined > 6);
}
