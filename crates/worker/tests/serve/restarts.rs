//! Servers that end in the middle, and disks and files that fail them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use ckptscope_fake_wandb::{ENTITY, FakeWandb, KEY, WandbFault, WandbRequest, WandbRule};
use serde_json::{Value, json};

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
fn a_wandb_run_whose_upload_is_killed_is_uploaded_once() {
    let scratch = Scratch::with_run(SMALL);
    let fake = FakeWandb::start().unwrap();
    // The run is made; its rows have to wait, and the server is killed meanwhile.
    fake.inject(WandbRule {
        contains: "file_stream".to_owned(),
        skip: 0,
        times: 1,
        fault: WandbFault::RateLimited { seconds: 60 },
    });
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let variables = [("WANDB_BASE_URL", fake.base_url()), ("WANDB_API_KEY", KEY)];
        Server::of(command.args(arguments()).envs(variables), scratch.path())
    };
    let server = start();
    let wandb =
        format!("monitoring: {{save_to_wandb: true, wandb: {{entity: {ENTITY}, project: pico}}}}");
    let id = server.analyze(&format!("{CONFIG}{wandb}\n"));
    let is_refused = |request: &WandbRequest| request.status == Some(429);
    server.wait_for(&id, |_| fake.take_log().iter().any(is_refused));
    server.kill();
    let runs = scratch.path().join("data/analyses").join(&id).join("wandb");
    let count = || fs::read_dir(&runs).unwrap().count();
    assert_eq!((fake.run_ids().len(), count()), (1, 1));

    let server = start();
    let done = server.wait_for_phase(&id, "done");
    assert!(done["message"].as_str().unwrap().contains("uploaded: "));
    assert_eq!((fake.run_ids().len(), count()), (1, 1));
    let run = fake.run(&fake.run_ids()[0]).unwrap();
    assert_eq!((run.history.len(), run.exit_code), (4, Some(0)));
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
    let mut arguments = arguments();
    arguments[6] = argument(&run);
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
fn a_database_of_the_former_name_goes_on() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    server.end();
    let data = scratch.path().join("data");
    fs::rename(
        data.join("ckptscope.sqlite"),
        data.join("trainscope.sqlite"),
    )
    .unwrap();
    let server = Server::start(&scratch, &[]);
    server.wait_for_phase(&id, "done");
    assert!(!data.join("ckptscope.sqlite").exists());
}

#[test]
fn a_file_system_without_shared_memory_has_a_rollback_journal() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let first = server.analyze(CONFIG);
    server.wait_for_phase(&first, "done");
    server.end();
    // A folder in the place of the file that SQLite would share.
    scratch.write("data/ckptscope.sqlite-shm/taken", "");
    let server = Server::start(&scratch, &[]);
    let second = server.analyze(CONFIG);
    server.wait_for_phase(&second, "done");
    server.wait_for_phase(&first, "done");
    let (status, said) = server.end();
    assert!(status.success(), "{said}");
    assert!(said.contains("keeps a rollback journal"), "{said}");
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
    let database = scratch.path().join("data/ckptscope.sqlite");
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
            "data/ckptscope.sqlite",
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
fn uploads_outlive_an_adopted_analysis_of_one() {
    let scratch = Scratch::with_run(SMALL);
    let upload = |server: &Server| {
        let files = files(&scratch.path().join("run"));
        let listed: Vec<Value> = files
            .iter()
            .map(|(path, bytes)| json!({"path": path, "bytes": bytes.len()}))
            .collect();
        let asked = json!({"name": "my run", "files": listed});
        let made = server.ask("POST", "/api/uploads").json(&asked).send();
        let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
        for (path, bytes) in files {
            let path = format!("/api/uploads/{id}/{path}");
            server.ask("PUT", &path).body(bytes).send().expect(200);
        }
        id
    };
    let server = Server::start(&scratch, &[]);
    let first = upload(&server);
    let asked = json!({"source": {"upload": first}, "config": CONFIG});
    let analysis = server.ask("POST", "/api/analyses").json(&asked).send();
    let analysis = analysis.expect(201).json()["id"].clone();
    let analysis = analysis.as_str().unwrap();
    server.wait_for_phase(analysis, "done");
    assert!(server.end().0.success());
    fs::remove_file(scratch.path().join("data/ckptscope.sqlite")).unwrap();

    let server = Server::start(&scratch, &[]);
    assert_eq!(server.info(analysis)["source"], json!({"upload": ""}));
    let second = upload(&server);
    let path = format!("/api/analyses/{analysis}?remove=true");
    server.ask("DELETE", &path).send().expect(204);
    let kept = server.get(&format!("/api/uploads/{second}"));
    let files = kept["files"].as_array().unwrap();
    let is_whole = |file: &Value| file["arrived_bytes"] == file["bytes"];
    assert!(!files.is_empty() && files.iter().all(is_whole), "{kept}");
    // What no list knows of stays, and is told of.
    assert!(scratch.path().join("data/uploads").join(&first).exists());
    let (_, said) = server.end();
    assert!(
        said.contains(&first) && said.contains("1 upload in"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_written_down_does_not_happen() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let id = server.analyze(CONFIG);
    let path = format!("/api/analyses/{id}");
    server.ask("DELETE", &path).send().expect(200);
    server.wait_for_phase(&id, "cancelled");
    // Somebody else writes into the database, for longer than the server waits.
    let database = rusqlite::Connection::open(scratch.path().join("data/ckptscope.sqlite"));
    let database = database.unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let resume = || server.ask("POST", &format!("{path}/resume")).send();
    resume().refuses(500, &["another program has", "ckptscope.sqlite"]);
    assert_eq!(server.info(&id)["phase"], "cancelled");
    database.execute_batch("ROLLBACK").unwrap();
    resume().expect(200);
    server.wait_for_phase(&id, "done");
}

#[test]
fn a_server_that_has_just_begun_can_be_ended() {
    let scratch = Scratch::with_run(SMALL);
    for _ in 0..5 {
        let (status, said) = Server::start(&scratch, &[]).end();
        assert!(status.success(), "{said}");
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let scratch = Scratch::new();
    Server::start(&scratch, &[]).kill();
    let path = scratch.path().join("data/ckptscope.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let ended = end(Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(arguments())
        .current_dir(scratch.path()));
    let ended = ended.expect(1).says(&["newer version", "--data-dir"]);
    assert!(!ended.stderr.contains("damaged"), "{}", ended.stderr);
}

/// Equal by name and content; what differs is named.
fn is_equal(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (name, content) in found {
        assert!(content == &expected[name], "{name} differs");
    }
}
