//! Parts of models with experts: a series for each expert, and a column that says which.

use std::fs;
use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::support::{Scratch, argument, in_project, json};

const CONFIG: &str = "
analysis_name: parts
metrics:
  - metric_name: norm
    data_split: val
    components:
      - {component_name: simple, data_type: weights, part: [down, router, output], layers: all}
steps: all
";

/// Analyzes a tiny model into `name`.
fn analyze(scratch: &Scratch, model: &str, name: &str, config: &str) {
    scratch.write(
        "config.yaml",
        config.replace("name: parts", &format!("name: {name}")),
    );
    let model = in_project(&format!("tests/architectures/{model}"));
    let arguments = [
        "analyze",
        argument(&model),
        "-c",
        "config.yaml",
        "-o",
        "out",
    ];
    scratch.worker(&arguments).expect(0);
}

/// The cells of a table.
fn cells(scratch: &Scratch, path: &str) -> Vec<Vec<String>> {
    let table = fs::read_to_string(scratch.path().join(path)).unwrap();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    table.lines().map(cells).collect()
}

#[test]
fn each_expert_is_a_series_and_tables_say_which() {
    let scratch = Scratch::new();
    for (model, experts) in [("mixtral", 4), ("gpt_oss", 5)] {
        analyze(&scratch, model, model, CONFIG);
        let rows = cells(&scratch, &format!("out/{model}/norm_val.csv"));
        let column = |name: &str| rows[0].iter().position(|it| it == name).unwrap();
        let (component, expert, key) = (column("component"), column("expert"), column("key"));
        let of = |name: &str| {
            let rows = rows.iter().filter(|row| row[component] == name);
            rows.collect::<Vec<_>>()
        };
        for layer in 0..2 {
            let found: Vec<_> = of("down").into_iter().map(|row| row[key].clone()).collect();
            for expert in 0..experts {
                let expected = format!("model.layers.{layer}.down.weights.experts.{expert}");
                assert!(found.contains(&expected), "{model}: {found:?}");
            }
        }
        let layers = of("output").len();
        assert_eq!(of("down").len(), layers * experts, "{model}");
        assert_eq!(of("router").len(), layers, "{model}");
        assert!(of("output").iter().all(|row| row[expert].is_empty()));
        let results = json(&scratch.path().join(format!("out/{model}/results.json")));
        let series = results["series"].as_array().unwrap();
        let with_expert = series.iter().filter(|it| it["expert"].is_u64()).count();
        assert_eq!(with_expert, layers * experts, "{model}");
        let report = fs::read_to_string(scratch.path().join(format!("out/{model}/report.html")));
        assert!(report.unwrap().contains("down expert 3"), "{model}");
    }
}

#[test]
fn experts_are_compared_one_by_one() {
    let scratch = Scratch::new();
    analyze(&scratch, "mixtral", "one", CONFIG);
    analyze(&scratch, "mixtral", "two", CONFIG);
    scratch.worker(&["compare", "out/one", "out/two"]).expect(0);
    let rows = cells(&scratch, "comparison/compare.csv");
    let column = |name: &str| rows[0].iter().position(|it| it == name).unwrap();
    assert_eq!(column("expert"), column("data_type") + 1);
    let experts = rows.iter().filter(|row| row[column("expert")] == "3");
    assert!(experts.clone().count() > 0);
    assert!(
        experts
            .clone()
            .all(|row| row[column("difference")] == "0.0")
    );
    for path in ["comparison/compare.parquet", "out/one/results.parquet"] {
        let file = File::open(scratch.path().join(path)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let schema = reader.metadata().file_metadata().schema();
        let names = schema.get_fields().iter().map(|it| it.name().to_owned());
        assert_eq!(names.collect::<Vec<_>>()[9], "expert", "{path}");
    }
}

#[test]
fn without_experts_tables_have_the_columns_that_they_always_had() {
    let scratch = Scratch::new();
    let dense = CONFIG.replace("router, ", "");
    analyze(&scratch, "llama", "dense", &dense);
    let rows = cells(&scratch, "out/dense/norm_val.csv");
    let usual = "step,key,component,output,layer,head,data_type,value,status,status_code";
    assert_eq!(rows[0].join(","), usual);
    let results = fs::read_to_string(scratch.path().join("out/dense/results.json")).unwrap();
    assert!(!results.contains("\"expert\""));
}

#[test]
fn a_part_that_a_model_lacks_is_refused_with_its_line() {
    let scratch = Scratch::new();
    scratch.write("config.yaml", CONFIG);
    let model = in_project("tests/architectures/llama");
    scratch
        .worker(&["analyze", argument(&model), "-c", "config.yaml"])
        .expect(2)
        .says(&["line 7", "no tensors of `router`", "layers have"]);
}
