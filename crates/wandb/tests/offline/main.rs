//! Offline runs, read back byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod reader;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ckptscope_wandb::{OfflineError, OfflineRun, Row, Run, RunId};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use reader::{chunks, items, messages, number, read_run, record, records, texts};

const START: u64 = 1_800_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1000 * (START + seconds) + 250)
}

fn run() -> Run {
    let mut run = Run::new("a project", "first look");
    run.id = RunId::new("abc12345").unwrap();
    run.entity = Some("us".to_owned());
    run.tags = vec!["one".to_owned(), "two".to_owned()];
    run.group = Some("seeds".to_owned());
    run.job_type = Some("analysis".to_owned());
    run.notes = Some("what for".to_owned());
    run.sweep_id = Some("sweep1".to_owned());
    run.started = at(0);
    run.config
        .insert("steps".to_owned(), json!({"list": [0, 1, null, "é"]}));
    run
}

/// Two rows at steps 0 and 1000; the second lacks a number.
fn written(folder: &Path) -> PathBuf {
    let mut offline = OfflineRun::create(folder, &run()).unwrap();
    let mut first = Row::new(0, at(1));
    assert!(first.set("per_val/layers.0.attention.v_proj.weights", 0.25));
    assert!(first.set("tiny", -1e-300));
    offline.log(&first).unwrap();
    let mut second = Row::new(1000, at(3));
    assert!(second.set("per_val/layers.0.attention.v_proj.weights", 0.1));
    for undefined in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!second.set("tiny", undefined));
    }
    offline.log(&second).unwrap();
    offline.finish(0).unwrap()
}

#[test]
fn records_come_in_their_order_and_hold_what_was_given() {
    let scratch = TempDir::new().unwrap();
    let folder = written(scratch.path());
    let records: Vec<_> = records(&read_run(&folder))
        .iter()
        .map(|bytes| record(bytes))
        .collect();
    let kinds: Vec<u64> = records.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [21, 17, 5, 2, 3, 2, 3, 3, 18, 20, 22]);
    let counts: Vec<u64> = records.iter().map(|(_, count, _)| *count).collect();
    assert_eq!(counts, (1..=11).collect::<Vec<u64>>());

    let [
        _,
        (.., run),
        (.., config),
        (.., first),
        _,
        (.., second),
        (.., summary),
        ..,
    ] = &records[..]
    else {
        panic!();
    };
    let told = [
        (1, "abc12345"),
        (2, "us"),
        (3, "a project"),
        (6, "seeds"),
        (7, "analysis"),
        (8, "first look"),
        (9, "what for"),
        (12, "sweep1"),
    ];
    for (field, expected) in told {
        assert_eq!(texts(run, field), [expected]);
    }
    assert_eq!(texts(run, 10), ["one", "two"]);
    let [started] = &messages(run, 17)[..] else {
        panic!();
    };
    assert_eq!(
        (number(started, 1), number(started, 2)),
        (START, 250_000_000)
    );
    let steps = json!({"list": [0, 1, null, "é"]});
    assert_eq!(items(config)["steps"], steps);
    assert_eq!(items(&messages(run, 4)[0])["steps"], steps);

    assert_eq!(
        Value::Object(items(first)),
        json!({"per_val/layers.0.attention.v_proj.weights": 0.25, "tiny": -1e-300, "_step": 0,
            "_runtime": 1.0, "_timestamp": START as f64 + 1.25})
    );
    let row = json!({"per_val/layers.0.attention.v_proj.weights": 0.1, "_step": 1000,
        "_runtime": 3.0, "_timestamp": START as f64 + 3.25});
    assert_eq!(Value::Object(items(second)), row);
    assert_eq!(Value::Object(items(summary)), row);
    assert_eq!(number(&messages(second, 2)[0], 1), 1000);
}

#[test]
fn the_end_says_how_the_run_ended() {
    let scratch = TempDir::new().unwrap();
    let mut offline = OfflineRun::create(scratch.path(), &run()).unwrap();
    offline.log(&Row::new(0, at(7))).unwrap();
    let folder = offline.finish(-1).unwrap();
    let records: Vec<_> = records(&read_run(&folder))
        .iter()
        .map(|bytes| record(bytes))
        .collect();
    let [
        ..,
        (.., runtime),
        (18, _, exit),
        (20, _, last),
        (22, _, footer),
    ] = &records[..]
    else {
        panic!();
    };
    assert_eq!(Value::Object(items(runtime)), json!({"_wandb/runtime": 7}));
    assert_eq!((number(exit, 1), number(exit, 2)), (u64::MAX, 7));
    assert!(last.is_empty() && footer.is_empty());
}

#[test]
fn the_folder_is_named_by_time_and_id() {
    let scratch = TempDir::new().unwrap();
    let folder = written(scratch.path());
    assert_eq!(folder.parent().unwrap(), scratch.path().join("wandb"));
    let name = folder.file_name().unwrap().to_str().unwrap();
    let time = name.strip_prefix("offline-run-").unwrap();
    let time = time.strip_suffix("-abc12345").unwrap();
    let (date, clock) = time.split_once('_').unwrap();
    assert_eq!((date.len(), clock.len()), (8, 6));
    assert!(folder.join("run-abc12345.wandb").is_file());
    assert!(folder.join("files").is_dir());
}

#[test]
fn what_is_written_is_there_before_the_end() {
    let scratch = TempDir::new().unwrap();
    let mut offline = OfflineRun::create(scratch.path(), &run()).unwrap();
    offline.log(&Row::new(0, at(1))).unwrap();
    let folder = offline.folder().to_owned();
    // As after a crash: nobody has said how it ended.
    std::mem::forget(offline);
    assert_eq!(records(&read_run(&folder)).len(), 5);
}

#[test]
fn steps_ascend_and_runs_are_not_overwritten() {
    let scratch = TempDir::new().unwrap();
    let mut offline = OfflineRun::create(scratch.path(), &run()).unwrap();
    offline.log(&Row::new(5, at(1))).unwrap();
    let again = offline.log(&Row::new(5, at(2)));
    assert!(matches!(
        again,
        Err(OfflineError::StepNotAfter { step: 5, last: 5 })
    ));
    let path = offline.folder().join("run-abc12345.wandb");
    let before = fs::read(&path).unwrap();
    let twice = OfflineRun::create(scratch.path(), &run());
    assert!(matches!(twice, Err(OfflineError::Unwritable { path: told, .. }) if told == path));
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The file of a run of that name, whose config has a text of that length.
fn with_text(name: &str, length: usize) -> Vec<u8> {
    let scratch = TempDir::new().unwrap();
    let mut run = run();
    run.name = name.to_owned();
    run.config = Map::from_iter([("text".to_owned(), "x".repeat(length).into())]);
    let mut offline = OfflineRun::create(scratch.path(), &run).unwrap();
    offline.log(&Row::new(0, at(1))).unwrap();
    read_run(&offline.finish(0).unwrap())
}

/// The text is in the run and in the config.
fn assert_text(file: &[u8], length: usize) {
    let records: Vec<_> = records(file).iter().map(|bytes| record(bytes)).collect();
    let kinds: Vec<u64> = records.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [21, 17, 5, 2, 3, 3, 18, 20, 22], "length {length}");
    let [_, (.., run), (.., config), ..] = &records[..] else {
        panic!();
    };
    let text = Value::from("x".repeat(length));
    assert_eq!(items(config)["text"], text);
    assert_eq!(items(&messages(run, 4)[0])["text"], text);
}

#[test]
fn records_may_end_anywhere_in_a_block() {
    let (mut paddings, mut empty_first) = (Vec::new(), 0);
    // The config ends around the end of the first block. Its text is there twice, so that a name
    // of one letter more makes the distances odd.
    let names = ["a", "ab"].into_iter();
    for (name, length) in names.flat_map(|name| (16_200..16_350).map(move |of| (name, of))) {
        let file = with_text(name, length);
        assert_text(&file, length);
        let chunks = chunks(&file);
        for (one, next) in chunks.iter().zip(&chunks[1..]) {
            paddings.push(next.offset - (one.offset + 7 + one.data.len()));
        }
        let empty = chunks
            .iter()
            .filter(|chunk| chunk.kind == 2 && chunk.data.is_empty());
        empty_first += empty.count();
    }
    for padding in 0..7 {
        assert!(
            paddings.contains(&padding),
            "no padding of {padding} bytes occurred"
        );
    }
    // Where just a header fits, a record begins with a chunk without data.
    assert!(empty_first > 0);
}

#[test]
fn records_may_span_blocks() {
    for length in [32_000, 32_768, 70_000, 200_000] {
        let file = with_text("a", length);
        assert_text(&file, length);
        let kinds: Vec<u8> = chunks(&file).iter().map(|chunk| chunk.kind).collect();
        let has = |kind| kinds.contains(&kind);
        assert!(
            has(1) && has(2) && has(4) && (length < 70_000 || has(3)),
            "{kinds:?}"
        );
    }
}
