//! Checkpoints of several stacks of layers: chosen in configs, told apart in all files.

use std::fs::{self, File};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use crate::support::{Scratch, tensors};

/// A model of an encoder of two layers, and a decoder of three.
fn encoder_decoder() -> Scratch {
    let scratch = Scratch::new();
    let file = tensors(&[
        ("encoder.block.0.attn.weight", [4, 4]),
        ("encoder.block.1.attn.weight", [4, 4]),
        ("decoder.block.0.attn.weight", [4, 4]),
        ("decoder.block.1.attn.weight", [4, 4]),
        ("decoder.block.2.attn.weight", [4, 4]),
    ]);
    scratch.write("run/checkpoint-100/model.safetensors", file);
    scratch
}

/// A config of these lines of `layer_suffixes` and `stack`.
fn config(components: &[&str]) -> String {
    let mut text =
        "analysis_name: stacks\nmetrics:\n  - metric_name: norm\n    data_split: val\n    \
                    components:\n"
            .to_owned();
    for component in components {
        text += &format!(
            "      - {{component_name: simple, data_type: weights, layers: all, {component}}}\n"
        );
    }
    text + "steps: all\n"
}

#[test]
fn every_file_says_which_stack_a_number_is_of() {
    let scratch = encoder_decoder();
    let both = [
        "layer_suffixes: encoder.block.*.attn",
        "layer_suffixes: attn, stack: decoder",
    ];
    scratch.analyze(&config(&both), "out", &[]).expect(0);
    let folder = scratch.path().join("out/stacks");
    let table = fs::read_to_string(folder.join("norm_val.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|one| *one == name).unwrap();
    let of = |name: &str| -> Vec<&str> { rows[1..].iter().map(|row| row[column(name)]).collect() };
    let (encoder, decoder) = ("encoder.block.", "decoder.block.");
    assert_eq!(of("stack"), [encoder, encoder, decoder, decoder, decoder]);
    assert_eq!(of("layer"), ["0", "1", "0", "1", "2"]);
    assert_eq!(of("component"), ["attn"; 5]);
    let keys = of("key");
    assert_eq!(keys[0], "encoder.block.0.attn.weights");
    let values = of("value");
    assert!(
        values
            .iter()
            .all(|value| values.iter().filter(|it| it == &value).count() == 1)
    );
    let parquet = File::open(folder.join("results.parquet")).unwrap();
    let parquet = SerializedFileReader::new(parquet).unwrap();
    let stacks = parquet.get_row_iter(None).unwrap();
    let stacks: Vec<String> = stacks
        .map(|row| row.unwrap().get_string(9).unwrap().clone())
        .collect();
    assert_eq!(stacks, of("stack"));
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    for part in ["encoder.block.*.attn", "decoder.block.*.attn"] {
        assert!(report.contains(part), "{part}");
    }
    let results = folder.join("results.json");
    let results = results.to_str().unwrap();
    scratch
        .worker(&["plot", results, "--metric", "norm", "--out", "figure.svg"])
        .expect(0);
}

#[test]
fn nobody_is_given_one_of_two_stacks_unasked() {
    let scratch = encoder_decoder();
    let analysis = scratch.analyze(&config(&["layer_suffixes: attn"]), "out", &[]);
    analysis.expect(2).says(&[
        "`decoder.block.`, `encoder.block.`",
        "`stack: decoder.block`",
        "`decoder.block.*.attn`",
    ]);
    let of_encoder = config(&["layer_suffixes: attn, stack: encoder"]);
    scratch.analyze(&of_encoder, "out", &[]).expect(0);
    // Of one stack its tables say nothing new.
    let table = fs::read_to_string(scratch.path().join("out/stacks/norm_val.csv")).unwrap();
    assert!(!table.contains("stack"), "{table}");
    assert_eq!(table.lines().count(), 3);
}

#[test]
fn inspect_names_the_stacks() {
    let scratch = encoder_decoder();
    let said = scratch.worker(&["inspect", "run"]).expect(0).stdout;
    for words in ["encoder.block (2 layers)", "decoder.block (3 layers)"] {
        assert!(said.contains(words), "{said}");
    }
}
