//! Lists of suffixes: what as many entries with one suffix each give.

use ckptscope_analysis::{Config, Plan, Registry, results};
use ckptscope_checkpoint::Run;
use ckptscope_results::Results;
use futures_lite::future::block_on;

use crate::support::{bundled, numbers, planned};

const LISTS: &str = "
metrics:
  - metric_name: norm
    data_split: val
    components:
      - component_name: simple
        data_type: weights
        layer_suffixes: &suffixes [swiglu.w_2, attention.v_proj, attention.o_proj]
        layers: [0, 2]
      - {component_name: simple, data_type: activations, layer_suffixes: *suffixes, layers: all}
  - metric_name: cka
    target_checkpoint: last
    data_split: train
    components:
      - {component_name: simple, data_type: activations, layer_suffixes: [attention.o_proj], layers: 1}
steps: [0, 16, 2000]
";

const ENTRIES: &str = "
metrics:
  - metric_name: norm
    data_split: val
    components:
      - {component_name: simple, data_type: weights, layer_suffixes: swiglu.w_2, layers: [0, 2]}
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: [0, 2]}
      - {component_name: simple, data_type: weights, layer_suffixes: attention.o_proj, layers: [0, 2]}
      - {component_name: simple, data_type: activations, layer_suffixes: swiglu.w_2, layers: all}
      - {component_name: simple, data_type: activations, layer_suffixes: attention.v_proj, layers: all}
      - {component_name: simple, data_type: activations, layer_suffixes: attention.o_proj, layers: all}
  - metric_name: cka
    target_checkpoint: last
    data_split: train
    components:
      - {component_name: simple, data_type: activations, layer_suffixes: attention.o_proj, layers: 1}
steps: [0, 16, 2000]
";

/// Everything that a config gives but its own text.
fn results(text: &str) -> Results {
    let tree = bundled();
    let (run, config, plan) = planned(&tree, text);
    let mut results = results::planned("lists", "micro", &config, &run, &plan);
    let all = plan.lanes.iter().flat_map(|lane| numbers(lane, &tree));
    results.series = all.collect();
    results.sort();
    results.config = String::new();
    results
}

#[test]
fn a_list_gives_what_as_many_entries_give() {
    let (lists, entries) = (results(LISTS), results(ENTRIES));
    assert_eq!(lists, entries);
    assert_eq!(lists.files().unwrap(), entries.files().unwrap());
    let measured: Vec<_> = lists.entries[0]
        .components
        .iter()
        .map(|one| one.component.as_str())
        .collect();
    let suffixes = ["swiglu.w_2", "attention.v_proj", "attention.o_proj"];
    assert_eq!(measured, [suffixes, suffixes].concat());
}

#[test]
fn a_suffix_that_no_layer_has_is_told_at_its_line() {
    let text = LISTS.replace(
        "layer_suffixes: [attention.o_proj]",
        "layer_suffixes: [attention.o_proj,\n         attention.oproj]",
    );
    let tree = bundled();
    let run = block_on(Run::find(&tree)).unwrap();
    let config = Config::parse(&text, &Registry::default()).unwrap();
    let Err(errors) = block_on(Plan::make(&config, &run, &tree)) else {
        panic!("it was planned");
    };
    let problems = errors.problems();
    let [problem] = problems.as_slice() else {
        panic!("{errors}");
    };
    assert_eq!(problem.location.line, 16);
    assert_eq!(
        problem.location.path,
        "metrics[1].components[0].layer_suffixes[1]"
    );
    let nearest = "did you mean `attention.o_proj`?";
    assert!(problem.message.contains(nearest), "{}", problem.message);
}
