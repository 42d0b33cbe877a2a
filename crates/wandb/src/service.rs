//! A W&B server: requests that are made again where that helps.

use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::error::Problem;
use crate::key::Key;
use crate::patience::Patience;
use crate::transport::{Answer, Failure, Outgoing, Transport};

/// A server, whose key, and how to ask it.
#[derive(Clone, Debug)]
pub struct Service<T, C> {
    /// The server's address, without a slash at its end: `https://api.wandb.ai`.
    pub base_url: String,
    /// The account's key.
    pub key: Key,
    /// When to ask and when to give up.
    pub patience: Patience,
    /// Sends requests.
    pub transport: T,
    /// Time.
    pub clock: C,
}

/// What one attempt came to, where another may come to more.
struct Setback {
    reason: String,
    /// How long the server wants no requests.
    wait: Option<Duration>,
}

impl<T: Transport, C: Clock> Service<T, C> {
    /// Posts JSON until it is accepted or patience ends; the answer as JSON.
    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Problem> {
        let body = body.to_string();
        let mut until = self.clock.now() + self.patience.limit(body.len());
        let mut failures = 0;
        loop {
            let request = Outgoing {
                base_url: &self.base_url,
                path,
                key: &self.key,
                body: &body,
                within: until.saturating_sub(self.clock.now()),
            };
            let setback = match self.attempt(request).await? {
                Ok(answer) => return Ok(answer),
                Err(setback) => setback,
            };
            failures += 1;
            let asked = setback.wait.unwrap_or_default();
            if asked > self.patience.longest_wait {
                return Err(Problem::Busy {
                    server: self.base_url.clone(),
                    seconds: asked.as_secs(),
                });
            }
            // Who says when to come back is there.
            until += asked;
            let wait = self.patience.wait(failures).max(asked);
            let left = until.saturating_sub(self.clock.now());
            if failures > self.patience.retries || wait >= left {
                return Err(Problem::GaveUp {
                    server: self.base_url.clone(),
                    attempts: failures,
                    last: setback.reason,
                });
            }
            self.clock.wait(wait).await;
        }
    }

    async fn attempt(&self, request: Outgoing<'_>) -> Result<Result<Value, Setback>, Problem> {
        match self.transport.post(request).await {
            Ok(answer) => self.judge(&answer),
            Err(Failure::Broken(reason)) => Ok(Err(Setback { reason, wait: None })),
            Err(Failure::Impossible(reason)) => Err(Problem::NoRequest {
                server: self.base_url.clone(),
                reason,
            }),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<Result<Value, Setback>, Problem> {
        let server = self.base_url.clone();
        match answer.status {
            200..=299 => match serde_json::from_str(&answer.body) {
                Ok(value) => Ok(Ok(value)),
                Err(_) => Err(Problem::NotUnderstood {
                    server,
                    said: beginning(&answer.body),
                }),
            },
            408 | 429 | 500..=599 => Ok(Err(Setback {
                reason: format!("status {}", answer.status),
                wait: answer.retry_after,
            })),
            401 | 403 => Err(Problem::KeyRefused {
                server,
                status: answer.status,
            }),
            status => Err(Problem::Refused {
                server,
                status,
                said: beginning(&answer.body),
            }),
        }
    }
}

/// The beginning of an answer, on one line.
pub(crate) fn beginning(text: &str) -> String {
    const SHOWN: usize = 200;
    let shown = text.chars().take(SHOWN);
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
