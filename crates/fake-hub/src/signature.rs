//! Signed addresses of large files.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::address::query;
use crate::object::hexadecimal;
use crate::state::State;

/// The address of a large file at the file host, good for a while.
pub(crate) fn signed(state: &State, id: &str) -> String {
    let expires = now() + state.options.signature_seconds;
    let signature = signature(state, id, expires);
    format!(
        "{}/repos/{id}?response-content-disposition=inline&Expires={expires}&Signature={signature}&Key-Pair-Id=FAKE",
        state.file_host
    )
}

/// Whether an address was signed here, and is still good.
pub(crate) fn is_good(state: &State, id: &str, target: &str) -> bool {
    let expires = query(target, "Expires").and_then(|seconds| seconds.parse().ok());
    let Some(expires) = expires.filter(|expires| *expires > now()) else {
        return false;
    };
    query(target, "Signature") == Some(signature(state, id, expires))
}

fn signature(state: &State, id: &str, expires: u64) -> String {
    let text = format!("{} {id} {expires}", state.signing_period());
    hexadecimal(&Sha256::digest(text))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
