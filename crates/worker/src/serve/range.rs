//! Parts of files, as `Range` asks for them.

use std::borrow::Cow;
use std::io::SeekFrom;
use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use futures_util::stream;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes of a file that are in memory at a time.
const PIECE_BYTES: u64 = 64 * 1024;

/// What of a file is asked for.
pub(super) struct Asked {
    part: Part,
    /// Length of the file.
    bytes: u64,
    tag: Option<HeaderValue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Some(Range<u64>),
    /// Beyond the end.
    None,
    /// The asking side has it.
    Unchanged,
}

impl Asked {
    /// By a request, of a file of that length; the tag is of its content.
    pub(super) fn of(headers: &HeaderMap, bytes: u64, tag: Option<String>) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let tag = tag.and_then(|tag| HeaderValue::from_str(&format!("\"{tag}\"")).ok());
        let is_tag = |value: &str| {
            tag.as_ref()
                .is_some_and(|tag| value.as_bytes() == tag.as_bytes())
        };
        let part = if text(header::IF_NONE_MATCH).is_some_and(is_tag) {
            Part::Unchanged
        } else if text(header::IF_RANGE).is_some_and(|value| !is_tag(value)) {
            Part::Whole
        } else {
            text(header::RANGE).map_or(Part::Whole, |range| part(range, bytes))
        };
        Self { part, bytes, tag }
    }

    /// Answers with bytes that are here.
    pub(super) fn answer_from_memory(&self, bytes: Cow<'static, [u8]>) -> Response<Body> {
        let bytes = match bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        let range = self.range();
        let [start, end] = [range.start, range.end].map(|at| usize::try_from(at).unwrap_or(0));
        self.answer(Body::from(bytes.slice(start..end)))
    }

    /// Answers with bytes of a file, a piece at a time.
    pub(super) async fn answer_from(&self, mut file: File) -> std::io::Result<Response<Body>> {
        let range = self.range();
        file.seek(SeekFrom::Start(range.start)).await?;
        let pieces = stream::try_unfold(
            (file, range.end - range.start),
            |(mut file, left)| async move {
                let wanted = left.min(PIECE_BYTES);
                let mut piece = vec![0; usize::try_from(wanted).unwrap_or(0)];
                if piece.is_empty() {
                    return Ok(None);
                }
                // A file that has become shorter ends the answer early, which its length then shows.
                file.read_exact(&mut piece).await?;
                std::io::Result::Ok(Some((Bytes::from(piece), (file, left - wanted))))
            },
        );
        Ok(self.answer(Body::from_stream(pieces)))
    }

    fn range(&self) -> Range<u64> {
        match &self.part {
            Part::Whole => 0..self.bytes,
            Part::Some(range) => range.clone(),
            Part::None | Part::Unchanged => 0..0,
        }
    }

    fn answer(&self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = match self.part {
            Part::Whole => StatusCode::OK,
            Part::Some(_) => StatusCode::PARTIAL_CONTENT,
            Part::None => StatusCode::RANGE_NOT_SATISFIABLE,
            Part::Unchanged => StatusCode::NOT_MODIFIED,
        };
        let (range, all) = (self.range(), self.bytes);
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if self.part != Part::Unchanged {
            headers.insert(
                header::CONTENT_LENGTH,
                HeaderValue::from(range.end - range.start),
            );
        }
        let content = match &self.part {
            Part::Some(Range { start, end }) => Some(format!("bytes {start}-{}/{all}", end - 1)),
            Part::None => Some(format!("bytes */{all}")),
            Part::Whole | Part::Unchanged => None,
        };
        if let Some(content) = content.and_then(|content| HeaderValue::from_str(&content).ok()) {
            headers.insert(header::CONTENT_RANGE, content);
        }
        if let Some(tag) = &self.tag {
            headers.insert(header::ETAG, tag.clone());
        }
        response
    }
}

/// What `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH` means of a file. What is none of
/// them, several parts among it, is passed over, which means all of the file.
fn part(range: &str, bytes: u64) -> Part {
    let found = range.strip_prefix("bytes=").and_then(|range| {
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| {
            text.bytes()
                .all(|digit| digit.is_ascii_digit())
                .then(|| text.parse().ok())?
        };
        match (first, last) {
            ("", last) => Some(bytes.saturating_sub(number(last)?)..bytes),
            (first, "") => Some(number(first)?..bytes),
            (first, last) => {
                let (first, last): (u64, u64) = (number(first)?, number(last)?);
                (first <= last).then(|| first..last.saturating_add(1).min(bytes))
            }
        }
    });
    match found {
        Some(range) if range.start < range.end => Part::Some(range),
        Some(_) => Part::None,
        None => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, part};

    #[test]
    fn a_range_is_a_part_of_the_file() {
        assert_eq!(part("bytes=2-4", 10), Part::Some(2..5));
        assert_eq!(part("bytes=2-40", 10), Part::Some(2..10));
        assert_eq!(part("bytes=8-", 10), Part::Some(8..10));
        assert_eq!(part("bytes=-3", 10), Part::Some(7..10));
        assert_eq!(part("bytes=-30", 10), Part::Some(0..10));
        for beyond in ["bytes=10-12", "bytes=10-", "bytes=-0"] {
            assert_eq!(part(beyond, 10), Part::None, "{beyond}");
        }
        for odd in [
            "bytes=0-1,4-5",
            "bytes=4-2",
            "bytes=-",
            "lines=1-2",
            "bytes=+1-2",
        ] {
            assert_eq!(part(odd, 10), Part::Whole, "{odd}");
        }
    }
}
