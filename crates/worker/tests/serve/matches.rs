//! Files of a page's that the worker sees as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::runs::{Scratch, files, recorded};
use crate::server::{SMALL, Server};

/// What a page says of files, with a few bytes of each.
fn sampled(files: &[(String, Vec<u8>)]) -> Value {
    let sample = |bytes: &[u8], at: usize| {
        json!([at, STANDARD.encode(&bytes[at..bytes.len().min(at + 16)])])
    };
    let file = |(path, bytes): &(String, Vec<u8>)| {
        let samples = [
            sample(bytes, 0),
            sample(bytes, bytes.len() / 2),
            sample(bytes, bytes.len() - 16),
        ];
        json!({"path": path, "bytes": bytes.len(), "samples": samples})
    };
    json!({"files": files.iter().map(file).collect::<Vec<_>>()})
}

fn asked(server: &Server, files: &[(String, Vec<u8>)]) -> Value {
    server
        .ask("POST", "/api/matches")
        .json(&sampled(files))
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_run_is_recognised_from_wherever_it_was_dropped() {
    let scratch = Scratch::with_run(SMALL);
    let other = crate::runs::checkpoint(99, 2, [4, 4]);
    scratch.write("other/checkpoint-1/model.safetensors", &other);
    scratch.write("other/checkpoint-2/model.safetensors", &other);
    let server = Server::start(&scratch, &[]);
    let runs = server.get("/api/runs");
    let id = runs
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["name"] == "run")
        .unwrap()["id"]
        .clone();
    let found = json!({"root": id});
    let own: Vec<(String, Vec<u8>)> = files(&scratch.path().join("run")).into_iter().collect();
    let moved = |from: &str, to: &str| -> Vec<(String, Vec<u8>)> {
        own.iter()
            .map(|(path, bytes)| {
                (
                    format!("{to}{}", path.strip_prefix(from).unwrap()),
                    bytes.clone(),
                )
            })
            .collect()
    };
    assert_eq!(asked(&server, &own)["source"], found);
    // A folder around it, and a folder of it.
    assert_eq!(asked(&server, &moved("", "my/run/"))["source"], found);
    let below = asked(&server, &moved("checkpoints/", ""));
    assert_eq!(below["source"], found);
    assert!(below["path"].as_str().unwrap().ends_with("/run"));

    let nothing = json!({"source": null, "path": ""});
    let mut changed = own.clone();
    *changed[3].1.last_mut().unwrap() ^= 1;
    assert_eq!(asked(&server, &changed), nothing);
    let mut longer = own.clone();
    longer[0].1.push(0);
    assert_eq!(asked(&server, &longer), nothing);
    // Of some steps of a run all of it is another run, and so it is of more.
    let some: Vec<_> = own
        .iter()
        .filter(|(path, _)| !path.contains("step_3"))
        .cloned()
        .collect();
    assert_eq!(asked(&server, &some), nothing);
    let mut more = own.clone();
    let last = recorded(3, "weights")
        .replace("run/", "")
        .replace("step_3", "step_4");
    more.push((last, own[0].1.clone()));
    assert_eq!(asked(&server, &more), nothing);
    assert_eq!(asked(&server, &moved("", "x")), nothing);
    assert_eq!(asked(&server, &[]), nothing);
    let odd = json!({"files": [{"path": "a", "bytes": 1, "samples": [[0, "?"]]}]});
    server
        .ask("POST", "/api/matches")
        .json(&odd)
        .send()
        .refuses(400, &["base64"]);
    let outside = json!({"files": [{"path": "../../etc/passwd", "bytes": 1, "samples": []}]});
    assert_eq!(
        server
            .ask("POST", "/api/matches")
            .json(&outside)
            .send()
            .expect(200)
            .json(),
        nothing
    );
}
