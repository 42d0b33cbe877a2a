//! `.env`: which one is read, and that nothing of it is told.

use std::fs;

use crate::support::{Scratch, worker};

#[test]
fn it_is_that_of_the_working_directory() {
    let scratch = Scratch::new();
    scratch.write(".env", "HF_TOKEN=\"a b\"\n");
    scratch.worker(&["metrics"]).expect(0);
    scratch.write(".env", "this is broken");
    scratch.worker(&["metrics"]).expect(2);
    fs::create_dir(scratch.path().join("below")).unwrap();
    worker(&scratch.path().join("below"), &["metrics"]).expect(0);
}

#[test]
fn what_cannot_be_understood_is_told_by_its_line_only() {
    let scratch = Scratch::new();
    for (text, line) in [
        ("A=1\nHF_TOKEN=hf_hunter2 and more\n", 2),
        ("# keys\n\nWANDB_API_KEY: hunter2", 3),
        ("A='1'\nB=\"hunter2\nC=hunter2\nD=hunter2\n", 2),
        ("A=1\r\nhunter2 # key\r\nB=2\r\n", 2),
        ("hunter2=1\nhunter2\n", 2),
        ("A=1\nB=hunter2\0\n", 2),
    ] {
        scratch.write(".env", text);
        let ended = scratch.worker(&["metrics"]).expect(2);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        ended.says(&[&format!("cannot understand .env, line {line}: NAME=value")]);
    }
    scratch.write(".env", b"HF_TOKEN=hunter2\xff\n");
    let ended = scratch.worker(&["metrics"]).expect(2);
    assert!(!ended.stderr.contains("hunter2"));
    ended.says(&["cannot read .env"]);
}

#[test]
fn a_folder_of_that_name_is_none() {
    let scratch = Scratch::new();
    scratch.write(".env/bin/activate", "");
    scratch.worker(&["metrics"]).expect(0);
}
