//! `worker compare`: analyses side by side.

use std::fs;

use ckptscope_results::{Results, SeriesId};

use crate::support::{CONFIG, Scratch, Sizes, argument, json, tensors};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 3,
    width: 4,
};

/// Analyses `a/one` and `b/two` of a run; before the second, step 1 got other numbers.
fn two_analyses() -> Scratch {
    let scratch = Scratch::with_run(SIZES);
    let config = |name| CONFIG.replace("analysis_name: scratch", &format!("analysis_name: {name}"));
    scratch.analyze(&config("one"), "a", &[]).expect(0);
    let other = crate::support::checkpoint(99, SIZES.layers, [SIZES.width, SIZES.width]);
    scratch.write(&crate::support::recorded(1, "weights"), other);
    scratch.analyze(&config("two"), "b", &[]).expect(0);
    scratch
}

#[test]
fn two_analyses_stand_side_by_side() {
    let scratch = two_analyses();
    // A folder and a file.
    let ended = scratch.worker(&["compare", "a/one", "b/two/results.json"]);
    let ended = ended.expect(0).says(&["the table: comparison/compare.csv"]);
    let report = fs::read_to_string(scratch.path().join("comparison/report.html")).unwrap();
    assert!(report.contains("v_proj · one") && report.contains("v_proj · two"));
    for line in [
        "two less one",
        "cka_val  attention.v_proj activations: 6 numbers, all equal",
        "per_val  attention.v_proj weights: 6 numbers, on average ",
        "(step 1, layer ",
    ] {
        assert!(ended.stdout.contains(line), "{line}\n{}", ended.stdout);
    }
    let table = fs::read_to_string(scratch.path().join("comparison/compare.csv")).unwrap();
    let header = "metric,split,step,key,component,output,layer,head,data_type,one,two,difference,\
                  one_status,two_status";
    assert_eq!(table.lines().next(), Some(header));
    assert_eq!(
        table.lines().count(),
        1 + 3 * SIZES.layers * SIZES.steps as usize
    );

    let value = |results: &str, run: Option<&str>| -> f64 {
        let text = fs::read_to_string(scratch.path().join(results)).unwrap();
        let results = Results::parse(&text).unwrap();
        let is_it = |id: &SeriesId| {
            (&*id.entry.label, &*id.component, id.layer) == ("per", "attention.v_proj", Some(0))
                && id.run.as_deref() == run
        };
        let mut series = results.series.iter();
        series
            .find(|series| is_it(&series.id))
            .and_then(|series| series.number(1))
            .unwrap()
    };
    let merged = "comparison/results.json";
    let (one, two) = (
        value("a/one/results.json", None),
        value("b/two/results.json", None),
    );
    assert_eq!(value(merged, Some("one")), one);
    assert_eq!(value(merged, Some("two")), two);
    let row = format!("attention.v_proj.weights,attention.v_proj,,0,,weights,{one},{two},");
    assert!(table.contains(&row), "{row}\n{table}");
}

#[test]
fn runs_have_the_names_that_they_are_given() {
    let scratch = two_analyses();
    let named = ["--name", "before", "--name", "after", "--out", "c"];
    let arguments = [&["compare", "a/one", "b/two"], &named[..]].concat();
    let ended = scratch.worker(&arguments).expect(0);
    assert!(ended.stdout.starts_with("after less before\n"));
    assert!(scratch.path().join("c/results.json").is_file());
    let merged = json(&scratch.path().join("c/results.json"));
    assert_eq!(merged["analysis_name"], "before vs after");
}

/// The configs of circuits that read other tensors, and of one whose tensors the model says.
const CIRCUITS: [(&str, &str); 4] = [
    (
        "one",
        "layer_suffixes: {output_layer: self_attn.o_proj, value_layer: self_attn.v_proj}",
    ),
    (
        "two",
        "layer_suffixes: {output_layer: self_attn.o_proj, value_layer: self_attn.v_proj}",
    ),
    (
        "keys",
        "layer_suffixes: {output_layer: self_attn.o_proj, value_layer: self_attn.k_proj}",
    ),
    ("role", "form: product"),
];

/// Analyses of [`CIRCUITS`] in `out`, of a model with so many heads.
fn circuits(heads: u64) -> Scratch {
    let scratch = Scratch::new();
    let names =
        ["q", "k", "v", "o"].map(|name| format!("model.layers.0.self_attn.{name}_proj.weight"));
    let named: Vec<(&str, [usize; 2])> = names.iter().map(|name| (&**name, [8, 8])).collect();
    scratch.write("run/checkpoint-1/model.safetensors", tensors(&named));
    let model =
        format!(r#"{{"model_type": "llama", "hidden_size": 8, "num_attention_heads": {heads}}}"#);
    scratch.write("run/config.json", model);
    for (name, more) in CIRCUITS {
        let config = format!(
            "analysis_name: {name}\nmetrics:\n  - metric_name: norm\n    data_split: val\n    \
             components:\n      - {{component_name: ov_circuit, data_type: weights, {more}, \
             layers: all}}\nsteps: all\n"
        );
        scratch.analyze(&config, "out", &[]).expect(0);
    }
    scratch
}

/// The differences in the table of a comparison, each with its head.
fn differences(scratch: &Scratch) -> Vec<(String, String)> {
    let table = fs::read_to_string(scratch.path().join("comparison/compare.csv")).unwrap();
    let mut lines = table
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let place = |name| header.iter().position(|column| *column == name).unwrap();
    let (head, difference) = (place("head"), place("difference"));
    let told = lines.map(|line| (line[head].to_owned(), line[difference].to_owned()));
    told.collect()
}

#[test]
fn circuits_are_subtracted_where_they_are_of_the_same_tensors() {
    let scratch = circuits(2);
    let compare = |other| scratch.worker(&["compare", "out/one", other]).expect(0);
    let all_told = |is_told: bool| {
        let differences = differences(&scratch);
        assert!(differences.len() >= 3);
        assert!(
            differences
                .iter()
                .all(|(_, difference)| difference.is_empty() != is_told),
            "{differences:?}"
        );
    };
    compare("out/two");
    all_told(true);
    // What the architecture says is the same as what was written by hand; no gains were taken.
    compare("out/role");
    all_told(true);
    compare("out/keys").says(&[
        "is not the same in all: value_layer: self_attn.v_proj in one, \
         value_layer: self_attn.k_proj in keys",
    ]);
    all_told(false);
    let measured = json(&scratch.path().join("out/role/results.json"));
    let told = &measured["entries"][0]["components"][0]["parameters"];
    let expected = serde_json::json!({
        "form": "product",
        "output_layer": "self_attn.o_proj",
        "value_layer": "self_attn.v_proj",
        "gains": false,
    });
    assert_eq!(*told, expected);
}

#[test]
fn older_results_are_told_from_the_config_in_them() {
    let scratch = circuits(2);
    for (name, _) in CIRCUITS {
        let path = scratch.path().join(format!("out/{name}/results.json"));
        let mut results = json(&path);
        let component = results["entries"][0]["components"][0]
            .as_object_mut()
            .unwrap();
        assert!(component.remove("parameters").is_some());
        fs::write(&path, results.to_string()).unwrap();
    }
    let compare = |other| scratch.worker(&["compare", "out/one", other]).expect(0);
    compare("out/two");
    assert!(
        differences(&scratch)
            .iter()
            .all(|(_, difference)| !difference.is_empty())
    );
    compare("out/keys").says(&["value_layer: self_attn.k_proj in keys"]);
    assert!(
        differences(&scratch)
            .iter()
            .all(|(_, difference)| difference.is_empty())
    );
    // Its config leaves to the model which tensors it is of.
    compare("out/role").says(&[
        "may not be the same in all",
        "its tensors are not told in role",
    ]);
    assert!(
        differences(&scratch)
            .iter()
            .all(|(_, difference)| difference.is_empty())
    );
}

#[test]
fn heads_of_a_model_with_others_are_not_subtracted() {
    let (two, four) = (circuits(2), circuits(4));
    let other = four.path().join("out/two");
    let ended = two
        .worker(&["compare", "out/one", argument(&other)])
        .expect(0);
    let ended = ended.says(&["warning: one and two do not have the same heads (n_heads 2 and 4"]);
    assert!(
        ended.stdout.contains("2 of other heads"),
        "{}",
        ended.stdout
    );
    let differences = differences(&two);
    assert!(differences.len() >= 3);
    for (head, difference) in differences {
        assert_eq!(
            head.is_empty(),
            !difference.is_empty(),
            "head {head}: {difference}"
        );
    }
}

#[test]
fn what_is_wrong_is_told() {
    let scratch = two_analyses();
    scratch.worker(&["compare", "a/one"]).expect(2);
    let compare = |more: &[&str]| scratch.worker(&[&["compare", "a/one", "b/two"], more].concat());
    compare(&["--name", "x"])
        .expect(2)
        .says(&["2 analyses and 1 names"]);
    compare(&["--name", "x", "--name", " "])
        .expect(2)
        .says(&["--name is empty"]);
    compare(&["nothing"])
        .expect(2)
        .says(&["there is no nothing"]);
    scratch.write("other.json", "{}");
    compare(&["other.json"])
        .expect(2)
        .says(&["other.json: this is no results file of ckptscope"]);
    // Results are not replaced by those that were made of them.
    let before = fs::read(scratch.path().join("a/one/results.json")).unwrap();
    compare(&["--out", "b/../a/one"])
        .expect(2)
        .says(&["holds the results of an analysis", "--out"]);
    assert_eq!(
        fs::read(scratch.path().join("a/one/results.json")).unwrap(),
        before
    );
}
