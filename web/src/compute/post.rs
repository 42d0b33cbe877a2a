//! Answers on their way to the page.

use trainscope_analysis::protocol::Event;
use wasm_bindgen::JsCast;
use web_sys::DedicatedWorkerGlobalScope;

use crate::message::{Answer, Reply};

/// Answers a question.
pub(super) fn reply(number: u64, answer: Answer) {
    // Both can fail only where the page is gone, and then nobody listens.
    if let Ok(text) = serde_json::to_string(&Reply { number, answer }) {
        let _ = scope().post_message(&text.into());
    }
}

/// Most records that wait to go out together.
const RECORDS: usize = 500;

/// The longest that they wait, where a step takes longer.
const MILLISECONDS: f64 = 30.0;

/// Events that go out together, so that the page has time to draw between them.
pub(super) struct Outbox {
    number: u64,
    waiting: Vec<Event>,
    last: f64,
}

impl Outbox {
    /// For the answers to one question.
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            waiting: Vec::new(),
            last: now(),
        }
    }

    /// Adds an event; what waits goes out when it is much, or has waited long.
    pub(super) fn add(&mut self, event: Event) {
        self.waiting.push(event);
        if self.waiting.len() >= RECORDS || now() - self.last >= MILLISECONDS {
            self.flush();
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let events = std::mem::take(&mut self.waiting);
            reply(self.number, Answer::Events { events });
        }
        self.last = now();
    }
}

/// Milliseconds, from when the worker began.
pub(super) fn now() -> f64 {
    scope()
        .performance()
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}

pub(super) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}
