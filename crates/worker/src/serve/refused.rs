//! What is refused, as those who asked are told.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ckptscope_protocol::ConfigProblem;
use ckptscope_protocol::service::Refusal;

use super::json;
use crate::analysis::Misfit;

/// A request that is not granted.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    refusal: Refusal,
    retry_after_seconds: Option<u64>,
}

impl Refused {
    /// With what is wrong, and what to do.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            status,
            refusal: Refusal {
                message,
                problems: Vec::new(),
            },
            retry_after_seconds: None,
        }
    }

    /// There is no such thing.
    pub(super) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// The request makes no sense.
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// With what is wrong with a config.
    pub(super) fn with_problems(mut self, problems: Vec<ConfigProblem>) -> Self {
        self.refusal.problems = problems;
        self
    }

    /// It may be asked again then.
    pub(super) const fn after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Something on this machine that should work did not.
    pub(super) fn failed(error: &anyhow::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
    }

    /// An analysis that cannot be planned.
    pub(super) fn unplanned(error: &anyhow::Error) -> Self {
        let refused = Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}"));
        match error.downcast_ref::<Misfit>() {
            Some(misfit) => refused.with_problems(misfit.problems.clone()),
            None => refused,
        }
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(&error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &self.refusal);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
