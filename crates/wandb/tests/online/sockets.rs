//! Against a server on loopback, through sockets.

use std::net::TcpListener;
use std::path::Path;

use ckptscope_fake_wandb::{ENTITY, FakeWandb, KEY, ReceivedRun, WandbFault, WandbRule};
use ckptscope_wandb::{Key, OnlineRun, Patience, Problem, Run, Service, Sockets, UploadError};
use serde_json::json;

use crate::{NotedClock, row, run};

/// Sends a run of three rows to a server, each row as a request of its own; the waits.
fn send(base_url: &str, key: &str, run: &Run) -> (Result<(), UploadError>, Vec<f64>) {
    let service = Service {
        base_url: base_url.to_owned(),
        key: Key::new(key).unwrap(),
        patience: Patience::default(),
        transport: Sockets::new().unwrap(),
        clock: NotedClock::default(),
    };
    let sent = async {
        let mut online = OnlineRun::start(&service, run, Path::new("offline")).await?;
        for step in [0, 1, 2] {
            online.log(&row(step));
            online.pulse().await?;
            service.clock.pass(15);
        }
        online.finish(0).await
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let sent = runtime.unwrap().block_on(sent);
    (sent, service.clock.take_waits())
}

fn faulty(contains: &str, skip: usize, times: usize, fault: WandbFault) -> FakeWandb {
    let fake = FakeWandb::start().unwrap();
    let contains = contains.to_owned();
    fake.inject(WandbRule {
        contains,
        skip,
        times,
        fault,
    });
    fake
}

#[track_caller]
fn assert_whole(received: &ReceivedRun) {
    assert_eq!(received.entity, ENTITY);
    assert_eq!(
        (received.project.as_str(), received.display_name.as_str()),
        ("project", "a run")
    );
    assert_eq!(json!(received.config), json!({"lr": {"value": 0.5}}));
    let steps: Vec<_> = received.history.iter().map(|row| &row["_step"]).collect();
    assert_eq!(steps, [0, 1, 2]);
    assert_eq!(
        json!(received.history[1]),
        json!({"loss": 0.5, "_step": 1, "_runtime": 1.0, "_timestamp": 1_800_000_001.0})
    );
    assert_eq!(received.summary["_step"], 2);
    assert_eq!((received.exit_code, received.is_complete), (Some(0), true));
}

/// Sends the run, which arrives whole whatever the server does meanwhile; the waits.
fn arrives(fake: &FakeWandb) -> Vec<f64> {
    let run = run();
    let (sent, waits) = send(fake.base_url(), KEY, &run);
    sent.unwrap();
    assert_whole(&fake.run(run.id.as_str()).unwrap());
    waits
}

#[test]
fn a_run_arrives() {
    let fake = FakeWandb::start().unwrap();
    assert_eq!(arrives(&fake), [0.0; 0]);
    let log = fake.take_log();
    assert_eq!(log.len(), 5);
    assert!(log.iter().all(|request| request.status == Some(200)));
}

#[test]
fn a_run_arrives_though_the_server_wants_a_pause() {
    for path in ["graphql", "file_stream"] {
        let fake = faulty(path, 0, 1, WandbFault::RateLimited { seconds: 7 });
        assert_eq!(arrives(&fake), [7.0], "{path}");
    }
}

#[test]
fn a_run_arrives_though_the_server_fails_twice() {
    for path in ["graphql", "file_stream"] {
        for fault in [
            WandbFault::Status(500),
            WandbFault::Status(503),
            WandbFault::HangUp,
        ] {
            assert_eq!(
                arrives(&faulty(path, 0, 2, fault)),
                [2.0, 4.0],
                "{path} {fault:?}"
            );
        }
    }
}

#[test]
fn rows_do_not_arrive_twice_where_an_answer_is_lost() {
    assert_eq!(
        arrives(&faulty("file_stream", 1, 1, WandbFault::LoseAnswer)),
        [2.0]
    );
}

#[test]
fn a_server_that_dies_in_the_middle_is_given_up() {
    let fake = faulty("file_stream", 1, usize::MAX, WandbFault::HangUp);
    let run = run();
    let (sent, waits) = send(fake.base_url(), KEY, &run);
    let error = sent.unwrap_err();
    assert!(matches!(error.problem, Problem::GaveUp { attempts: 6, .. }));
    assert!(error.to_string().contains("`wandb sync offline`"));
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0]);
    let received = fake.run(run.id.as_str()).unwrap();
    assert_eq!((received.history.len(), received.is_complete), (1, false));
}

#[test]
fn where_nobody_listens_it_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (sent, _) = send(&base_url, KEY, &run());
    let told = sent.unwrap_err().to_string();
    assert!(
        told.contains(&base_url) && told.contains("6 attempts"),
        "{told}"
    );
}

#[test]
fn a_wrong_key_is_told_and_not_shown() {
    let fake = FakeWandb::start().unwrap();
    let (sent, _) = send(fake.base_url(), "wrong-key", &run());
    let error = sent.unwrap_err();
    assert!(matches!(
        error.problem,
        Problem::KeyRefused { status: 401, .. }
    ));
    assert!(!format!("{error} {error:?}").contains("wrong-key"));
}

#[test]
fn an_entity_that_is_not_there_is_told_in_the_servers_words() {
    let fake = FakeWandb::start().unwrap();
    let mut run = run();
    run.entity = Some("nobody".to_owned());
    let (sent, _) = send(fake.base_url(), KEY, &run);
    let problem = sent.unwrap_err().problem;
    assert!(matches!(problem, Problem::NotMade { said, .. } if said.contains("nobody")));
}
