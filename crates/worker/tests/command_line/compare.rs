//! `worker compare`: analyses side by side.

use std::fs;

use ckptscope_results::{Results, SeriesId};

use crate::support::{CONFIG, Scratch, Sizes, json};

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

#[test]
fn what_is_wrong_is_told() {
    let scratch = two_analyses();
    scratch.worker(&["compare", "a/one"]).expect(2);
    let compare = |more: &[&str]| scratch.worker(&[&["compare", "a/one", "b/two"], more].concat());
    compare(&["--name", "x"])
        .expect(2)
        .says(&["2 analyses and 1 names"]);
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
        .says(&["would be replaced", "--out"]);
    assert_eq!(
        fs::read(scratch.path().join("a/one/results.json")).unwrap(),
        before
    );
}
