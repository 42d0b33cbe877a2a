//! Servers that end in the middle, and disks and files that fail them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::runs::{CONFIG, Scratch, argument, end, files, micro_run};
use crate::server::{SLOW, SMALL, Server, arguments, results_folder, units};

/// The results of an analysis that nothing disturbed.
fn undisturbed(server: &Server, scratch: &Scratch) -> BTreeMap<String, Vec<u8>> {
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    files(&results_folder(scratch, &id, "scratch"))
}

#[test]
fn a_server_that_is_asked_to_end_goes_on_at_the_next_start() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let (id, waiting) = (server.analyze(CONFIG), server.analyze(CONFIG));
    server.wait_for(&id, |info| info["units"].as_u64() > Some(1));
    let mut events = server
        .ask("GET", &format!("/api/analyses/{id}/events"))
        .events();
    events.next().unwrap();
    let (status, said) = server.end();
    assert!(status.success(), "{said}");
    assert!(
        said.contains("Ctrl-C again ends at once") && said.contains("goes on at the next start"),
        "{said}"
    );
    let heard: Vec<_> = events.collect();
    let last = heard
        .iter()
        .rev()
        .find_map(|event| event.id.clone())
        .unwrap();

    let server = Server::start(&scratch, &[]);
    let rest: Vec<_> = server
        .ask("GET", &format!("/api/analyses/{id}/events"))
        .header("Last-Event-ID", &last)
        .events()
        .collect();
    assert_eq!(units(&heard).len() + units(&rest).len(), 40);
    assert!(!rest.iter().any(|event| event.name == "again"));
    server.wait_for_phase(&waiting, "done");
    let report = crate::runs::json(&results_folder(&scratch, &id, "scratch").join("run.json"));
    assert!(report["resumed_units"].as_u64() > Some(1));
    let of = |id: &str| files(&results_folder(&scratch, id, "scratch"));
    assert!(of(&id) == of(&waiting));
    assert!(of(&id) == undisturbed(&server, &scratch));
}

#[test]
fn a_server_that_is_killed_loses_nothing() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let id = server.analyze(CONFIG);
    let mut server = Some(server);
    for milliseconds in [0, 40, 150, 230, 320] {
        thread::sleep(Duration::from_millis(milliseconds));
        server.take().unwrap().kill();
        server = Some(Server::start(&scratch, &["--threads", "1"]));
    }
    let server = server.unwrap();
    server.wait_for_phase(&id, "done");
    assert_eq!(units(&server.events(&id)).len(), 40);
    is_equal(
        &files(&results_folder(&scratch, &id, "scratch")),
        &undisturbed(&server, &scratch),
    );
}

#[test]
fn half_a_line_is_computed_again() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let id = server.analyze(CONFIG);
    server.wait_for(&id, |info| info["units"].as_u64() > Some(1));
    server.kill();
    let path = scratch.path().join(format!("data/journals/{id}.jsonl"));
    let mut journal = fs::read(&path).unwrap();
    journal.extend(b"{\"made_of\":\"half");
    fs::write(&path, journal).unwrap();
    let server = Server::start(&scratch, &[]);
    server.wait_for_phase(&id, "done");
    assert_eq!(units(&server.events(&id)).len(), 40);
    assert!(files(&results_folder(&scratch, &id, "scratch")) == undisturbed(&server, &scratch));
}

#[test]
fn a_full_disk_fails_the_analysis_and_not_the_server() {
    let scratch = Scratch::new();
    let run = micro_run();
    let root = run.parent().unwrap();
    let mut arguments = arguments();
    arguments[6] = argument(root);
    // A file may have 200 kB: the database needs less, the journal more.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$@\"", "sh"]);
    let command = command.arg(env!("CARGO_BIN_EXE_worker")).args(arguments);
    let server = Server::of(command, scratch.path());
    let config = fs::read_to_string(crate::runs::in_project("configs/demo.yaml")).unwrap();
    let id = server.analyze(&config);
    let failed = server.wait_for_phase(&id, "failed");
    let message = failed["message"].as_str().unwrap();
    assert!(
        message.contains("cannot write") && message.contains("File too large"),
        "{message}"
    );
    server.get("/api/health");
    let last = server.events(&id).pop().unwrap();
    assert_eq!(last.data["phase"], "failed");
    drop(server);

    let server = Server::of(
        Command::new(env!("CARGO_BIN_EXE_worker")).args(arguments),
        scratch.path(),
    );
    assert_eq!(server.info(&id)["phase"], "failed");
    server
        .ask("POST", &format!("/api/analyses/{id}/resume"))
        .send()
        .expect(200);
    server.wait_for_phase(&id, "done");
    let again = server.analyze(&config);
    server.wait_for_phase(&again, "done");
    let of = |id: &str| files(&results_folder(&scratch, id, "demo"));
    assert!(of(&id) == of(&again));
}

#[test]
fn a_damaged_database_is_told_of_and_results_stay() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    let results = server.get(&format!("/api/analyses/{id}/results.json"));
    let (status, _) = server.end();
    assert!(status.success());
    let database = scratch.path().join("data/trainscope.sqlite");
    let whole = fs::read(&database).unwrap();
    let mut page = whole.clone();
    page[4096..5000].fill(0xff);
    for damaged in [b"not a database".repeat(1000), page, whole[..6000].to_vec()] {
        fs::write(&database, damaged).unwrap();
        let ended = end(Command::new(env!("CARGO_BIN_EXE_worker"))
            .args(arguments())
            .current_dir(scratch.path()));
        ended.expect(1).says(&[
            "the file is damaged",
            "data/trainscope.sqlite",
            "data/analyses",
            "away",
        ]);
    }
    fs::rename(&database, scratch.path().join("away.sqlite")).unwrap();
    let server = Server::start(&scratch, &[]);
    let found = server.get("/api/analyses");
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(
        (&found[0]["id"], &found[0]["phase"]),
        (&json!(id), &json!("done"))
    );
    assert_eq!(
        (&found[0]["name"], &found[0]["units"]),
        (&json!("scratch"), &json!(8))
    );
    assert_eq!(found[0]["source"], json!({"root": server.run()}));
    assert_eq!(
        server.get(&format!("/api/analyses/{id}/results.json")),
        results
    );
    server.kill();
    let server = Server::start(&scratch, &[]);
    assert_eq!(server.get("/api/analyses").as_array().unwrap().len(), 1);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let scratch = Scratch::new();
    Server::start(&scratch, &[]).kill();
    let path = scratch.path().join("data/trainscope.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let ended = end(Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(arguments())
        .current_dir(scratch.path()));
    ended.expect(1).says(&["newer version"]);
}

/// Equal by name and content; what differs is named.
fn is_equal(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (name, content) in found {
        assert!(content == &expected[name], "{name} differs");
    }
}
