//! `save_to_picolabs`: what a server on loopback receives, and what is said where there is none.

use std::fs;
use std::sync::{Arc, Mutex};

use ckptscope_loopback::{HttpRequest, HttpResponse, Port};
use serde_json::{Value, json};

use crate::support::{CONFIG, Ended, Scratch, Sizes, analyze_arguments, worker_at};

const SIZES: Sizes = Sizes {
    layers: 2,
    steps: 3,
    width: 4,
};

/// A request: method, path, `Authorization`, body.
type Received = (String, String, Option<String>, Value);

/// A server at which requests whose numbers are listed get these statuses instead.
struct FakePicoLabs {
    base_url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl FakePicoLabs {
    fn start(statuses: &'static [(usize, u16)]) -> Self {
        let port = Port::take(0).unwrap();
        let base_url = format!("http://{}/api/report/", port.address());
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        port.answer(1 << 20, move |request: &HttpRequest| {
            let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
            let authorization = request.header("authorization").map(str::to_owned);
            let (method, path) = (request.method.clone(), request.path().to_owned());
            let mut log = log.lock().unwrap();
            log.push((method, path, authorization, body));
            let number = log.len();
            let fault = statuses.iter().find(|(faulty, _)| *faulty == number);
            match fault {
                Some((_, status)) => HttpResponse::new(*status, *b"not now"),
                None => HttpResponse::new(200, *b"{}"),
            }
        });
        Self { base_url, received }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn scratch(monitoring: &str) -> Scratch {
    let scratch = Scratch::with_run(SIZES);
    scratch.write("config.yaml", format!("{CONFIG}monitoring: {monitoring}\n"));
    scratch
}

const ASKS: &str = "{save_to_picolabs: true, pico_report: {lab_hash: abc, experiment_name: probe, \
                    auto_commit: true}}";

fn analyze(scratch: &Scratch, variables: &[(&str, &str)]) -> Ended {
    worker_at(scratch.path(), variables, &analyze_arguments("out"))
}

#[test]
fn an_experiment_and_its_steps_are_sent_as_picos_client_sends_them() {
    let server = FakePicoLabs::start(&[]);
    let scratch = scratch(ASKS);
    let git = scratch.path().join(".git");
    fs::create_dir(&git).unwrap();
    let url = ("PICO_BASE_URL", server.base_url.as_str());
    let ended = analyze(&scratch, &[url, ("PICO_API_KEY", "secret-key")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("sent to Pico Labs: experiment probe, 3 steps"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("secret-key"));
    let received = server.received();
    let asked: Vec<(&str, &str)> = received
        .iter()
        .map(|(method, path, ..)| (method.as_str(), path.as_str()))
        .collect();
    let metrics = ("POST", "/api/report/metrics");
    let first = [
        ("GET", "/api/report/heartbeat"),
        ("POST", "/api/report/experiments"),
    ];
    assert_eq!(asked, [&first[..], &[metrics; 3]].concat());
    assert!(
        received
            .iter()
            .all(|(_, _, key, _)| key.as_deref() == Some("Bearer secret-key"))
    );
    let experiment = &received[1].3;
    assert_eq!(experiment["name"], "probe");
    assert_eq!(experiment["lab_hash"], "abc");
    assert!(experiment["config"]["metrics"].is_array());
    assert!(experiment["timestamp"].is_f64());
    for absent in [
        "description",
        "git_commit_sha",
        "git_commit_message",
        "git_branch",
    ] {
        assert_eq!(experiment.get(absent), Some(&Value::Null), "{absent}");
    }
    for (_, _, _, body) in &received[2..] {
        assert_eq!(
            (&body["lab_hash"], &body["experiment_name"]),
            (&json!("abc"), &json!("probe"))
        );
        assert!(body["step"].is_u64() && body["timestamp"].is_f64());
        let metrics = body["metrics"].as_object().unwrap();
        assert!(!metrics.is_empty());
        assert!(metrics.values().all(Value::is_number));
        assert!(
            metrics.keys().all(|name| name.contains("_val/")),
            "{metrics:?}"
        );
    }
    // Nothing was committed: the folder of the repository is as it was.
    assert_eq!(fs::read_dir(git).unwrap().count(), 0);
}

#[test]
fn a_server_that_has_no_time_is_asked_again() {
    let server = FakePicoLabs::start(&[(1, 503), (3, 429)]);
    let scratch = scratch(ASKS);
    let url = ("PICO_BASE_URL", server.base_url.as_str());
    let ended = analyze(&scratch, &[url, ("PICO_API_KEY", "k")]);
    assert!(ended.stderr.contains("3 steps"), "{}", ended.stderr);
    assert_eq!(server.received().len(), 2 + 3 + 2);
}

#[test]
fn whatever_fails_is_one_warning() {
    let refusing = FakePicoLabs::start(&[(2, 422)]);
    let locked = FakePicoLabs::start(&[(1, 401)]);
    let lab = "{save_to_picolabs: true}";
    for (monitoring, variables, words) in [
        (ASKS, &[][..], "PICO_API_KEY"),
        (lab, &[("PICO_API_KEY", "k")], "PICO_LAB_HASH"),
        (
            ASKS,
            &[("PICO_API_KEY", "k"), ("PICO_BASE_URL", &refusing.base_url)],
            "not now",
        ),
        (
            ASKS,
            &[("PICO_API_KEY", "k"), ("PICO_BASE_URL", &locked.base_url)],
            "status 401",
        ),
        (
            ASKS,
            &[("PICO_API_KEY", "k"), ("PICO_BASE_URL", "no address")],
            "cannot be reached",
        ),
    ] {
        let scratch = scratch(monitoring);
        let ended = analyze(&scratch, variables);
        assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
        let warnings = ended
            .stderr
            .lines()
            .filter(|line| line.starts_with("warning"));
        let warnings: Vec<&str> = warnings.filter(|line| line.contains("Pico Labs")).collect();
        assert_eq!(warnings.len(), 1, "{words}: {}", ended.stderr);
        assert!(warnings[0].contains(words), "{words}: {}", warnings[0]);
    }
}

#[test]
fn nothing_is_sent_that_nobody_asked_for() {
    let server = FakePicoLabs::start(&[]);
    let scratch = scratch("{pico_report: {lab_hash: abc}}");
    let url = ("PICO_BASE_URL", server.base_url.as_str());
    let ended = analyze(&scratch, &[url, ("PICO_API_KEY", "k")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(server.received().len(), 0);
    assert!(!ended.stderr.contains("Pico Labs"));
}
