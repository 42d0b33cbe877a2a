//! Answers to what comes in, with the faults that were injected.

use std::sync::Arc;

use ckptscope_loopback::{Delivery, HttpRequest, HttpResponse, Port};

use crate::api;
use crate::state::{State, WandbFault, WandbRequest};

/// What is read of one request at most.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Answers every connection for as long as the process lives.
pub(crate) fn serve(port: Port, state: Arc<State>) {
    port.answer(LIMIT_BYTES, move |request| answer(request, &state));
}

fn answer(request: &HttpRequest, state: &State) -> HttpResponse {
    let response = match state.fault(request.path()) {
        Some(WandbFault::Status(status)) => HttpResponse::new(status, *b""),
        Some(WandbFault::RateLimited { seconds }) => {
            HttpResponse::new(429, *b"").with("Retry-After", seconds.to_string())
        }
        Some(WandbFault::HangUp) => HttpResponse::new(500, *b"").delivered(Delivery::HangUp),
        Some(WandbFault::LoseAnswer) => api::answer(state, request).delivered(Delivery::HangUp),
        None => api::answer(state, request),
    };
    let is_answered = response.delivery() == Delivery::Whole;
    state.log().push(WandbRequest {
        path: request.path().to_owned(),
        body_bytes: request.body.len(),
        status: is_answered.then_some(response.status),
    });
    response
}
