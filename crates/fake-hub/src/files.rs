//! Answering with a file, or a range of it.

use std::sync::Arc;

use ckptscope_loopback::{HttpRequest, HttpResponse, part_of};

use crate::fault::Fault;

/// 200 with the whole content, 206 with the range asked for, or 416.
pub(crate) fn answer(
    request: &HttpRequest,
    content: &Arc<[u8]>,
    tag: &str,
    fault: Option<Fault>,
) -> HttpResponse {
    let length = content.len();
    let (content, tag) = if fault == Some(Fault::Changed) {
        (vec![0; length].into(), format!("{tag}-changed"))
    } else {
        (Arc::clone(content), tag.to_owned())
    };
    let range = request
        .header("range")
        .filter(|_| fault != Some(Fault::IgnoreRange));
    let response = match range.map(|text| part_of(length as u64, text)) {
        None => HttpResponse::new(200, content),
        Some(None) => {
            let unsatisfied = HttpResponse::new(416, *b"");
            return unsatisfied.with("Content-Range", format!("bytes */{length}"));
        }
        Some(Some(part)) => {
            let stated = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            HttpResponse::of_part(206, content, part).with("Content-Range", stated)
        }
    };
    response
        .with("ETag", format!("\"{tag}\""))
        .with("Accept-Ranges", "bytes")
        .with("Content-Type", "application/octet-stream")
}
