//! Results that are put together elsewhere, written and read back.

use std::collections::BTreeSet;

use ckptscope_analysis::results;
use ckptscope_results::{EntryId, Number, Results, SeriesSet, Split};

use crate::support::{bundled, numbers, own_config, planned};

/// Everything of the bundled run, as the command line would have it.
fn results() -> Results {
    let tree = bundled();
    let (run, config, plan) = planned(&tree, &own_config("demo.yaml"));
    let mut results = results::planned("demo", "micro", &config, &run, &plan);
    let all = plan.lanes.iter().flat_map(|lane| numbers(lane, &tree));
    results.series = all.collect();
    results.sort();
    results
}

#[test]
fn numbers_that_come_later_stand_where_they_belong() {
    let whole = results();
    let all: Vec<Number> = whole.series.each().collect();
    let (evens, odds): (Vec<_>, Vec<_>) = all
        .into_iter()
        .enumerate()
        .partition(|(index, _)| index % 2 == 0);
    let backwards = odds.into_iter().rev().chain(evens);
    // The page has the results as text: neither config nor registry is there.
    let text = serde_json::to_string(&whole.without_numbers()).unwrap();
    let mut pieces = Results::parse(&text).unwrap();
    assert_eq!(pieces.series, SeriesSet::default());
    pieces.series = backwards.map(|(_, number)| number).collect();
    pieces.sort();
    assert_eq!(pieces, whole);
    assert_eq!(pieces.files().unwrap(), whole.files().unwrap());
}

#[test]
fn entries_say_what_they_measure() {
    let results = results();
    let cka = &results.entries[0];
    let measured: Vec<_> = cka
        .components
        .iter()
        .map(|one| (one.component.as_str(), one.kind.name()))
        .collect();
    let expected = [
        ("attention.v_proj", "activations"),
        ("attention.o_proj", "activations"),
        ("swiglu.w_2", "activations"),
        ("ov_circuit", "activations"),
    ];
    assert_eq!((cka.label.as_str(), &measured[..]), ("cka", &expected[..]));
}

#[test]
fn tables_of_one_entry_and_of_everything() {
    let results = results();
    let one = results.csv(&EntryId::new("cka", Split::Val)).unwrap();
    let of_files = results.files().unwrap();
    let file = of_files.iter().find(|file| file.path == "cka_val.csv");
    assert_eq!(one, file.unwrap().bytes);
    let everything = String::from_utf8(results.long_csv().unwrap()).unwrap();
    let mut lines = everything.lines();
    let columns =
        "metric,split,step,key,component,output,layer,head,data_type,value,status,status_code";
    assert_eq!(lines.next(), Some(columns));
    let one = String::from_utf8(one).unwrap();
    let first = format!("cka,val,{}", one.lines().nth(1).unwrap());
    assert_eq!(lines.next(), Some(first.as_str()));
    assert_eq!(everything.lines().count(), 1 + results.series.numbers());
}

#[test]
fn every_row_of_a_table_has_a_key_of_its_own() {
    let everything = results().long_csv().unwrap();
    let mut reader = csv::Reader::from_reader(everything.as_slice());
    let mut keys = BTreeSet::new();
    let mut rows = 0;
    for row in reader.records() {
        let row = row.unwrap();
        // Metric, split, step, key.
        let key: Vec<String> = row.iter().take(4).map(str::to_owned).collect();
        assert!(key.iter().all(|part| !part.is_empty()), "{key:?}");
        keys.insert(key);
        rows += 1;
    }
    assert_eq!(keys.len(), rows);
    assert!(rows > 1000, "{rows}");
}
