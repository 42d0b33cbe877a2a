//! Who may not ask, and what may not be asked.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Instant;

use ckptscope_results::{DataKind, Results};
use serde_json::{Value, json};

use crate::client::Reply;
use crate::runs::{CONFIG, Scratch, end, worker};
use crate::server::{SMALL, Server, arguments};

#[test]
fn names_of_others_are_not_answered() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--allow-host", "Worker.example"]);
    let asked_as = |host: &str| {
        server
            .ask("GET", "/api/health")
            .header("Host", host)
            .send()
            .status
    };
    let port = server.address.port();
    for own in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.9.9.9",
        "[::1]:80",
        "a.localhost",
        "worker.example:443",
    ] {
        assert_eq!(asked_as(own), 200, "{own}");
    }
    for foreign in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1.evil.example".to_owned(),
        "localhost.evil.example".to_owned(),
        "192.168.0.1".to_owned(),
        "user@localhost".to_owned(),
        "a b".to_owned(),
        String::new(),
    ] {
        let status = asked_as(&foreign);
        assert!([400, 421].contains(&status), "{foreign}: {status}");
    }
    // The page is refused as well: from a foreign name it would be of a foreign origin.
    server
        .ask("GET", "/")
        .header("Host", "evil.example")
        .send()
        .refuses(421, &["--allow-host"]);
    assert_ne!(
        server
            .ask("GET", "/api/health")
            .without_host()
            .send()
            .status,
        200
    );
    let twice = server
        .ask("GET", "/api/health")
        .header("Host", "localhost")
        .header("Host", "evil.example");
    assert_ne!(twice.send().status, 200);
}

#[test]
fn pages_elsewhere_do_not_drive_it() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--allow-origin", "https://Page.example"]);
    let own = format!("http://{}", server.address);
    let asked_from = |origin: &str| {
        server
            .ask("GET", "/api/runs")
            .header("Origin", origin)
            .send()
    };
    assert_eq!(asked_from(&own).status, 200);
    let port = server.address.port();
    for foreign in [
        "https://evil.example",
        "null",
        "http://localhost:1",
        "",
        "file://",
        &format!("{own}.evil.example"),
        &format!("http://localhost:{port}"),
    ] {
        let reply = asked_from(foreign).refuses(403, &["--allow-origin"]);
        assert!(
            !reply.headers.contains_key("access-control-allow-origin"),
            "{foreign}"
        );
    }
    let config = json!({"source": {"hub": "a/b"}, "config": CONFIG});
    let posted = server
        .ask("POST", "/api/analyses")
        .header("Origin", "https://evil.example")
        .json(&config);
    posted.send().expect(403);
    assert_eq!(server.get("/api/analyses"), json!([]));

    let allowed = asked_from("https://page.example");
    assert_eq!(allowed.status, 200);
    assert_eq!(
        allowed.headers["access-control-allow-origin"],
        "https://page.example"
    );
    assert_eq!(allowed.headers["vary"], "Origin");
    // Refusals can be read by who is allowed.
    let refused = server
        .ask("GET", "/api/runs/x")
        .header("Origin", "https://page.example")
        .send();
    assert_eq!(
        refused.expect(404).headers["access-control-allow-origin"],
        "https://page.example"
    );
}

#[test]
fn preflights_are_answered_for_allowed_origins_only() {
    let scratch = Scratch::with_run(SMALL);
    let more = [
        "--allow-origin",
        "https://page.example",
        "--token",
        "secret",
    ];
    let server = Server::start(&scratch, &more);
    let preflight = |origin: &str| -> Reply {
        let asked = server
            .ask("OPTIONS", "/api/analyses")
            .header("Origin", origin);
        let asked = asked.header("Access-Control-Request-Method", "POST");
        asked
            .header("Access-Control-Request-Private-Network", "true")
            .send()
    };
    let allowed = preflight("https://page.example").expect(204);
    assert_eq!(
        allowed.headers["access-control-allow-origin"],
        "https://page.example"
    );
    assert_eq!(
        allowed.headers["access-control-allow-private-network"],
        "true"
    );
    assert!(allowed.headers["access-control-allow-methods"].contains("PATCH"));
    for name in ["authorization", "last-event-id", "range"] {
        assert!(
            allowed.headers["access-control-allow-headers"].contains(name),
            "{name}"
        );
    }
    for foreign in ["https://evil.example", "null"] {
        let refused = preflight(foreign).expect(403);
        assert!(
            refused
                .headers
                .keys()
                .all(|name| !name.starts_with("access-control")),
            "{refused:?}"
        );
    }
}

#[test]
fn without_the_token_nothing_is_told() {
    let scratch = Scratch::with_run(SMALL);
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let command = command
        .args(arguments())
        .env("CKPTSCOPE_TOKEN", "long-secret");
    let server = Server::of(command, scratch.path());
    for path in [
        "/api/runs",
        "/api/analyses",
        "/api/analyses/x/events",
        "/api/nothing",
    ] {
        let refused = server.ask("GET", path).send().refuses(401, &["token"]);
        assert_eq!(refused.headers["www-authenticate"], "Bearer", "{path}");
    }
    let asked_with = |value: &str| {
        server
            .ask("GET", "/api/runs")
            .header("Authorization", value)
            .send()
            .status
    };
    for wrong in [
        "Bearer long-secre",
        "Bearer long-secret2",
        "Bearer ",
        "Basic long-secret",
        "long-secret",
        "bearer",
    ] {
        assert_eq!(asked_with(wrong), 401, "{wrong}");
    }
    assert_eq!(asked_with("Bearer long-secret"), 200);
    // Who is there may be asked, and no more than that.
    let health = server.get("/api/health");
    assert_eq!(
        (&health["needs_token"], &health["machine"]),
        (&json!(true), &Value::Null)
    );
    let known = server
        .ask("GET", "/api/health")
        .header("Authorization", "Bearer long-secret");
    assert!(known.send().json()["machine"]["threads"].as_u64() > Some(0));
    // The address to open has it, and nothing else that was said.
    let (_, said) = server.end();
    let having: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("long-secret"))
        .collect();
    assert!(
        matches!(having[..], [line] if line.starts_with("open http://") && line.ends_with("/#token=long-secret")),
        "{said}"
    );
}

#[test]
fn beyond_this_machine_a_token_is_needed() {
    let scratch = Scratch::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        worker(
            scratch.path(),
            &["serve", "--addr", address, "--data-dir", "data"],
        )
        .expect(2)
        .says(&["CKPTSCOPE_TOKEN", "127.0.0.1"]);
    }
    for token in ["", "two words", "é"] {
        worker(
            scratch.path(),
            &[
                "serve",
                "--addr",
                "127.0.0.1:0",
                "--data-dir",
                "data",
                "--token",
                token,
            ],
        )
        .expect(2);
    }
    assert!(!scratch.path().join("data").exists());
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut arguments = arguments();
    arguments[2] = "0.0.0.0:0";
    let command = command.args(arguments).args(["--token", "secret"]);
    let server = Server::of(command, scratch.path());
    assert_eq!(server.get("/api/health")["needs_token"], true);
}

#[test]
fn a_snapshot_of_the_hub_s_cache_is_read_with_its_own_blobs_and_nothing_else() {
    let scratch = Scratch::with_run(SMALL);
    let model = "run/checkpoints/step_0/learning_dynamics/val_weights.pt";
    let model = fs::read(scratch.path().join(model)).unwrap();
    for blob in ["models--me--run/blobs/b1", "models--me--other/blobs/b1"] {
        scratch.write(&format!("hub/{blob}"), &model);
    }
    scratch.write("hub/models--me--run/refs/secret", "secret");
    let snapshot = scratch.path().join("hub/models--me--run/snapshots/c1");
    fs::create_dir_all(&snapshot).unwrap();
    for (name, target) in [
        ("model.safetensors", "../../blobs/b1"),
        ("other.safetensors", "../../../models--me--other/blobs/b1"),
        ("secret.txt", "../../refs/secret"),
    ] {
        symlink(target, snapshot.join(name)).unwrap();
    }
    let root = "hub/models--me--run/snapshots/c1";
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut arguments = arguments();
    arguments[6] = root;
    let server = Server::of(command.args(arguments), scratch.path());
    let run = server.run();
    let files = server.get(&format!("/api/runs/{run}"));
    let files = files["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0]["path"], "model.safetensors");
    let file = |path: &str| {
        server
            .ask("GET", &format!("/api/runs/{run}/files/{path}"))
            .send()
    };
    assert_eq!(file("model.safetensors").expect(200).body, model);
    file("secret.txt").expect(404);
    file("other.safetensors").expect(404);
}

#[test]
fn a_repository_in_the_hub_s_cache_is_one_run() {
    let scratch = Scratch::with_run(SMALL);
    let model = "run/checkpoints/step_0/learning_dynamics/val_weights.pt";
    let model = fs::read(scratch.path().join(model)).unwrap();
    for step in [5, 6] {
        let repository = "hub/models--me--run";
        scratch.write(&format!("{repository}/refs/step{step}"), format!("c{step}"));
        scratch.write(&format!("{repository}/blobs/b{step}"), &model);
        let snapshot = scratch
            .path()
            .join(format!("{repository}/snapshots/c{step}"));
        fs::create_dir_all(&snapshot).unwrap();
        let link = snapshot.join("model.safetensors");
        symlink(format!("../../blobs/b{step}"), link).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut arguments = arguments();
    arguments[6] = "hub";
    let server = Server::of(command.args(arguments), scratch.path());
    let runs = server.get("/api/runs");
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    assert_eq!(runs[0]["name"], "models--me--run");
}

#[test]
fn nothing_outside_of_the_roots_is_read() {
    let scratch = Scratch::with_run(SMALL);
    let outside = scratch.write("outside/secret.txt", "secret");
    fs::write(scratch.path().join("secret.txt"), "secret").unwrap();
    let root = scratch.path().join("run");
    symlink(&outside, root.join("link.txt")).unwrap();
    symlink(outside.parent().unwrap(), root.join("folder")).unwrap();
    symlink("training.txt", root.join("inside.txt")).unwrap();
    fs::write(root.join("training.txt"), "hello").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut arguments = arguments();
    arguments[6] = "run";
    let server = Server::of(command.args(arguments), scratch.path());
    let run = server.run();
    let files = server.get(&format!("/api/runs/{run}"));
    let names: Vec<&str> = files["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"inside.txt") && names.contains(&"training.txt"),
        "{names:?}"
    );
    assert!(
        !names
            .iter()
            .any(|name| name.contains("link") || name.contains("secret")),
        "{names:?}"
    );

    let file = |path: &str| {
        server
            .ask("GET", &format!("/api/runs/{run}/files/{path}"))
            .send()
    };
    assert_eq!(file("training.txt").expect(200).text(), "hello");
    assert_eq!(file("inside.txt").expect(200).text(), "hello");
    for path in [
        "link.txt",
        "folder/secret.txt",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "a/../../secret.txt",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "..%5csecret.txt",
        "training.txt%00",
        "training.txt/",
        "./training.txt",
        ".",
        "",
        "%",
        "%ff",
        "..",
        "c:%5csecret.txt",
    ] {
        let reply = file(path);
        assert!(
            [400, 404].contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        assert!(
            !reply.text().contains("secret\n") && reply.text() != "secret",
            "{path}"
        );
        assert!(reply.json()["message"].is_string(), "{path}");
    }
}

#[test]
fn nothing_outside_of_the_page_s_folder_is_sent() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/.git/HEAD",
        "/..%2fCargo.toml",
    ] {
        assert_eq!(server.ask("GET", path).send().status, 404, "{path}");
    }
}

#[test]
fn a_run_is_analyzed_without_what_leads_out_of_it() {
    let scratch = Scratch::with_run(SMALL);
    let step = crate::runs::recorded(1, "weights");
    let outside = scratch.path().join("elsewhere.pt");
    fs::rename(scratch.path().join(&step), &outside).unwrap();
    symlink(&outside, scratch.path().join(&step)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut arguments = arguments();
    arguments[6] = "run";
    let server = Server::of(command.args(arguments), scratch.path());
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    let results = server.get(&format!("/api/analyses/{id}/results.json"));
    let results = Results::parse(&results.to_string()).unwrap();
    let mut rows = results.rows();
    assert!(!rows.any(|(id, point)| point.step == 1 && id.kind == DataKind::Weights));
}

#[test]
fn a_request_has_its_limits() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let long = format!("# {}\n{CONFIG}", "x".repeat(2_000_000));
    server.ask_for(&long).send().refuses(413, &["1048576"]);
    server
        .ask("POST", "/api/analyses")
        .body("{")
        .send()
        .refuses(400, &["EOF"]);
    server
        .ask("POST", "/api/analyses")
        .body("{\"source\":{\"file\":\"/etc/passwd\"}}")
        .send()
        .expect(400);
    server
        .ask("PUT", "/api/analyses")
        .send()
        .refuses(405, &["Not Allowed"]);
    server.ask("GET", "/api/nothing").send().expect(404);
    server.ask("POST", "/").send().expect(405);
    let many = server
        .ask("GET", "/api/health")
        .header("X", &"y".repeat(200_000))
        .send();
    assert_eq!(many.status, 431);
}

#[test]
fn who_hesitates_is_left() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--patience", "1"]);
    // No head, half a head, half a body, and nothing behind an answer.
    let mut silent = TcpStream::connect(server.address).unwrap();
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.write_all(b"GET /api/health HTTP/1.1\r\nHost: loc")
        .unwrap();
    let half = server
        .ask("POST", "/api/analyses")
        .header("Content-Length", "100")
        .start();
    let began = Instant::now();
    server.get("/api/health");
    assert!(
        began.elapsed().as_millis() < 900,
        "others are answered meanwhile"
    );
    let mut rest = Vec::new();
    for stream in [&mut silent, &mut slow] {
        let _ = stream.read_to_end(&mut rest);
    }
    Reply::read(half).refuses(408, &["too long"]);
    server.get("/api/health");
}

#[test]
fn who_takes_nothing_of_an_answer_is_left() {
    let scratch = Scratch::with_run(SMALL);
    // More than lies in the buffers of a connection.
    scratch.write("run/large.bin", vec![0; 64 << 20]);
    let server = Server::start(&scratch, &["--patience", "1"]);
    let path = format!("/api/runs/{}/files/large.bin", server.run());
    let mut stream = server.ask("GET", &path).start();
    // Taking nothing for longer than the server's patience is what is tested. It hangs up in the
    // middle, so what is read in the end is not all of it.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let mut taken = Vec::new();
    let ended = stream.read_to_end(&mut taken);
    assert!(ended.is_err() || taken.len() < 64 << 20);
    server.get("/api/health");
}

#[test]
fn the_queue_has_an_end() {
    let scratch = Scratch::with_run(SMALL);
    // Whoever asks this hub waits: the first analysis stays before all others.
    let hub = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let command = command.args(arguments()).args(["--queue-length", "3"]);
    let endpoint = format!("http://{}", hub.local_addr().unwrap());
    let server = Server::of(command.env("HF_ENDPOINT", endpoint), scratch.path());
    let asked = json!({"source": {"hub": "a/b"}, "config": CONFIG});
    let first = server.ask("POST", "/api/analyses").json(&asked).send();
    let first = first.expect(201).json()["id"].clone();
    server.wait_for(first.as_str().unwrap(), |info| info["phase"] != "queued");
    let waiting: Vec<String> = (0..3).map(|_| server.analyze(CONFIG)).collect();
    let refused = server
        .ask_for(CONFIG)
        .send()
        .refuses(503, &["3 analyses wait already"]);
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() > 0);
    let ahead: Vec<Value> = waiting
        .iter()
        .map(|id| server.info(id)["ahead"].clone())
        .collect();
    assert_eq!(ahead, [1, 2, 3]);
    server
        .ask("DELETE", &format!("/api/analyses/{}", waiting[1]))
        .send()
        .expect(200);
    assert_eq!(server.info(&waiting[2])["ahead"], 2);
    server.analyze(CONFIG);
}

#[test]
fn thousands_wait_in_their_order() {
    const MANY: u64 = 2000;
    let scratch = Scratch::with_run(SMALL);
    // Whoever asks this hub waits: the first analysis stays before all others.
    let hub = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let command = command.args(arguments()).args(["--queue-length", "2000"]);
        let endpoint = format!("http://{}", hub.local_addr().unwrap());
        Server::of(command.env("HF_ENDPOINT", endpoint), scratch.path())
    };
    let server = start();
    let asked = json!({"source": {"hub": "a/b"}, "config": CONFIG});
    let first = server.ask("POST", "/api/analyses").json(&asked).send();
    let first = first.expect(201).json()["id"].clone();
    let first = first.as_str().unwrap();
    server.wait_for(first, |info| info["phase"] == "planning");
    let asked = json!({"source": {"root": server.run()}, "config": CONFIG});
    let ask = |server: &Server| server.ask("POST", "/api/analyses").json(&asked).send();
    let waiting: Vec<Value> = (0..MANY)
        .map(|_| ask(&server).expect(201).json()["id"].clone())
        .collect();
    ask(&server).refuses(503, &["2000 analyses wait already"]);

    let check = |server: &Server, are_before: u64| {
        let told = server.get("/api/analyses");
        let mut told = told.as_array().unwrap().clone();
        told.reverse();
        assert_eq!(told.len() as u64, MANY + 1);
        assert_eq!(told[0]["id"], first);
        let ids: Vec<Value> = told[1..].iter().map(|info| info["id"].clone()).collect();
        assert!(ids == waiting);
        let ahead = told[1..].iter().map(|info| info["ahead"].as_u64().unwrap());
        assert!(ahead.eq(are_before..are_before + MANY));
    };
    check(&server, 1);
    server.kill();
    let server = start();
    server.wait_for(first, |info| info["phase"] == "planning");
    check(&server, 1);

    // Without the first one the others' turn comes.
    let path = format!("/api/analyses/{first}");
    server.ask("DELETE", &path).send().expect(200);
    server.wait_for_phase(waiting[0].as_str().unwrap(), "done");
    server.wait_for_phase(waiting[1].as_str().unwrap(), "done");
}

#[test]
fn when_files_run_out_others_are_answered_later() {
    let scratch = Scratch::with_run(SMALL);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]);
    command.arg(env!("CARGO_BIN_EXE_worker"));
    let command = command.args(arguments()).args(["--patience", "1"]);
    let server = Server::of(command, scratch.path());
    let silent: Vec<TcpStream> = (0..100)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    // Behind those, of which the server can take some only until it has left the others.
    server.get("/api/health");
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    drop(silent);
}

#[test]
fn what_needs_more_memory_than_there_is_is_refused() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &["--memory", "1K", "--threads", "2"]);
    let refused = server.ask_for(CONFIG).send();
    refused.refuses(422, &["KiB of memory", "1.00 KiB", "--threads", "--memory"]);
    assert_eq!(server.get("/api/analyses"), json!([]));
    assert_eq!(server.get("/api/health")["machine"]["memory_bytes"], 1024);
}

#[test]
fn two_servers_do_not_share_a_data_folder() {
    let scratch = Scratch::new();
    let _server = Server::start(&scratch, &[]);
    let other = end(Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(arguments())
        .current_dir(scratch.path()));
    other
        .expect(2)
        .says(&["another worker serves from", "--data-dir"]);
}
