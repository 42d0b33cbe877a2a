//! One folder, one analysis: whoever writes has its lock, and what replaces removes what was there.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::support::{CONFIG, Scratch, Sizes, analyze_arguments, argument, files, json};

const SIZES: Sizes = Sizes {
    layers: 1,
    steps: 2,
    width: 4,
};

/// So many processes write into one folder at once.
const AT_ONCE: usize = 4;

/// So often; without the lock some of them mixed their files.
const ROUNDS: usize = 12;

/// Another config of the same name.
fn other() -> String {
    CONFIG.replace("per", "gini")
}

#[test]
fn of_several_at_once_one_has_the_folder() {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("per.yaml", CONFIG);
    scratch.write("gini.yaml", other());
    let analyze = |round: usize, config: &str| -> Child {
        let output = format!("out{round}");
        let mut arguments = analyze_arguments(&output);
        let place = arguments.iter().position(|it| *it == "config.yaml");
        arguments[place.unwrap()] = config;
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let command = command.args(arguments).current_dir(scratch.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    for round in 0..ROUNDS {
        let configs = ["per.yaml", "gini.yaml"].into_iter().cycle();
        let started: Vec<Child> = configs.take(AT_ONCE).map(|it| analyze(round, it)).collect();
        let mut done = 0;
        for child in started {
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            match ended.status.code() {
                Some(0) => done += 1,
                Some(2) => assert!(
                    said.contains("another analysis is at work") || said.contains("another config"),
                    "{said}"
                ),
                code => panic!("{code:?}: {said}"),
            }
        }
        assert!(done > 0);
        let folder = scratch.path().join(format!("out{round}/scratch"));
        let found = files(&folder);
        let has = |label: &str| found.keys().any(|path| path.contains(label));
        assert!(has("per_val") != has("gini_val"), "{:?}", found.keys());
        assert!(!has("unfinished"), "{:?}", found.keys());
    }
}

#[test]
fn what_was_half_written_is_removed_with_the_rest() {
    let scratch = Scratch::with_run(SIZES);
    // A file that cannot be written stops it in the middle of writing.
    let obstacle = scratch.path().join("out/scratch/results.parquet");
    fs::create_dir_all(&obstacle).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(1);
    fs::remove_dir(&obstacle).unwrap();
    let folder = scratch.path().join("out/scratch");
    assert!(folder.join("per_val.csv").is_file());
    let refused = scratch.analyze(&other(), "out", &["--restart"]).expect(2);
    refused.says(&["holds the results of run with another config"]);
    let options = ["--restart", "--overwrite"];
    scratch.analyze(&other(), "out", &options).expect(0);
    scratch.analyze(&other(), "alone", &[]).expect(0);
    assert!(files(&folder) == files(&scratch.path().join("alone/scratch")));
}

#[test]
fn an_unfinished_analysis_does_not_vouch_for_files_of_others() {
    let scratch = Scratch::with_run(SIZES);
    let obstacle = scratch.path().join("out/scratch/results.json");
    fs::create_dir_all(&obstacle).unwrap();
    scratch.analyze(CONFIG, "out", &[]).expect(1);
    fs::remove_dir(&obstacle).unwrap();
    let mine = scratch.write("out/scratch/gini_val.csv", "mine");
    let refused = scratch.analyze(&other(), "out", &["--restart"]).expect(2);
    refused.says(&["gini_val.csv would be replaced"]);
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
    scratch.analyze(CONFIG, "out", &["--resume"]).expect(0);
}

#[test]
fn a_comparison_replaces_comparisons_only() {
    let scratch = Scratch::with_run(SIZES);
    for output in ["a", "b", "c"] {
        scratch.analyze(CONFIG, output, &[]).expect(0);
    }
    let third = scratch.path().join("c/scratch");
    let before = files(&third);
    let compare = |out: &str| scratch.worker(&["compare", "a/scratch", "b/scratch", "-o", out]);
    compare("c/scratch")
        .expect(2)
        .says(&["c/scratch holds the results of an analysis", "--out"]);
    assert!(files(&third) == before);
    compare("d/scratch").expect(0);
    compare("d/scratch").expect(0);
    let commit = json(&third.join("results.json"))["program"].clone();
    let merged = scratch.path().join("d/scratch");
    assert_eq!(json(&merged.join("results.json"))["program"], commit);
    // What an analysis replaces goes as a whole.
    scratch.analyze(CONFIG, "d", &[]).expect(2);
    scratch.analyze(CONFIG, "d", &["--overwrite"]).expect(0);
    assert!(files(&merged) == before);
}

#[test]
fn a_link_stays_one_and_what_it_leads_to_is_written() {
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let report = |out: &str| scratch.worker(&["report", "out/scratch", "-o", out]);
    report("plain.html").expect(0);
    let plain = fs::read(scratch.path().join("plain.html")).unwrap();
    #[cfg(unix)]
    for (link, target) in [("link.html", "target.html"), ("new.html", "none.html")] {
        use std::os::unix::fs::symlink;
        scratch.write("target.html", "old");
        symlink(target, scratch.path().join(link)).unwrap();
        report(link).expect(0);
        assert!(scratch.path().join(link).is_symlink());
        assert!(fs::read(scratch.path().join(target)).unwrap() == plain);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_written_to_as_it_is() {
    use std::os::unix::fs::FileTypeExt;
    let scratch = Scratch::with_run(SIZES);
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    let pipe = scratch.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = Command::new("cat")
        .arg(&pipe)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let report = |out: &str| {
        scratch
            .worker(&["report", "out/scratch", "-o", out])
            .expect(0)
    };
    report(argument(&pipe));
    let read = reader.wait_with_output().unwrap().stdout;
    assert!(
        String::from_utf8(read)
            .unwrap()
            .starts_with("<!doctype html>")
    );
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let printed = report("/dev/stdout").stdout;
    assert!(printed.starts_with("<!doctype html>"));
}
