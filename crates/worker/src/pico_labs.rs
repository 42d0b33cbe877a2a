//! Numbers for Pico Labs, where a config asks for it, as pico-analyze's client sends them.
//!
//! They are sent when the analysis is complete, from its results, a request for each step. Nothing
//! depends on it: without a key, or where the server does not take them, there is one warning.
//!
//! That client can commit to the git repository around it, and push. Nothing here does, and no
//! facts of a repository are sent either: the one around this program need not be that of the run.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ckptscope_analysis::Config;
use ckptscope_results::Results;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::analysis::counted;
use crate::executor::Executor;
use crate::progress::Reporter;
use crate::wandb::{ANSWER_WITHIN, asked};

/// The server, unless `PICO_BASE_URL` names another.
const BASE_URL: &str = "https://picolabs.space/api/report";

/// How often a request is made again that the server had no time for.
const RETRIES: u32 = 3;

/// The first wait before that; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// A server that asks for a longer wait is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// So much of a refusal is told.
const SAID_CHARACTERS: usize = 200;

/// Why numbers are not at Pico Labs.
#[derive(Debug, Error)]
enum Unsent {
    #[error("there is no key: set PICO_API_KEY")]
    NoKey,
    #[error("PICO_API_KEY has characters that no key has")]
    BadKey,
    #[error("there is no lab: set `lab_hash` in `monitoring.pico_report`, or PICO_LAB_HASH")]
    NoLab,
    #[error("{url} does not accept the key (status {status}): see PICO_API_KEY")]
    KeyRefused { url: String, status: u16 },
    #[error("{url} answered with status {status}: {said}")]
    Refused {
        url: String,
        status: u16,
        said: String,
    },
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("it was interrupted")]
    Interrupted,
}

/// Sends the numbers of an analysis whose config asks for it. What goes wrong is a warning: the
/// results are there.
pub(crate) fn send(
    config: &Config,
    results: &Results,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) {
    if config.monitoring.pico_report.is_none() {
        return;
    }
    let sent = Experiment::of(config, results).and_then(|experiment| {
        let all = executor.block_on(experiment.send(results));
        all.unwrap_or(Err(Unsent::Interrupted))
    });
    match sent {
        Ok(words) => reporter.say(&words),
        Err(unsent) => reporter.warn(&format!("nothing more is sent to Pico Labs: {unsent}")),
    }
}

/// An experiment at the server.
struct Experiment {
    base_url: String,
    authorization: HeaderValue,
    lab_hash: String,
    name: String,
    /// How long a request may take with all its attempts, but for waits that the server asks for.
    within: Duration,
}

impl Experiment {
    /// What the config says goes before the environment.
    fn of(config: &Config, results: &Results) -> Result<Self, Unsent> {
        let report = config.monitoring.pico_report.clone().unwrap_or_default();
        let key = variable("PICO_API_KEY").ok_or(Unsent::NoKey)?;
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| Unsent::BadKey)?;
        authorization.set_sensitive(true);
        let lab_hash = given(&report.lab_hash).or_else(|| variable("PICO_LAB_HASH"));
        let name = given(&report.experiment_name).or_else(|| variable("PICO_EXPERIMENT_NAME"));
        let base_url = variable("PICO_BASE_URL").unwrap_or_else(|| BASE_URL.to_owned());
        Ok(Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            authorization,
            lab_hash: lab_hash.ok_or(Unsent::NoLab)?,
            name: name.unwrap_or_else(|| results.analysis_name.clone()),
            within: ANSWER_WITHIN,
        })
    }

    async fn send(&self, results: &Results) -> Result<String, Unsent> {
        let client = self.client()?;
        self.ask(&client, Method::GET, "/heartbeat", None).await?;
        let experiment = json!({
            "name": self.name,
            "lab_hash": self.lab_hash,
            "config": asked(results),
            "description": null,
            "timestamp": now(),
            "git_commit_sha": null,
            "git_commit_message": null,
            "git_branch": null,
        });
        self.ask(&client, Method::POST, "/experiments", Some(&experiment))
            .await?;
        let steps = numbers_by_step(results);
        for (step, metrics) in &steps {
            let metrics = json!({
                "metrics": metrics,
                "step": step,
                "timestamp": now(),
                "lab_hash": self.lab_hash,
                "experiment_name": self.name,
            });
            self.ask(&client, Method::POST, "/metrics", Some(&metrics))
                .await?;
        }
        Ok(format!(
            "sent to Pico Labs: experiment {}, {}",
            self.name,
            counted(steps.len() as u64, "step")
        ))
    }

    fn client(&self) -> Result<Client, Unsent> {
        // Another part of the program may have chosen one already; that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect would take the key along.
        let built = Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("ckptscope/", env!("CARGO_PKG_VERSION")))
            .build();
        built.map_err(|error| unreachable(&self.base_url, error))
    }

    /// Makes a request until it is accepted, or the server had no time for it often enough.
    async fn ask(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Unsent> {
        let url = format!("{}{path}", self.base_url);
        let mut until = Instant::now() + self.within;
        let mut wait = FIRST_WAIT;
        for attempt in 0..=RETRIES {
            let left = until.saturating_duration_since(Instant::now());
            let request = client.request(method.clone(), &url).timeout(left);
            let mut request = request.header(AUTHORIZATION, self.authorization.clone());
            if let Some(body) = body {
                request = request.header(CONTENT_TYPE, "application/json");
                request = request.body(body.to_string());
            }
            let answer = request.send().await;
            let left = until.saturating_duration_since(Instant::now());
            let is_last = attempt == RETRIES || wait >= left;
            let asked = match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => match asked_wait(&answer) {
                    Some(asked) if !is_last && asked <= LONGEST_WAIT => asked,
                    _ => return Err(refused(url, answer).await),
                },
                Err(error) if is_last || error.is_builder() => {
                    return Err(unreachable(&url, error));
                }
                Err(_) => Duration::ZERO,
            };
            // Who says when to come back is there.
            until += asked;
            tokio::time::sleep(wait.max(asked)).await;
            wait *= 2;
        }
        Ok(())
    }
}

/// How long a server wants no requests that has no time now; none for one that will not change its
/// mind.
fn asked_wait(answer: &Response) -> Option<Duration> {
    let has_no_time = matches!(answer.status().as_u16(), 429 | 500..=599);
    let seconds = answer.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    has_no_time.then(|| Duration::from_secs(seconds.unwrap_or(0)))
}

async fn refused(url: String, answer: Response) -> Unsent {
    let status = answer.status().as_u16();
    if matches!(status, 401 | 403) {
        return Unsent::KeyRefused { url, status };
    }
    let said = answer.text().await.unwrap_or_default();
    let said = said.chars().take(SAID_CHARACTERS);
    let said = said.map(|c| if c.is_control() { ' ' } else { c }).collect();
    Unsent::Refused { url, status, said }
}

fn unreachable(url: &str, error: reqwest::Error) -> Unsent {
    let error = error.without_url();
    Unsent::Unreachable {
        url: url.to_owned(),
        reason: format!("{:#}", anyhow::Error::from(error)),
    }
}

/// The numbers of each step by the names that pico-analyze logs. JSON has no others than those that
/// exist.
fn numbers_by_step(results: &Results) -> BTreeMap<u64, Map<String, Value>> {
    let mut steps: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for (id, point) in results.rows() {
        if let Some(value) = point.number().filter(|value| value.is_finite()) {
            let name = format!("{}/{}", id.entry.stem(), id.key());
            let metrics = steps.entry(point.step).or_default();
            metrics.insert(name, value.into());
        }
    }
    steps
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

fn variable(name: &str) -> Option<String> {
    given(&env::var(name).ok()?)
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use reqwest::Method;
    use reqwest::header::HeaderValue;

    use super::{Experiment, Unsent};

    #[test]
    fn a_server_that_takes_a_request_and_says_nothing_is_given_up() {
        // It accepts connections, and nobody answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let experiment = Experiment {
            base_url: format!("http://{}", listener.local_addr().unwrap()),
            authorization: HeaderValue::from_static("Bearer key"),
            lab_hash: String::new(),
            name: String::new(),
            within: Duration::from_millis(300),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let began = Instant::now();
        let asked = runtime.unwrap().block_on(async {
            let client = experiment.client().unwrap();
            experiment
                .ask(&client, Method::GET, "/heartbeat", None)
                .await
        });
        assert!(
            matches!(asked, Err(Unsent::Unreachable { .. })),
            "{asked:?}"
        );
        // With retries of usual length it would be a minute.
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
