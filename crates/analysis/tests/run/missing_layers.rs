//! Weights that have fewer layers than their model are told, by plans and where a run is looked at.

use ckptscope_analysis::Survey;
use ckptscope_analysis::plan::Catalogs;
use ckptscope_checkpoint::{MemoryTree, Run};
use futures_lite::future::block_on;
use proptest::prelude::*;

use crate::support::{planned, safetensors, tree};

/// A checkpoint at two steps with these layers, and what else its files have.
fn run_of(layers: &[u64], outside: &[&str], config: Option<u64>) -> MemoryTree {
    let name = |layer| format!("model.layers.{layer}.mlp.up_proj.weight");
    let of_layers = layers.iter().map(|layer| (name(*layer), vec![4, 4]));
    let others = outside.iter().map(|it| ((*it).to_owned(), vec![4, 4]));
    let weights = safetensors(&of_layers.chain(others).collect::<Vec<_>>());
    let mut files = Vec::new();
    for step in [100, 200] {
        let path = |file: &str| format!("checkpoint-{step}/{file}");
        files.push((path("model.safetensors"), weights.clone()));
        if let Some(count) = config {
            let text = format!("{{\"model_type\": \"llama\", \"num_hidden_layers\": {count}}}");
            files.push((path("config.json"), text.into_bytes()));
        }
    }
    tree(files)
}

/// What is said of layers that are not there, by a plan and by a look at the run.
fn told(tree: &MemoryTree) -> (Vec<String>, Vec<String>) {
    let config = "metrics:\n  - metric_name: gini\n    data_split: val\n    components:\n      - \
                  component_name: simple\n        data_type: weights\n        layer_suffixes: \
                  mlp.up_proj\n        layers: all\nsteps: all\n";
    let (_, _, plan) = planned(tree, config);
    let of_layers = |said: &String| said.starts_with("weights at step");
    let by_plan = plan.warnings.into_iter().filter(of_layers).collect();
    let run = block_on(Run::find(tree)).unwrap();
    let survey = block_on(Survey::of(&run, tree, &Catalogs::default()));
    (by_plan, survey.missing_layers)
}

#[test]
fn a_stage_of_a_pipeline_is_told_by_the_config() {
    let (by_plan, by_survey) = told(&run_of(&[2, 3], &["lm_head.weight"], Some(4)));
    let said = "have 2 layers (2 to 3) of the 4 that checkpoint-100/config.json says: a part of \
                the model, or layers that share weights";
    assert_eq!(by_plan, [format!("weights at step 100, 200 {said}")]);
    assert_eq!(by_survey, [format!("weights at step 200 {said}")]);
}

#[test]
fn a_stage_of_a_pipeline_is_told_by_its_first_layer() {
    let (by_plan, _) = told(&run_of(&[8, 9], &["lm_head.weight"], None));
    let said = "weights at step 100, 200 begin with layer 8: if that is one stage of a pipeline, \
                the layers before it are in other files";
    assert_eq!(by_plan, [said]);
    // An embedding may be counted as a layer, but then it is there.
    let embedding = ["embed_tokens.weight"];
    assert_eq!(told(&run_of(&[2, 3], &embedding, None)).0, [""; 0]);
    assert_eq!(told(&run_of(&[2, 3], &[], None)).0.len(), 1);
}

proptest! {
    /// A whole model is not told of, and one that lacks any layer is.
    #[test]
    fn what_lacks_a_layer_is_told(count in 1..8u64, lost in proptest::option::of(0..8u64), first in 0..2u64) {
        let layers: Vec<u64> = (first..first + count).filter(|it| lost != Some(*it)).collect();
        prop_assume!(!layers.is_empty());
        let (by_plan, by_survey) = told(&run_of(&layers, &["embed.weight"], Some(count)));
        let expected = usize::from((layers.len() as u64) < count);
        prop_assert_eq!((by_plan.len(), by_survey.len()), (expected, expected));
    }
}

#[test]
fn shards_that_are_numbered_as_steps_are_told() {
    let name = |layer| format!("model.layers.{layer}.mlp.up_proj.weight");
    let file = |layer| safetensors(&[(name(layer), vec![4, 4])]);
    let of_layers = |layers: [u64; 2]| {
        let files = (0..).zip(layers);
        let files = files.map(|(step, layer)| (format!("step_{step}.safetensors"), file(layer)));
        let (by_plan, _) = told(&tree(files.collect()));
        by_plan
    };
    let said = "weights at step 0 and step 1 have no tensor in common: if these are shards of one \
                model and no steps, give it with its index";
    assert_eq!(of_layers([0, 1]), [said]);
    assert_eq!(of_layers([0, 0]), [""; 0]);
}
