//! The configs that people have: pico-analyze's, and those that come with this project.

use std::fs;
use std::path::{Path, PathBuf};

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::{Config, LayerSelection, MetricEntry, StepSelection, Target};
use ckptscope_metrics::ParameterKind;

const REFERENCE: &str = "tests/data/configs";
const OWN: &str = "../../configs";

#[test]
fn reference_configs_are_read() {
    let files = yaml_files(REFERENCE);
    assert_eq!(files.len(), 10);
    for file in files {
        let config = parse(&file);
        let name = file.file_stem().and_then(|name| name.to_str());
        assert_eq!(config.analysis_name.as_deref(), name);
        assert_eq!(config.steps, StepSelection::List(vec![0, 50, 100]));
        let mut components = config.metrics.iter().flat_map(|entry| &entry.components);
        assert!(
            components.all(|component| component.layers == LayerSelection::List((0..12).collect()))
        );
    }
}

#[test]
fn aliases_stand_for_what_they_name() {
    let config = parse(&folder(REFERENCE).join("demo-main-val.yaml"));
    assert_eq!(
        labels(&config),
        ["cka", "per", "condition_number", "gini", "hoyer"]
    );
    let sizes: Vec<_> = config
        .metrics
        .iter()
        .map(|entry| entry.components.len())
        .collect();
    assert_eq!(sizes, [4, 8, 12, 12, 12]);
    assert_eq!(config.metrics[0].target, Some(Target::Step(100)));
    assert_eq!(
        config.metrics[4].components[8],
        config.metrics[0].components[0]
    );
    let path = &config.metrics[4].components[8].location.path;
    assert_eq!(path, "metrics[4].components[8]");
}

#[test]
fn every_config_survives_being_written() {
    for file in yaml_files(REFERENCE).into_iter().chain(yaml_files(OWN)) {
        let config = parse(&file);
        let text = config.to_yaml();
        let again = Config::parse(&text, &Registry::default());
        assert_eq!(again.as_ref(), Ok(&config), "{}", file.display());
        assert_eq!(again.map(|again| again.to_yaml()), Ok(text));
        let form = config.form();
        let again = Config::from_form(&form, &Registry::default());
        assert_eq!(again.as_ref(), Ok(&config), "{}", file.display());
    }
}

#[test]
fn published_sizes_have_their_config() {
    for size in ["tiny", "small", "medium", "large"] {
        let config = parse(&folder(OWN).join(format!("pico-decoder-{size}.yaml")));
        assert_eq!(
            labels(&config),
            ["cka", "per", "condition_number", "gini", "norm"]
        );
        let steps = (0..=10).map(|index| index * 5000).collect();
        assert_eq!(config.steps, StepSelection::List(steps));
        assert_eq!(config.metrics[0].target, Some(Target::Step(50_000)));
    }
}

#[test]
fn the_demo_tells_its_norms_apart() {
    let config = parse(&folder(OWN).join("demo.yaml"));
    let norms = ["norm_frobenius", "norm_nuclear", "norm_inf"];
    assert_eq!(labels(&config)[5..], norms);
    assert_eq!(config.steps, StepSelection::All);
    assert_eq!(config.metrics[0].target, Some(Target::Last));
}

#[test]
fn every_metric_and_parameter_stands_in_the_example() {
    let config = parse(&folder(OWN).join("every-metric.yaml"));
    for metric in Registry::default().metrics() {
        let of_metric = |entry: &&MetricEntry| entry.metric.name() == metric.name();
        let entries: Vec<_> = config.metrics.iter().filter(of_metric).collect();
        assert!(!entries.is_empty(), "{} is missing", metric.name());
        for parameter in metric.parameters() {
            let key = format!("    {}: ", parameter.name);
            assert!(config.text.contains(&key), "{} is missing", parameter.name);
            if let ParameterKind::Choice(words) = parameter.kind {
                let used = |word: &&str| {
                    entries
                        .iter()
                        .any(|entry| entry.parameters.choice(parameter.name) == *word)
                };
                assert!(words.iter().all(used), "{}: {words:?}", parameter.name);
            }
        }
    }
}

#[test]
fn every_component_and_parameter_stands_in_the_example() {
    let config = parse(&folder(OWN).join("every-metric.yaml"));
    let used: Vec<_> = config
        .metrics
        .iter()
        .flat_map(|entry| &entry.components)
        .collect();
    for component in Registry::default().components() {
        for kind in component.data_kinds() {
            let shown = used
                .iter()
                .any(|entry| entry.component.name() == component.name() && entry.kind == *kind);
            assert!(shown, "{} of {kind} is missing", component.name());
        }
        for parameter in component.parameters() {
            let ParameterKind::Choice(words) = parameter.kind else {
                continue;
            };
            let used = |word: &&str| {
                used.iter()
                    .any(|entry| entry.parameters.choice(parameter.name) == *word)
            };
            assert!(words.iter().all(used), "{}: {words:?}", parameter.name);
        }
    }
}

fn labels(config: &Config) -> Vec<&str> {
    config
        .metrics
        .iter()
        .map(|entry| entry.label.as_str())
        .collect()
}

fn parse(file: &Path) -> Config {
    let text = fs::read_to_string(file).expect("the file is there");
    Config::parse(&text, &Registry::default())
        .unwrap_or_else(|errors| panic!("{}:\n{errors}", file.display()))
}

fn yaml_files(folder_name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(folder_name)).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
