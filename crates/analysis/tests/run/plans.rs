//! Plans, and what stands in their way.

use ckptscope_analysis::plan::Catalogs;
use ckptscope_analysis::{Config, Plan, Registry};
use ckptscope_checkpoint::Run;
use futures_lite::future::block_on;

use crate::support::{bundled, own_config, planned};

#[test]
fn problems_with_a_run_know_their_line() {
    let tree = bundled();
    let run = block_on(Run::find(&tree)).unwrap();
    let text = "metrics:\n  - metric_name: gini\n    data_split: val\n    components:\n      - \
                {component_name: simple, data_type: weights, layer_suffixes: attention.o_prog, layers: all}\n\
                steps: all\n";
    let config = Config::parse(text, &Registry::default()).unwrap();
    let errors = block_on(Plan::make(&config, &run, &tree)).err().unwrap();
    let problems = errors.problems();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].location.line, 5);
    assert_eq!(problems[0].location.path, "metrics[0].components[0]");
    assert!(
        problems[0]
            .message
            .starts_with("no layer has weights of `attention.o_prog`")
    );
    assert_eq!(errors.to_string(), problems[0].to_string());

    let text = text
        .replace("o_prog", "o_proj")
        .replace("steps: all", "steps: [7]");
    let config = Config::parse(&text, &Registry::default()).unwrap();
    let errors = block_on(Plan::make(&config, &run, &tree)).err().unwrap();
    assert!(
        errors
            .to_string()
            .starts_with("none of the steps asked for exists (7)")
    );
    assert_eq!(errors.problems()[0].location, Default::default());
}

#[test]
fn planning_again_gives_the_same_plan() {
    let tree = bundled();
    let text = own_config("demo.yaml");
    let (run, config, plan) = planned(&tree, &text);
    let catalogs = Catalogs::default();
    for _ in 0..2 {
        let again = block_on(Plan::make_again(&config, &run, &tree, &catalogs)).unwrap();
        assert_eq!((again.cost, again.steps), (plan.cost, plan.steps.clone()));
        assert_eq!(again.warnings, plan.warnings);
    }
}
