//! `.env`: which one is read, by whom, and that nothing of it is told.

use std::fs;

use crate::support::{Scratch, Sizes, worker};

const SIZES: Sizes = Sizes {
    layers: 1,
    steps: 1,
    width: 2,
};

#[test]
fn it_is_that_of_the_working_directory() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write(".env", "HF_TOKEN this is broken");
    scratch
        .worker(&["inspect", "run"])
        .expect(0)
        .says(&["cannot understand .env, line 1"]);
    fs::create_dir(scratch.path().join("below")).unwrap();
    let below = worker(&scratch.path().join("below"), &["inspect", "../run"]);
    assert_eq!(below.expect(0).stderr, "");
}

#[test]
fn a_file_that_is_another_tools_stops_nothing() {
    let scratch = Scratch::with_run(SIZES);
    let foreign = "DOCKER_OPTS=-v a:b -p 80\nthis is no line\nNAME: value\n\"\n";
    scratch.write(".env", foreign);
    let ended = scratch.worker(&["inspect", "run"]).expect(0);
    assert_eq!(ended.stderr, "", "no line is meant for this program");
    // Commands that need no key do not look.
    scratch.write(".env", "HF_TOKEN=a b c");
    for command in [
        &["metrics"][..],
        &["--help"],
        &["config"],
        &["analyze", "--help"],
        &["check", "-h"],
    ] {
        assert_eq!(scratch.worker(command).expect(0).stderr, "");
    }
}

#[test]
fn only_names_that_are_known_are_set() {
    let scratch = Scratch::with_run(SIZES);
    // The first would name another time zone in the log, the second another folder of W&B.
    scratch.write(".env", "TZ=Asia/Tokyo\nWANDB_MODE=disabled\n");
    let config = format!(
        "{}monitoring: {{save_to_wandb: true, wandb: {{project: p}}}}\n",
        crate::support::CONFIG
    );
    let ended = scratch.analyze(&config, "out", &[]).expect(0);
    ended.says(&["WANDB_MODE is disabled"]);
    let log = fs::read_to_string(scratch.path().join("out/scratch/analysis.log")).unwrap();
    assert!(!log.contains("+09:00"), "{log}");
}

/// What W&B is told of a mode in `.env`.
fn mode_of(scratch: &Scratch, text: impl AsRef<[u8]>, mode: &str) {
    let config = format!(
        "{}monitoring: {{save_to_wandb: true, wandb: {{project: p}}}}\n",
        crate::support::CONFIG
    );
    scratch.write(".env", text);
    let ended = scratch.analyze(&config, "out", &[]).expect(0);
    ended.says(&[&format!("WANDB_MODE is {mode}")]);
}

#[test]
fn it_may_be_utf_16_and_need_not_be_text_throughout() {
    let scratch = Scratch::with_run(SIZES);
    // As PowerShell's `>` writes it.
    let units = "\u{feff}A=1\r\nWANDB_MODE=disabled\r\n".encode_utf16();
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    mode_of(&scratch, bytes, "disabled");
    mode_of(&scratch, b"CITY=K\xf6ln\nWANDB_MODE=disabled\n", "disabled");
}

#[test]
fn values_are_what_they_say() {
    let scratch = Scratch::with_run(SIZES);
    let text = "\
WANDB_MODE=online
WANDB_API_KEY=
WANDB_NOTES=\"it costs $5\\tor so\"
WANDB_MODE=offline
";
    // Of two the last counts, and lines of old machines are lines.
    mode_of(&scratch, text, "offline");
    mode_of(&scratch, text.replace('\n', "\r"), "offline");
    let runs = fs::read_dir(scratch.path().join("wandb")).unwrap();
    let is_noted = |run: fs::DirEntry| {
        let mut files = fs::read_dir(run.path()).unwrap().map(Result::unwrap);
        files.any(|file| {
            let bytes = fs::read(file.path()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains("it costs $5\tor so")
        })
    };
    assert!(runs.map(Result::unwrap).any(is_noted));
}

#[test]
fn an_apostrophe_of_somebody_else_hides_nothing() {
    let scratch = Scratch::with_run(SIZES);
    let text = "MOTD=it's up\nWANDB_MODE=disabled\nSIGN='it'\n";
    mode_of(&scratch, text, "disabled");
}

#[test]
fn what_cannot_be_understood_is_told_by_its_line_only() {
    let scratch = Scratch::with_run(SIZES);
    for (text, line) in [
        ("A=1\nHF_TOKEN=hf_hunter2 and more\n", 2),
        ("# keys\n\nWANDB_API_KEY: hunter2", 3),
        ("A='1'\nHF_TOKEN=\"hunter2\nC=hunter2\nD=hunter2\n", 2),
        ("A=1\r\nHF_TOKEN hunter2 # key\r\nB=2\r\n", 2),
        ("A=1\nHF_TOKEN=hunter2\0\n", 2),
        ("HF_TOKEN=hunter2\u{fffd}\n", 1),
    ] {
        scratch.write(".env", text);
        let ended = scratch.worker(&["inspect", "run"]).expect(0);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        ended.says(&[&format!(
            "cannot understand .env, line {line}, and pass it over"
        )]);
    }
}

#[test]
fn a_folder_of_that_name_is_none() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write(".env/bin/activate", "");
    assert_eq!(scratch.worker(&["inspect", "run"]).expect(0).stderr, "");
}
