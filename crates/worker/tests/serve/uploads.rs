//! Files that are sent.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::Reply;
use crate::runs::{CONFIG, Scratch, files};
use crate::server::{SMALL, Server, results_folder};

/// The files of a scratch folder's run.
fn run_files(scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
    files(&scratch.path().join("run")).into_iter().collect()
}

fn announce(server: &Server, files: &[(String, Vec<u8>)]) -> Reply {
    let files: Vec<Value> = files
        .iter()
        .map(|(path, bytes)| json!({"path": path, "bytes": bytes.len()}))
        .collect();
    server
        .ask("POST", "/api/uploads")
        .json(&json!({"name": "my run", "files": files}))
        .send()
}

fn put(server: &Server, id: &str, path: &str, offset: usize, bytes: &[u8]) -> Reply {
    let path = format!("/api/uploads/{id}/{path}?offset={offset}");
    server.ask("PUT", &path).body(bytes).send()
}

#[test]
fn what_was_sent_is_analyzed_as_what_is_there() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let files_of_run = run_files(&scratch);
    let upload = announce(&server, &files_of_run).expect(201).json();
    let id = upload["id"].as_str().unwrap();
    assert!(
        upload["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["arrived_bytes"] == 0)
    );
    let asked = json!({"source": {"upload": id}, "config": CONFIG});
    let submit = || server.ask("POST", "/api/analyses").json(&asked).send();
    submit().refuses(422, &["have not arrived"]);
    for (path, bytes) in &files_of_run {
        let arrived = put(&server, id, path, 0, bytes).expect(200).json();
        assert_eq!(arrived["arrived_bytes"], bytes.len());
    }
    let analysis = submit().expect(201).json();
    assert_eq!(analysis["source_name"], "my run");
    let sent = analysis["id"].as_str().unwrap();
    server.wait_for_phase(sent, "done");
    let there = server.analyze(CONFIG);
    server.wait_for_phase(&there, "done");
    let tables = |id: &str| -> Vec<Vec<u8>> {
        let files = files(&results_folder(&scratch, id, "scratch")).into_iter();
        files
            .filter(|(name, _)| name.ends_with(".csv"))
            .map(|(_, bytes)| bytes)
            .collect()
    };
    assert!(tables(sent) == tables(&there));

    // They are kept for as long as an analysis needs them.
    let path = format!("/api/uploads/{id}");
    server
        .ask("DELETE", &path)
        .send()
        .refuses(409, &["an analysis needs"]);
    let second = submit().expect(201).json();
    let second = second["id"].as_str().unwrap();
    server.wait_for_phase(second, "done");
    for (analysis, status) in [(sent, 200), (second, 404)] {
        server
            .ask("DELETE", &format!("/api/analyses/{analysis}?remove=true"))
            .send()
            .expect(204);
        server.ask("GET", &path).send().expect(status);
    }
    assert!(!scratch.path().join("data/uploads").join(id).exists());
}

#[test]
fn what_was_cut_is_gone_on_with() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, &[]);
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let files = [("a/b.bin".to_owned(), bytes.clone())];
    let upload = announce(&server, &files).expect(201).json();
    let id = upload["id"].as_str().unwrap();
    // A client that goes away in the middle.
    let path = format!("/api/uploads/{id}/a/b.bin?offset=0");
    let mut cut = server
        .ask("PUT", &path)
        .header("Content-Length", &bytes.len().to_string())
        .start();
    cut.write_all(&bytes[..150_000]).unwrap();
    cut.shutdown(Shutdown::Both).unwrap();
    // And one that only looks as if it sent on.
    let _hanging = server
        .ask("PUT", &path)
        .header("Content-Length", &bytes.len().to_string())
        .start();
    let put_when_free = |offset: usize, bytes: &[u8]| loop {
        let answered = put(&server, id, "a/b.bin", offset, bytes);
        // One of those above may have its turn.
        if answered.status != 409 || answered.json()["arrived_bytes"].is_u64() {
            return answered;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let arrived = put_when_free(bytes.len(), b"").expect(409).json();
    assert_eq!(
        (&arrived["path"], &arrived["bytes"]),
        (&json!("a/b.bin"), &json!(bytes.len()))
    );
    let mut arrived = count(&arrived);
    assert!(arrived <= 150_000);
    // What was sent before the cut may still be on its way to the disk.
    let rest = loop {
        let answered = put_when_free(arrived, &bytes[arrived..]);
        if answered.status == 200 {
            break answered.json();
        }
        let said = count(&answered.expect(409).json());
        assert!(said > arrived, "{said} arrived, and {arrived} before");
        arrived = said;
    };
    assert_eq!(rest["arrived_bytes"], bytes.len());
    assert_eq!(server.get(&format!("/api/uploads/{id}"))["files"][0], rest);
    let kept = fs::read(scratch.path().join(format!("data/uploads/{id}/a/b.bin")));
    assert!(kept.unwrap() == bytes);
    // What arrived is there after a restart.
    server.kill();
    let server = Server::start(&scratch, &[]);
    assert_eq!(server.get(&format!("/api/uploads/{id}"))["files"][0], rest);
    server
        .ask("DELETE", &format!("/api/uploads/{id}"))
        .send()
        .expect(204);
    server
        .ask("GET", &format!("/api/uploads/{id}"))
        .send()
        .expect(404);
    put(&server, id, "a/b.bin", 0, b"x").expect(404);
}

#[test]
fn what_nobody_uses_goes_at_a_start_days_later() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let upload = |name: &str| {
        let files = [(name.to_owned(), b"some".to_vec())];
        let upload = announce(&server, &files).expect(201).json();
        let id = upload["id"].as_str().unwrap().to_owned();
        put(&server, &id, name, 0, b"some").expect(200);
        id
    };
    let (old, young) = (upload("old.bin"), upload("young.bin"));
    let files_of_run = run_files(&scratch);
    let used = announce(&server, &files_of_run).expect(201).json();
    let used = used["id"].as_str().unwrap().to_owned();
    for (path, bytes) in &files_of_run {
        put(&server, &used, path, 0, bytes).expect(200);
    }
    let asked = json!({"source": {"upload": used}, "config": CONFIG});
    let analysis = server.ask("POST", "/api/analyses").json(&asked).send();
    let analysis = analysis.expect(201).json();
    server.wait_for_phase(analysis["id"].as_str().unwrap(), "done");
    assert!(server.end().0.success());

    // Four days pass.
    let uploads = scratch.path().join("data/uploads");
    let database = Connection::open(scratch.path().join("data/ckptscope.sqlite")).unwrap();
    let age = "UPDATE uploads SET asked = asked - 4 * 24 * 60 * 60 * 1000 WHERE id <> ?1";
    assert_eq!(database.execute(age, [&young]).unwrap(), 2);
    drop(database);
    let server = Server::start(&scratch, &[]);
    let kept = [(&used, true), (&young, true), (&old, false)];
    for (id, is_kept) in kept {
        let status = if is_kept { 200 } else { 404 };
        let path = format!("/api/uploads/{id}");
        server.ask("GET", &path).send().expect(status);
        assert_eq!(uploads.join(id).exists(), is_kept);
    }
}

#[test]
fn no_more_is_taken_than_was_announced() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, &["--upload-limit", "1K"]);
    let of = |bytes: usize| announce(&server, &[("f".to_owned(), vec![0; bytes])]);
    of(1025).refuses(413, &["1.00 KiB", "--upload-limit", "--root"]);
    let id = of(1024).expect(201).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    put(&server, &id, "f", 0, &[1; 1025]).refuses(413, &["1024 bytes were announced"]);
    put(&server, &id, "f", 0, &[1; 1000]).expect(200);
    put(&server, &id, "f", 1000, &[1; 25]).expect(413);
    put(&server, &id, "f", 500, &[1; 5]).expect(409);
    // Without a length before it.
    let mut stream = server
        .ask("PUT", &format!("/api/uploads/{id}/f?offset=1000"))
        .header("Transfer-Encoding", "chunked")
        .start();
    stream.write_all(b"40\r\n").unwrap();
    stream.write_all(&[1; 64]).unwrap();
    let _ = stream.write_all(b"\r\n0\r\n\r\n");
    Reply::read(stream).expect(413);
    put(&server, &id, "f", 1000, &[1; 24]).expect(200);
    put(&server, &id, "g", 0, b"").expect(404);
    put(&server, "0", "f", 0, b"").expect(404);
    let huge = json!({"name": "n", "files": [{"path": "a", "bytes": u64::MAX}, {"path": "b", "bytes": 2}]});
    server
        .ask("POST", "/api/uploads")
        .json(&huge)
        .send()
        .expect(413);
}

#[test]
fn the_disk_must_have_room() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, &["--upload-limit", "1000T"]);
    let huge = json!({"name": "n", "files": [{"path": "a", "bytes": 900_u64 << 40}]});
    server
        .ask("POST", "/api/uploads")
        .json(&huge)
        .send()
        .refuses(507, &["has room for", "--data-dir"]);
}

#[test]
fn names_that_are_no_plain_paths_are_refused() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch, &[]);
    for path in [
        "",
        ".",
        "..",
        "../x",
        "a/../x",
        "/etc/x",
        "a//b",
        "a\\b",
        "c:x",
        "a\0b",
        "a/",
        "a\nb",
        &"x".repeat(300),
    ] {
        announce(&server, &[(path.to_owned(), vec![0])]).expect(400);
    }
    let twice = [("a".to_owned(), vec![]), ("a".to_owned(), vec![])];
    announce(&server, &twice).expect(400);
    let below = [("a".to_owned(), vec![]), ("a/b".to_owned(), vec![])];
    announce(&server, &below).refuses(400, &["below what is a file"]);
    announce(&server, &[]).expect(400);
    let id = announce(&server, &[("a".to_owned(), vec![0])])
        .expect(201)
        .json();
    let id = id["id"].as_str().unwrap();
    for path in ["..%2fa", "%2e%2e/a", "..%5ca"] {
        put(&server, id, path, 0, b"x").expect(400);
    }
    let left: Vec<_> = fs::read_dir(scratch.path().join("data/uploads"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1);
}

/// How many bytes have arrived.
fn count(file: &Value) -> usize {
    usize::try_from(file["arrived_bytes"].as_u64().unwrap()).unwrap()
}
