//! Layouts of training runs.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use ckptscope_checkpoint::{DataKind, Layout, MemoryTree, ReadError, Reason, Run, RunError, Split};
use pollster::block_on;

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    MemoryTree::new(
        "tree",
        files.iter().map(|(path, text)| (*path, text.as_bytes())),
    )
}

fn found(files: &[(&str, &str)]) -> Run {
    block_on(Run::find(&tree(files))).unwrap()
}

fn refused(files: &[(&str, &str)]) -> RunError {
    block_on(Run::find(&tree(files))).unwrap_err()
}

fn empty<'a>(paths: &[&'a str]) -> Vec<(&'a str, &'static str)> {
    paths.iter().map(|path| (*path, "")).collect()
}

/// Step numbers with the paths of the weights.
fn steps(run: &Run) -> Vec<(u64, Vec<&str>)> {
    run.steps
        .iter()
        .map(|step| {
            let part = step.part(DataKind::Weights, Split::Train).unwrap();
            (step.number, part.paths.iter().map(String::as_str).collect())
        })
        .collect()
}

#[test]
fn pico_runs() {
    let run = found(&empty(&[
        "checkpoints/latest/learning_dynamics/val_weights.pt",
        "checkpoints/step_0/learning_dynamics/train_weights.pt",
        "checkpoints/step_0/learning_dynamics/val_activations.pt",
        "checkpoints/step_0/learning_dynamics/notes.pt",
        "checkpoints/step_0/fabric_state/checkpoint.pt",
        "checkpoints/step_100/model.safetensors",
        "checkpoints/step_100/learning_dynamics/val_gradients.pt",
        "checkpoints/step_20/model-00001-of-00002.safetensors",
        "checkpoints/step_20/model-00002-of-00002.safetensors",
        "eval_results/step_0.json",
    ]));
    assert_eq!(run.layout, Layout::Pico);
    assert_eq!(
        steps(&run),
        [
            (
                0,
                vec!["checkpoints/step_0/learning_dynamics/train_weights.pt"]
            ),
            (
                20,
                vec![
                    "checkpoints/step_20/model-00001-of-00002.safetensors",
                    "checkpoints/step_20/model-00002-of-00002.safetensors"
                ]
            ),
            (100, vec!["checkpoints/step_100/model.safetensors"]),
        ]
    );
    let step = &run.steps[0];
    assert!(step.part(DataKind::Weights, Split::Val).is_none());
    assert!(step.part(DataKind::Activations, Split::Val).is_some());
    assert!(step.part(DataKind::Activations, Split::Train).is_none());
    assert_eq!(run.warnings.len(), 1, "{:?}", run.warnings);
    assert!(run.warnings[0].contains("latest"));
}

#[test]
fn recorded_weights_come_before_the_whole_model() {
    let run = found(&empty(&[
        "step_5/learning_dynamics/val_weights.pt",
        "step_5/model.safetensors",
    ]));
    let step = &run.steps[0];
    let path = |split| step.part(DataKind::Weights, split).unwrap().paths[0].as_str();
    assert_eq!(path(Split::Val), "step_5/learning_dynamics/val_weights.pt");
    assert_eq!(path(Split::Train), "step_5/model.safetensors");
}

#[test]
fn step_folders_of_every_name() {
    for folder in [
        "checkpoint-70",
        "step70",
        "step_70",
        "step-70",
        "global_step70",
        "iter_0000070",
        "step70-tokens4B",
        "stage1-step70-tokens4B",
        "runs/a/checkpoint-70",
    ] {
        let path = format!("{folder}/model.safetensors");
        let run = found(&empty(&[&path, "README.md"]));
        assert_eq!(run.layout, Layout::StepFolders, "{folder}");
        assert_eq!(steps(&run), [(70, vec![path.as_str()])]);
    }
}

#[test]
fn a_runs_own_folder_may_be_called_as_a_step_is() {
    let path = "experiment-iter2/checkpoints/step_5/learning_dynamics/train_weights.pt";
    assert_eq!(steps(&found(&empty(&[path]))), [(5, vec![path])]);
}

#[test]
fn step_files() {
    let run = found(&empty(&[
        "step_10.pt",
        "step_9.safetensors",
        "step_200.bin",
    ]));
    assert_eq!(run.layout, Layout::StepFiles);
    assert_eq!(
        steps(&run),
        [
            (9, vec!["step_9.safetensors"]),
            (10, vec!["step_10.pt"]),
            (200, vec!["step_200.bin"])
        ]
    );
}

#[test]
fn single_checkpoints() {
    for (path, step) in [
        ("model.safetensors", 0),
        ("anything.pt", 0),
        ("sub/folder/x.bin", 0),
        ("step_5.pth", 5),
        ("epoch=3.ckpt", 3),
        ("model_1000.pt", 1000),
        ("sub/step_5/hf/x.bin", 5),
    ] {
        let run = found(&empty(&[path]));
        assert_eq!(steps(&run), [(step, vec![path])], "{path}");
    }
    let run = found(&empty(&[
        "model.safetensors",
        "config.json",
        "optimizer.pt",
        "extra.bin",
    ]));
    assert_eq!(steps(&run), [(0, vec!["model.safetensors"])]);
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains("extra.bin"))
    );
    assert!(
        !run.warnings
            .iter()
            .any(|warning| warning.contains("optimizer.pt"))
    );
}

#[test]
fn recorded_files_without_a_step_are_a_single_checkpoint() {
    for folder in ["learning_dynamics/", ""] {
        let paths = ["val_weights.pt", "val_activations.pt"].map(|file| format!("{folder}{file}"));
        let run = found(&empty(&[&paths[0], &paths[1]]));
        assert_eq!(run.layout, Layout::Single);
        assert_eq!(run.steps[0].parts.len(), 2);
        assert!(
            run.steps[0]
                .part(DataKind::Activations, Split::Val)
                .is_some()
        );
    }
}

#[test]
fn trainers_states_are_no_weights() {
    let run = found(&empty(&[
        "checkpoint-500/global_step500/mp_rank_00_model_states.pt",
        "checkpoint-500/optimizer.pt",
        "checkpoint-500/pytorch_model.bin",
        "checkpoint-500/rng_state_0.pth",
        "checkpoint-500/scheduler.pt",
        "checkpoint-500/training_args.bin",
    ]));
    assert_eq!(
        steps(&run),
        [(500, vec!["checkpoint-500/pytorch_model.bin"])]
    );
    assert_eq!(run.warnings, Vec::<String>::new());
}

const INDEX: &str = r#"{"metadata":{},"weight_map":
    {"b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors"}}"#;

/// The paths of what a copy needs.
fn needed(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tree(files);
    let run = block_on(Run::find(&tree)).unwrap();
    let needed = block_on(run.needed_files(&tree));
    needed.into_iter().map(|file| file.path).collect()
}

#[test]
fn a_copy_needs_no_file_that_nobody_reads() {
    let index = r#"{"weight_map": {"a": "w-1.bin", "b": "w-2.bin"}}"#;
    let files = [
        ("checkpoint-1/model.safetensors", ""),
        ("checkpoint-1/optimizer.pt", ""),
        ("checkpoint-1/trainer_state.json", "{}"),
        ("checkpoint-2/optimizer.pt", ""),
        ("checkpoint-2/pytorch_model.bin.index.json", index),
        ("checkpoint-2/w-1.bin", ""),
        ("checkpoint-2/w-2.bin", ""),
        ("config.json", r#"{"hidden_size": 8}"#),
        ("events-12:30.log", ""),
    ];
    let kept = [0, 4, 5, 6, 7].map(|place| files[place].0);
    assert_eq!(needed(&files), kept);
}

#[test]
fn a_copy_that_would_be_another_run_is_whole() {
    // Alone, a file is a checkpoint without a step.
    let files = [("notes.txt", ""), ("step_5.pt", "")];
    assert_eq!(needed(&files), ["notes.txt", "step_5.pt"]);
}

#[test]
fn the_whole_model_is_copied_for_the_split_without_recorded_weights() {
    let recorded = "step_5/learning_dynamics/val_weights.pt";
    let whole = "step_5/model.safetensors";
    assert_eq!(needed(&empty(&[recorded, whole])), [recorded, whole]);
}

#[test]
fn shards_by_their_index() {
    let first = ("step1/model-00001-of-00002.safetensors", "");
    let second = ("step1/model-00002-of-00002.safetensors", "");
    let index = ("step1/model.safetensors.index.json", INDEX);
    let run = found(&[second, first, index]);
    assert_eq!(steps(&run), [(1, vec![first.0, second.0])]);
    let error = unread(&[first, index]);
    assert!(
        matches!(&error, ReadError::MissingShard { shard, .. } if shard.contains("00002")),
        "{error:?}"
    );
    let record = ("step1/model-00002-of-00002.safetensors.aria2", "");
    let error = unread(&[first, second, index, record]);
    assert!(matches!(error, ReadError::HalfWritten { .. }), "{error:?}");
    let error = refused(&[first]);
    assert!(error.to_string().contains("1 of 2 there"), "{error}");
    let error = unread(&[first, (index.0, "{}")]);
    assert!(matches!(error, ReadError::BadIndex { .. }), "{error:?}");
    let escaping = r#"{"weight_map":{"a":"../../secret"}}"#;
    let error = unread(&[first, (index.0, escaping)]);
    assert!(matches!(error, ReadError::MissingShard { .. }), "{error:?}");
    let twice = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","a":"b"}}"#;
    let error = unread(&[first, (index.0, twice)]);
    assert!(matches!(error, ReadError::BadIndex { .. }), "{error:?}");
}

/// Why the weights of the only step cannot be read.
fn unread(files: &[(&str, &str)]) -> ReadError {
    let tree = tree(files);
    let run = block_on(Run::find(&tree)).unwrap();
    let part = run.steps[0].part(DataKind::Weights, Split::Train).unwrap();
    block_on(part.read(&tree)).unwrap_err()
}

#[test]
fn a_shard_index_has_a_limit() {
    let index = vec![b' '; (64 << 20) + 1];
    let tree = MemoryTree::new("tree", [("model.safetensors.index.json", index)]);
    let run = block_on(Run::find(&tree)).unwrap();
    let part = run.steps[0].part(DataKind::Weights, Split::Train).unwrap();
    let error = block_on(part.read(&tree)).unwrap_err();
    assert!(matches!(error, ReadError::IndexTooLong { .. }), "{error:?}");
}

#[test]
fn pytorch_shards_by_their_index() {
    let index = r#"{"weight_map":{"a":"pytorch_model-1-of-1.bin"}}"#;
    let run = found(&[
        ("pytorch_model.bin.index.json", index),
        ("pytorch_model-1-of-1.bin", ""),
    ]);
    assert_eq!(steps(&run), [(0, vec!["pytorch_model-1-of-1.bin"])]);
}

#[test]
fn of_two_equal_names_of_one_step_none_counts() {
    for [one, other, next] in [
        ["step-5", "step_5", "step_6"],
        ["step_005", "step_5", "step_6"],
        ["step_5000", "step_5k", "step_6"],
        ["epoch_1_iter_5", "epoch_2_iter_5", "epoch_2_iter_6"],
    ] {
        let paths = [one, other, next].map(|folder| format!("{folder}/model.bin"));
        let paths = [0, 1, 2].map(|place| paths[place].as_str());
        let run = found(&empty(&paths));
        assert_eq!(steps(&run), [(6, vec![paths[2]])]);
        let trouble = run.broken[0].trouble.to_string();
        let both = [one, other].map(|folder| format!("{folder}/"));
        assert!(both.iter().all(|it| trouble.contains(it)), "{trouble}");
        assert!(run.passed_over.is_empty(), "{:?}", run.passed_over);
    }
    let run = found(&empty(&[
        "step_5 (1)/model.safetensors",
        "step_5/model.safetensors",
        "step_5 copy/model.safetensors",
    ]));
    assert_eq!(steps(&run), [(5, vec!["step_5/model.safetensors"])]);
    // Nothing says which of two files counts.
    let run = found(&empty(&["step-5.pt", "step_5.pt", "step_6.pt"]));
    assert_eq!(steps(&run), [(6, vec!["step_6.pt"])]);
    assert_eq!(run.broken[0].number, 5);
    assert!(
        run.warnings.iter().any(|it| it.contains("step_5.pt")),
        "{:?}",
        run.warnings
    );
}

#[test]
fn files_beside_the_steps_are_warned_of() {
    let run = found(&empty(&["final.safetensors", "step_5/model.safetensors"]));
    assert_eq!(steps(&run).len(), 1);
    assert!(
        run.warnings[0].contains("final.safetensors"),
        "{:?}",
        run.warnings
    );
}

#[test]
fn a_step_folder_of_several_unnamed_files_is_warned_of() {
    let run = found(&empty(&[
        "step_1/model.safetensors",
        "step_2/a.pt",
        "step_2/b.pt",
    ]));
    assert_eq!(steps(&run).len(), 1);
    assert!(run.warnings[0].contains("a.pt, b.pt"), "{:?}", run.warnings);
}

#[test]
fn what_is_no_run_says_what_was_looked_for() {
    assert!(matches!(refused(&[]), RunError::Empty { .. }));
    let error = refused(&empty(&["README.md", "notes.txt"]));
    let message = error.to_string();
    assert!(matches!(error, RunError::NoCheckpoint { .. }), "{error:?}");
    for words in ["checkpoint-{N}", "README.md, notes.txt", ": tree"] {
        assert!(message.contains(words), "{message}");
    }
    let error = refused(&empty(&["a.pt", "b.pt"]));
    assert!(
        matches!(error, RunError::NothingReadable { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("a.pt, b.pt"), "{error}");
    let error = refused(&empty(&["a/model.safetensors", "b/model.safetensors"]));
    assert!(matches!(error, RunError::Ambiguous { .. }), "{error:?}");
    let error = refused(&empty(&[
        "a/step_1/model.safetensors",
        "b/step_2/model.safetensors",
    ]));
    assert!(matches!(&error, RunError::SeveralRuns { folders, .. } if folders == "a/, b/"));
    let error = refused(&empty(&["a/step_1.pt", "b/step_2.pt"]));
    assert!(matches!(error, RunError::SeveralRuns { .. }), "{error:?}");
}

#[test]
fn dimensions_by_the_names_of_several_models() {
    let model = |config: &str| {
        let run = found(&[("model.safetensors", ""), ("config.json", config)]);
        let model = run.model.unwrap();
        (
            model.d_model,
            model.n_layers,
            model.n_heads,
            model.n_kv_heads,
            model.d_head,
        )
    };
    let llama = r#"{"hidden_size":64,"num_hidden_layers":4,"num_attention_heads":8,
                    "num_key_value_heads":2,"head_dim":16}"#;
    assert_eq!(
        model(llama),
        (Some(64), Some(4), Some(8), Some(2), Some(16))
    );
    let gpt = r#"{"n_embd":64,"n_layer":4,"n_head":8,"num_attention_heads":8}"#;
    assert_eq!(model(gpt), (Some(64), Some(4), Some(8), None, None));
    let partial = r#"{"hidden_size":65,"num_attention_heads":8}"#;
    assert_eq!(model(partial), (Some(65), None, Some(8), None, None));
    let headless = r#"{"d_model":64,"n_layers":2,"attention_n_heads":0}"#;
    assert_eq!(model(headless), (Some(64), Some(2), Some(0), None, None));
}

/// The heads, key-value heads and their width that a config.json says, and warnings.
fn heads(config: &str) -> ([Option<u64>; 3], Vec<String>) {
    let run = found(&[("step_1/model.safetensors", ""), ("config.json", config)]);
    let model = run.model.unwrap_or_default();
    (
        [model.n_heads, model.n_kv_heads, model.d_head],
        run.warnings,
    )
}

#[test]
fn every_library_has_its_own_names() {
    for (config, expected) in [
        // Falcon of 7B: the number beside `multi_query` does not count.
        (
            r#"{"num_attention_heads": 71, "num_kv_heads": 71, "multi_query": true,
                "new_decoder_architecture": false}"#,
            [Some(71), Some(1), None],
        ),
        // Falcon of 40B.
        (
            r#"{"num_attention_heads": 128, "num_kv_heads": 8, "multi_query": true,
                "new_decoder_architecture": true}"#,
            [Some(128), Some(8), None],
        ),
        (
            r#"{"n_embed": 64, "n_head": 4, "multi_query": true}"#,
            [Some(4), Some(1), None],
        ),
        (
            r#"{"d_model": 32, "num_heads": 4, "d_kv": 6}"#,
            [Some(4), None, Some(6)],
        ),
        (
            r#"{"d_model": 32, "n_heads": 8, "attn_config": {"kv_n_heads": 2}}"#,
            [Some(8), Some(2), None],
        ),
        (
            r#"{"num_attention_heads": 32, "multi_query_attention": true,
                "multi_query_group_num": 2, "kv_channels": 128}"#,
            [Some(32), Some(2), Some(128)],
        ),
        (
            r#"{"num_attention_heads": 32, "multi_query_attention": false,
                "multi_query_group_num": 2}"#,
            [Some(32), Some(32), None],
        ),
        (
            r#"{"dim": 32, "n_heads": 8, "n_kv_heads": 2}"#,
            [Some(8), Some(2), None],
        ),
        (
            r#"{"encoder_attention_heads": 16, "decoder_attention_heads": 16}"#,
            [Some(16), None, None],
        ),
        (r#"{"head_dim": 8}"#, [None, None, Some(8)]),
        (
            r#"{"num_attention_heads": 4.0, "head_dim": 8e0}"#,
            [Some(4), None, Some(8)],
        ),
        (
            r#"{"num_attention_heads": [4, 4], "num_key_value_heads": [2, 2]}"#,
            [Some(4), Some(2), None],
        ),
        (
            "\u{feff}{\"num_attention_heads\": 4, \"limit\": [0.0, Infinity, NaN]}",
            [Some(4), None, None],
        ),
    ] {
        assert_eq!(heads(config), (expected, vec![]), "{config}");
    }
}

#[test]
fn of_several_models_the_language_model_counts() {
    let gemma = r#"{"hidden_size": 9, "text_config": {"num_attention_heads": 4,
                    "num_key_value_heads": 2}, "vision_config": {"num_attention_heads": 8}}"#;
    let run = found(&[("step_1/model.safetensors", ""), ("config.json", gemma)]);
    let model = run.model.unwrap();
    assert_eq!(
        (model.d_model, model.n_heads, model.n_kv_heads),
        (None, Some(4), Some(2))
    );
    assert_eq!(model.other_models, ["vision"]);
    let parts = r#"{"num_attention_heads": 4, "attn_config": {}, "quantization_config": {},
                    "model_config": {"num_attention_heads": 4}}"#;
    let run = found(&[("step_1/model.safetensors", ""), ("config.json", parts)]);
    assert_eq!(run.model.unwrap().other_models, [""; 0]);
    for config in [
        r#"{"llm_config": {"num_attention_heads": 4, "num_key_value_heads": 2}}"#,
        r#"{"thinker_config": {"audio_config": {"num_heads": 9}, "text_config":
            {"num_attention_heads": 4, "num_key_value_heads": 2}}}"#,
        r#"{"language_config": {"num_attention_heads": 4, "num_key_value_heads": 2}}"#,
        r#"{"model": {"n_heads": 4, "n_kv_heads": 2}, "trainer": {"n_heads": 3}}"#,
    ] {
        assert_eq!(heads(config).0, [Some(4), Some(2), None], "{config}");
    }
}

#[test]
fn layers_may_have_heads_of_their_own() {
    let config = r#"{"num_query_heads": [12, 16, 20], "num_kv_heads": [3, null, 5],
                     "head_dim": 64}"#;
    let run = found(&[("step_1/model.safetensors", ""), ("config.json", config)]);
    assert_eq!(run.warnings, [""; 0]);
    let of = |layer| {
        let own = run.model.as_ref().unwrap().of_layer(layer);
        (own.n_heads, own.n_kv_heads, own.d_head)
    };
    assert_eq!(of(0), (Some(12), Some(3), Some(64)));
    assert_eq!(of(1), (Some(16), None, Some(64)));
    assert_eq!(of(2), (Some(20), Some(5), Some(64)));
    assert_eq!(of(3), (None, None, Some(64)));
}

#[test]
fn one_wrong_dimension_spoils_itself_only() {
    let config = r#"{"num_attention_heads": "four", "n_head": 4, "num_key_value_heads": [2, 0.5],
                     "head_dim": {"size": 4}, "hidden_size": -1}"#;
    let (heads, warnings) = heads(config);
    assert_eq!(heads, [Some(4), None, None]);
    let expected = [
        "hidden_size is -1, no whole number; passed over: config.json",
        "num_attention_heads is \"four\", no whole number; passed over: config.json",
        "num_key_value_heads is a list of what are no whole numbers; passed over: config.json",
        "head_dim is a map, no whole number; passed over: config.json",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn the_file_that_says_the_heads_counts() {
    let run = found(&[
        ("model.safetensors", ""),
        ("training_config.yaml", "model: {d_model: 64}"),
        ("config.json", r#"{"num_attention_heads": 4}"#),
    ]);
    let model = run.model.unwrap();
    assert_eq!(
        (model.n_heads, model.source.as_str()),
        (Some(4), "config.json")
    );
    let account = |files: &[(&str, &str)]| block_on(Run::account_of_configs(&tree(files)));
    let expected = "there is no training_config.yaml and no config.json and no \
                    params.json beside the checkpoints";
    assert_eq!(account(&[]), expected);
    let files = [
        ("training_config.yaml", "model: [a"),
        ("a/config.json", "{\"n_head\": \"4\"}"),
    ];
    let told = account(&files);
    assert!(
        told.starts_with("training_config.yaml was passed over, because line 1"),
        "{told}"
    );
    assert!(
        told.ends_with("of a/config.json, n_head is \"4\", no whole number"),
        "{told}"
    );
}

#[test]
fn the_config_nearest_to_the_weights_counts() {
    let of = |heads: u64| format!(r#"{{"num_attention_heads": {heads}}}"#);
    let (four, eight) = (of(4), of(8));
    for beside in ["config.json", "a_tokenizer/config.json"] {
        let run = found(&[
            ("checkpoint-10/model.safetensors", ""),
            ("checkpoint-10/config.json", &four),
            (beside, &eight),
        ]);
        assert_eq!(run.model.unwrap().n_heads, Some(4), "{beside}");
        assert_eq!(run.warnings, [""; 0]);
    }
    // A config that says nothing is not made up for by another model's.
    let run = found(&[
        ("checkpoint-10/model.safetensors", ""),
        ("checkpoint-10/config.json", r#"{"model_type": "llama"}"#),
        ("ref/config.json", &eight),
    ]);
    assert_eq!(run.model.and_then(|model| model.n_heads), None);
    let run = found(&[
        ("checkpoint-10/model.safetensors", ""),
        ("ref/config.json", &eight),
    ]);
    assert_eq!(run.model.unwrap().n_heads, Some(8));
    assert!(
        run.warnings[0].contains("ref/config.json"),
        "{:?}",
        run.warnings
    );
    // Heads of one step are not those of another.
    let files = |second: &str| {
        found(&[
            ("checkpoint-100/model.safetensors", ""),
            ("checkpoint-100/config.json", &four),
            ("checkpoint-200/model.safetensors", ""),
            ("checkpoint-200/config.json", second),
        ])
    };
    let run = files(&eight);
    assert_eq!(run.model.unwrap().n_heads, None);
    assert!(
        run.warnings[0].contains("differ in n_heads"),
        "{:?}",
        run.warnings
    );
    let run = files(&four);
    assert_eq!(run.model.unwrap().n_heads, Some(4));
    assert_eq!(run.warnings, [""; 0]);
}

#[test]
fn the_type_of_a_model_may_stand_in_another_file_than_its_heads() {
    let of = |json: &str| {
        found(&[
            ("step_1/model.safetensors", ""),
            ("training_config.yaml", "model: {d_model: 64, n_heads: 4}"),
            ("config.json", json),
        ])
    };
    let model_type = |run: &Run| run.config.as_ref().unwrap().model_type.clone();
    let run = of(r#"{"model_type": "pico_decoder", "d_model": 64, "num_attention_heads": 4}"#);
    assert_eq!(model_type(&run).as_deref(), Some("pico_decoder"));
    assert_eq!(run.model.unwrap().source, "training_config.yaml");
    assert_eq!(run.warnings, [""; 0]);
    // Of another model it says nothing.
    let run = of(r#"{"model_type": "gemma", "d_model": 64, "num_attention_heads": 8}"#);
    assert_eq!(model_type(&run), None);
    let expected = "n_heads is 8, and 4 as training_config.yaml says; passed over: config.json";
    assert_eq!(run.warnings, [expected]);
}

#[test]
fn key_value_heads_follow_from_flags_and_from_what_a_class_takes_for_them() {
    for (config, expected) in [
        (
            r#"{"model_type": "falcon", "num_attention_heads": 8, "num_kv_heads": 8}"#,
            1,
        ),
        (
            r#"{"model_type": "falcon", "n_head": 8, "multi_query": false}"#,
            8,
        ),
        (
            r#"{"model_type": "falcon", "num_attention_heads": 8, "num_kv_heads": 2,
                "multi_query": true, "new_decoder_architecture": true}"#,
            2,
        ),
        (r#"{"model_type": "RefinedWebModel", "n_head": 8}"#, 1),
        (
            r#"{"model_type": "RefinedWeb", "n_head": 8, "n_head_kv": 2}"#,
            2,
        ),
        (r#"{"model_type": "RefinedWeb", "n_head": 8}"#, 8),
        (r#"{"model_type": "gpt_bigcode", "n_head": 8}"#, 1),
        (
            r#"{"model_type": "gpt_bigcode", "n_head": 8, "multi_query": false}"#,
            8,
        ),
        (r#"{"model_type": "chatglm", "num_attention_heads": 8}"#, 8),
        (
            r#"{"model_type": "chatglm", "num_attention_heads": 8,
                "multi_query_attention": true, "multi_query_group_num": 2}"#,
            2,
        ),
    ] {
        assert_eq!(heads(config).0[1], Some(expected), "{config}");
    }
}

#[test]
fn heads_of_encoder_and_decoder_count_before_those_of_all_layers() {
    let both = r#"{"encoder_attention_heads": 16, "decoder_attention_heads": 16,
                   "num_attention_heads": 8}"#;
    assert_eq!(heads(both), ([Some(16), None, None], vec![]));
    let one = r#"{"encoder_attention_heads": 4, "num_attention_heads": 2}"#;
    let problem =
        "encoder_attention_heads is 4 and num_attention_heads is 2; passed over: config.json";
    assert_eq!(heads(one), ([None; 3], vec![problem.to_owned()]));
}

#[test]
fn a_broken_config_is_a_warning() {
    let run = found(&[
        ("step_1/model.safetensors", ""),
        ("step_1/config.json", r#"{"hidden_size":8}"#),
        ("training_config.yaml", "model: [unclosed"),
    ]);
    assert_eq!(run.model.unwrap().source, "step_1/config.json");
    let warning = &run.warnings[0];
    assert!(
        warning.contains("line 1") && warning.ends_with("training_config.yaml"),
        "{warning}"
    );
    assert!(!warning.contains('\n'), "{warning}");
    let run = found(&[
        ("model.safetensors", ""),
        ("config.json", "{\"hidden_size\":\"wide\"}"),
    ]);
    assert_eq!(run.model, None);
    assert_eq!(run.warnings.len(), 2, "{:?}", run.warnings);
    let run = found(&[("model.safetensors", ""), ("config.json", "{}")]);
    assert_eq!(run.model, None);
    assert!(
        run.warnings[0].contains("counted as step 0"),
        "{:?}",
        run.warnings
    );
}

#[test]
fn integers_of_a_config_may_have_underscores() {
    let config = "model:\n  d_model: 1_024\n  n_layers: 2\n";
    let run = found(&[("model.safetensors", ""), ("training_config.yaml", config)]);
    assert_eq!(run.model.unwrap().d_model, Some(1024));
}

/// The numbers of the steps that can be read.
fn numbers(run: &Run) -> Vec<u64> {
    run.steps.iter().map(|step| step.number).collect()
}

#[test]
fn steps_by_what_differs() {
    for (paths, expected) in [
        (&["m_1000.pt", "m_2000.pt"][..], &[1000, 2000][..]),
        (&["a/000100/x.pt", "a/000200/x.pt"], &[100, 200]),
        (&["epoch_1.pt", "epoch_2.pt", "epoch_10.pt"], &[1, 2, 10]),
        (
            &[
                "epoch=0-step=100.ckpt",
                "epoch=1-step=200.ckpt",
                "last.ckpt",
            ],
            &[100, 200],
        ),
        (
            &["step_20k/model.bin", "step_100k/model.bin"],
            &[20_000, 100_000],
        ),
        (
            &["step1000-unsharded/model.pt", "latest-unsharded/model.pt"],
            &[1000],
        ),
        (
            &[
                "checkpoint-5/hf/model.safetensors",
                "checkpoint-10/hf/model.safetensors",
            ],
            &[5, 10],
        ),
        (&["iter_0000100/mp_rank_00/model_optim_rng.pt"], &[100]),
        (
            &["model-500/model.bin", "model-1000/model.bin"],
            &[500, 1000],
        ),
        (
            &["model_1.pt", "model_2.pt", "ema_1.pt", "ema_2.pt"],
            &[1, 2],
        ),
        (
            &[
                "step_1-00001-of-00002.bin",
                "step_1-00002-of-00002.bin",
                "step_2.bin",
            ],
            &[1, 2],
        ),
        (
            &[
                "checkpoint-5/global_step5/mp_rank_00_model_states.pt",
                "checkpoint-5/a.txt",
            ],
            &[5],
        ),
        (&["step_5.pth.tar", "step_6.pth.tar"], &[5, 6]),
    ] {
        assert_eq!(numbers(&found(&empty(paths))), expected, "{paths:?}");
    }
    for paths in [
        &["pythia-70m/model.bin", "pythia-160m/model.bin"][..],
        &["seed_1/model.bin", "seed_2/model.bin"],
        &["llama1/model.bin", "llama2/model.bin"],
        &["model-v1/model.bin", "model-v2/model.bin"],
    ] {
        let error = refused(&empty(paths));
        assert!(
            matches!(error, RunError::Ambiguous { .. }),
            "{paths:?}: {error}"
        );
    }
}

#[test]
fn steps_of_more_trainers() {
    for (paths, expected) in [
        // An epoch and a step behind it; a step and a rank.
        (
            &[
                "checkpoint_1_500.pt",
                "checkpoint_1_1000.pt",
                "checkpoint_2_1500.pt",
            ][..],
            &[500, 1000, 1500][..],
        ),
        (&["ckpt-1-500/model.pt", "ckpt-2-900/model.pt"], &[500, 900]),
        (&["ep0-ba5-rank0.pt", "ep0-ba10-rank0.pt"], &[5, 10]),
        (&["step_1,000.pt", "step_2,500.pt"], &[1000, 2500]),
        (
            &["step_500.pt", "step_1_000.pt", "step_1_500.pt"],
            &[500, 1000, 1500],
        ),
        (&["100_steps/model.pt", "200_steps/model.pt"], &[100, 200]),
        (&["model-1000steps.pt", "model-2000steps.pt"], &[1000, 2000]),
        // Optimizers in folders beside the model's.
        (
            &[
                "checkpoint-5/pytorch_model_fsdp_0/.metadata",
                "checkpoint-5/pytorch_model_fsdp_0/__0_0.distcp",
                "checkpoint-5/optimizer_0/.metadata",
                "checkpoint-5/optimizer_0/__0_0.distcp",
            ],
            &[5],
        ),
        (
            &[
                "step5/model_and_optim/.metadata",
                "step5/model_and_optim/__0_0.distcp",
                "step5/train/rank0.pt",
            ],
            &[5],
        ),
        (&["step5/model/a.pt", "step5/optimizer/a.pt"], &[5]),
        (
            &[
                "global_step5/actor/huggingface/model.safetensors",
                "global_step10/actor/huggingface/model.safetensors",
            ],
            &[5, 10],
        ),
    ] {
        assert_eq!(numbers(&found(&empty(paths))), expected, "{paths:?}");
    }
}

#[test]
fn what_is_assumed_of_steps_is_said() {
    let said = |paths: &[&str], words: &str| {
        let run = found(&empty(paths));
        assert!(
            run.warnings.iter().any(|it| it.contains(words)),
            "{:?}",
            run.warnings
        );
    };
    said(&["epoch_1.pt", "epoch_2.pt"], "by epoch");
    said(&["m_1000.pt", "m_2000.pt"], "the only number");
    said(&["step_5.pt"], "step 5");
    said(&["model.pt"], "step 0");
    said(&["consolidated.00.pth"], "step 0");
    said(&["checkpoint_1_500.pt", "checkpoint_2_900.pt"], "step 500");
    said(&["step_500.pt", "step_1_500.pt"], "step 1500");
}

#[test]
fn what_is_no_checkpoint_is_left_out() {
    let run = found(&empty(&[
        "._step_100.safetensors",
        "__MACOSX/step_5.pt",
        ".cache/step_6.pt",
        "step_100.safetensors",
        "step_200.safetensors",
        "step_300.safetensors.tmp",
        "tmp-checkpoint-400/model.safetensors",
        "step_500_incomplete/model.safetensors",
        "step_600.orbax-checkpoint-tmp-1699/model.safetensors",
    ]));
    assert_eq!(numbers(&run), [100, 200]);
    let told: Vec<&str> = run.passed_over.iter().map(|it| it.path.as_str()).collect();
    let expected = [
        "step_300.safetensors.tmp",
        "step_500_incomplete/",
        "step_600.orbax-checkpoint-tmp-1699/",
        "tmp-checkpoint-400/",
    ];
    assert_eq!(told, expected);
}

#[test]
fn one_bad_step_costs_one_step() {
    let run = found(&empty(&[
        "checkpoint-1/model.safetensors",
        "checkpoint-2/optimizer.pt",
        "checkpoint-3/a.pt",
        "checkpoint-3/b.pt",
        "checkpoint-4/zero_pp_rank_0_mp_rank_00_model_states.pt",
        "checkpoint-5/model-00001-of-00002.bin",
        "checkpoint-6/a/model.bin",
        "checkpoint-6/b/model.bin",
    ]));
    assert_eq!(numbers(&run), [1]);
    let broken: Vec<u64> = run.broken.iter().map(|step| step.number).collect();
    assert_eq!(broken, [2, 3, 4, 5, 6]);
    for words in [
        "optimizer.pt",
        "a.pt, b.pt",
        "zero_to_fp32.py",
        "1 of 2",
        "several folders",
    ] {
        assert!(
            run.warnings.iter().any(|it| it.contains(words)),
            "{words}: {:?}",
            run.warnings
        );
    }
}

#[test]
fn steps_none_of_which_can_be_read_are_told_as_steps() {
    for (paths, words) in [
        (
            &[
                "iter_0000100/mp_rank_00/model_optim_rng.pt",
                "iter_0000100/mp_rank_01/model_optim_rng.pt",
            ][..],
            "step 100 cannot be read: each rank",
        ),
        (
            &[
                "global_step100/hf/model.safetensors",
                "global_step100/model/a.pt",
            ],
            "step 100 cannot be read: it has weights in several folders (hf, model)",
        ),
        (
            &["ep0-ba5-rank0.pt", "ep0-ba5-rank1.pt"],
            "step 5 cannot be read: each file is of one rank",
        ),
    ] {
        let error = refused(&empty(paths));
        let message = error.to_string();
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("step 0"), "{message}");
    }
}

#[test]
fn what_a_step_has_besides_is_told() {
    let run = found(&empty(&[
        "checkpoint-5/model.safetensors",
        "checkpoint-5/critic/deep/model.safetensors",
        "checkpoint-5/global_step5/zero_pp_rank_0_mp_rank_00_model_states.pt",
        "checkpoint-6/hf/model.safetensors",
        "checkpoint-6/hf/ema/model.safetensors",
        "step_7.safetensors",
        "step_8.safetensors/data.pkl",
    ]));
    assert_eq!(numbers(&run), [5, 6]);
    let told: Vec<(Reason, &str)> = run
        .passed_over
        .iter()
        .map(|it| (it.reason.clone(), it.path.as_str()))
        .collect();
    let expected = [
        (
            Reason::SameStep,
            "checkpoint-5/critic/deep/model.safetensors",
        ),
        (Reason::SameStep, "checkpoint-6/hf/ema/model.safetensors"),
        (Reason::OtherLayout, "step_7.safetensors"),
    ];
    assert_eq!(told, expected);
    let broken: Vec<u64> = run.broken.iter().map(|step| step.number).collect();
    assert_eq!(broken, [8]);
    let run = found(&empty(&["step_7.pt", "step_8.pt", "last.pt/data.pkl"]));
    let told: Vec<&str> = run.passed_over.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(told, ["last.pt/"]);
}

#[test]
fn a_step_that_is_nowhere_to_be_seen_is_told() {
    type Told = Option<(Reason, &'static str)>;
    let cases: [(&[&str], Told); 9] = [
        (&["step_3/.gitkeep"], Some((Reason::NoFiles, "step_3/"))),
        (&["step_3/.x/step_4/a"], Some((Reason::NoFiles, "step_3/"))),
        (&["step_3/.model.pt.Xa31", "step_3/model.pt"], None),
        (&[".cache/step_3/model.pt.metadata"], None),
        (&["step_3.gguf"], Some((Reason::OtherKind, "step_3.gguf"))),
        (
            &["step_3.tar.gz"],
            Some((Reason::OtherKind, "step_3.tar.gz")),
        ),
        (&["step_3"], Some((Reason::OtherKind, "step_3"))),
        // It is there as a checkpoint.
        (&["step_2.gguf"], None),
        (&["step_3.png", "max_steps_3"], None),
    ];
    for (paths, expected) in cases {
        let sound = ["step_1/model.pt", "step_2/model.pt"];
        let run = found(&empty(&[&sound, paths].concat()));
        let told = run.passed_over.iter();
        let told: Vec<_> = told
            .map(|it| (it.reason.clone(), it.path.as_str()))
            .collect();
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{paths:?}");
    }
}

#[test]
fn steps_that_begin_anew_in_each_epoch_are_told() {
    let told = |names: [&str; 3]| {
        let paths = names.map(|name| format!("{name}.ckpt"));
        let run = found(&empty(&paths.each_ref().map(String::as_str)));
        assert_eq!(numbers(&run).len(), 3, "{names:?}");
        let anew = run.warnings.iter().filter(|it| it.contains("anew"));
        anew.count()
    };
    assert_eq!(
        told(["epoch_0_step_900", "epoch_1_step_500", "epoch_1_step_950"]),
        1
    );
    assert_eq!(
        told(["epoch=0-step=100", "epoch=1-step=200", "epoch=1-step=250"]),
        0
    );
}

#[test]
fn a_download_that_is_not_done_is_half_written() {
    for record in ["aria2", "st"] {
        let record = format!("step_2/model.safetensors.{record}");
        let run = found(&empty(&[
            "step_1/model.safetensors",
            "step_2/model.safetensors",
            &record,
        ]));
        assert_eq!(numbers(&run), [1]);
        assert_eq!(run.broken.len(), 1, "{record}");
        let told = [(Reason::HalfWritten, "step_2/model.safetensors")];
        let passed_over = run.passed_over.iter();
        let passed_over: Vec<_> = passed_over
            .map(|it| (it.reason.clone(), it.path.as_str()))
            .collect();
        assert_eq!(passed_over, told);
    }
}

#[test]
fn files_of_other_kinds_are_told_as_what_they_are() {
    for (paths, words) in [
        (&["model-q4.gguf"][..], "gguf_file=FILE"),
        (&["step_5/model.gguf", "step_6/model.gguf"], "GGUF"),
        (&["model.onnx", "config.json"], "ONNX"),
        (
            &[
                "checkpoint",
                "model.ckpt-5.data-00000-of-00001",
                "model.ckpt-5.index",
            ],
            "from_tf=True",
        ),
        (&["flax_model.msgpack"], "from_flax=True"),
        (&["500/default/manifest.ocdbt"], "Orbax"),
        (&["weights.00.npz"], "numpy.load(FILE)"),
        (&["run.tar.gz"], "unpack it"),
        (&["step_5.pkl"], "torch.save(pickle.load"),
    ] {
        let error = refused(&empty(paths));
        let message = error.to_string();
        assert!(matches!(error, RunError::Foreign { .. }), "{message}");
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("again"), "{message}");
    }
    // Beside what can be read they cost their steps, or nothing.
    let run = found(&empty(&[
        "step_5/model.safetensors",
        "step_5/tf_model.h5",
        "step_6/tf_model.h5",
    ]));
    assert_eq!(numbers(&run), [5]);
    assert_eq!(run.warnings.len(), 1, "{:?}", run.warnings);
    assert!(run.warnings[0].contains("step 6 cannot be read"));
    assert!(run.warnings[0].contains("Keras"), "{:?}", run.warnings);
}

/// What is said of the only step's weights, and the names that count.
fn content(files: Vec<(&str, Vec<u8>)>) -> (Vec<String>, Vec<String>) {
    let files = files
        .into_iter()
        .map(|(path, bytes)| (path.to_owned(), bytes));
    let tree = MemoryTree::new("tree", files.collect::<Vec<_>>());
    let run = block_on(Run::find(&tree)).unwrap();
    let part = run.steps[0].part(DataKind::Weights, Split::Train).unwrap();
    let content = block_on(part.read(&tree)).unwrap();
    let tensors = content.files.iter().flat_map(|file| &file.catalog.tensors);
    let names = tensors.map(|tensor| tensor.name.clone()).collect();
    (content.warnings, names)
}

/// A safetensors file of tensors of one byte.
fn shard(names: &[&str]) -> Vec<u8> {
    let entry = |(place, name): (usize, &&str)| {
        let end = place + 1;
        format!(r#""{name}":{{"dtype":"U8","shape":[1],"data_offsets":[{place},{end}]}}"#)
    };
    let entries: Vec<String> = names.iter().enumerate().map(entry).collect();
    support::safetensors(&format!("{{{}}}", entries.join(",")), names.len())
}

#[test]
fn an_index_decides_and_what_it_does_not_name_is_told() {
    let first = ("s/model-00001-of-00002.safetensors", shard(&["a", "b"]));
    let second = ("s/model-00002-of-00002.safetensors", shard(&["b"]));
    let stray = ("s/model-00003-of-00003.safetensors", shard(&["c"]));
    let map = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    let index = |text: &[u8]| ("s/model.safetensors.index.json", text.to_vec());
    let files = vec![first.clone(), second.clone(), stray, index(map.as_bytes())];
    let (warnings, names) = content(files);
    assert_eq!(names, ["a", "b"]);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("`b` in s/model-00001"), "{warnings:?}");
    assert!(warnings[1].contains("model-00003-of-00003"), "{warnings:?}");
    // A mark, and UTF-16, are no part of an index.
    let wide = map.encode_utf16().flat_map(u16::to_le_bytes);
    let wide: Vec<u8> = b"\xff\xfe".iter().copied().chain(wide).collect();
    let marked = [b"\xef\xbb\xbf", map.as_bytes()].concat();
    for text in [marked, wide] {
        let (warnings, names) = content(vec![first.clone(), second.clone(), index(&text)]);
        assert_eq!(names, ["a", "b"]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }
    // One that names nothing is none.
    let whole = ("s/model-00001-of-00001.safetensors", shard(&["a"]));
    for text in [&br#"{"weight_map":{}}"#[..], b"", b"<html>"] {
        let (warnings, names) = content(vec![whole.clone(), index(text)]);
        assert_eq!(names, ["a"]);
        assert!(warnings[0].contains("without their index"), "{warnings:?}");
    }
}

#[test]
fn runs_side_by_side_are_told_apart_from_steps() {
    for paths in [
        &["a/000100/model.bin", "b/000100/model.bin"][..],
        &["a/epoch_1/model.bin", "b/epoch_1/model.bin"],
    ] {
        let error = refused(&empty(paths));
        assert!(matches!(error, RunError::SeveralRuns { .. }), "{error}");
    }
}

#[test]
fn weights_that_cannot_be_read_beside_recorded_data_are_told() {
    let run = found(&empty(&[
        "step_5/learning_dynamics/val_gradients.pt",
        "step_5/model-00001-of-00002.safetensors",
    ]));
    assert_eq!(numbers(&run), [5]);
    let told = run.warnings.iter().any(|it| it.contains("1 of 2 there"));
    assert!(told, "{:?}", run.warnings);
}

#[test]
fn what_cannot_be_read_is_said_once() {
    let error = refused(&empty(&["step-100/__0_0.distcp", "step-200/__0_0.distcp"]));
    let message = error.to_string();
    assert!(
        message.contains("steps 100, 200 cannot be read"),
        "{message}"
    );
    let error = refused(&empty(&["a/x.pt", "a/y.pt"]));
    assert!(error.to_string().contains("a/ is passed over"), "{error}");
}

proptest::proptest! {
    /// Whatever files there are, finding a run neither panics nor puts a file into two steps.
    #[test]
    fn a_file_is_of_one_step(
        paths in proptest::collection::btree_set(
            "(step_[0-9]/|[ab]/|[0-9]{1,2}/)?(model|step_[0-9]|[ab]_[0-9]|ema|opt)(-0000[01]-of-00002)?\\.(pt|bin|safetensors)(\\.index\\.json)?",
            0..12,
        ),
    ) {
        let files: Vec<(String, Vec<u8>)> = paths.into_iter().map(|path| (path, Vec::new())).collect();
        if let Ok(run) = block_on(Run::find(&MemoryTree::new("tree", files))) {
            let mut used: Vec<&String> = run.steps.iter().flat_map(|s| &s.parts).flat_map(|p| &p.paths).collect();
            let count = used.len();
            used.sort();
            used.dedup();
            assert_eq!(used.len(), count);
            let mut numbers = numbers(&run);
            numbers.extend(run.broken.iter().map(|step| step.number));
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count);
        }
    }
}

#[test]
fn the_refs_of_the_hub_s_cache_are_steps() {
    let files = [
        ("blobs/aa", "1"),
        ("blobs/bb", "2"),
        ("refs/step100", "c1\n"),
        ("refs/step200", "c2"),
        ("snapshots/c1/model.safetensors", "1"),
        ("snapshots/c2/model.safetensors", "2"),
    ];
    let expected = [
        (100, vec!["snapshots/c1/model.safetensors"]),
        (200, vec!["snapshots/c2/model.safetensors"]),
    ];
    let run = found(&files);
    assert_eq!(steps(&run), expected);
    assert_eq!(run.warnings, [""; 0]);
    let needed: Vec<String> = block_on(run.needed_files(&tree(&files)))
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert_eq!(needed, files[2..].iter().map(|it| it.0).collect::<Vec<_>>());
}

#[test]
fn a_dropped_cache_tells_what_no_ref_leads_to() {
    let run = found(&[
        ("models--a--b/.no_exist/c3/config.json", ""),
        ("models--a--b/refs/main", "c3"),
        ("models--a--b/refs/runs/1/step5", "c1"),
        ("models--a--b/refs/runs/1/step7", "gone"),
        ("models--a--b/refs/runs/1/step9", "no id\n of a commit"),
        ("models--a--b/snapshots/c1/pytorch_model.bin", ""),
        ("models--a--b/snapshots/c3/config.json", r#"{"n_layer": 2}"#),
        ("models--a--b/snapshots/c4/pytorch_model.bin", ""),
    ]);
    let path = "models--a--b/snapshots/c1/pytorch_model.bin";
    assert_eq!(steps(&run), [(5, vec![path])]);
    assert_eq!(
        run.model.unwrap().source,
        "models--a--b/snapshots/c3/config.json"
    );
    let warnings = run.warnings.join("\n");
    assert!(
        warnings.contains("no file of their commits is here: runs/1/step7"),
        "{warnings}"
    );
    assert!(warnings.contains("no ref names them: c4"), "{warnings}");
}

#[test]
fn one_ref_is_one_checkpoint_and_other_folders_are_no_cache() {
    let one = found(&[("refs/main", "c1"), ("snapshots/c1/model.safetensors", "")]);
    assert_eq!(one.layout, Layout::Single);
    assert_eq!(
        one.steps[0].parts[0].paths,
        ["snapshots/c1/model.safetensors"]
    );
    let other = found(&[
        ("refs/papers.md", "# To read"),
        ("snapshots/step_5/model.safetensors", ""),
    ]);
    assert_eq!(
        steps(&other),
        [(5, vec!["snapshots/step_5/model.safetensors"])]
    );
}
