//! Analyses: asked for, followed, stopped, kept.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::process::Command;

use ckptscope_fake_wandb::{ENTITY, FakeWandb, KEY};
use ckptscope_results::{Numbers, Results};
use serde_json::{Value, json};

use crate::client::Event;
use crate::runs::{CONFIG, Scratch, argument, files, micro_run, recorded, worker};
use crate::server::{SLOW, SMALL, Server, arguments, results_folder, units};

#[test]
fn results_are_those_of_the_command_line() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    let info = server.wait_for_phase(&id, "done");
    assert_eq!((&info["units"], &info["of_units"]), (&json!(8), &json!(8)));
    assert_eq!(info["name"], "scratch");
    let run = scratch.path().join("run").canonicalize().unwrap();
    scratch.write("config.yaml", CONFIG);
    let arguments = [
        "analyze",
        "--config",
        "config.yaml",
        "--run-path",
        argument(&run),
    ];
    worker(
        scratch.path(),
        &[&arguments[..], &["--output-dir", "out"]].concat(),
    )
    .expect(0);
    let expected = files(&scratch.path().join("out/scratch"));
    let found = files(&results_folder(&scratch, &id, "scratch"));
    assert!(found == expected, "{:?}", found.keys());

    let path = format!("/api/analyses/{id}/results.json");
    let answered = server.ask("GET", &path).send().expect(200);
    assert!(answered.body == expected["results.json"]);
    let table = server
        .ask("GET", &format!("/api/analyses/{id}/results.csv"))
        .send()
        .expect(200);
    assert!(table.headers["content-type"].starts_with("text/csv"));
    let rows = expected.iter().filter(|(name, _)| name.ends_with(".csv"));
    let rows: usize = rows
        .map(|(_, text)| String::from_utf8_lossy(text).lines().count() - 1)
        .sum();
    assert_eq!(table.text().lines().count(), rows + 1);
    let path = format!("/api/analyses/{id}/results.parquet");
    let parquet = server.ask("GET", &path).send().expect(200);
    assert!(parquet.headers["content-type"].ends_with("parquet"));
    assert!(parquet.body == expected["results.parquet"]);
    let path = format!("/api/analyses/{id}/report.html");
    let report = server.ask("GET", &path).send().expect(200);
    assert!(report.body == expected["report.html"]);
    // Nothing in it may run, whatever names a run has.
    assert!(report.headers["content-security-policy"].contains("default-src 'none'"));
    assert!(report.headers["content-security-policy"].contains("sandbox"));
    let log = fs::read_to_string(results_folder(&scratch, &id, "scratch").join("analysis.log"));
    assert!(log.unwrap().contains("layers at 4 steps"));
}

#[test]
fn a_wandb_run_lies_beside_the_results_and_it_is_told_what_came_of_it() {
    let scratch = Scratch::with_run(SMALL);
    let fake = FakeWandb::start().unwrap();
    let wandb =
        format!("monitoring: {{save_to_wandb: true, wandb: {{entity: {ENTITY}, project: pico}}}}");
    let config = format!("{CONFIG}{wandb}\n");
    let analyzed = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let command = command.args(arguments()).envs(variables.iter().copied());
        let server = Server::of(command, scratch.path());
        let id = server.analyze(&config);
        let info = server.wait_for_phase(&id, "done");
        let message = info["message"].as_str().unwrap().to_owned();
        let runs = scratch.path().join("data/analyses").join(&id).join("wandb");
        let runs: Vec<_> = fs::read_dir(runs).unwrap().collect();
        assert_eq!(runs.len(), 1);
        (server, id, message, runs[0].as_ref().unwrap().path())
    };
    let server = ("WANDB_BASE_URL", fake.base_url());
    let (_, _, message, run) = analyzed(&[server, ("WANDB_API_KEY", KEY)]);
    let ids = fake.run_ids();
    assert_eq!(ids.len(), 1);
    let name = run.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with(&ids[0]), "{name}");
    assert!(message.contains("uploaded: ") && message.contains(&ids[0]));

    let (server, id, message, run) = analyzed(&[server, ("WANDB_MODE", "offline")]);
    let sync = format!("wandb sync {}", run.display());
    assert!(message.contains(&sync), "{message}");
    assert_eq!(fake.run_ids(), ids);
    let path = format!("/api/analyses/{id}?remove=true");
    server.ask("DELETE", &path).send().expect(204);
    assert!(!run.exists());
    drop(server);

    // What would keep the run from being written is told before anything is computed.
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let command = command.args(arguments()).env("WANDB_MODE", "sometimes");
    let server = Server::of(command, scratch.path());
    let id = server.analyze(&config);
    let failed = server.wait_for_phase(&id, "failed");
    assert_eq!(failed["units"], 0);
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("WANDB_MODE"), "{message}");
}

#[test]
fn events_tell_everything_once() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    // One listens from the start, the other when it is over.
    let live = server.events(&id);
    let late = server.events(&id);
    for events in [&live, &late] {
        let all: Vec<(u64, u64)> = (0..2)
            .flat_map(|layer| (0..20).map(move |step| (layer, step)))
            .collect();
        assert_eq!(units(events), all);
        let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!((names[0], names[1]), ("state", "planned"));
        assert_eq!(events.last().unwrap().data["phase"], "done");
        assert!(!names.contains(&"again"));
        for (number, unit) in events
            .iter()
            .filter(|event| event.name == "unit")
            .enumerate()
        {
            let (_, own) = unit.id.as_ref().unwrap().split_once('-').unwrap();
            assert_eq!(own, (number + 1).to_string());
            assert!(!unit.data["made_of"].as_str().unwrap().is_empty());
        }
    }
    let of = |events: &[Event]| -> Vec<Event> {
        events
            .iter()
            .filter(|event| event.name == "unit")
            .cloned()
            .collect()
    };
    assert_eq!(of(&live), of(&late));
    let phases: Vec<&str> = live
        .iter()
        .filter(|event| event.name == "state")
        .map(|event| event.data["phase"].as_str().unwrap())
        .collect();
    // What lasts for moments only may be passed over.
    let order = ["queued", "planning", "running", "done"];
    let places: Vec<_> = phases
        .iter()
        .map(|phase| order.iter().position(|known| known == phase))
        .collect();
    assert!(
        places.is_sorted() && places.last() == Some(&Some(3)),
        "{phases:?}"
    );

    // What was told is what came out.
    let results = server.get(&format!("/api/analyses/{id}/results.json"));
    let planned = &live[1].data;
    assert_eq!(planned["units"], 40);
    let mut frame = Results::parse(&planned["results"].to_string()).unwrap();
    assert!(frame.series.is_empty());
    for unit in of(&live) {
        let numbers: Numbers = serde_json::from_value(unit.data["numbers"].clone()).unwrap();
        frame.series.extend(numbers.0);
    }
    frame.sort();
    assert_eq!(frame, Results::parse(&results.to_string()).unwrap());
}

#[test]
fn a_connection_that_was_cut_is_gone_on_with() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    let all: Vec<Event> = server
        .events(&id)
        .into_iter()
        .filter(|event| event.name == "unit")
        .collect();
    let path = format!("/api/analyses/{id}/events");
    let from = |id: &str| -> Vec<Event> {
        server
            .ask("GET", &path)
            .header("Last-Event-ID", id)
            .events()
            .collect()
    };
    for heard in [1, 5, all.len()] {
        let rest = from(all[heard - 1].id.as_ref().unwrap());
        let rest: Vec<Event> = rest
            .into_iter()
            .filter(|event| event.name == "unit")
            .collect();
        assert_eq!(rest, all[heard..]);
    }
    for odd in ["", "x", "-1", "1-x"] {
        assert_eq!(units(&from(odd)).len(), all.len(), "{odd}");
    }
    // Of another journal: nothing that was told counts.
    let again = from("7-3");
    let place = again
        .iter()
        .position(|event| event.name == "again")
        .unwrap();
    assert_eq!(
        again.iter().position(|event| event.name == "unit"),
        Some(place + 1)
    );
    assert_eq!(units(&again).len(), all.len());
}

#[test]
fn who_is_not_told_everything_hears_no_end() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    let path = format!("/api/analyses/{id}/events");
    let told = || {
        let mut stream = server.ask("GET", &path).start();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        String::from_utf8(told).unwrap()
    };
    let whole = told();
    assert!(whole.contains("event: unit") && whole.ends_with("\r\n0\r\n\r\n"));
    // A folder can be opened, and not be read.
    let journal = scratch.path().join(format!("data/journals/{id}.jsonl"));
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let broken = told();
    // What was said before may be lost with the connection, and is asked for again.
    assert!(!broken.contains("event: unit"), "{broken}");
    assert!(!broken.ends_with("\r\n0\r\n\r\n"), "{broken}");
}

#[test]
fn lines_that_are_lost_are_told_of() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    server.wait_for_phase(&id, "done");
    let all = server.events(&id);
    let units = |events: &[Event]| events.iter().filter(|event| event.name == "unit").count();
    let last = all.iter().rfind(|event| event.name == "unit").unwrap();
    // As a power failure may leave it.
    let journal = scratch.path().join(format!("data/journals/{id}.jsonl"));
    let text = fs::read_to_string(&journal).unwrap();
    let kept: Vec<&str> = text.lines().take(4).collect();
    fs::write(&journal, format!("{}\n", kept.join("\n"))).unwrap();
    let path = format!("/api/analyses/{id}/events");
    let asked = server.ask("GET", &path);
    let told: Vec<Event> = asked
        .header("Last-Event-ID", last.id.as_ref().unwrap())
        .events()
        .collect();
    let names: Vec<&str> = told.iter().map(|event| event.name.as_str()).collect();
    assert!(names.contains(&"again"), "{names:?}");
    assert_eq!(units(&told), 3);
}

#[test]
fn files_that_change_are_told_again() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let id = server.analyze(CONFIG);
    server.wait_for(&id, |info| info["units"].as_u64() > Some(1));
    server
        .ask("DELETE", &format!("/api/analyses/{id}"))
        .send()
        .expect(200);
    let before = server.events(&id);
    assert_eq!(before.last().unwrap().data["phase"], "cancelled");
    let heard = before
        .iter()
        .rev()
        .find_map(|event| event.id.clone())
        .unwrap();
    let first = units(&before)[0];
    let path = |step: u64| scratch.path().join(recorded(step, "weights"));
    fs::copy(path(first.1 + 1), path(first.1)).unwrap();

    server
        .ask("POST", &format!("/api/analyses/{id}/resume"))
        .send()
        .expect(200);
    server.wait_for_phase(&id, "done");
    let asked = server.ask("GET", &format!("/api/analyses/{id}/events"));
    let after: Vec<Event> = asked.header("Last-Event-ID", &heard).events().collect();
    assert!(after.iter().any(|event| event.name == "again"));
    assert_eq!(units(&after).len(), 40);
    let asked = server.analyze(CONFIG);
    server.wait_for_phase(&asked, "done");
    let of = |id: &str| files(&results_folder(&scratch, id, "scratch"));
    assert!(of(&id) == of(&asked));
}

#[test]
fn what_is_cancelled_stops_and_can_be_gone_on_with() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let (first, second) = (server.analyze(CONFIG), server.analyze(CONFIG));
    server.wait_for(&first, |info| info["units"].as_u64() > Some(0));
    for id in [&second, &first] {
        let path = format!("/api/analyses/{id}");
        let cancelled = server.ask("DELETE", &path).send().expect(200).json();
        assert_eq!(cancelled["phase"], "cancelled");
        server
            .ask("GET", &format!("{path}/results.json"))
            .send()
            .refuses(409, &["not done"]);
    }
    let done = server.info(&first)["units"].as_u64().unwrap();
    assert!((1..40).contains(&done), "{done}");
    server
        .ask("POST", &format!("/api/analyses/{first}/resume"))
        .send()
        .expect(200);
    server.wait_for_phase(&first, "done");
    let report = results_folder(&scratch, &first, "scratch").join("run.json");
    assert_eq!(crate::runs::json(&report)["resumed_units"], done);
    server
        .ask("POST", &format!("/api/analyses/{first}/resume"))
        .send()
        .refuses(409, &["done"]);
}

#[test]
fn what_is_removed_is_gone() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    server.wait_for(&id, |info| info["units"].as_u64() > Some(0));
    let mut events = server
        .ask("GET", &format!("/api/analyses/{id}/events"))
        .events();
    events.next().unwrap();
    server
        .ask("DELETE", &format!("/api/analyses/{id}?remove=true"))
        .send()
        .expect(204);
    assert!(events.count() < 1000, "the stream ends");
    server
        .ask("GET", &format!("/api/analyses/{id}"))
        .send()
        .expect(404);
    assert_eq!(server.get("/api/analyses"), json!([]));
    for folder in ["analyses", "journals"] {
        let left: Vec<_> = fs::read_dir(scratch.path().join("data").join(folder))
            .unwrap()
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn names_can_be_changed() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let id = server.analyze(CONFIG);
    let rename = |name: &str| {
        server
            .ask("PATCH", &format!("/api/analyses/{id}"))
            .json(&json!({"name": name}))
            .send()
    };
    assert_eq!(
        rename("  Größe <b>\"x\"</b> ").expect(200).json()["name"],
        "Größe <b>\"x\"</b>"
    );
    for wrong in ["", "   ", "a\nb", &"x".repeat(201)] {
        rename(wrong).refuses(400, &["200"]);
    }
    server.wait_for_phase(&id, "done");
    let results = server.get(&format!("/api/analyses/{id}/results.json"));
    assert_eq!(results["analysis_name"], "scratch");
    let newer = server.analyze(&CONFIG.replace("analysis_name: scratch", ""));
    let list = server.get("/api/analyses");
    assert_eq!(
        (&list[0]["id"], &list[0]["name"]),
        (&json!(newer), &json!("run"))
    );
    assert_eq!(list[1]["id"], json!(id));
}

#[test]
fn configs_are_checked_as_on_the_command_line() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let wrong = CONFIG
        .replace("metric_name: per", "metric_name: pr")
        .replace("layers: all", "layers: al");
    let refused = server
        .ask_for(&wrong)
        .send()
        .refuses(422, &["the config is not valid"])
        .json();
    assert_eq!(
        refused["problems"].as_array().unwrap().len(),
        3,
        "{refused}"
    );
    assert_eq!(refused["problems"][1]["line"], 8);
    let misfit = CONFIG.replace("layers: all", "layers: [7]");
    let refused = server
        .ask_for(&misfit)
        .send()
        .refuses(422, &["does not fit", "layer 7 does not exist"])
        .json();
    assert!(
        refused["problems"][0]["line"].as_u64() > Some(0),
        "{refused}"
    );
    let unknown = json!({"source": {"root": "0123"}, "config": CONFIG});
    server
        .ask("POST", "/api/analyses")
        .json(&unknown)
        .send()
        .refuses(422, &["not under the folders"]);
    let odd = json!({"source": {"hub": "../x"}, "config": CONFIG});
    server
        .ask("POST", "/api/analyses")
        .json(&odd)
        .send()
        .expect(422);
    assert_eq!(server.get("/api/analyses"), json!([]));
}

#[test]
fn a_run_that_disappears_fails_and_goes_on_when_it_is_back() {
    let scratch = Scratch::with_run(SLOW);
    let server = Server::start(&scratch, &["--threads", "1"]);
    let id = server.analyze(CONFIG);
    server.wait_for(&id, |info| info["units"].as_u64() > Some(0));
    let (run, away) = (scratch.path().join("run"), scratch.path().join(".away"));
    fs::rename(&run, &away).unwrap();
    let failed = server.wait_for_phase(&id, "failed");
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .contains(": checkpoints/step_"),
        "{failed}"
    );
    let resume = format!("/api/analyses/{id}/resume");
    server.ask("POST", &resume).send().expect(200);
    server.wait_for_phase(&id, "failed");
    fs::rename(&away, &run).unwrap();
    server.ask("POST", &resume).send().expect(200);
    let done = server.wait_for_phase(&id, "done");
    assert_eq!(done["message"], Value::Null);
}

#[test]
fn runs_are_found_wherever_they_are() {
    let scratch = Scratch::with_run(SMALL);
    let server = Server::start(&scratch, &[]);
    let first = server.run();
    assert_eq!(server.get("/api/runs")[0]["name"], "run");
    let checkpoint = crate::runs::checkpoint(1, 1, [2, 2]);
    scratch.write("more/deep/checkpoint-10/model.safetensors", &checkpoint);
    scratch.write("more/deep/checkpoint-20/model.safetensors", &checkpoint);
    scratch.write("more/single/model.safetensors", &checkpoint);
    scratch.write("more/nothing/readme.txt", "");
    let found = || -> Vec<String> {
        let runs = server.get("/api/runs");
        let name = |run: &Value| run["name"].as_str().unwrap().to_owned();
        runs.as_array().unwrap().iter().map(name).collect()
    };
    let began = std::time::Instant::now();
    while found() != ["deep", "single", "run"] {
        assert!(began.elapsed() < crate::client::PATIENCE, "{:?}", found());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let runs = server.get("/api/runs");
    assert_eq!(runs[2]["id"], json!(first));
    assert_eq!(
        (&runs[0]["files"], &runs[0]["bytes"]),
        (&json!(2), &json!(2 * checkpoint.len()))
    );
}

#[test]
fn what_is_left_out_of_the_runs_is_told() {
    let scratch = Scratch::new();
    let checkpoint = crate::runs::checkpoint(1, 1, [2, 2]);
    scratch.write("run/good/model.safetensors", &checkpoint);
    scratch.write("run/two/one.safetensors", &checkpoint);
    scratch.write("run/two/other.safetensors", &checkpoint);
    scratch.write("run/ranks/zero_pp_rank_0_mp_rank_00_model_states.pt", "");
    scratch.write("run/nothing/readme.txt", "");
    let elsewhere = Scratch::new();
    elsewhere.write("model.safetensors", &checkpoint);
    symlink(elsewhere.path(), scratch.path().join("run/link")).unwrap();
    let server = Server::start(&scratch, &[]);
    let runs = server.get("/api/runs");
    let told: Vec<(&str, Option<&str>)> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["name"].as_str().unwrap(), run["trouble"].as_str()))
        .collect();
    let [
        ("good", None),
        ("link", Some(link)),
        ("ranks", Some(ranks)),
        ("two", Some(two)),
    ] = told[..]
    else {
        panic!("{told:?}");
    };
    assert!(link.contains("--root of where that leads"), "{link}");
    assert!(ranks.contains("zero_to_fp32.py"), "{ranks}");
    assert!(two.contains("one.safetensors, other.safetensors"), "{two}");
}

#[test]
fn files_of_a_run_come_in_ranges() {
    let server = {
        let scratch = Scratch::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        let run = micro_run();
        let arguments = [
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--data-dir",
            "data",
            "--root",
            argument(&run),
        ];
        (Server::of(command.args(arguments), scratch.path()), scratch)
    };
    let (server, _scratch) = server;
    let run = server.run();
    let name = "training_config.yaml";
    let whole = fs::read(micro_run().join(name)).unwrap();
    let ask = |range: &str| {
        server
            .ask("GET", &format!("/api/runs/{run}/files/{name}"))
            .header("Range", range)
            .send()
    };
    let first = ask("bytes=0-9").expect(206);
    assert_eq!(first.body, whole[..10]);
    assert_eq!(
        first.headers["content-range"],
        format!("bytes 0-9/{}", whole.len())
    );
    assert_eq!(ask("bytes=-7").expect(206).body, whole[whole.len() - 7..]);
    assert_eq!(ask("bytes=5-").expect(206).body, whole[5..]);
    let beyond = ask("bytes=999999-").expect(416);
    assert_eq!(
        beyond.headers["content-range"],
        format!("bytes */{}", whole.len())
    );
    let all = ask("lines=1").expect(200);
    assert_eq!(
        (&all.body, all.headers["accept-ranges"].as_str()),
        (&whole, "bytes")
    );
    let tag = all.headers["etag"].clone();
    let path = format!("/api/runs/{run}/files/{name}");
    let unchanged = server
        .ask("GET", &path)
        .header("If-None-Match", &tag)
        .send();
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let stale = server
        .ask("GET", &path)
        .header("Range", "bytes=0-1")
        .header("If-Range", "\"x\"");
    assert_eq!(stale.send().expect(200).body, whole);
}
