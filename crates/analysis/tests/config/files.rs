//! The configs that pico-analyze's users have.

use std::fs;
use std::path::{Path, PathBuf};

use trainscope_analysis::Registry;
use trainscope_analysis::config::{Config, LayerSelection, StepSelection, Target};

#[test]
fn reference_configs_are_read_and_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/configs");
    let files = yaml_files(&folder);
    assert_eq!(files.len(), 10);
    for file in files {
        let config = parse(&file);
        assert_eq!(
            config.steps,
            StepSelection::List(vec![0, 50, 100]),
            "{}",
            file.display()
        );
        let components = config.metrics.iter().flat_map(|entry| &entry.components);
        for component in components {
            assert_eq!(component.layers, LayerSelection::List((0..12).collect()));
        }
        let again = Config::parse(&config.to_yaml(), &Registry::default());
        assert_eq!(again.as_ref(), Ok(&config), "{}", file.display());
    }
}

#[test]
fn aliases_stand_for_what_they_name() {
    let config =
        parse(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/configs/demo-main-val.yaml"));
    let labels: Vec<_> = config
        .metrics
        .iter()
        .map(|entry| entry.label.as_str())
        .collect();
    assert_eq!(labels, ["cka", "per", "condition_number", "gini", "hoyer"]);
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
    assert_eq!(
        config.metrics[4].components[8].location.path,
        "metrics[4].components[8]"
    );
}

fn parse(file: &Path) -> Config {
    let text = fs::read_to_string(file).expect("the file is there");
    Config::parse(&text, &Registry::default())
        .unwrap_or_else(|errors| panic!("{}:\n{errors}", file.display()))
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    files
}
