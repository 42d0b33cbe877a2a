//! Files of version 1, of one run and of several, are read as what they hold.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ckptscope_results::{DataKind, Results, Status};
use serde_json::{Value, json};

fn record(component: &str, key: &str, layer: u64, value: &Value, status: &Value) -> Value {
    json!({"label": "per", "split": "val", "step": 3, "key": key, "component": component,
        "layer": layer, "head": null, "data_type": "weights", "value": value, "status": status})
}

fn file(components: &[&str], records: &[Value]) -> Results {
    let measured: Vec<_> = components
        .iter()
        .map(|component| json!({"component": component, "data_type": "weights"}))
        .collect();
    let entry = json!({"label": "per", "metric": "per", "summary": "one line", "split": "val",
        "target": null, "parameters": {}, "components": measured});
    let text = json!({"format": "trainscope-results", "version": 1, "program": "trainscope 0.1.0",
        "analysis_name": "first", "source": "runs",
        "model": {"d_model": 8, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "source": "a.yaml"},
        "steps": [3], "missing_steps": [], "entries": [entry], "warnings": [],
        "config": "a: 1", "records": records});
    Results::parse(&text.to_string()).unwrap()
}

#[test]
fn keys_say_the_stack() {
    let records = [
        record(
            "attention.o_proj",
            "model.layers.1.attention.o_proj.weights",
            1,
            &json!(2.5),
            &Value::Null,
        ),
        record(
            "attention.o_proj",
            "model.layers.0.attention.o_proj.weights",
            0,
            &Value::Null,
            &json!("all entries are zero"),
        ),
    ];
    let results = file(&["attention.o_proj"], &records);
    let rows: Vec<_> = results.rows().collect();
    let (id, point) = &rows[0];
    assert_eq!(
        (&*id.stack, id.layer, id.kind),
        ("model.layers.", Some(0), DataKind::Weights)
    );
    let status = Status::new(Status::UNSPECIFIED, "all entries are zero");
    assert_eq!((point.number(), point.status), (None, Some(&status)));
    assert_eq!(rows[1].0.key(), "model.layers.1.attention.o_proj.weights");
    assert_eq!(rows[1].1.number(), Some(2.5));
    assert!(results.runs.is_empty());
}

#[test]
fn runs_that_were_compared_are_known_again() {
    let records = [
        record(
            "o_proj · b",
            "layers.0.o_proj.weights · b",
            0,
            &json!(2.0),
            &Value::Null,
        ),
        record(
            "o_proj · a",
            "layers.0.o_proj.weights · a",
            0,
            &json!(1.0),
            &Value::Null,
        ),
    ];
    let results = file(&["o_proj · a", "o_proj · b"], &records);
    assert_eq!(results.runs, ["a", "b"]);
    assert_eq!(results.entries[0].components.len(), 1);
    assert_eq!(results.entries[0].components[0].component, "o_proj");
    let rows: Vec<_> = results
        .rows()
        .map(|(id, point)| (id.run.as_deref(), point.number()))
        .collect();
    assert_eq!(rows, [(Some("a"), Some(1.0)), (Some("b"), Some(2.0))]);
    let stacks: Vec<_> = results.rows().map(|(id, _)| id.stack.to_string()).collect();
    assert_eq!(stacks, ["layers.", "layers."]);
}
