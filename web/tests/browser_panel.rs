//! Records arranged as charts show them.

use trainscope_analysis::protocol::Record;
use trainscope_web::panel::{Panels, short};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn record(data_type: &str, component: &str, layer: u64, step: u64, value: Option<f64>) -> Record {
    Record {
        label: "per".to_owned(),
        split: "val".to_owned(),
        step,
        key: format!("layers.{layer}.{component}.{data_type}"),
        component: component.to_owned(),
        layer,
        head: None,
        data_type: data_type.to_owned(),
        output: String::new(),
        value,
        status: None,
    }
}

fn panels(records: Vec<Record>) -> Panels {
    let mut panels = Panels::default();
    records.into_iter().for_each(|record| panels.add(record));
    panels
}

#[wasm_bindgen_test]
fn each_kind_of_data_has_a_chart() {
    let panels = panels(vec![
        record("weights", "w_2", 0, 0, Some(1.0)),
        record("gradients", "w_2", 0, 0, Some(2.0)),
    ]);
    assert_eq!(panels.0.len(), 2);
    assert_eq!(panels.labels(), ["per"]);
}

#[wasm_bindgen_test]
fn lines_and_points_are_sorted_however_they_come() {
    let panels = panels(vec![
        record("weights", "w_2", 1, 8, Some(1.0)),
        record("weights", "w_2", 0, 4, None),
        record("weights", "w_2", 1, 2, Some(3.0)),
    ]);
    let panel = &panels.0[0];
    let layers: Vec<u64> = panel.lines.iter().map(|line| line.subject.layer).collect();
    assert_eq!(layers, [0, 1]);
    assert_eq!(panel.lines[1].points, [(2, Some(3.0)), (8, Some(1.0))]);
    assert_eq!(panel.steps(), [2, 4, 8]);
    assert_eq!(panel.lines[0].at(4), None);
    assert_eq!(panel.lines[1].at(8), Some(1.0));
}

#[wasm_bindgen_test]
fn a_head_is_a_line_of_its_own() {
    let mut head = record("weights", "ov_circuit", 0, 0, Some(1.0));
    head.head = Some(3);
    let panels = panels(vec![record("weights", "ov_circuit", 0, 0, Some(2.0)), head]);
    assert!(panels.0[0].has_heads());
    assert_eq!(
        panels.0[0].lines[1].subject.name(),
        "layer 0 · ov_circuit · head 3"
    );
}

#[wasm_bindgen_test]
fn names_are_short() {
    assert_eq!(short("attention.v_proj"), "v_proj");
    assert_eq!(short("ov_circuit"), "ov_circuit");
}
