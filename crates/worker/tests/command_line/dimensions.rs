//! Heads: from configs of many kinds, from shapes, or said in the analysis config.

use crate::support::{Ended, Scratch, json, tensors};

const CONFIG: &str = "
analysis_name: heads
metrics:
  - metric_name: norm
    data_split: val
    components:
      - component_name: ov_circuit
        data_type: weights
        layer_suffixes: {output_layer: o, value_layer: v}
        layers: all
steps: all
";

/// Two layers of width 16, whose values have so many rows, and the model's config if any.
fn run(value_rows: usize, model: Option<&str>) -> Scratch {
    let scratch = Scratch::new();
    let file = tensors(&[
        ("layers.0.o", [16, 16]),
        ("layers.0.v", [value_rows, 16]),
        ("layers.1.o", [16, 16]),
        ("layers.1.v", [value_rows, 16]),
    ]);
    scratch.write("run/checkpoint-1/model.safetensors", file);
    if let Some(model) = model {
        scratch.write("run/config.json", model);
    }
    scratch
}

/// How many heads the results have in each layer.
fn heads(scratch: &Scratch, ended: Ended) -> usize {
    ended.expect(0);
    let results = json(&scratch.path().join("out/heads/results.json"));
    let series = results["series"].as_array().unwrap().iter();
    series
        .filter(|one| one["layer"] == 0 && one["head"].is_u64())
        .count()
}

#[test]
fn key_value_heads_are_as_many_as_shapes_say() {
    let scratch = run(4, Some(r#"{"hidden_size": 16, "num_attention_heads": 4}"#));
    let ended = scratch.analyze(CONFIG, "out", &["--overwrite"]);
    let assumed = "n_kv_heads is taken to be 1, as the tensors' shapes say: config.json does not";
    let ended = ended.says(&[assumed]);
    assert_eq!(heads(&scratch, ended), 4);
    let results = json(&scratch.path().join("out/heads/results.json"));
    assert_eq!(results["model"]["n_kv_heads"], 1);
    // What is usual is not worth a word.
    let usual = run(16, Some(r#"{"hidden_size": 16, "num_attention_heads": 4}"#));
    let ended = usual.analyze(CONFIG, "out", &["--overwrite"]);
    assert!(!ended.stderr.contains("is taken to be"), "{}", ended.stderr);
    assert_eq!(heads(&usual, ended), 4);
    let results = json(&usual.path().join("out/heads/results.json"));
    assert_eq!(results["model"]["n_kv_heads"], 4);
    assert_eq!(results["model"]["d_head"], 4);
}

#[test]
fn the_analysis_config_may_say_them() {
    let scratch = run(8, None);
    let ended = scratch.analyze(CONFIG, "out", &["--overwrite"]).expect(2);
    ended.says(&[
        "the number of attention heads is not known: there is no training_config.yaml and no \
         config.json and no params.json beside the checkpoints; say it in this config, as in `model: {n_heads: 12}`",
    ]);
    let said = format!("{CONFIG}model: {{n_heads: 2, n_kv_heads: 1, d_head: 8}}\n");
    let ended = scratch.analyze(&said, "out", &["--overwrite"]);
    assert_eq!(heads(&scratch, ended), 2);
    // It comes before what the model's own config says.
    let scratch = run(
        8,
        Some(r#"{"num_attention_heads": 4, "num_key_value_heads": 2}"#),
    );
    let ended = scratch.analyze(&said, "out", &["--overwrite"]);
    assert_eq!(heads(&scratch, ended), 2);
    let results = json(&scratch.path().join("out/heads/results.json"));
    assert_eq!(
        results["model"]["source"],
        "config.json and the analysis config"
    );
}

#[test]
fn a_missing_number_of_heads_is_told_with_what_was_looked_at() {
    for (config, words) in [
        (r#"{"hidden_size": 16}"#, "config.json does not say it"),
        (
            r#"{"num_attention_heads": "4"}"#,
            "of config.json, num_attention_heads is \"4\"",
        ),
        ("{", "config.json was passed over, because EOF"),
    ] {
        let scratch = run(16, Some(config));
        scratch
            .analyze(CONFIG, "out", &["--overwrite"])
            .expect(2)
            .says(&[words, "`model: {n_heads: 12}`"]);
    }
}

#[test]
fn layers_may_differ_in_their_heads() {
    let scratch = Scratch::new();
    let file = tensors(&[
        ("layers.0.o", [16, 8]),
        ("layers.0.v", [4, 16]),
        ("layers.1.o", [16, 16]),
        ("layers.1.v", [8, 16]),
    ]);
    scratch.write("run/checkpoint-1/model.safetensors", file);
    let config = r#"{"num_query_heads": [2, 4], "num_kv_heads": [1, 2], "head_dim": 4}"#;
    scratch.write("run/config.json", config);
    let ended = scratch.analyze(CONFIG, "out", &["--overwrite"]);
    assert_eq!(heads(&scratch, ended), 2);
    let results = json(&scratch.path().join("out/heads/results.json"));
    let of_second = results["series"].as_array().unwrap().iter();
    let of_second = of_second.filter(|one| one["layer"] == 1 && one["head"].is_u64());
    assert_eq!(of_second.count(), 4);
}

#[test]
fn heads_of_a_text_model_are_not_those_of_a_vision_tower() {
    let scratch = Scratch::new();
    let file = tensors(&[
        ("vision_tower.layers.0.o", [16, 16]),
        ("vision_tower.layers.0.v", [16, 16]),
        ("text.layers.0.o", [16, 16]),
        ("text.layers.0.v", [16, 16]),
    ]);
    scratch.write("run/checkpoint-1/model.safetensors", file);
    let config = r#"{"text_config": {"num_attention_heads": 4},
                     "vision_config": {"num_attention_heads": 8}}"#;
    scratch.write("run/config.json", config);
    let of = |stack: &str| {
        CONFIG.replace(
            "layers: all",
            &format!("layers: all\n        stack: {stack}"),
        )
    };
    scratch
        .analyze(&of("vision_tower"), "out", &["--overwrite"])
        .expect(2)
        .says(&[
            "config.json says that of the text model, which `vision_tower.layers.` is no part of",
        ]);
    let ended = scratch.analyze(&of("text"), "out", &["--overwrite"]);
    assert_eq!(heads(&scratch, ended), 4);
    let said = of("vision_tower") + "model: {n_heads: 8}\n";
    let ended = scratch.analyze(&said, "out", &["--overwrite"]);
    assert_eq!(heads(&scratch, ended), 8);
}

#[test]
fn a_config_may_be_utf_16() {
    let scratch = run(16, None);
    let said = format!("{CONFIG}model: {{n_heads: 4}}\n");
    for (mark, to_bytes) in [
        (*b"\xff\xfe", u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (*b"\xfe\xff", u16::to_be_bytes),
    ] {
        let text = said.encode_utf16().flat_map(to_bytes);
        let bytes: Vec<u8> = mark.into_iter().chain(text).collect();
        scratch.write("utf-16.yaml", bytes);
        let arguments = [
            "--config",
            "utf-16.yaml",
            "--run-path",
            "run",
            "--output-dir",
            "out",
        ];
        let ended = scratch.worker(&[&["analyze"][..], &arguments[..]].concat());
        assert_eq!(heads(&scratch, ended), 4);
    }
}

#[test]
fn a_no_break_space_is_named_with_its_line() {
    let scratch = run(16, None);
    let config = CONFIG.replace("    data_split", "  \u{a0} data_split");
    scratch
        .analyze(&config, "out", &["--overwrite"])
        .expect(2)
        .says(&[
            "line 5",
            "character 3 of the line is a no-break space (U+00A0)",
        ]);
}
