//! Analyses side by side.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ckptscope_results::compare::{CompareError, Comparison};
use ckptscope_results::{
    DataKind, Entry, EntryId, MeasuredComponent, ModelShape, Number, Results, SeriesId, Split,
    Value,
};
use serde_json::json;

/// The effective rank of one layer's weights.
fn number(component: &str, layer: u64, step: u64, value: Option<f64>) -> Number {
    Number {
        id: SeriesId {
            entry: EntryId::new("per", Split::Val),
            component: component.into(),
            kind: DataKind::Weights,
            stack: "layers.".into(),
            layer: Some(layer),
            ..SeriesId::default()
        },
        step,
        value: value.map(Value::Number),
        status: None,
    }
}

/// Results with these numbers, and an entry that measures their components.
fn results(name: &str, steps: &[u64], components: &[&str], numbers: &[Number]) -> Results {
    let measured = components.iter().map(|component| MeasuredComponent {
        component: (*component).to_owned(),
        kind: DataKind::Weights,
        parameters: Some(serde_json::Map::default()),
        ..MeasuredComponent::default()
    });
    let mut results = Results {
        program: "p".to_owned(),
        analysis_name: name.to_owned(),
        source: "runs".to_owned(),
        steps: steps.to_vec(),
        entries: vec![Entry {
            label: "per".to_owned(),
            metric: "per".to_owned(),
            split: Split::Val,
            components: measured.collect(),
            ..Entry::default()
        }],
        warnings: vec![format!("a warning of {name}")],
        config: "a: 1".to_owned(),
        series: numbers.iter().cloned().collect(),
        ..Results::default()
    };
    results.sort();
    results
}

/// Steps 0 and 1 of `o_proj` in two layers.
fn first() -> Results {
    let numbers = vec![
        number("o_proj", 0, 0, Some(0.5)),
        number("o_proj", 1, 0, Some(0.25)),
        number("o_proj", 0, 1, Some(1.0)),
        number("o_proj", 1, 1, None),
    ];
    results("a", &[0, 1], &["o_proj"], &numbers)
}

/// Steps 1 and 2 of `o_proj` in one layer, and of `v_proj`.
fn second() -> Results {
    let numbers = vec![
        number("o_proj", 0, 1, Some(1.75)),
        number("v_proj", 0, 1, Some(2.0)),
        number("o_proj", 0, 2, Some(3.0)),
    ];
    results("b", &[1, 2], &["o_proj", "v_proj"], &numbers)
}

fn compared(runs: Vec<Results>) -> Comparison {
    Comparison::of(runs.into_iter().map(|run| (None, run)).collect()).unwrap()
}

#[test]
fn numbers_stand_side_by_side() {
    let table = compared(vec![first(), second()]).csv().unwrap();
    let expected = "\
metric,split,step,key,component,output,layer,head,data_type,a,b,difference,a_status,b_status
per,val,0,layers.0.o_proj.weights,o_proj,,0,,weights,0.5,,,,lacking
per,val,0,layers.1.o_proj.weights,o_proj,,1,,weights,0.25,,,,lacking
per,val,1,layers.0.o_proj.weights,o_proj,,0,,weights,1.0,1.75,0.75,,
per,val,1,layers.1.o_proj.weights,o_proj,,1,,weights,,,,undefined,lacking
per,val,1,layers.0.v_proj.weights,v_proj,,0,,weights,,2.0,,lacking,
per,val,2,layers.0.o_proj.weights,o_proj,,0,,weights,,3.0,,lacking,
";
    assert_eq!(String::from_utf8(table).unwrap(), expected);
}

#[test]
fn in_the_merged_results_every_series_names_its_run() {
    let merged = compared(vec![first(), second()]).merged;
    assert_eq!(merged.steps, [0, 1, 2]);
    assert_eq!(merged.analysis_name, "a vs b");
    assert_eq!(merged.runs, ["a", "b"]);
    let measured = merged.entries[0].components.iter();
    let measured: Vec<&str> = measured.map(|one| one.component.as_str()).collect();
    assert_eq!(measured, ["o_proj", "v_proj"]);
    let at_1: Vec<(String, Option<f64>)> = merged
        .rows()
        .filter(|(_, point)| point.step == 1)
        .map(|(id, point)| (id.subject(false).to_string(), point.number()))
        .collect();
    let expected = [
        ("0::o_proj · a", Some(1.0)),
        ("1::o_proj · a", None),
        ("0::o_proj · b", Some(1.75)),
        ("0::v_proj · b", Some(2.0)),
    ];
    assert_eq!(at_1, expected.map(|(name, value)| (name.to_owned(), value)));
    // It is a results file like any other.
    let text = String::from_utf8(merged.to_json().unwrap()).unwrap();
    assert_eq!(Results::parse(&text).unwrap(), merged);
}

#[test]
fn a_wrapper_around_one_run_changes_nothing() {
    let wrapped = |mut results: Results| {
        let wrapped = results.series.each().map(|mut number| {
            number.id.stack = format!("_orig_mod.{}", number.id.stack).into();
            number
        });
        results.series = wrapped.collect();
        results
    };
    let plain = compared(vec![first(), second()]);
    let other = compared(vec![first(), wrapped(second())]);
    let values = |one: &Comparison| -> Vec<Vec<Option<f64>>> {
        one.rows().map(|row| row.values().collect()).collect()
    };
    assert_eq!(values(&plain), values(&other));
    assert_eq!(plain.merged.warnings, other.merged.warnings);
}

#[test]
fn what_a_run_has_in_two_stacks_is_matched_by_its_stack() {
    let of = |stack: &str, value| {
        let mut number = number("o_proj", 0, 0, Some(value));
        number.id.stack = stack.into();
        number
    };
    let run = |base: f64| {
        let numbers = [
            of("encoder.layers.", base),
            of("decoder.layers.", base + 10.0),
        ];
        results("seed", &[0], &["o_proj"], &numbers)
    };
    // Whatever wrapper one of them has.
    let wrapped = |mut results: Results| {
        let wrapped = results.series.each().map(|mut number| {
            number.id.stack = format!("module.{}", number.id.stack).into();
            number
        });
        results.series = wrapped.collect();
        results
    };
    let rows = compared(vec![run(1.0), wrapped(run(2.0))]);
    let rows: Vec<_> = rows
        .rows()
        .map(|row| (row.id.stack.to_string(), row.values().collect()))
        .collect();
    let expected = [
        ("decoder.layers.", vec![Some(11.0), Some(12.0)]),
        ("encoder.layers.", vec![Some(1.0), Some(2.0)]),
    ];
    assert_eq!(
        rows,
        expected.map(|(stack, values)| (stack.to_owned(), values))
    );
}

#[test]
fn what_does_not_match_is_told() {
    let mut second = second();
    second.config = "a: 2".to_owned();
    let parameters = json!({"variant": "reference"});
    second.entries[0].parameters = parameters.as_object().unwrap().clone();
    second.entries[0].target = Some(7);
    let merged = compared(vec![first(), second]).merged;
    let expected = [
        "per_val of o_proj is not the same in all: nothing of it in a, \
         target: 7, variant: reference in b; these stand side by side and are not subtracted",
        "a lacks steps 2",
        "a lacks per_val of v_proj weights",
        "b lacks steps 0",
        "the configs differ; the one that is shown is that of a",
        "a: a warning of a",
        "b: a warning of b",
    ];
    assert_eq!(merged.warnings, expected);
}

#[test]
fn three_runs_are_compared_last_to_first() {
    let at = |value| {
        let numbers = vec![number("o_proj", 0, 0, Some(value))];
        results("seed", &[0], &["o_proj"], &numbers)
    };
    let comparison = compared(vec![at(1.0), at(5.0), at(3.0)]);
    assert_eq!(comparison.names, ["seed", "seed 2", "seed 3"]);
    let row = comparison.rows().next().unwrap();
    assert_eq!(
        row.values().collect::<Vec<_>>(),
        [Some(1.0), Some(5.0), Some(3.0)]
    );
    assert_eq!(row.difference(), Some(2.0));
    let no_warnings_but_their_own = comparison.merged.warnings.len();
    assert_eq!(no_warnings_but_their_own, 3);
}

#[test]
fn names_are_given_and_no_column_is_there_twice() {
    let names = [Some("step".to_owned()), Some("difference".to_owned())];
    let runs = names.into_iter().zip([first(), second()]).collect();
    let comparison = Comparison::of(runs).unwrap();
    assert_eq!(comparison.names, ["step 2", "difference 2"]);
    // Databases pass over capitals.
    for [one, other, expected] in [["a", "A", "A 2"], ["b", "B_Status", "B_Status 2"]] {
        let names = [one, other].map(|name| Some(name.to_owned()));
        let runs = names.into_iter().zip([first(), second()]).collect();
        assert_eq!(Comparison::of(runs).unwrap().names, [one, expected]);
    }
}

/// The results with their entry called and made otherwise.
fn as_entry(mut results: Results, label: &str, parameters: &[(&str, &str)]) -> Results {
    let renamed = results.series.each().map(|mut number| {
        number.id.entry = EntryId::new(label, Split::Val);
        number
    });
    results.series = renamed.collect();
    for entry in &mut results.entries {
        label.clone_into(&mut entry.label);
        let named = |(name, value): &(&str, &str)| ((*name).to_owned(), json!(value));
        entry.parameters = parameters.iter().map(named).collect();
    }
    results
}

#[test]
fn what_has_another_meaning_is_not_subtracted() {
    let nuclear = [("norm_type", "nuclear")];
    let other = as_entry(second(), "per", &nuclear);
    let mut third = first();
    third.analysis_name = "c".to_owned();
    let comparison = compared(vec![first(), other, third]);
    let labels: Vec<&str> = comparison
        .merged
        .entries
        .iter()
        .map(|it| &*it.label)
        .collect();
    assert_eq!(labels, ["per", "per (norm_type: nuclear)"]);
    for row in comparison.rows() {
        let is_other = row.id.entry.label.contains("nuclear");
        let has = |run: usize| row.points[run].is_some();
        assert!(
            has(1) == (is_other || &*row.id.component == "v_proj"),
            "{row:?}"
        );
        assert!(!is_other || !has(0) && !has(2), "{row:?}");
    }
    let told = comparison.merged.warnings.join("\n");
    let words =
        "per_val of o_proj is not the same in all: nothing of it in a, norm_type: nuclear in b";
    assert!(told.contains(words), "{told}");
    // A component's parameters count as the metric's do.
    let mut product = second();
    let parameters = &mut product.entries[0].components[0].parameters;
    *parameters = json!({"form": "product"}).as_object().cloned();
    let comparison = compared(vec![first(), product]);
    assert!(comparison.rows().all(|row| row.difference().is_none()));
    let told = comparison.merged.warnings.join("\n");
    assert!(
        told.contains("nothing of it in a, form: product in b"),
        "{told}"
    );
}

#[test]
fn what_is_made_of_other_tensors_is_not_subtracted() {
    let of = |mut results: Results, value_layer: &str| {
        let parameters = &mut results.entries[0].components[0].parameters;
        *parameters = json!({"value_layer": value_layer}).as_object().cloned();
        results
    };
    let comparison = compared(vec![of(first(), "v_proj"), of(second(), "v_proj")]);
    assert!(comparison.rows().any(|row| row.difference().is_some()));
    let comparison = compared(vec![of(first(), "v_proj"), of(second(), "k_proj")]);
    assert!(comparison.rows().all(|row| row.difference().is_none()));
    let told = comparison.merged.warnings.join("\n");
    let words = "value_layer: v_proj in a, value_layer: k_proj in b; these stand side by side";
    assert!(told.contains(words), "{told}");
}

#[test]
fn what_nobody_says_the_meaning_of_is_not_subtracted() {
    let untold = |mut results: Results| {
        results.entries[0].components[0].parameters = None;
        results
    };
    // As files of version 1 may have it.
    let unlisted = |mut results: Results| {
        results.entries[0].components.clear();
        results
    };
    for (one, other) in [
        (untold(first()), second()),
        (first(), untold(second())),
        (untold(first()), untold(second())),
        (unlisted(first()), unlisted(second())),
    ] {
        let comparison = compared(vec![one, other]);
        let met = comparison.rows().filter(|row| row.difference().is_some());
        assert_eq!(met.count(), 0);
        let told = comparison.merged.warnings.join("\n");
        let words = "per_val of o_proj may not be the same in all: its tensors are ";
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn heads_of_models_that_have_others_are_not_subtracted() {
    let of = |name: &str, heads: [u64; 3]| {
        let numbers: Vec<Number> = [None, Some(0), Some(1)]
            .into_iter()
            .map(|head| {
                let mut number = number("ov_circuit", 0, 0, Some(2.0));
                number.id.head = head;
                number
            })
            .collect();
        let [n_heads, n_kv_heads, d_head] = heads.map(Some);
        Results {
            model: Some(ModelShape {
                n_heads,
                n_kv_heads,
                d_head,
                ..ModelShape::default()
            }),
            ..results(name, &[0], &["ov_circuit"], &numbers)
        }
    };
    let differences = |one: [u64; 3], other: [u64; 3]| {
        let comparison = compared(vec![of("a", one), of("b", other)]);
        let rows = comparison.rows();
        let rows: Vec<_> = rows.map(|row| (row.id.head, row.difference())).collect();
        (rows, comparison.merged.warnings)
    };
    let (same, _) = differences([2, 2, 8], [2, 2, 8]);
    assert!(same.iter().all(|(_, difference)| *difference == Some(0.0)));
    for other in [[4, 2, 8], [2, 1, 8], [2, 2, 16]] {
        let (rows, warnings) = differences([2, 2, 8], other);
        let expected = [(None, Some(0.0)), (Some(0), None), (Some(1), None)];
        assert_eq!(rows, expected, "{other:?}");
        let words = "a and b do not have the same heads";
        assert!(warnings[0].starts_with(words), "{warnings:?}");
    }
}

#[test]
fn the_same_number_meets_whatever_it_is_called() {
    let nuclear = [("norm_type", "nuclear")];
    let one = as_entry(first(), "norm", &nuclear);
    let other = as_entry(second(), "norm_nuclear", &nuclear);
    let comparison = compared(vec![one, other]);
    let met = comparison.rows().filter(|row| row.difference().is_some());
    let met: Vec<String> = met.map(|row| row.id.entry.stem()).collect();
    assert_eq!(met, ["norm_val"]);
    let told = comparison.merged.warnings.join("\n");
    assert!(
        told.contains("norm_nuclear_val of b is the same as norm"),
        "{told}"
    );
}

#[test]
fn two_entries_of_one_meaning_stay_two() {
    let doubled = |mut results: Results| {
        let mut again = as_entry(results.clone(), "again", &[]);
        results.series.extend(again.series.each());
        results.entries.append(&mut again.entries);
        results
    };
    let comparison = compared(vec![doubled(first()), doubled(second())]);
    let met = comparison
        .rows()
        .filter(|row| row.difference() == Some(0.75));
    let met: Vec<String> = met.map(|row| row.id.entry.stem()).collect();
    assert_eq!(met, ["per_val", "again_val"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let of = |runs: Vec<Results>| Comparison::of(runs.into_iter().map(|run| (None, run)).collect());
    assert_eq!(
        of(vec![first()]).unwrap_err(),
        CompareError::TooFew { count: 1 }
    );
    let mut other = second();
    let renamed = other.series.each().map(|mut number| {
        number.id.entry = EntryId::new("gini", Split::Val);
        number
    });
    other.series = renamed.collect();
    assert_eq!(
        of(vec![first(), other]).unwrap_err(),
        CompareError::NothingInCommon
    );
}

/// Results of `down` in layers 0 to 2, made of these parameters in these layers.
fn by_layer(name: &str, made: &[(&[u64], &str)]) -> Results {
    let numbers: Vec<Number> = (0..3)
        .map(|layer| number("down", layer, 0, Some(1.0)))
        .collect();
    let mut results = results(name, &[0], &["down"], &numbers);
    let measured = made.iter().map(|(layers, form)| MeasuredComponent {
        component: "down".to_owned(),
        kind: DataKind::Weights,
        layers: layers.to_vec(),
        parameters: json!({"form": form}).as_object().cloned(),
        ..MeasuredComponent::default()
    });
    results.entries[0].components = measured.collect();
    results
}

/// Per row its label, its layer, and whether it was subtracted.
fn subtracted(comparison: &Comparison) -> Vec<(String, Option<u64>, bool)> {
    let told = comparison.rows().map(|row| {
        let label = row.id.entry.label.to_string();
        (label, row.id.layer, row.difference().is_some())
    });
    told.collect()
}

#[test]
fn what_is_made_otherwise_in_some_layers_is_subtracted_in_the_others() {
    let one = by_layer("a", &[(&[0], "product"), (&[1, 2], "circuit")]);
    let other = by_layer("b", &[(&[0, 1], "circuit"), (&[2], "product")]);
    let comparison = compared(vec![one.clone(), other]);
    let label = |more: &str| format!("per{more}");
    let expected = [
        (label(""), Some(0), false),
        (label(""), Some(1), true),
        (label(""), Some(2), false),
        (label(" (form: circuit)"), Some(0), false),
        (label(" (form: product)"), Some(2), false),
    ];
    assert_eq!(subtracted(&comparison), expected);
    let entries = comparison.merged.entries.iter();
    let layers: Vec<_> = entries
        .map(|entry| {
            (
                &*entry.label,
                entry.components.last().unwrap().layers.clone(),
            )
        })
        .collect();
    let expected = [
        ("per", vec![1]),
        ("per (form: circuit)", vec![0]),
        ("per (form: product)", vec![2]),
    ];
    assert_eq!(layers, expected);
    // The same in all layers is the same in some.
    let part = by_layer("c", &[(&[], "circuit")]);
    let met = subtracted(&compared(vec![one, part]));
    let met = met.into_iter().filter(|(_, _, is_met)| *is_met);
    assert_eq!(
        met.map(|(_, layer, _)| layer).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
}

#[test]
fn one_entry_meets_two_that_share_its_layers() {
    let mut two = by_layer("a", &[(&[], "dense")]);
    let renamed = two.series.each().map(|mut number| {
        let label = if number.id.layer == Some(0) {
            "first"
        } else {
            "rest"
        };
        number.id.entry = EntryId::new(label, Split::Val);
        number
    });
    two.series = renamed.collect();
    let mut rest = two.entries[0].clone();
    two.entries[0].label = "first".to_owned();
    rest.label = "rest".to_owned();
    two.entries.push(rest);
    let met = subtracted(&compared(vec![two, by_layer("b", &[(&[], "dense")])]));
    let expected = [("first", 0), ("rest", 1), ("rest", 2)];
    let expected = expected.map(|(label, layer)| (label.to_owned(), Some(layer), true));
    assert_eq!(met, expected);
}

#[test]
fn what_a_parameter_came_to_counts_and_not_auto() {
    let of = |name: &str, given: &str, came_to: Option<&str>| {
        let mut results = by_layer(name, &[(&[], "circuit")]);
        let entry = &mut results.entries[0];
        entry.parameters = json!({"rank": given}).as_object().cloned().unwrap();
        let made_of = entry.components[0].parameters.as_mut().unwrap();
        made_of.extend(came_to.map(|word| ("rank".to_owned(), json!(word))));
        results
    };
    let meet = |one, other| {
        let met = subtracted(&compared(vec![one, other]));
        met.iter().all(|(_, _, is_met)| *is_met)
    };
    let by_role = || of("a", "auto", Some("possible"));
    assert!(meet(by_role(), of("b", "auto", Some("possible"))));
    assert!(meet(by_role(), of("b", "possible", None)));
    assert!(!meet(by_role(), of("b", "auto", Some("shape"))));
    // Nobody says what it came to.
    assert!(!meet(of("a", "auto", None), of("b", "auto", None)));
}

#[test]
fn stacks_that_are_told_must_be_the_same() {
    let of = |name: &str, stack: &str, is_told: bool| {
        let mut results = by_layer(name, &[(&[], "circuit")]);
        let moved = results.series.each().map(|mut number| {
            number.id.stack = stack.into();
            number
        });
        results.series = moved.collect();
        if is_told {
            results.entries[0].components[0].stack = stack.to_owned();
        }
        results
    };
    let meet = |one, other| {
        let comparison = compared(vec![one, other]);
        let met = subtracted(&comparison).iter().all(|(_, _, is_met)| *is_met);
        (met, comparison.merged.warnings.join("\n"))
    };
    let (encoder, decoder) = ("encoder.block.", "decoder.block.");
    let (met, told) = meet(of("a", encoder, true), of("b", decoder, true));
    let words = "stack: encoder.block in a, stack: decoder.block in b; these stand";
    assert!(!met && told.contains(words), "{told}");
    assert!(!meet(of("a", encoder, true), of("b", decoder, false)).0);
    for (one, other) in [
        (
            of("a", encoder, true),
            of("b", "module.encoder.block.", true),
        ),
        (
            of("a", encoder, true),
            of("b", "model.encoder.block.", false),
        ),
        (
            of("a", "model.layers.", false),
            of("b", "transformer.h.", false),
        ),
    ] {
        let (met, told) = meet(one, other);
        assert!(met, "{told}");
    }
}

#[test]
fn each_stack_has_a_meaning_of_its_own() {
    let run = |name: &str, forms: [&str; 2]| {
        let stacks = ["encoder.block.", "decoder.block."];
        let of = |stack: &str| {
            let mut number = number("down", 0, 0, Some(1.0));
            number.id.stack = stack.into();
            number
        };
        let mut results = results(name, &[0], &["down"], &stacks.map(of));
        let measured = stacks
            .iter()
            .zip(forms)
            .map(|(stack, form)| MeasuredComponent {
                component: "down".to_owned(),
                stack: (*stack).to_owned(),
                parameters: json!({"form": form}).as_object().cloned(),
                ..MeasuredComponent::default()
            });
        results.entries[0].components = measured.collect();
        results.sort();
        results
    };
    let same = || run("a", ["product", "circuit"]);
    let comparison = compared(vec![same(), same()]);
    assert!(subtracted(&comparison).iter().all(|(_, _, is_met)| *is_met));
    assert_eq!(
        comparison.merged.warnings,
        ["a: a warning of a", "a 2: a warning of a"]
    );
    let comparison = compared(vec![same(), run("b", ["circuit", "circuit"])]);
    let rows = comparison.rows();
    let met = rows.filter(|row| row.difference().is_some());
    let met: Vec<String> = met.map(|row| row.id.stack.to_string()).collect();
    assert_eq!(met, ["decoder.block."]);
}

#[test]
fn a_comparison_is_not_compared_again() {
    let merged = compared(vec![first(), second()]).merged;
    let error = Comparison::of(vec![(None, merged), (None, first())]).unwrap_err();
    let words = "a vs b is a comparison itself, of a, b: give the analyses that it was made of";
    assert_eq!(error.to_string(), words);
}
