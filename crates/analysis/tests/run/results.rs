//! Results that are put together elsewhere, written and read back.

use ckptscope_analysis::results::{Results, ResultsError};

use crate::support::{bundled, own_config, planned, records};

/// Everything of the bundled run, as the command line would have it.
fn results() -> Results {
    let tree = bundled();
    let (run, config, plan) = planned(&tree, &own_config("demo.yaml"));
    let all = plan.lanes.iter().flat_map(|lane| records(lane, &tree));
    Results::new("demo", "micro", &config, &run, &plan, all.collect())
}

#[test]
fn records_that_come_later_stand_where_they_belong() {
    let whole = results();
    let mut pieces = Results {
        records: Vec::new(),
        ..whole.clone()
    };
    let (evens, odds): (Vec<_>, Vec<_>) = whole
        .records
        .iter()
        .cloned()
        .enumerate()
        .partition(|(index, _)| index % 2 == 0);
    let backwards = odds.into_iter().rev().chain(evens);
    pieces.records.extend(backwards.map(|(_, record)| record));
    // The page has the results as text: neither config nor registry is there.
    let text = serde_json::to_string(&pieces).unwrap();
    let mut pieces = Results::parse(&text).unwrap();
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
        .map(|one| (one.component.as_str(), one.data_type.as_str()))
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
    let one = results.csv("cka", "val").unwrap();
    let of_files = results.files().unwrap();
    let file = of_files.iter().find(|file| file.path == "cka_val.csv");
    assert_eq!(one, file.unwrap().bytes);
    let everything = String::from_utf8(results.long_csv().unwrap()).unwrap();
    let mut lines = everything.lines();
    let columns = "metric,split,step,component,layer,head,data_type,value,status";
    assert_eq!(lines.next(), Some(columns));
    let one = String::from_utf8(one).unwrap();
    let first = format!("cka,val,{}", one.lines().nth(1).unwrap());
    assert_eq!(lines.next(), Some(first.as_str()));
    assert_eq!(everything.lines().count(), 1 + results.records.len());
}

#[test]
fn other_texts_are_refused_with_the_reason() {
    let text = serde_json::to_string(&results()).unwrap();
    let refusal = |text: &str| Results::parse(text).err().unwrap();
    assert!(matches!(refusal("no"), ResultsError::NotJson(_)));
    assert!(matches!(refusal("[1]"), ResultsError::NotJson(_)));
    assert!(matches!(refusal("{}"), ResultsError::Foreign));
    assert!(matches!(
        refusal(r#"{"format": "ckptscope-inspection", "version": 1}"#),
        ResultsError::Foreign
    ));
    let newer = refusal(&text.replacen(r#""version":1"#, r#""version":2"#, 1));
    assert!(
        newer.to_string().contains("made by a newer ckptscope"),
        "{newer}"
    );
    let odd = refusal(&text.replacen(r#""version":1"#, r#""version":"one""#, 1));
    assert!(matches!(odd, ResultsError::NoVersion), "{odd}");
    let cut = refusal(r#"{"format": "ckptscope-results", "version": 1}"#);
    assert!(matches!(cut, ResultsError::Broken(_)), "{cut}");
}

#[test]
fn results_from_before_entries_said_what_they_measure_are_read() {
    let mut value = serde_json::to_value(results()).unwrap();
    for entry in value["entries"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().shift_remove("components");
    }
    let read = Results::parse(&value.to_string()).unwrap();
    assert!(read.entries.iter().all(|entry| entry.components.is_empty()));
    assert_eq!(read.records, results().records);
}
