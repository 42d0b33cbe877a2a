//! Why a browser gets no answer for a file at any address, as far as it can be told.
//!
//! A browser says the same of a server that is not there and of one that does not allow other
//! sites to read. Two more requests tell them apart: one whose answer nobody may read, which fails
//! only where nobody answers, and one without a range, which succeeds where only ranges are
//! refused.

use ckptscope_checkpoint::http::{HttpError, Url};

use super::fetching::{is_there, status_of_whole};

/// In words, with what to try.
pub(super) async fn of(url: &Url, error: &HttpError) -> String {
    let host = url.host();
    if let Some(status) = status_of_whole(url).await {
        return match status {
            200..=299 => format!(
                "{host} lets other sites read the file (CORS), but not by ranges: a request with a \
                 Range header fails. Download the file and drop it here."
            ),
            status => format!("{host} answered with status {status}"),
        };
    }
    if is_there(url).await {
        return format!(
            "{host} does not let other sites read the file: it sends no Access-Control-Allow-Origin \
             (CORS). Whether it allows ranges cannot be told from here. Download the file and drop \
             it here, or have the server allow it."
        );
    }
    let mixed = match url.origin().starts_with("http:") {
        true => " (a page at https: may not read from http:)",
        false => "",
    };
    format!("{error}. Check the address and the connection{mixed}.")
}
