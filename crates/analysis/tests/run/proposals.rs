//! Proposals for runs of many kinds: each is a config that the run can be analysed with.

use ckptscope_analysis::plan::Catalogs;
use ckptscope_analysis::proposal::{Budget, proposals, within};
use ckptscope_analysis::{Config, Plan, Proposal, Registry, Survey};
use ckptscope_checkpoint::{MemoryTree, Run, Tree};
use ckptscope_protocol::{Cost, Rates};
use futures_lite::future::block_on;

use crate::support::{bundled, layers, numbers, safetensors, tree};

/// The proposals for a run; every one of them can be planned, and gives numbers.
fn proposed(tree: &dyn Tree) -> Vec<Proposal> {
    let registry = Registry::default();
    let run = block_on(Run::find(tree)).unwrap();
    let survey = block_on(Survey::of(&run, tree, &Catalogs::default()));
    assert_eq!(survey.warnings, [""; 0]);
    let found = proposals(&run, &survey, &registry);
    assert!((3..=5).contains(&found.len()), "{} proposals", found.len());
    for proposal in &found {
        let text = &proposal.text;
        let config = Config::parse(text, &registry);
        let config = config.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert!(!config.metrics.is_empty(), "{text}");
        let plan = block_on(Plan::make(&config, &run, tree));
        let plan = plan.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert!(plan.cost.numbers > 0, "{text}");
        let told: usize = plan
            .lanes
            .iter()
            .map(|lane| numbers(lane, tree).len())
            .sum();
        assert_eq!(told as u64, plan.cost.numbers, "{text}");
    }
    found
}

fn titles(proposals: &[Proposal]) -> Vec<&str> {
    proposals.iter().map(|one| one.title.as_str()).collect()
}

/// One safetensors file per step.
fn run_of(tensors: &[(String, Vec<u64>)], steps: &[u64], config: &str) -> MemoryTree {
    let mut files: Vec<_> = steps
        .iter()
        .map(|step| {
            (
                format!("checkpoint-{step}/model.safetensors"),
                safetensors(tensors),
            )
        })
        .collect();
    if !config.is_empty() {
        files.push(("config.json".to_owned(), config.as_bytes().to_vec()));
    }
    tree(files)
}

const LLAMA: &[(&str, &[u64])] = &[
    ("model.layers.{}.self_attn.q_proj.weight", &[8, 8]),
    ("model.layers.{}.self_attn.k_proj.weight", &[4, 8]),
    ("model.layers.{}.self_attn.v_proj.weight", &[4, 8]),
    ("model.layers.{}.self_attn.o_proj.weight", &[8, 8]),
    ("model.layers.{}.mlp.gate_proj.weight", &[12, 8]),
    ("model.layers.{}.mlp.up_proj.weight", &[12, 8]),
    ("model.layers.{}.mlp.down_proj.weight", &[8, 12]),
    ("model.layers.{}.input_layernorm.weight", &[8]),
];

const LLAMA_CONFIG: &str = r#"{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}"#;

#[test]
fn the_bundled_run() {
    let found = proposed(&bundled());
    let expected = [
        "How every layer develops",
        "When the layers settle",
        "Spectrum of all weights",
        "Sparsity of gradients",
        "What attention heads do",
    ];
    assert_eq!(titles(&found), expected);
    let first = &found[0].text;
    for part in [
        "target_checkpoint: last",
        "component_name: ov_circuit\n        data_type: activations",
        "component_name: ov_circuit\n        data_type: weights",
        "part: [value, output, down]",
        "data_split: val",
        "steps: all",
    ] {
        assert!(first.contains(part), "{part} is missing:\n{first}");
    }
}

#[test]
fn a_llama_in_step_folders() {
    let found = proposed(&run_of(&layers(2, LLAMA), &[10, 20, 30], LLAMA_CONFIG));
    let expected = [
        "How every layer develops",
        "Spectrum of all weights",
        "Sparsity of weights",
        "What attention heads do",
    ];
    assert_eq!(titles(&found), expected);
    assert!(found[0].text.contains("part: [value, output, down]\n"));
    let all = "part: [query, key, value, output, gate, up, down]\n";
    assert!(found[1].text.contains(all), "{}", found[1].text);
    assert!(!found.iter().any(|one| one.text.contains("layer_suffixes")));
    for circuit in ["ov_circuit", "qk_circuit"] {
        let by_role =
            format!("component_name: {circuit}\n        data_type: weights\n        layers");
        assert!(found[0].text.contains(&by_role), "{}", found[0].text);
        assert!(found[3].text.contains(&by_role), "{}", found[3].text);
    }
    assert!(!found.iter().any(|one| one.text.contains("layernorm")));
}

#[test]
fn without_a_number_of_heads_there_are_no_circuits() {
    let found = proposed(&run_of(&layers(2, LLAMA), &[10, 20], ""));
    assert!(found.iter().all(|one| !one.text.contains("ov_circuit")));
    // Nor where the shapes do not fit the heads.
    let odd = LLAMA_CONFIG.replace(r#""num_attention_heads": 4"#, r#""num_attention_heads": 3"#);
    let found = proposed(&run_of(&layers(2, LLAMA), &[10, 20], &odd));
    assert!(found.iter().all(|one| !one.text.contains("ov_circuit")));
}

#[test]
fn a_gpt_2() {
    let tensors = layers(
        2,
        &[
            ("h.{}.attn.c_attn.weight", &[8, 24]),
            ("h.{}.attn.c_attn.bias", &[24]),
            ("h.{}.attn.bias", &[1, 1, 16, 16]),
            ("h.{}.attn.c_proj.weight", &[8, 8]),
            ("h.{}.mlp.c_fc.weight", &[8, 32]),
            ("h.{}.mlp.c_proj.weight", &[32, 8]),
            ("h.{}.ln_1.weight", &[8]),
        ],
    );
    let config = r#"{"n_embd": 8, "n_layer": 2, "n_head": 2}"#;
    let found = proposed(&run_of(&tensors, &[0, 5], config));
    let list = "part: [value, output, down]\n";
    assert!(found[0].text.contains(list), "{}", found[0].text);
    assert!(!found.iter().any(|one| one.text.contains("bias")));
    assert!(found[0].text.contains("component_name: qk_circuit"));
}

#[test]
fn a_gpt_neox() {
    let tensors = layers(
        2,
        &[
            (
                "gpt_neox.layers.{}.attention.query_key_value.weight",
                &[24, 8],
            ),
            ("gpt_neox.layers.{}.attention.dense.weight", &[8, 8]),
            ("gpt_neox.layers.{}.mlp.dense_h_to_4h.weight", &[32, 8]),
            ("gpt_neox.layers.{}.mlp.dense_4h_to_h.weight", &[8, 32]),
        ],
    );
    let found = proposed(&run_of(&tensors, &[1, 2], ""));
    let list = "layer_suffixes: [attention.query_key_value, attention.dense, mlp.dense_4h_to_h]\n";
    assert!(found[0].text.contains(list), "{}", found[0].text);
    assert!(
        found[0]
            .text
            .contains("# Which tensors matter is told from their names")
    );
}

#[test]
fn a_single_checkpoint_is_compared_with_nothing() {
    let files = vec![
        (
            "model.safetensors".to_owned(),
            safetensors(&layers(3, LLAMA)),
        ),
        ("config.json".to_owned(), LLAMA_CONFIG.as_bytes().to_vec()),
    ];
    let found = proposed(&tree(files));
    assert_eq!(found[0].title, "How the layers compare");
    assert!(
        found
            .iter()
            .all(|one| !one.text.contains("target_checkpoint"))
    );
}

#[test]
fn names_that_nobody_knows() {
    let tensors = layers(
        2,
        &[
            ("blocks.{}.odd: name, {x}.weight", &[4, 6]),
            ("blocks.{}.another.weight", &[6, 4]),
        ],
    );
    let found = proposed(&run_of(&tensors, &[1, 2], ""));
    assert!(
        found[0].text.contains(r#""odd: name, {x}""#),
        "{}",
        found[0].text
    );
}

#[test]
fn experts_do_not_crowd_out_the_others() {
    let mut names = vec![("layers.{}.self_attn.o_proj.weight".to_owned(), vec![8, 8])];
    names.extend((0..20).map(|expert| {
        (
            format!("layers.{{}}.mlp.experts.{expert}.down_proj.weight"),
            vec![8, 4],
        )
    }));
    let names: Vec<(&str, &[u64])> = names
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    let found = proposed(&run_of(&layers(2, &names), &[1, 2], ""));
    assert!(found[0].text.contains("self_attn.o_proj"));
    let config = Config::parse(&found[1].text, &Registry::default()).unwrap();
    let counts: Vec<_> = config
        .metrics
        .iter()
        .map(|entry| entry.components.len())
        .collect();
    assert_eq!(counts, [6; 3], "{}", found[1].text);
}

/// The bundled run's files of some kinds only.
fn only(wanted: impl Fn(&str) -> bool) -> MemoryTree {
    let whole = bundled();
    let files = whole.files().iter().filter(|file| wanted(&file.path));
    let files = files.map(|file| {
        let content = std::fs::read(whole.root().join(&file.path)).unwrap();
        (file.path.clone(), content)
    });
    MemoryTree::new("part", files)
}

#[test]
fn activations_alone() {
    let found = proposed(&only(|path| path.ends_with("_activations.pt")));
    let expected = [
        "How every layer develops",
        "When the layers settle",
        "Spectrum of all activations",
        "Sparsity of activations",
    ];
    assert_eq!(titles(&found), expected);
    assert!(
        !found
            .iter()
            .any(|one| one.text.contains("metric_name: per"))
    );
}

#[test]
fn gradients_alone_and_training_data_alone() {
    let found = proposed(&only(|path| path.ends_with("_gradients.pt")));
    assert_eq!(found[1].title, "Spectrum of all gradients");
    let found = proposed(&only(|path| {
        path.contains("train_") || path.ends_with(".yaml")
    }));
    assert!(
        found
            .iter()
            .all(|one| !one.text.contains("data_split: val"))
    );
    assert_eq!(found.len(), 5);
}

#[test]
fn a_last_step_without_activations_is_not_what_others_are_compared_with() {
    let found = proposed(&only(|path| {
        !path.contains("step_2000/") || !path.ends_with("_activations.pt")
    }));
    assert!(
        found[0].text.contains("target_checkpoint: 1"),
        "{}",
        found[0].text
    );
}

/// The first proposal within a budget, and what its plan costs.
fn within_budget(tree: &dyn Tree, seconds: f64) -> (String, Cost) {
    let registry = Registry::default();
    let run = block_on(Run::find(tree)).unwrap();
    let survey = block_on(Survey::of(&run, tree, &Catalogs::default()));
    let budget = Budget {
        name: "first".to_owned(),
        seconds,
        slowness: 1.0,
    };
    let proposal = block_on(within(&budget, &run, &survey, tree, &registry)).unwrap();
    let config = Config::parse(&proposal.text, &registry).unwrap();
    let plan = block_on(Plan::make(&config, &run, tree)).unwrap();
    (proposal.text, plan.cost)
}

/// As a budget reckons it.
fn seconds_of(cost: &Cost) -> f64 {
    cost.work.seconds(&Rates::ORDINARY) + cost.read_bytes as f64 / 5e8
}

#[test]
fn a_proposal_costs_no_more_than_its_budget_or_says_so() {
    let steps: Vec<u64> = (1..=40).collect();
    let tree = run_of(&layers(6, LLAMA), &steps, LLAMA_CONFIG);
    let seconds = seconds_of;
    let (all, cost) = within_budget(&tree, 1e9);
    assert!(
        all.contains("steps: all") && all.contains("analysis_name: first"),
        "{all}"
    );
    let whole = seconds(&cost);
    let mut costs = Vec::new();
    for part in [1.1, 0.5, 0.1, 0.05, 0.01, 0.005, 1e-4] {
        let (text, cost) = within_budget(&tree, whole * part);
        let is_told = text.contains("# There is nothing smaller");
        // Alike layer-steps may take the budget to its end, summed in another order.
        let allowed = whole * part * (1.0 + 1e-12);
        assert!(is_told || seconds(&cost) <= allowed, "{part}: {text}");
        assert_eq!(is_told, part < 2e-4, "{part}: {text}");
        assert!(text.contains("qk_circuit"), "{text}");
        costs.push(cost.numbers);
    }
    assert!(costs.is_sorted_by(|one, other| one >= other), "{costs:?}");
}

/// Layers of six experts each.
fn of_experts(layers_of_it: u64, width: u64) -> Vec<(String, Vec<u64>)> {
    let mut names = vec![("model.layers.{}.mlp.gate.weight".to_owned(), vec![6, 8])];
    names.extend(
        LLAMA
            .iter()
            .take(4)
            .map(|(name, shape)| ((*name).to_owned(), shape.to_vec())),
    );
    for expert in 0..6 {
        for (name, shape) in [
            ("gate_proj", vec![width, 8]),
            ("up_proj", vec![width, 8]),
            ("down_proj", vec![8, width]),
        ] {
            let name = format!("model.layers.{{}}.mlp.experts.{expert}.{name}.weight");
            names.push((name, shape));
        }
    }
    let names: Vec<(&str, &[u64])> = names
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    layers(layers_of_it, &names)
}

/// What an entry of a metric says.
fn entry_of<'a>(text: &'a str, metric: &str) -> &'a str {
    let (_, entry) = text.split_once(&format!("metric_name: {metric}")).unwrap();
    entry.split("metric_name").next().unwrap()
}

#[test]
fn experts_are_part_of_a_first_analysis_as_far_as_its_budget_goes() {
    let config = LLAMA_CONFIG.replace('{', "{\"model_type\": \"qwen3_moe\", ");
    let tree = run_of(&of_experts(4, 12), &[1, 2, 3], &config);
    let (all, cost) = within_budget(&tree, 1e9);
    assert!(entry_of(&all, "per").contains("down"), "{all}");
    assert!(entry_of(&all, "gini").contains("down"), "{all}");
    let whole = seconds_of(&cost);
    let told = [
        "There are too many experts to be decomposed",
        "Whole matrices are too large",
        "Experts are left out",
    ];
    assert!(!told.iter().any(|it| all.contains(it)), "{all}");
    let mut seen = [false; 3];
    for part in 1..20 {
        let (text, _) = within_budget(&tree, whole * 0.75_f64.powi(part));
        for (seen, told) in seen.iter_mut().zip(told) {
            *seen |= text.contains(told);
        }
        let has_experts = entry_of(&text, "gini").contains("down");
        assert_eq!(has_experts, !text.contains(told[2]), "{text}");
        let decomposes = entry_of(&text, "per").contains("down");
        let is_told = told.iter().any(|it| text.contains(it));
        assert_eq!(decomposes, !is_told, "{text}");
    }
    assert!(seen[2], "{seen:?}");
}

#[test]
fn heads_that_have_no_circuits_are_not_proposed() {
    let config = LLAMA_CONFIG.replace('{', "{\"model_type\": \"diffllama\", ");
    let tree = run_of(&layers(2, LLAMA), &[1, 2], &config);
    let (text, _) = within_budget(&tree, 1e9);
    assert!(
        !text.contains("_circuit") && text.contains("part: "),
        "{text}"
    );
    assert!(
        !proposed(&tree)
            .iter()
            .any(|one| one.text.contains("_circuit"))
    );
}

#[test]
fn matrices_that_are_too_large_for_the_budget_are_not_decomposed() {
    let large: Vec<(&str, &[u64])> = vec![
        ("model.layers.{}.self_attn.q_proj.weight", &[256, 256]),
        ("model.layers.{}.self_attn.k_proj.weight", &[256, 256]),
        ("model.layers.{}.self_attn.v_proj.weight", &[256, 256]),
        ("model.layers.{}.self_attn.o_proj.weight", &[256, 256]),
    ];
    let config = r#"{"hidden_size": 256, "num_attention_heads": 64}"#;
    let tree = run_of(&layers(4, &large), &[1, 2], config);
    let (text, _) = within_budget(&tree, 0.08);
    assert!(text.contains("# Whole matrices are too large"), "{text}");
    let (_, per) = text.split_once("metric_name: per").unwrap();
    let (per, _) = per.split_once("metric_name").unwrap();
    assert!(
        !per.contains("simple") && per.contains("ov_circuit"),
        "{text}"
    );
}

#[test]
fn a_last_step_without_weights_is_not_what_to_begin_with() {
    let mut files: Vec<_> = (1..=3)
        .map(|step| {
            (
                format!("checkpoints/step_{step}/learning_dynamics/val_weights.pt"),
                safetensors(&layers(2, LLAMA)),
            )
        })
        .collect();
    files.push((
        "checkpoints/step_4/learning_dynamics/val_gradients.pt".to_owned(),
        safetensors(&layers(2, LLAMA)),
    ));
    files.push(("config.json".to_owned(), LLAMA_CONFIG.as_bytes().to_vec()));
    let (text, _) = within_budget(&tree(files), 1e-9);
    assert!(text.contains("steps: [3]"), "{text}");
}

#[test]
fn a_run_without_layers_has_no_proposals() {
    let tensors = vec![("embed.weight".to_owned(), vec![4, 4])];
    let tree = run_of(&tensors, &[1], "");
    let run = block_on(Run::find(&tree)).unwrap();
    let survey = block_on(Survey::of(&run, &tree, &Catalogs::default()));
    assert!(proposals(&run, &survey, &Registry::default()).is_empty());
}
