//! The forms in which a value may be written.

use ckptscope_analysis::config::{
    LayerSelection, Monitoring, PicoReport, StepSelection, Target, Wandb,
};
use ckptscope_metrics::ParameterValue;

use crate::{entry, parse, problems};

#[test]
fn steps() {
    let list = |steps: &[u64]| StepSelection::List(steps.to_vec());
    for (written, meant) in [
        ("all", StepSelection::All),
        ("7", list(&[7])),
        ("[100, 0, 50, 50]", list(&[0, 50, 100])),
        ("[0, 1_000, 50_000]", list(&[0, 1000, 50_000])),
        ("{start: 0, end: 100, step: 50}", list(&[0, 50, 100])),
        ("{start: 0, end: 99, step: 50}", list(&[0, 50])),
        ("{end: 20_000, step: 10_000}", list(&[0, 10_000, 20_000])),
        ("{start: 5, end: 5, step: 1}", list(&[5])),
        ("{start: 10, end: 30, step: 1_000}", list(&[10])),
        ("\n  - 1\n  - 2", list(&[1, 2])),
    ] {
        let config = parse(&format!(
            "metrics: [{}]\nsteps: {written}",
            entry("metric_name: gini")
        ));
        assert_eq!(config.steps, meant, "{written}");
    }
    let million = parse(&format!(
        "metrics: [{}]\nsteps: {{end: 999_999, step: 1}}",
        entry("metric_name: gini")
    ));
    assert_eq!(parse(&million.to_yaml()), million);
    for bad in [
        "",
        "[]",
        "none",
        "-1",
        "1.5",
        "[[1]]",
        "{end: 1_000_000, step: 1}",
        "{start: 2, end: 1, step: 1}",
    ] {
        let found = problems(&format!(
            "metrics: [{}]\nsteps: {bad}",
            entry("metric_name: gini")
        ));
        assert_eq!(found.len(), 1, "{bad}: {found:?}");
        assert_eq!(found[0].location.line, 2, "{bad}");
    }
}

#[test]
fn layers() {
    let list = |layers: &[u64]| LayerSelection::List(layers.to_vec());
    for (written, meant) in [
        ("all", LayerSelection::All),
        ("none", LayerSelection::Outside),
        ("3", list(&[3])),
        ("[11, 0]", list(&[0, 11])),
        ("0..3", list(&[0, 1, 2, 3])),
        ("\"0 .. 1\"", list(&[0, 1])),
        ("5..5", list(&[5])),
    ] {
        let entry =
            entry("metric_name: gini").replace("layers: all", &format!("layers: {written}"));
        let config = parse(&format!("metrics: [{entry}]\nsteps: all"));
        assert_eq!(config.metrics[0].components[0].layers, meant, "{written}");
    }
}

#[test]
fn suffixes() {
    let of = |suffixes: &str| {
        let entry = entry("metric_name: gini").replace("attention.o_proj", suffixes);
        parse(&format!("metrics: [{entry}]\nsteps: all"))
    };
    let read = |suffixes: &str| {
        let components = of(suffixes).metrics[0].components.clone();
        let suffixes = components.into_iter().map(|component| component.suffixes);
        suffixes.collect::<Vec<_>>().concat()
    };
    assert_eq!(read("a"), ["a"]);
    assert_eq!(read("[a]"), ["a"]);
    assert_eq!(read("[b, a, c.d]"), ["b", "a", "c.d"]);
    let listed = of("[b,\n a]").metrics[0].components[1].location.clone();
    let path = "metrics[0].components[0].layer_suffixes[1]";
    assert_eq!((listed.line, listed.path.as_str()), (2, path));
    assert_eq!(of("[a]").to_yaml(), of("a").to_yaml());
    assert!(
        of("[b, a]")
            .to_yaml()
            .contains("        layer_suffixes: [b, a]\n")
    );
}

#[test]
fn targets() {
    for (written, meant) in [
        ("50_000", Target::Step(50_000)),
        ("0", Target::Step(0)),
        ("last", Target::Last),
    ] {
        let entry = entry(&format!("metric_name: cka, target_checkpoint: {written}"));
        let config = parse(&format!("metrics: [{entry}]\nsteps: all"));
        assert_eq!(config.metrics[0].target, Some(meant), "{written}");
    }
}

#[test]
fn parameters_are_keys_of_the_entry() {
    let entry = entry("metric_name: top_k_values, k: 1_000, absolute: no");
    let config = parse(&format!("metrics: [{entry}]\nsteps: all"));
    let values: Vec<_> = config.metrics[0].parameters.iter().collect();
    let expected = [
        ("k", ParameterValue::Integer(1000)),
        ("absolute", ParameterValue::Boolean(false)),
    ];
    assert_eq!(values, expected);
}

#[test]
fn monitoring() {
    let wandb = Wandb {
        entity: "us".to_owned(),
        project: "p".to_owned(),
    };
    for (written, output_dir, wandb) in [
        ("", "analysis_results", None),
        ("monitoring:", "analysis_results", None),
        ("monitoring: {output_dir: out/here}", "out/here", None),
        (
            "monitoring: {save_to_wandb: false, wandb: {entity: us, project: p}}",
            "analysis_results",
            None,
        ),
        (
            "monitoring: {save_to_wandb: true, wandb: {entity: us, project: p}}",
            "analysis_results",
            Some(wandb),
        ),
    ] {
        let config = parse(&format!(
            "metrics: [{}]\nsteps: all\n{written}",
            entry("metric_name: gini")
        ));
        let meant = Monitoring {
            output_dir: output_dir.to_owned(),
            wandb,
            pico_report: None,
        };
        assert_eq!(config.monitoring, meant, "{written}");
    }
}

#[test]
fn pico_labs() {
    let report = |lab_hash: &str, experiment_name: &str, auto_commit| PicoReport {
        lab_hash: lab_hash.to_owned(),
        experiment_name: experiment_name.to_owned(),
        auto_commit,
    };
    for (written, meant) in [
        ("{save_to_picolabs: true}", Some(report("", "", false))),
        (
            "{save_to_picolabs: true, pico_report: {lab_hash: abc, experiment_name: e, auto_commit: true}}",
            Some(report("abc", "e", true)),
        ),
        (
            "{save_to_picolabs: true, pico_report: }",
            Some(report("", "", false)),
        ),
        (
            "{save_to_picolabs: false, pico_report: {lab_hash: abc}}",
            None,
        ),
        ("{pico_report: {lab_hash: abc}}", None),
    ] {
        let metrics = entry("metric_name: gini");
        let config = parse(&format!(
            "metrics: [{metrics}]\nsteps: all\nmonitoring: {written}"
        ));
        assert_eq!(config.monitoring.pico_report, meant, "{written}");
        assert_eq!(
            parse(&config.to_yaml()).monitoring,
            config.monitoring,
            "{written}"
        );
    }
}

#[test]
fn a_byte_order_mark_line_ends_of_windows_merges_and_json_are_read() {
    let text = format!(
        "\u{feff}metrics: [{}]\r\nsteps: all\r\n",
        entry("metric_name: gini")
    );
    assert_eq!(parse(&text).metrics.len(), 1);
    let merged = "metrics:\n  - &first {metric_name: norm, data_split: val, components: \
         [{component_name: simple, data_type: weights, layer_suffixes: a, layers: all}]}\n  - \
         {<<: *first, norm_type: inf}\nsteps: all\n";
    assert_eq!(parse(merged).metrics[1].label, "norm_inf");
    let json = r#"{"metrics": [{"metric_name": "gini", "data_split": "val", "components": [{"component_name": "simple", "data_type": "weights", "layer_suffixes": "a", "layers": [0]}]}], "steps": [0, 1]}"#;
    assert_eq!(parse(json).steps, StepSelection::List(vec![0, 1]));
}
