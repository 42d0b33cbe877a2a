//! What the report says of an analysis, and how it is put together.

use ckptscope_chart::CHARTS;
use ckptscope_report::{Provenance, html};
use sha2::{Digest, Sha256};

use ckptscope_results::{Number, SeriesSet};

use crate::example::{changed, inputs, report, results, rows};

#[test]
fn it_says_what_was_analysed() {
    let mut results = results(12, 12);
    results.warnings = vec!["skipped: 2000".to_owned()];
    let report = report(&results);
    for words in [
        "<h1>made up</h1>",
        "nobody/nothing@main",
        "12 layers, 12 heads, 48 wide (config.json)",
        "4, from 0 to 1000",
        "<dd>2000 to 2002",
        "<li>skipped: 2000",
        "metrics: []",
        "ckptscope 1.2.3",
        "how unevenly magnitudes are spread",
    ] {
        assert!(report.contains(words), "{words}");
    }
}

#[test]
fn every_chart_is_in_a_report_of_many_heads() {
    let report = report(&results(20, 4));
    for chart in CHARTS {
        assert!(report.contains(chart.marks), "{}", chart.name);
    }
}

#[test]
fn it_knows_a_time_only_if_it_is_told_one() {
    let results = results(1, 0);
    assert!(!report(&results).contains("<dt>written"));
    let provenance = Provenance {
        written: Some("2026-01-01".to_owned()),
        ..Provenance::default()
    };
    let report = html(&results, &provenance).unwrap();
    assert!(report.contains("<dt>written<dd>2026-01-01"));
}

#[test]
fn the_hash_is_that_of_the_results_file() {
    let results = results(2, 2);
    let files = results.files().unwrap();
    let file = files.iter().find(|file| file.path == "results.json");
    let digest = |bytes: &[u8]| -> String {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert!(report(&results).contains(&digest(&file.unwrap().bytes)));
    // Of a file with the same results that reads otherwise, it is that file's.
    let read = serde_json::to_vec_pretty(&results).unwrap();
    let provenance = Provenance {
        results_file: Some(read.clone()),
        ..Provenance::default()
    };
    let report = html(&results, &provenance).unwrap();
    assert!(report.contains(&digest(&read)));
}

#[test]
fn inputs_are_listed_with_what_names_them() {
    let mut results = results(1, 0);
    assert!(!report(&results).contains("Files that were read"));
    results.inputs = inputs();
    let report = report(&results);
    assert!(report.contains("2 files of 3.0 MB together, each named by commit and content id"));
    assert!(report.contains("<dt>commits<dd>0123456789abcdef"));
    let rows = rows(&report, "Files that were read");
    assert_eq!(rows[1][..2], ["step_10/model.safetensors", "1500000"]);

    for input in &mut results.inputs {
        (input.commit, input.content_id) = (None, None);
    }
    let of_a_folder = crate::example::report(&results);
    assert!(of_a_folder.contains("named by path and length"));
    assert!(!of_a_folder.contains("<dt>commits"));
}

#[test]
fn every_step_of_every_layer_is_drawn() {
    let report = report(&results(12, 12));
    // A line per layer and component, and one per head.
    let lines = report.matches("<title>layer ").count();
    assert_eq!(lines, 12 + 12 + 12 * 12);
    // The numbers at the ends of lines: all layers of a chart.
    let card = report.split("class=card>").nth(1).unwrap();
    let ends = card.split("class=\"ends\"").nth(1).unwrap();
    let ends = ends.split("</svg>").next().unwrap();
    for layer in 0..12 {
        assert!(ends.contains(&format!(">{layer}\n</text>")), "{layer}");
    }
}

#[test]
fn a_line_has_a_gap_where_it_is_undefined_and_none_where_it_was_not_computed() {
    let results = changed(results(1, 0), |number| match number.step {
        10 if &*number.id.component == "ov_circuit" => None,
        10 => Some(Number {
            value: None,
            ..number
        }),
        _ => Some(number),
    });
    let report = report(&results);
    let points = |card: usize| {
        let card = report.split("class=card>").nth(card).unwrap();
        let line = card.split("<title>layer 0</title>").nth(1).unwrap();
        let line = line.split("points=\"").nth(1).unwrap();
        line.split('"').next().unwrap().split_whitespace().count()
    };
    // Of `attention.v_proj` the two points behind the gap, of `ov_circuit` all that there are.
    assert_eq!((points(1), points(2)), (2, 3));
    assert!(report.contains("A line has a gap where its value is undefined, and runs straight on"));
}

#[test]
fn many_heads_are_folded_away_and_few_are_not() {
    let folded = "<details><summary>ov_circuit: 144 heads in 12 layers";
    assert!(report(&results(12, 12)).contains(folded));
    let open = "<details open><summary>ov_circuit: 6 heads in 3 layers";
    assert!(report(&results(3, 2)).contains(open));
}

#[test]
fn drawings_say_which_component_of_which_run_they_show() {
    let mut results = changed(results(2, 2), |mut number| {
        number.id.run = Some("Qwen2.5-0.5B".into());
        Some(number)
    });
    results.runs = vec!["Qwen2.5-0.5B".to_owned()];
    let report = report(&results);
    for component in ["attention.v_proj", "ov_circuit"] {
        let title = format!("of {component} · Qwen2.5-0.5B over steps");
        assert!(report.contains(&title), "{title}");
    }
    assert!(report.contains("of ov_circuit · Qwen2.5-0.5B, layer 0, a line for each head"));
}

fn at_1000(number: Number) -> Option<Number> {
    (number.step == 1000).then_some(number)
}

#[test]
fn a_single_step_is_drawn_over_layers() {
    let mut results = changed(results(3, 2), at_1000);
    results.steps = vec![1000];
    let report = report(&results);
    assert!(report.contains("v_proj over layers"));
    assert!(report.contains("a row for each head, a column for each layer"));
    assert!(!report.contains(" over steps"));
    assert!(report.contains("<title>all layers</title>"));
    assert!(!report.contains("<title>layer 0</title>"));
}

#[test]
fn results_without_numbers_have_a_report() {
    let mut results = results(1, 0);
    results.series = SeriesSet::default();
    results.steps.clear();
    let report = report(&results);
    assert!(report.contains("There are no values of it in these results."));
}

#[test]
fn headings_and_captions_are_there_for_those_who_listen() {
    let report = report(&results(3, 2));
    assert!(report.starts_with("<!doctype html>\n<html lang=\"en\">"));
    for (element, at_least) in [("<h1>", 1), ("<h2>", 3), ("<h3>", 2), ("<main>", 1)] {
        assert!(report.matches(element).count() >= at_least, "{element}");
    }
    let count = |word: &str| report.matches(word).count();
    assert_eq!(count("<table"), count("<caption>"));
    // Pictures have a title; those that only repeat a colour are hidden.
    let pictures = count("role=\"img\"");
    assert!(pictures > 5);
    assert_eq!(
        pictures + count("aria-hidden=\"true\""),
        count("<svg"),
        "every drawing is one or the other"
    );
}

#[test]
fn dark_screens_have_colours_of_their_own_and_paper_has_not() {
    let report = report(&results(3, 2));
    let dark = "@media screen and (prefers-color-scheme:dark){\n";
    let (_, rules) = report.split_once(dark).unwrap();
    let rules = rules.split("</style>").next().unwrap();
    // Every colour of every drawing has a twin.
    let body = report.split_once("</style>").unwrap().1;
    let mut seen = 0;
    for name in ["stroke=\"#", "fill=\"#"] {
        for piece in body.split(name).skip(1) {
            let rule = format!("[{name}{}\"]", &piece[..6]);
            assert!(rules.contains(&rule), "{rule}");
            seen += 1;
        }
    }
    assert!(seen > 100);
}
