//! `worker inspect`: what a run or a file holds.

use std::fs;
use std::process::{Command, Stdio};

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use crate::support::{
    Scratch, Sizes, argument, checkpoint, in_project, micro_run, recorded, tensors,
};

const SIZES: Sizes = Sizes {
    layers: 12,
    steps: 2,
    width: 4,
};

#[test]
fn a_run_is_told_in_few_lines() {
    let shown = Scratch::new()
        .worker(&["inspect", argument(&micro_run())])
        .expect(0)
        .stdout;
    for words in [
        "pico-decoder-micro-1: a pico-train run",
        "steps  15: 0, 1, 2, 4, 8, 16,",
        "n_layers 3, d_model 48, n_heads 4, n_kv_heads 2, d_head 12 (from training_config.yaml)",
        "train weights      at steps 0, 512, 2000",
        "val weights        at every step",
        "val weights: 9 F32 tensors of 31,104 elements, 121.50 KiB",
        "_forward_module.layers.{0..2}.attention.v_proj  F32  [24, 48]",
        "metadata: format: pt",
        "the same tensors as at step 0",
    ] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    for line in shown.lines().filter(|line| !line.contains("--run-path")) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn twelve_layers_are_one_line() {
    let scratch = Scratch::with_run(SIZES);
    let shown = scratch.worker(&["inspect", "run"]).expect(0).stdout;
    let line = "layers.{0..11}.attention.v_proj  F32  [4, 4]";
    assert_eq!(shown.matches(line).count(), 1, "{shown}");
}

/// What is said of a tiny model, as text and as JSON.
fn inspected(model: &str) -> (String, Value) {
    let model = in_project(&format!("tests/architectures/{model}"));
    let scratch = Scratch::new();
    let ask = |more: &[&str]| {
        let arguments = [&["inspect", argument(&model)], more].concat();
        scratch.worker(&arguments).expect(0).stdout
    };
    (ask(&[]), serde_json::from_str(&ask(&["--json"])).unwrap())
}

#[test]
fn the_parts_of_a_model_are_named_as_its_architecture_has_them() {
    for (model, words) in [
        (
            "gpt_neox",
            &[
                "parts  GPT-NeoX (model_type gpt_neox)",
                "query, key, value: attention.query_key_value",
                "output: attention.dense",
                "embedding: gpt_neox.embed_in",
                "unembedding: embed_out",
            ][..],
        ),
        (
            "mixtral",
            &[
                "down: block_sparse_moe.experts.{0..3}.w2, 4 experts",
                "router: block_sparse_moe.gate",
                "key-value heads",
            ],
        ),
        (
            "gpt_oss",
            &["gate, up: mlp.experts.gate_up_proj, 5 experts"],
        ),
        (
            "deepseek_v2",
            &[
                "key, value: self_attn.kv_b_proj after self_attn.kv_a_proj_with_mqa",
                "down: mlp.down_proj (layer 0)",
                "shared_down: mlp.shared_experts.down_proj (layers 1",
                "queries and keys 12 wide, values 6",
            ],
        ),
        (
            "qwen2",
            &["unembedding: model.embed_tokens, tied to the embedding"],
        ),
        ("smollm3", &["assumed: there is no tensor of unembedding"]),
        (
            "mamba",
            &[
                "parts  Mamba (model_type mamba)",
                "no attention that is known",
            ],
        ),
    ] {
        let (shown, _) = inspected(model);
        for words in words {
            assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
        }
    }
}

#[test]
fn the_json_has_heads_roles_and_experts() {
    let (_, found) = inspected("qwen2_moe");
    let parts = &found["parts"];
    assert_eq!(parts["architecture"], "Llama");
    let heads = &parts["stacks"][0]["heads"][0];
    assert_eq!(
        (&heads["n_heads"], &heads["n_kv_heads"]),
        (&json!(4), &json!(2))
    );
    let roles = parts["stacks"][0]["roles"].as_array().unwrap();
    let down: Vec<_> = roles.iter().filter(|it| it["role"] == "down").collect();
    let experts: Vec<_> = down.iter().map(|it| &it["experts"]).collect();
    assert!(experts.contains(&&json!(5)), "{down:?}");
    assert!(experts.contains(&&Value::Null), "{down:?}");
}

#[test]
fn what_is_not_known_of_a_model_is_said() {
    let scratch = Scratch::new();
    let named = [
        ("model.layers.0.self_attn.q_proj.weight", [8, 8]),
        ("model.layers.0.self_attn.k_proj.weight", [8, 8]),
        ("model.layers.0.mlp.down_proj.weight", [8, 12]),
    ];
    scratch.write("run/model.safetensors", tensors(&named));
    let shown = scratch.worker(&["inspect", "run"]).expect(0).stdout;
    for words in [
        "parts  unknown architecture (no config says model_type)",
        "layer 0: the number of attention heads is not known",
        "down: mlp.down_proj",
        "assumed: no config says the model's type",
    ] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
}

#[test]
fn the_json_has_everything_under_stable_names() {
    let scratch = Scratch::with_run(SIZES);
    let shown = scratch.worker(&["inspect", "run", "--json"]).expect(0);
    let found: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(found["format"], "ckptscope-inspection");
    assert_eq!(found["version"], 1);
    assert_eq!(found["name"], "run");
    assert_eq!(found["path"], "run");
    assert_eq!(found["layout"], "pico");
    assert_eq!(found["steps"], json!([0, 1]));
    assert_eq!(found["model"], Value::Null);
    assert_eq!(found["warnings"], json!([]));
    let data = json!([
        {"kind": "weights", "split": "val", "steps": [0, 1]},
        {"kind": "activations", "split": "val", "steps": [0, 1]},
    ]);
    assert_eq!(found["data"], data);
    let part = &found["checkpoints"][1]["parts"][0];
    assert_eq!(found["checkpoints"][1]["step"], 1);
    let totals = json!([{"dtype": "F32", "tensors": 12, "elements": 192, "bytes": 768}]);
    assert_eq!(part["totals"], totals);
    let file = &part["files"][0];
    assert_eq!(
        file["path"],
        recorded(1, "weights").trim_start_matches("run/")
    );
    assert_eq!(file["error"], Value::Null);
    assert_eq!(file["tensors"].as_array().unwrap().len(), 12);
    let first = json!({
        "name": "layers.0.attention.v_proj", "dtype": "F32", "shape": [4, 4],
        "elements": 16, "bytes": 64,
    });
    assert_eq!(file["tensors"][0], first);
}

#[test]
fn the_suggested_config_works_as_it_is() {
    let scratch = Scratch::with_run(SIZES);
    let shown = scratch.worker(&["inspect", "run"]).expect(0).stdout;
    let suggestion = shown.split("write first.yaml:\n").nth(1).unwrap();
    let config = suggestion.split("\nand run:").next().unwrap();
    let config: String = config
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    scratch.write("first.yaml", config);
    let command = suggestion
        .lines()
        .find_map(|line| line.trim().strip_prefix("worker "))
        .unwrap();
    let arguments: Vec<&str> = command.split(' ').collect();
    scratch.worker(&arguments).expect(0);
}

#[test]
fn what_is_suggested_is_of_one_stack() {
    let shared = ["encoder.layers.0.a.weight", "decoder.layers.0.a.weight"];
    let own = ["decoder.layers.0.b", "decoder.layers.1.b"];
    let shown = |names: &[&str]| {
        let scratch = Scratch::new();
        scratch.write("model.safetensors", named(names));
        let shown = scratch.worker(&["inspect", "model.safetensors"]);
        shown.expect(0).stdout
    };
    let both = shown(&[&shared[..], &own].concat());
    let of_decoder = "layer_suffixes: [b, \"decoder.layers.*.a\"]\n";
    assert!(both.contains(of_decoder), "{both}");
    let shared = shown(&shared);
    let of_first = "layer_suffixes: \"decoder.layers.*.a\"\n";
    assert!(shared.contains(of_first), "{shared}");
    // Of two that a `.weight` alone tells apart each has its own name.
    let twins = shown(&["layers.0.a", "layers.0.a.weight"]);
    assert!(twins.contains("layer_suffixes: [a, a.weight]\n"), "{twins}");
}

/// A checkpoint of matrices of these names.
fn named(names: &[&str]) -> Vec<u8> {
    let bytes = [0; 16];
    let view = || TensorView::new(Dtype::F32, vec![2, 2], &bytes).unwrap();
    let tensors = names.iter().map(|name| (*name, view()));
    safetensors::serialize(tensors, None).unwrap()
}

#[test]
fn a_broken_file_is_told_beside_the_others() {
    let scratch = Scratch::with_run(SIZES);
    let path = scratch.path().join(recorded(1, "weights"));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let ended = scratch
        .worker(&["inspect", "run"])
        .expect(1)
        .says(&["one file cannot be read, as said above"]);
    assert!(
        ended.stdout.contains("error: broken safetensors file"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("val activations: 12 F32 tensors"),
        "{}",
        ended.stdout
    );

    let ended = scratch.worker(&["inspect", "run", "--json"]).expect(1);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let error = &found["checkpoints"][1]["parts"][0]["files"][0]["error"];
    assert!(error.as_str().unwrap().contains("cut off"), "{error}");
}

#[test]
fn tensors_that_cannot_be_read_are_named_with_the_reason() {
    let scratch = Scratch::new();
    let header = br#"{"a":{"dtype":"X9","shape":[2],"data_offsets":[0,2]}}"#;
    let mut content = (header.len() as u64).to_le_bytes().to_vec();
    content.extend(header);
    content.extend([0, 0]);
    scratch.write("odd.safetensors", content);
    let shown = scratch
        .worker(&["inspect", "odd.safetensors"])
        .expect(0)
        .stdout;
    assert!(shown.contains("unreadable: a: "), "{shown}");
    assert!(shown.contains("X9"), "{shown}");
}

#[test]
fn names_cannot_steer_the_terminal() {
    let scratch = Scratch::new();
    let header = br#"{"a\u001b[2Jb":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#;
    let mut content = (header.len() as u64).to_le_bytes().to_vec();
    content.extend(header);
    content.extend([0, 0, 0, 0]);
    scratch.write("odd.safetensors", content);
    let shown = scratch
        .worker(&["inspect", "odd.safetensors"])
        .expect(0)
        .stdout;
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(shown.contains(r"a\u{1b}[2Jb"), "{shown}");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let scratch = Scratch::new();
    // More than a pipe holds, so that writing meets the closed end.
    let content = checkpoint(1, 3000, [1, 1]);
    scratch.write("many.safetensors", content);
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["inspect", "many.safetensors", "--json"])
        .current_dir(scratch.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
