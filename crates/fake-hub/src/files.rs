//! Answering with a file, or a range of it.

use std::sync::Arc;

use ckptscope_loopback::{Request, Response, part_of};

use crate::fault::Fault;

/// 200 with the whole content, 206 with the range asked for, or 416.
pub(crate) fn answer(
    request: &Request,
    content: &Arc<[u8]>,
    tag: &str,
    fault: Option<Fault>,
) -> Response {
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
        None => Response::new(200, content),
        Some(None) => {
            let unsatisfied = Response::new(416, *b"");
            return unsatisfied.with("Content-Range", format!("bytes */{length}"));
        }
        Some(Some(part)) => {
            let stated = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            Response::of_part(206, content, part).with("Content-Range", stated)
        }
    };
    response
        .with("ETag", format!("\"{tag}\""))
        .with("Accept-Ranges", "bytes")
        .with("Content-Type", "application/octet-stream")
}
