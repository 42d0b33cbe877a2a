//! Interrupted analyses, and going on with them: the results are those of an undisturbed one.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{CONFIG, Ended, Scratch, Sizes, analyze_arguments, end, files, json};

const SIZES: Sizes = Sizes {
    layers: 3,
    steps: 8,
    width: 4,
};

/// A scratch folder with a run, and the results of an undisturbed analysis of it.
struct Interrupted {
    scratch: Scratch,
    expected: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Interrupted {
    /// Analyzes a run twice: undisturbed, and with a disk that is full after some of it.
    fn new() -> Self {
        let scratch = Scratch::with_run(SIZES);
        scratch.analyze(CONFIG, "whole", &[]).expect(0);
        let expected = files(&scratch.path().join("whole/scratch"));
        let interrupted = Self { scratch, expected };
        interrupted.with_full_disk().expect(1).says(&[
            "cannot write out/scratch/unfinished.jsonl",
            "File too large",
            "what is done is kept: go on with --resume",
        ]);
        interrupted
    }

    /// Analyzes with a limit on the length of files, which the journal soon exceeds.
    fn with_full_disk(&self) -> Ended {
        end(Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 6; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_worker"))
            .args(analyze_arguments("out"))
            .args(["--threads", "1"])
            .current_dir(self.scratch.path()))
    }

    fn journal(&self) -> PathBuf {
        self.scratch.path().join("out/scratch/unfinished.jsonl")
    }

    fn resume(&self) -> Ended {
        self.scratch.analyze(CONFIG, "out", &["--resume"])
    }

    fn found(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        files(&self.scratch.path().join("out/scratch"))
    }

    fn resumed_units(&self) -> u64 {
        let report = json(&self.scratch.path().join("out/scratch/run.json"));
        report["resumed_units"].as_u64().unwrap()
    }
}

/// The first line of a journal.
fn json_line(journal: &str) -> serde_json::Value {
    serde_json::from_str(journal.lines().next().unwrap()).unwrap()
}

#[test]
fn a_full_disk_ends_with_a_message_and_the_rest_is_gone_on_with() {
    let interrupted = Interrupted::new();
    interrupted
        .resume()
        .expect(0)
        .says(&["of 24 layer-steps are done already"]);
    assert!(interrupted.resumed_units() > 0);
    assert!(interrupted.found() == interrupted.expected);
    assert!(!interrupted.journal().exists());
    let log = fs::read_to_string(interrupted.scratch.path().join("out/scratch/analysis.log"));
    assert!(
        log.unwrap().contains("File too large"),
        "the first part of the log is kept"
    );
}

#[test]
fn a_journal_that_ends_anywhere_is_gone_on_with() {
    let interrupted = Interrupted::new();
    let journal = fs::read(interrupted.journal()).unwrap();
    let first_line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for length in [
        0,
        1,
        first_line,
        first_line + 1,
        journal.len() / 2,
        journal.len(),
    ] {
        fs::write(interrupted.journal(), &journal[..length]).unwrap();
        interrupted.resume().expect(0);
        assert!(
            interrupted.found() == interrupted.expected,
            "{length} bytes"
        );
    }
}

#[test]
fn a_journal_of_another_program_is_refused() {
    let interrupted = Interrupted::new();
    let journal = fs::read_to_string(interrupted.journal()).unwrap();
    let program = json_line(&journal)["program"].clone();
    let program = program.as_str().unwrap();
    let version = interrupted.scratch.worker(&["--version"]).expect(0).stdout;
    let version = version.trim().strip_prefix("worker ").unwrap();
    assert_eq!(program, format!("ckptscope {version}"));
    let own = format!("\"program\":\"{program}\"");
    for (other, words) in [
        (
            "\"program\":\"ckptscope 0.0.9 (abc)\"",
            "begun by ckptscope 0.0.9 (abc)",
        ),
        (
            "\"program\":\"\"",
            "begun by an older version of this program",
        ),
    ] {
        fs::write(interrupted.journal(), journal.replacen(&own, other, 1)).unwrap();
        interrupted.resume().expect(2).says(&[words, "--restart"]);
    }
}

#[test]
fn half_a_line_is_nothing_that_is_done() {
    let interrupted = Interrupted::new();
    let journal = fs::read_to_string(interrupted.journal()).unwrap();
    let whole: Vec<&str> = journal.split_inclusive('\n').collect();
    let analyze = || interrupted.scratch.analyze(CONFIG, "out", &[]);
    let two = [whole[0], whole[1], &whole[1][..9]].concat();
    fs::write(interrupted.journal(), two).unwrap();
    analyze().expect(2).says(&["with 1 layer-step done"]);
    fs::write(interrupted.journal(), [whole[0], &whole[1][..9]].concat()).unwrap();
    analyze().expect(0);
    assert!(interrupted.found() == interrupted.expected);
}

#[test]
fn a_journal_of_another_config_is_refused() {
    let interrupted = Interrupted::new();
    let before = fs::read(interrupted.journal()).unwrap();
    let other = CONFIG.replace("steps: all", "steps: [0, 1, 2]");
    interrupted
        .scratch
        .analyze(&other, "out", &["--resume"])
        .expect(2)
        .says(&[
            "unfinished.jsonl is of another config",
            "start over with --restart",
        ]);
    assert!(
        fs::read(interrupted.journal()).unwrap() == before,
        "it is left as it was"
    );
}

#[test]
fn a_journal_of_another_run_is_refused() {
    let interrupted = Interrupted::new();
    let before = fs::read(interrupted.journal()).unwrap();
    let path = interrupted.scratch.path();
    // The same paths and lengths, and times as an archive that was unpacked may have them.
    fs::rename(path.join("run"), path.join("other")).unwrap();
    let mut arguments = analyze_arguments("out");
    let run = arguments.iter().position(|it| *it == "run").unwrap();
    arguments[run] = "other";
    arguments.push("--resume");
    let refused = interrupted.scratch.worker(&arguments).expect(2);
    refused.says(&["unfinished.jsonl is of another run, ", "--restart"]);
    assert!(
        fs::read(interrupted.journal()).unwrap() == before,
        "it is left as it was"
    );
}

#[test]
fn a_damaged_journal_is_refused_and_can_be_started_over() {
    let interrupted = Interrupted::new();
    let mut journal = fs::read_to_string(interrupted.journal()).unwrap();
    journal.insert_str(journal.find('\n').unwrap() + 1, "{\"layer\":\n");
    fs::write(interrupted.journal(), journal).unwrap();
    let words = ["unfinished.jsonl is damaged", "start over with --restart"];
    interrupted.resume().expect(1).says(&words);
    let kept = [
        "out/scratch holds an unfinished analysis",
        "--resume",
        "--restart",
    ];
    let forgotten = interrupted.scratch.analyze(CONFIG, "out", &[]);
    forgotten.expect(2).says(&kept);
    interrupted
        .scratch
        .analyze(CONFIG, "out", &["--restart"])
        .expect(0)
        .says(&["starting over: an unfinished analysis was here"]);
    assert!(interrupted.found() == interrupted.expected);
}

#[test]
fn a_run_that_grew_meanwhile_is_gone_on_with() {
    let interrupted = Interrupted::new();
    interrupted.scratch.write_step(100, SIZES, 2 * SIZES.width);
    // The last step is what is compared with, so what is finished no longer holds.
    interrupted
        .resume()
        .expect(0)
        .says(&["0 of 27 layer-steps are done already", "outdated"]);
    interrupted.scratch.analyze(CONFIG, "anew", &[]).expect(0);
    let anew = files(&interrupted.scratch.path().join("anew/scratch"));
    assert!(interrupted.found() == anew);
}

#[test]
fn a_step_that_changed_meanwhile_is_computed_again() {
    let interrupted = Interrupted::new();
    let done = fs::read_to_string(interrupted.journal()).unwrap();
    assert!(done.contains("\"step\":0,"), "step 0 was finished");
    // As long as before, of other numbers.
    let path = interrupted.scratch.path();
    let of = |step: u64| path.join(crate::support::recorded(step, "weights"));
    fs::copy(of(1), of(0)).unwrap();
    interrupted
        .resume()
        .expect(0)
        .says(&["outdated: the files have changed since"]);
    assert!(interrupted.resumed_units() > 0);
    interrupted.scratch.analyze(CONFIG, "anew", &[]).expect(0);
    let anew = files(&path.join("anew/scratch"));
    assert!(anew != interrupted.expected);
    assert!(interrupted.found() == anew);
}

#[test]
fn resuming_nothing_starts_from_the_beginning() {
    let scratch = Scratch::with_run(SIZES);
    let ended = scratch.analyze(CONFIG, "out", &["--resume"]);
    ended.expect(0).says(&["nothing to resume here"]);
}

#[test]
fn two_analyses_do_not_share_a_folder() {
    let interrupted = Interrupted::new();
    let journal = File::open(interrupted.journal()).unwrap();
    journal.lock().unwrap();
    let words = ["another analysis is at work in out/scratch", "--output-dir"];
    interrupted.resume().expect(2).says(&words);
    drop(journal);
    interrupted.resume().expect(0);
}

#[test]
fn an_interrupt_keeps_what_is_done() {
    let sizes = Sizes {
        layers: 2,
        steps: 20,
        width: 320,
    };
    let scratch = Scratch::with_run(sizes);
    scratch.write("config.yaml", CONFIG);
    let mut child = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(analyze_arguments("out"))
        .args(["--threads", "1"])
        .current_dir(scratch.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = scratch.path().join("out/scratch/unfinished.jsonl");
    // It has its first line and one more.
    while !fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() > 1) {
        assert!(child.try_wait().unwrap().is_none(), "it was over before");
        thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let said: Vec<String> = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{said:?}");
    let last = said.last().unwrap();
    assert!(last.starts_with("interrupted after "), "{said:?}");
    assert!(last.ends_with("of 40 layer-steps; what is done is kept: go on with --resume"));

    let resumed = scratch.worker(&[&analyze_arguments("out")[..], &["--resume"]].concat());
    resumed
        .expect(0)
        .says(&["of 40 layer-steps are done already"]);
    scratch.worker(&analyze_arguments("whole")).expect(0);
    let found = files(&scratch.path().join("out/scratch"));
    assert!(found == files(&scratch.path().join("whole/scratch")));
}
