//! Answers to what comes in, with the faults that were injected.

use std::sync::Arc;

use ckptscope_loopback::{Delivery, Port, Request, Response};

use crate::api;
use crate::state::{Fault, Logged, State};

/// What is read of one request at most.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Answers every connection for as long as the process lives.
pub(crate) fn serve(port: Port, state: Arc<State>) {
    port.answer(LIMIT_BYTES, move |request| answer(request, &state));
}

fn answer(request: &Request, state: &State) -> Response {
    let response = match state.fault(request.path()) {
        Some(Fault::Status(status)) => Response::new(status, *b""),
        Some(Fault::RateLimited { seconds }) => {
            Response::new(429, *b"").with("Retry-After", seconds.to_string())
        }
        Some(Fault::HangUp) => Response::new(500, *b"").delivered(Delivery::HangUp),
        Some(Fault::LoseAnswer) => api::answer(state, request).delivered(Delivery::HangUp),
        None => api::answer(state, request),
    };
    let is_answered = response.delivery() == Delivery::Whole;
    state.log().push(Logged {
        path: request.path().to_owned(),
        body_bytes: request.body.len(),
        status: is_answered.then_some(response.status),
    });
    response
}
