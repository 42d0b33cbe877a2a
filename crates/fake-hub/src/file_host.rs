//! The second origin: large files at signed addresses.

use ckptscope_loopback::{HttpRequest, HttpResponse};

use crate::address::path;
use crate::fault::Fault;
use crate::files;
use crate::signature;
use crate::state::State;

/// Answers a request. A token is none of its business: as the real one, it refuses who signs twice.
pub(crate) fn answer(state: &State, request: &HttpRequest, fault: Option<Fault>) -> HttpResponse {
    if request.header("authorization").is_some() {
        state.saw_a_token_at_the_file_host();
        return refusal(400, "Only one auth mechanism allowed");
    }
    // The real one answers no preflight: only what needs none works in a browser.
    if request.method == "OPTIONS" {
        return refusal(403, "This CORS request is not allowed");
    }
    let id = path(&request.target).trim_start_matches("/repos/");
    if !signature::is_good(state, id, &request.target) {
        return refusal(403, "Request has expired");
    }
    let large = state.repositories.iter().find_map(|it| it.large_file(id));
    let Some(object) = large else {
        return refusal(404, "The specified key does not exist");
    };
    files::answer(request, &object.content, id, fault).with("Access-Control-Allow-Origin", "*")
}

fn refusal(status: u16, message: &str) -> HttpResponse {
    let body = format!("<Error><Message>{message}</Message></Error>");
    HttpResponse::new(status, body.into_bytes()).with("Content-Type", "application/xml")
}
