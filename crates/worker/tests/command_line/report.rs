//! `report.html` beside the results, and `worker report`.

use std::fs;

use sha2::{Digest, Sha256};

use crate::support::{CONFIG, Scratch, Sizes, json};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 3,
    width: 4,
};

#[test]
fn an_analysis_has_a_report_beside_it() {
    let scratch = Scratch::new();
    scratch.analyze_demo("out", &[]);
    let report = fs::read_to_string(scratch.path().join("out/demo/report.html")).unwrap();
    for words in [
        "<h1>demo</h1>",
        "3 layers, 4 heads",
        "180 of",
        "rank 24 of 48",
        "45 files of",
    ] {
        assert!(report.contains(words), "{words}");
    }
    // A mail takes it, and so does a browser in a moment.
    assert!(report.len() < 1_000_000, "{} bytes", report.len());
}

#[test]
fn a_report_goes_to_the_standard_output_by_itself() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    scratch
        .worker(&["report", "out/scratch", "--out", "again.html"])
        .expect(0);
    let written = fs::read_to_string(scratch.path().join("again.html")).unwrap();
    let printed = scratch
        .worker(&["report", "out/scratch", "--out", "-"])
        .expect(0);
    assert!(printed.stdout == written);
    assert_eq!(printed.stderr, "the standard output\n");
}

#[test]
fn a_report_of_results_is_the_one_beside_them() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let folder = scratch.path().join("out/scratch");
    let beside = fs::read(folder.join("report.html")).unwrap();
    fs::copy(
        folder.join("results.json"),
        scratch.path().join("kept.ckptscope.json"),
    )
    .unwrap();
    for results in [
        "out/scratch",
        "out/scratch/results.json",
        "kept.ckptscope.json",
    ] {
        scratch
            .worker(&["report", results, "--out", "again.html"])
            .expect(0);
        let again = fs::read(scratch.path().join("again.html")).unwrap();
        assert!(again == beside, "{results}");
    }
}

#[test]
fn results_of_the_former_name_still_open() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let text = fs::read_to_string(scratch.path().join("out/scratch/results.json")).unwrap();
    let former = text.replacen("ckptscope-results", "trainscope-results", 1);
    assert_ne!(former, text);
    scratch.write("kept.trainscope.json", &former);
    scratch
        .worker(&["report", "kept.trainscope.json", "--out", "again.html"])
        .expect(0);
}

#[test]
fn what_is_no_results_file_is_refused() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("other.json", "{\"format\": \"other\"}");
    let refused = |results: &str| {
        scratch
            .worker(&["report", results, "--out", "x.html"])
            .expect(2)
    };
    refused("nowhere").says(&["there is no nowhere"]);
    refused("run").says(&["run has no results.json"]);
    refused("other.json").says(&["other.json: this is no results file of ckptscope"]);
    assert!(!scratch.path().join("x.html").exists());
}

#[test]
fn the_hash_is_that_of_the_file_that_was_read() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let results = json(&scratch.path().join("out/scratch/results.json"));
    let own = serde_json::to_string_pretty(&results).unwrap();
    scratch.write("own.json", &own);
    let arguments = ["report", "own.json", "--out", "own.html"];
    scratch.worker(&arguments).expect(0);
    let digest = Sha256::digest(own);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let report = fs::read_to_string(scratch.path().join("own.html")).unwrap();
    assert!(report.contains(&digest));
}
