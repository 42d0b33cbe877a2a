//! `results.json`: what is written is read, whatever it holds, and what is broken is told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use ckptscope_results::{
    DataKind, Entry, EntryId, Number, Numbers, Results, ResultsError, SeriesId, Split, Status,
    Value,
};
use proptest::prelude::*;
use serde_json::json;

fn text() -> impl Strategy<Value = String> {
    "[a-z .·\"\\\\é]{0,8}"
}

fn value() -> impl Strategy<Value = Option<Value>> {
    let finite = || any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![
        4 => finite().prop_map(|number| Some(Value::Number(number))),
        1 => Just(None),
        1 => proptest::collection::vec(finite(), 0..4).prop_map(|all| Some(Value::Vector(all.into()))),
    ]
}

fn status() -> impl Strategy<Value = Option<Status>> {
    let some = (text(), text()).prop_map(|(code, text)| Some(Status::new(&code, &text)));
    prop_oneof![3 => Just(None), 1 => some]
}

fn id() -> impl Strategy<Value = SeriesId> {
    let kind = prop_oneof![
        Just(DataKind::Weights),
        Just(DataKind::Gradients),
        Just(DataKind::Activations)
    ];
    let split = prop_oneof![Just(Split::Train), Just(Split::Val)];
    let names = (text(), text(), text(), text());
    let run = proptest::option::of(prop_oneof![Just("seed 1"), Just("seed 2")]);
    let entry = ("[ab]", split, run);
    let layer = proptest::option::of(0..3_u64);
    let head = proptest::option::of(0..3_u64);
    let expert = proptest::option::of(0..2_u64);
    (entry, names, kind, layer, (expert, head)).prop_map(
        |((label, split, run), (component, stack, output, _), kind, layer, (expert, head))| {
            SeriesId {
                run: run.map(Into::into),
                entry: EntryId::new(&label, split),
                component: component.into(),
                kind,
                // Outside of layers there is no stack.
                stack: layer.map_or_else(String::new, |_| stack).into(),
                layer,
                expert,
                head,
                output: output.into(),
            }
        },
    )
}

fn numbers() -> impl Strategy<Value = Vec<Number>> {
    let number = (id(), 0..5_u64, value(), status());
    let number = number.prop_map(|(id, step, value, status)| Number {
        id,
        step,
        value,
        status,
    });
    proptest::collection::vec(number, 0..40)
}

fn results(numbers: Vec<Number>) -> Results {
    let ids = [
        ("a", Split::Train),
        ("a", Split::Val),
        ("b", Split::Train),
        ("b", Split::Val),
    ];
    let entries = ids.map(|(label, split)| Entry {
        label: label.to_owned(),
        split,
        ..Entry::default()
    });
    let mut results = Results {
        program: "a test".to_owned(),
        entries: entries.to_vec(),
        runs: vec!["seed 2".to_owned(), "seed 1".to_owned()],
        series: numbers.into_iter().collect(),
        ..Results::default()
    };
    results.sort();
    results
}

proptest! {
    #[test]
    fn what_is_written_is_read(numbers in numbers()) {
        let results = results(numbers);
        let text = String::from_utf8(results.to_json().unwrap()).unwrap();
        prop_assert_eq!(Results::parse(&text).unwrap(), results);
    }

    #[test]
    fn the_order_in_which_numbers_come_changes_nothing(numbers in numbers(), seed in any::<u64>()) {
        // Of two numbers of the same thing the later counts, so each thing is named once.
        let mut named = BTreeMap::new();
        for number in numbers {
            named.insert((number.id.clone(), number.step), number);
        }
        let numbers: Vec<Number> = named.into_values().collect();
        let mut other = numbers.clone();
        for place in (1..other.len()).rev() {
            other.swap(place, (seed as usize).wrapping_mul(place) % (place + 1));
        }
        let (one, other) = (results(numbers), results(other));
        prop_assert_eq!(one.to_json().unwrap(), other.to_json().unwrap());
        prop_assert_eq!(one.long_csv().unwrap(), other.long_csv().unwrap());
    }

    #[test]
    fn numbers_on_their_way_are_those_that_were_sent(numbers in numbers()) {
        let text = serde_json::to_string(&Numbers(numbers.clone())).unwrap();
        let read: Numbers = serde_json::from_str(&text).unwrap();
        let sorted = |numbers: Vec<Number>| {
            let mut texts: Vec<String> = numbers.iter().map(|one| format!("{one:?}")).collect();
            texts.sort();
            texts
        };
        prop_assert_eq!(sorted(read.0), sorted(numbers));
    }
}

fn number(stack: &str, layer: u64, step: u64, value: f64) -> Number {
    Number {
        id: SeriesId {
            entry: EntryId::new("a", Split::Val),
            component: "o_proj".into(),
            stack: stack.into(),
            layer: Some(layer),
            ..SeriesId::default()
        },
        step,
        value: Some(Value::Number(value)),
        status: None,
    }
}

#[test]
fn two_stacks_of_one_suffix_share_no_place() {
    let numbers = vec![
        number("encoder.layers.", 0, 7, 1.0),
        number("decoder.layers.", 0, 7, 2.0),
    ];
    let results = results(numbers);
    assert_eq!(results.series.numbers(), 2);
    let keys: Vec<String> = results.rows().map(|(id, _)| id.key()).collect();
    assert_eq!(
        keys,
        [
            "decoder.layers.0.o_proj.weights",
            "encoder.layers.0.o_proj.weights"
        ]
    );
}

#[test]
fn a_run_or_an_entry_that_nobody_listed_is_not_lost() {
    let of = |run: &str| {
        let mut number = number("layers.", 0, 1, 0.5);
        number.id.run = Some(run.into());
        number
    };
    let results = Results {
        series: [of("one"), of("other")].into_iter().collect(),
        ..Results::default()
    };
    let text = String::from_utf8(results.to_json().unwrap()).unwrap();
    let read = Results::parse(&text).unwrap();
    assert_eq!(read.runs, ["one", "other"]);
    assert_eq!(read.entries[0].id(), EntryId::new("a", Split::Val));
    let runs: Vec<_> = read.rows().map(|(id, _)| id.run.as_deref()).collect();
    assert_eq!(runs, [Some("one"), Some("other")]);
}

/// A results file with its JSON changed.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Result<Results, ResultsError> {
    let results = results(vec![
        number("layers.", 0, 1, 0.5),
        number("layers.", 1, 1, 0.25),
    ]);
    let mut file: serde_json::Value = serde_json::from_slice(&results.to_json().unwrap()).unwrap();
    change(&mut file);
    Results::parse(&file.to_string())
}

#[test]
fn a_broken_series_is_told() {
    assert!(changed(|_| ()).is_ok());
    let refused = |pointer: &str, value: serde_json::Value| {
        let changed = changed(|file| *file.pointer_mut(pointer).unwrap() = value);
        changed.unwrap_err().to_string()
    };
    let told = refused("/series/1/entry", json!(9));
    assert!(
        told.contains("no such entry (number 2 of its series)"),
        "{told}"
    );
    let told = refused("/series/0/steps", json!(9));
    assert!(told.contains("no such steps"), "{told}");
    let told = refused("/series/0/values", json!([1.0, 2.0]));
    assert!(told.contains("do not fit each other"), "{told}");
    let told = refused("/series/1/layer", json!(0));
    assert!(
        told.contains("layers.0.o_proj.weights of a_val twice"),
        "{told}"
    );
    let told = refused("/step_lists/0", json!([2, 1]));
    assert!(told.contains("do not fit each other"), "{told}");
    let told = refused("/series/0/values", json!([[1.0, "x"]]));
    assert!(told.contains("broken"), "{told}");
}

#[test]
fn other_texts_are_refused_with_the_reason() {
    let refusal = |text: &str| Results::parse(text).err().unwrap();
    assert!(matches!(refusal("no"), ResultsError::NotJson(_)));
    assert!(matches!(refusal("[1]"), ResultsError::NotJson(_)));
    assert!(matches!(refusal("{}"), ResultsError::Foreign));
    let inspection = r#"{"format": "ckptscope-inspection", "version": 1}"#;
    assert!(matches!(refusal(inspection), ResultsError::Foreign));
    let newer = changed(|file| file["version"] = json!(3)).unwrap_err();
    let told = newer.to_string();
    assert!(told.contains("made by a newer ckptscope"), "{told}");
    let odd = changed(|file| file["version"] = json!("one")).unwrap_err();
    assert!(matches!(odd, ResultsError::NoVersion), "{odd}");
    for version in [1, 2] {
        let cut = refusal(&format!(
            r#"{{"format": "ckptscope-results", "version": {version}}}"#
        ));
        assert!(matches!(cut, ResultsError::Broken(_)), "{cut}");
    }
}

#[test]
fn the_former_name_is_read() {
    let former = changed(|file| file["format"] = json!("trainscope-results")).unwrap();
    assert_eq!(former, changed(|_| ()).unwrap());
}
