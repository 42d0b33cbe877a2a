//! `worker compare` subtracts what is the same number, in each layer and stack by itself.

use std::collections::BTreeMap;
use std::fs;

use crate::support::{Scratch, argument, in_project, json, tensors};

/// Analyses of a metric, each of the components in these lines.
struct Analyses {
    scratch: Scratch,
    run: String,
    metric: &'static str,
}

impl Analyses {
    /// Of a tiny model of a library.
    fn of(model: &str, metric: &'static str) -> Self {
        let run = in_project(&format!("tests/architectures/{model}"));
        Self {
            scratch: Scratch::new(),
            run: argument(&run).to_owned(),
            metric,
        }
    }

    fn analyze(&self, name: &str, components: &[&str]) {
        let entry = |line: &&str| format!("      - {{data_type: weights, {line}}}\n");
        let components: String = components.iter().map(entry).collect();
        let config = format!(
            "analysis_name: {name}\nmetrics:\n  - metric_name: {}\n    data_split: val\n    \
             components:\n{components}steps: all\n",
            self.metric
        );
        self.scratch.write("config.yaml", config);
        let arguments = ["analyze", &self.run, "-c", "config.yaml", "-o", "out"];
        let arguments = [&arguments[..], &["--overwrite"]].concat();
        self.scratch.worker(&arguments).expect(0);
    }

    /// The rows of a comparison of two analyses by their layers: how many, how many differences.
    fn compared(&self, one: &[&str], other: &[&str]) -> BTreeMap<String, (usize, usize)> {
        self.analyze("one", one);
        self.analyze("two", other);
        self.compared_again()
    }

    /// Takes from both results what an older version did not write of components.
    fn forget(&self, key: &str) {
        for name in ["one", "two"] {
            let path = self.scratch.path().join(format!("out/{name}/results.json"));
            let mut results = json(&path);
            for component in results["entries"][0]["components"].as_array_mut().unwrap() {
                component.as_object_mut().unwrap().remove(key);
                let parameters = component["parameters"].as_object_mut().unwrap();
                parameters.remove(key);
            }
            fs::write(path, results.to_string()).unwrap();
        }
    }

    fn compared_again(&self) -> BTreeMap<String, (usize, usize)> {
        let compare = ["compare", "out/one", "out/two"];
        self.scratch.worker(&compare).expect(0);
        let table = fs::read_to_string(self.scratch.path().join("comparison/compare.csv"));
        let table = table.unwrap();
        let mut rows = table.lines().map(|line| line.split(',').collect());
        let header: Vec<&str> = rows.next().unwrap();
        let place = |name| header.iter().position(|it| *it == name).unwrap();
        let (layer, difference) = (place("layer"), place("difference"));
        let mut layers: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for row in rows {
            let (rows, differences) = layers.entry(row[layer].to_owned()).or_default();
            *rows += 1;
            *differences += usize::from(!row[difference].is_empty());
        }
        layers
    }
}

#[test]
fn what_auto_comes_to_counts() {
    let of_suffixes = "component_name: ov_circuit, form: circuit, layers: all, layer_suffixes: \
                       {output_layer: self_attn.o_proj, value_layer: self_attn.v_proj}";
    let by_role = "component_name: ov_circuit, form: circuit, gains: false, layers: all";
    for metric in [
        "per",
        "condition_number",
        "per\n    rank: possible",
        "per\n    rank: shape",
    ] {
        let analyses = Analyses::of("llama", metric);
        let found = analyses.compared(&[by_role], &[of_suffixes]);
        let all_met = found.values().all(|(rows, met)| rows == met);
        assert_eq!(all_met, metric.contains("rank"), "{metric}: {found:?}");
    }
    // By role and by itself it is what it is by suffix when that is asked for.
    let analyses = Analyses::of("llama", "per");
    analyses.compared(&[by_role], &[of_suffixes]);
    let (one, two) = ("out/one/results.json", "out/two/results.json");
    let rank = |path: &str| {
        let results = json(&analyses.scratch.path().join(path));
        results["entries"][0]["components"][0]["parameters"]["rank"].clone()
    };
    assert_eq!((rank(one), rank(two)), ("possible".into(), "shape".into()));
}

#[test]
fn a_part_outside_of_layers_says_which_tensor_it_is() {
    let analyses = Analyses::of("llama", "norm");
    let embedding = ["component_name: simple, part: embedding, layers: none"];
    let found = analyses.compared(&embedding, &embedding);
    assert_eq!(found, BTreeMap::from([(String::new(), (1, 1))]));
}

#[test]
fn one_component_may_be_made_otherwise_in_another_layer() {
    let analyses = Analyses::of("llama", "norm");
    let of = |form: &str, layers: &str| {
        format!("component_name: ov_circuit, form: {form}, layers: {layers}")
    };
    let mixed = [of("product", "[0]"), of("circuit", "[1]")];
    let mixed = mixed.each_ref().map(String::as_str);
    let reverse = [of("circuit", "[0]"), of("product", "[1]")];
    let reverse = reverse.each_ref().map(String::as_str);
    let none_met = |found: &BTreeMap<String, (usize, usize)>, layer: &str| found[layer].1 == 0;
    let all_met = |found: &BTreeMap<String, (usize, usize)>, layer: &str| {
        found[layer].0 == found[layer].1 && found[layer].0 > 0
    };
    let found = analyses.compared(&mixed, &reverse);
    assert!(none_met(&found, "0") && none_met(&found, "1"), "{found:?}");
    let found = analyses.compared(&mixed, &mixed);
    assert!(all_met(&found, "0") && all_met(&found, "1"), "{found:?}");
    let found = analyses.compared(&mixed, &[&of("circuit", "all")]);
    assert!(none_met(&found, "0") && all_met(&found, "1"), "{found:?}");
}

#[test]
fn dense_layers_and_experts_are_the_same_however_layers_are_chosen() {
    let analyses = Analyses::of("deepseek_v2", "norm");
    let down = |layers: &str| format!("component_name: simple, part: down, layers: {layers}");
    let found = analyses.compared(&[&down("all")], &[&down("[1, 2]")]);
    let (rows, met) = found["1"];
    assert!(rows > 1 && rows == met, "{found:?}");
    let found = analyses.compared(&[&down("all")], &[&down("[0]"), &down("[1, 2]")]);
    assert!(found.values().all(|(rows, met)| rows == met), "{found:?}");
    let results = json(&analyses.scratch.path().join("out/one/results.json"));
    let told = &results["entries"][0]["components"];
    assert_eq!(
        (&told[0]["layers"], &told[1]["layers"]),
        (&[0].into(), &[1, 2].into())
    );
    let tensor = told[1]["parameters"]["tensor"].as_str().unwrap();
    assert!(tensor.contains("experts.*."), "{tensor}");
}

#[test]
fn another_stack_is_another_part() {
    let scratch = Scratch::new();
    let names = ["encoder", "decoder"].map(|stack| format!("{stack}.block.0.attn.weight"));
    let named: Vec<(&str, [usize; 2])> = names.iter().map(|name| (&**name, [4, 4])).collect();
    scratch.write("run/checkpoint-1/model.safetensors", tensors(&named));
    let run = argument(&scratch.path().join("run")).to_owned();
    let analyses = Analyses {
        scratch,
        run,
        metric: "norm",
    };
    let of = |stack: &str| {
        format!("component_name: simple, layer_suffixes: attn, stack: {stack}, layers: all")
    };
    let (encoder, decoder) = (of("encoder"), of("decoder"));
    let found = analyses.compared(&[&encoder], &[&decoder]);
    assert_eq!(found["0"], (2, 0));
    let found = analyses.compared(&[&encoder], &[&encoder]);
    assert_eq!(found["0"], (1, 1));
    let found = analyses.compared(&[&encoder, &decoder], &[&decoder, &encoder]);
    assert_eq!(found["0"], (2, 2));
    let found = analyses.compared(&[&encoder, &decoder], &[&decoder]);
    assert_eq!(found["0"], (2, 1));
    // Older results name no stack where there is one only, and their config does.
    analyses.compared(&[&encoder], &[&decoder]);
    analyses.forget("stack");
    assert_eq!(analyses.compared_again()["0"], (2, 0));
}

#[test]
fn what_an_older_version_left_out_is_told_from_the_config_or_not_subtracted() {
    let of_suffixes = "component_name: ov_circuit, form: circuit, layers: all, layer_suffixes: \
                       {output_layer: self_attn.o_proj, value_layer: self_attn.v_proj}";
    let by_role = "component_name: ov_circuit, form: circuit, gains: false, layers: all";
    let analyses = Analyses::of("llama", "per");
    for (one, other, meet) in [(by_role, by_role, true), (by_role, of_suffixes, false)] {
        analyses.compared(&[one], &[other]);
        analyses.forget("rank");
        let found = analyses.compared_again();
        let is_met = |(rows, met): &(usize, usize)| if meet { rows == met } else { *met == 0 };
        assert!(found.values().all(is_met), "{found:?}");
    }
    // Nothing says any more which layers are made which way.
    let analyses = Analyses::of("llama", "norm");
    let mixed = ["form: product, layers: [0]", "form: circuit, layers: [1]"];
    let mixed = mixed.map(|form| format!("component_name: ov_circuit, {form}"));
    let mixed = mixed.each_ref().map(String::as_str);
    analyses.compared(&mixed, &mixed);
    analyses.forget("layers");
    let found = analyses.compared_again();
    assert!(
        found.values().all(|(rows, met)| *rows > 0 && *met == 0),
        "{found:?}"
    );
}

#[test]
fn a_comparison_is_not_compared_again() {
    let analyses = Analyses::of("llama", "norm");
    let output = ["component_name: simple, part: output, layers: all"];
    analyses.compared(&output, &output);
    let again = ["compare", "comparison", "out/one", "--out", "again"];
    analyses.scratch.worker(&again).expect(2).says(&[
        "one vs two is a comparison itself, of one, two",
        "give the analyses that it was made of",
    ]);
}
