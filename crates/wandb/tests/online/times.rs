//! When requests are made, and what they hold.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use ckptscope_wandb::{
    Answer, Failure, Key, OnlineRun, Outgoing, Patience, Problem, Row, Service, Transport,
    UploadError,
};
use serde_json::{Value, json};

use crate::{NotedClock, row, run, start};

/// A server that notes what it is asked and answers from a list; once that is empty, well.
#[derive(Default)]
struct Scripted {
    asked: RefCell<Vec<(String, Value)>>,
    answers: RefCell<Vec<Result<Answer, Failure>>>,
    /// How long each request may take.
    within: RefCell<Vec<Duration>>,
}

impl Transport for Scripted {
    async fn post(&self, request: Outgoing<'_>) -> Result<Answer, Failure> {
        let body = serde_json::from_str(request.body).unwrap();
        self.asked.borrow_mut().push((request.path.join("/"), body));
        self.within.borrow_mut().push(request.within);
        let mut answers = self.answers.borrow_mut();
        if !answers.is_empty() {
            return answers.remove(0);
        }
        let project = json!({"name": "project", "entity": {"name": "us"}});
        let bucket = json!({"name": "the-id", "project": project});
        let body = json!({"data": {"upsertBucket": {"bucket": bucket}}});
        Ok(answer(200, &body.to_string()))
    }
}

impl Scripted {
    fn take_asked(&self) -> Vec<(String, Value)> {
        self.asked.take()
    }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        retry_after: None,
        body: body.to_owned(),
    }
}

fn busy(seconds: u64) -> Answer {
    Answer {
        retry_after: Some(Duration::from_secs(seconds)),
        ..answer(429, "")
    }
}

type Asked = Service<Scripted, NotedClock>;

fn service() -> Asked {
    Service {
        base_url: "https://api.wandb.ai".to_owned(),
        key: Key::new("key").unwrap(),
        patience: Patience::default(),
        transport: Scripted::default(),
        clock: NotedClock::default(),
    }
}

fn started(service: &Asked) -> Result<OnlineRun<'_, Scripted, NotedClock>, UploadError> {
    pollster::block_on(OnlineRun::start(
        service,
        &run(),
        Path::new("wandb/offline-run"),
    ))
}

/// Starts a run of which the first answers are these.
fn refused(answers: Vec<Result<Answer, Failure>>) -> (UploadError, Vec<f64>) {
    let service = service();
    service.transport.answers.replace(answers);
    let error = started(&service).err().unwrap();
    (error, service.clock.take_waits())
}

#[test]
fn a_run_is_made_with_name_and_config() {
    let service = service();
    let run = started(&service).unwrap();
    let asked = service.transport.take_asked();
    let [(path, body)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(path, "graphql");
    assert_eq!(body["operationName"], "UpsertBucket");
    let variables = &body["variables"];
    assert_eq!(variables["displayName"], "a run");
    for unset in ["entity", "groupName", "jobType", "notes", "sweep"] {
        assert_eq!(variables[unset], Value::Null);
    }
    let config: Value = serde_json::from_str(variables["config"].as_str().unwrap()).unwrap();
    assert_eq!(config, json!({"lr": {"value": 0.5}}));
    assert_eq!(run.address(), "https://wandb.ai/us/project/runs/the-id");
}

#[test]
fn rows_go_together_and_at_most_every_15_seconds() {
    let service = service();
    let mut run = started(&service).unwrap();
    service.transport.take_asked();
    pollster::block_on(async {
        run.log(&row(0));
        run.pulse().await.unwrap();
        for step in 1..=14 {
            service.clock.pass(1);
            run.log(&row(step));
            run.pulse().await.unwrap();
        }
        assert_eq!(service.transport.take_asked().len(), 1);
        service.clock.pass(1);
        run.pulse().await.unwrap();
    });
    let asked = service.transport.take_asked();
    let [(path, body)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(path, "files/us/project/the-id/file_stream");
    let history = &body["files"]["wandb-history.jsonl"];
    assert_eq!(history["offset"], 1);
    assert_eq!(history["content"].as_array().unwrap().len(), 14);
    let summary = &body["files"]["wandb-summary.json"];
    assert_eq!(summary["offset"], 0);
    let summary: Value = serde_json::from_str(summary["content"][0].as_str().unwrap()).unwrap();
    assert_eq!(summary["_step"], 14);
    assert_eq!(summary["_wandb"], json!({"runtime": 14}));
    assert_eq!(service.clock.take_waits(), [0.0; 0]);
}

#[test]
fn who_has_nothing_to_say_is_alive_every_30_seconds() {
    let service = service();
    let mut run = started(&service).unwrap();
    pollster::block_on(async {
        run.log(&row(0));
        run.pulse().await.unwrap();
        service.transport.take_asked();
        service.clock.pass(29);
        run.pulse().await.unwrap();
        assert_eq!(service.transport.take_asked(), []);
        service.clock.pass(1);
        run.pulse().await.unwrap();
    });
    let path = "files/us/project/the-id/file_stream".to_owned();
    assert_eq!(service.transport.take_asked(), [(path, json!({}))]);
}

#[test]
fn the_end_goes_with_the_last_rows_and_keeps_its_distance() {
    let service = service();
    let mut run = started(&service).unwrap();
    pollster::block_on(async {
        run.log(&row(0));
        run.pulse().await.unwrap();
        service.transport.take_asked();
        service.clock.pass(5);
        run.log(&row(1));
        run.finish(3).await.unwrap();
    });
    assert_eq!(service.clock.take_waits(), [10.0]);
    let asked = service.transport.take_asked();
    let [(_, body)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(
        (&body["complete"], &body["exitcode"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(body["files"]["wandb-history.jsonl"]["offset"], 1);
}

#[test]
fn a_request_has_at_most_8_megabytes_of_rows() {
    let service = service();
    let mut run = started(&service).unwrap();
    service.transport.take_asked();
    // Rows of about 2.6 MB, as is the summary, with quotation marks that JSON in JSON escapes.
    for step in 0..4 {
        let mut row = Row::new(step, start());
        for index in 0..50_000 {
            row.set(
                &format!("cka_val/model.layers.{index}.attention.o_proj"),
                0.5,
            );
        }
        run.log(&row);
    }
    pollster::block_on(run.finish(0)).unwrap();
    let asked = service.transport.take_asked();
    let rows: Vec<(u64, usize, bool)> = asked
        .iter()
        .map(|(_, body)| {
            let history = &body["files"]["wandb-history.jsonl"];
            let content = history["content"].as_array().unwrap();
            let is_complete = body["complete"] == true;
            (
                history["offset"].as_u64().unwrap(),
                content.len(),
                is_complete,
            )
        })
        .collect();
    assert_eq!(rows, [(0, 2, false), (2, 2, true)]);
    assert_eq!(service.clock.take_waits(), [15.0]);
}

#[test]
fn waits_double_and_end() {
    let broken = || Err(Failure::Broken("nobody there".to_owned()));
    let (error, waits) = refused((0..6).map(|_| broken()).collect());
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0]);
    let UploadError { problem, folder } = &error;
    assert!(matches!(problem, Problem::GaveUp { attempts: 6, .. }));
    assert_eq!(folder, Path::new("wandb/offline-run"));
    let told = error.to_string();
    for words in [
        "6 attempts",
        "nobody there",
        "`wandb sync wandb/offline-run`",
    ] {
        assert!(told.contains(words), "{told}");
    }
}

/// A server that takes connections and says nothing, so that every attempt takes its time.
struct Silent<'a> {
    clock: &'a NotedClock,
    seconds: u64,
}

impl Transport for Silent<'_> {
    async fn post(&self, _: Outgoing<'_>) -> Result<Answer, Failure> {
        self.clock.pass(self.seconds);
        Err(Failure::Broken("the time is over".to_owned()))
    }
}

/// How many attempts such a server gets in so many seconds, and the waits between them.
fn attempts_at_a_silent_server(seconds: u64, in_all: u64) -> (u32, Vec<f64>) {
    let clock = &NotedClock::default();
    let service = Service {
        base_url: "https://api.wandb.ai".to_owned(),
        key: Key::new("key").unwrap(),
        patience: Patience {
            all_attempts: Duration::from_secs(in_all),
            ..Patience::default()
        },
        transport: Silent { clock, seconds },
        clock,
    };
    let run = run();
    let started = OnlineRun::start(&service, &run, Path::new("offline"));
    match pollster::block_on(started).err().unwrap().problem {
        Problem::GaveUp { attempts, .. } => (attempts, clock.take_waits()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    assert_eq!(attempts_at_a_silent_server(120, 120), (1, vec![]));
    assert_eq!(attempts_at_a_silent_server(50, 120), (3, vec![2.0, 4.0]));
    assert_eq!(attempts_at_a_silent_server(1, 120).0, 6);
    // Waits count, and none is begun that would be too long.
    assert_eq!(attempts_at_a_silent_server(0, 10), (3, vec![2.0, 4.0]));
}

#[test]
fn each_attempt_has_the_time_that_is_left() {
    let service = Service {
        patience: Patience {
            all_attempts: Duration::from_secs(10),
            ..Patience::default()
        },
        ..service()
    };
    service
        .transport
        .answers
        .replace(vec![Ok(answer(503, "")), Ok(answer(503, ""))]);
    let mut run = started(&service).unwrap();
    let seconds = |service: &Asked| -> Vec<u64> {
        let within = service.transport.within.take();
        within.iter().map(Duration::as_secs).collect()
    };
    assert_eq!(seconds(&service), [10, 8, 4]);
    // What the server asks for is not counted.
    service
        .transport
        .answers
        .replace(vec![Ok(busy(20)), Ok(busy(30))]);
    started(&service).unwrap();
    assert_eq!(seconds(&service), [10, 10, 10]);
    // The next request has its own time, and more of it where it sends much.
    let mut row = Row::new(0, start());
    for index in 0..20_000 {
        row.set(
            &format!("cka_val/model.layers.{index}.attention.o_proj"),
            0.5,
        );
    }
    run.log(&row);
    pollster::block_on(run.finish(0)).unwrap();
    assert!((20..60).contains(&seconds(&service)[0]));
}

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let service = service();
    let answers = vec![Ok(busy(20)), Ok(answer(503, "")), Ok(busy(1))];
    service.transport.answers.replace(answers);
    assert!(started(&service).is_ok());
    assert_eq!(service.clock.take_waits(), [20.0, 4.0, 8.0]);

    let (error, waits) = refused(vec![Ok(busy(61))]);
    assert!(matches!(error.problem, Problem::Busy { seconds: 61, .. }));
    assert_eq!(waits, [0.0; 0]);
}

#[test]
fn what_asking_again_does_not_change_is_not_asked_again() {
    let error = |answer: Answer| {
        let (error, waits) = refused(vec![Ok(answer)]);
        assert_eq!(waits, [0.0; 0]);
        error.problem
    };
    for status in [401, 403] {
        let problem = error(answer(status, ""));
        assert!(matches!(problem, Problem::KeyRefused { status: told, .. } if told == status));
    }
    let problem = error(answer(404, "no\nsuch"));
    assert!(matches!(problem, Problem::Refused { status: 404, said, .. } if said == "no such"));
    let problem = error(answer(302, ""));
    assert!(matches!(problem, Problem::Refused { status: 302, .. }));
    let denied = r#"{"errors": [{"message": "permission denied"}], "data": null}"#;
    let problem = error(answer(200, denied));
    assert!(matches!(problem, Problem::NotMade { said, .. } if said == "permission denied"));
    for strange in ["<html>", r#"{"data": {}}"#] {
        let problem = error(answer(200, strange));
        assert!(matches!(problem, Problem::NotUnderstood { .. }));
    }
    let impossible = Failure::Impossible("no address".to_owned());
    let (error, _) = refused(vec![Err(impossible)]);
    assert!(matches!(error.problem, Problem::NoRequest { .. }));
}

#[test]
fn rows_that_were_not_accepted_are_sent_again() {
    let mut service = service();
    service.patience.retries = 0;
    let mut run = started(&service).unwrap();
    run.log(&row(0));
    service.transport.answers.replace(vec![Ok(answer(500, ""))]);
    assert!(pollster::block_on(run.pulse()).is_err());
    service.transport.take_asked();
    run.log(&row(1));
    pollster::block_on(run.finish(0)).unwrap();
    let asked = service.transport.take_asked();
    let history = &asked[0].1["files"]["wandb-history.jsonl"];
    assert_eq!(history["offset"], 0);
    assert_eq!(history["content"].as_array().unwrap().len(), 2);
}
