//! Answers to what comes in at either origin, with the faults that were injected.

use std::sync::Arc;
use std::thread;

use ckptscope_loopback::{Delivery, HttpRequest, HttpResponse, Port};

use crate::fault::Fault;
use crate::state::{Logged, Origin, State};
use crate::{api, file_host};

/// A request's lines are not longer together with its body.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// Answers every connection for as long as the process lives.
pub(crate) fn serve(port: Port, origin: Origin, state: Arc<State>) {
    port.answer(LIMIT_BYTES, move |request| answer(request, origin, &state));
}

fn answer(request: &HttpRequest, origin: Origin, state: &State) -> HttpResponse {
    thread::sleep(state.options.delay);
    let fault = state.fault(origin, &request.target);
    let response = match fault {
        Some(Fault::Status(status)) => HttpResponse::new(status, *b""),
        Some(Fault::RateLimited { seconds }) => rate_limited(seconds),
        _ if origin == Origin::Hub => api::answer(state, request, fault),
        _ => file_host::answer(state, request, fault),
    };
    let response = response.delivered(match fault {
        Some(Fault::Truncate) => Delivery::Cut,
        Some(Fault::Stall) => Delivery::Stall,
        Some(Fault::Silence) => Delivery::Silence,
        _ => Delivery::Whole,
    });
    let is_head = request.method == "HEAD";
    state.log().push(Logged {
        origin,
        method: request.method.clone(),
        target: request.target.clone(),
        range: request.header("range").map(str::to_owned),
        authorized: request.header("authorization").is_some(),
        status: response.status,
        body_bytes: if is_head { 0 } else { response.body_bytes() },
    });
    response
}

fn rate_limited(seconds: u64) -> HttpResponse {
    HttpResponse::new(429, *b"")
        .with("RateLimit", format!("\"api\";r=0;t={seconds}"))
        .with("RateLimit-Policy", "\"fixed window\";\"api\";q=500;w=300")
        .with("Access-Control-Allow-Origin", "*")
}
