//! Requests to `worker serve`, each with the type of its answer.

use std::marker::PhantomData;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::service::{
    AnalysisInfo, Health, Matched, NewAnalysis, NewUpload, Rename, RunFiles, RunFound, Sampled,
    Upload, UploadFile,
};

/// A request to `worker serve`. `A` is what it answers as JSON; `()` where nobody reads the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<A> {
    /// The HTTP method.
    pub method: &'static str,
    /// Below the worker's address.
    pub path: String,
    /// What goes with it, as JSON.
    pub body: Option<String>,
    answer: PhantomData<fn() -> A>,
}

impl<A> Call<A> {
    fn new(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            body: None,
            answer: PhantomData,
        }
    }

    fn with(mut self, body: &impl Serialize) -> Self {
        // The types of the interface can be written: their keys are texts.
        self.body = serde_json::to_string(body).ok();
        self
    }

    /// The same request, of which nobody reads the answer.
    #[must_use]
    pub fn unread(self) -> Call<()> {
        Call {
            method: self.method,
            path: self.path,
            body: self.body,
            answer: PhantomData,
        }
    }
}

/// Who answers.
#[must_use]
pub fn health() -> Call<Health> {
    Call::new("GET", "api/health".to_owned())
}

/// The runs in the worker's folders.
#[must_use]
pub fn runs() -> Call<Vec<RunFound>> {
    Call::new("GET", "api/runs".to_owned())
}

/// The files of one of them.
#[must_use]
pub fn run(id: &str) -> Call<RunFiles> {
    Call::new("GET", format!("api/runs/{}", escaped(id)))
}

/// Whether the worker sees files that somebody has.
#[must_use]
pub fn find(sampled: &Sampled) -> Call<Matched> {
    Call::new("POST", "api/matches".to_owned()).with(sampled)
}

/// Begins an upload.
#[must_use]
pub fn begin_upload(upload: &NewUpload) -> Call<Upload> {
    Call::new("POST", "api/uploads".to_owned()).with(upload)
}

/// What has arrived of an upload.
#[must_use]
pub fn upload(id: &str) -> Call<Upload> {
    Call::new("GET", format!("api/uploads/{}", escaped(id)))
}

/// Adds bytes to a file of an upload, behind so many that have arrived. They go with the request
/// as they are.
#[must_use]
pub fn add_to_upload(id: &str, path: &str, offset: u64) -> Call<UploadFile> {
    let parts: Vec<String> = path.split('/').map(escaped).collect();
    let (id, path) = (escaped(id), parts.join("/"));
    Call::new("PUT", format!("api/uploads/{id}/{path}?offset={offset}"))
}

/// Removes what was uploaded.
#[must_use]
pub fn remove_upload(id: &str) -> Call<()> {
    Call::new("DELETE", format!("api/uploads/{}", escaped(id)))
}

/// All analyses, the newest first.
#[must_use]
pub fn analyses() -> Call<Vec<AnalysisInfo>> {
    Call::new("GET", "api/analyses".to_owned())
}

/// Asks for an analysis to be done.
#[must_use]
pub fn begin_analysis(analysis: &NewAnalysis) -> Call<AnalysisInfo> {
    Call::new("POST", "api/analyses".to_owned()).with(analysis)
}

/// How far an analysis is.
#[must_use]
pub fn analysis(id: &str) -> Call<AnalysisInfo> {
    Call::new("GET", path_of(id))
}

/// Calls an analysis something else in lists.
#[must_use]
pub fn rename(id: &str, name: &Rename) -> Call<AnalysisInfo> {
    Call::new("PATCH", path_of(id)).with(name)
}

/// Has an analysis go on that was stopped or failed.
#[must_use]
pub fn resume(id: &str) -> Call<AnalysisInfo> {
    Call::new("POST", format!("{}/resume", path_of(id)))
}

/// Stops an analysis; what is done is kept.
#[must_use]
pub fn cancel(id: &str) -> Call<AnalysisInfo> {
    Call::new("DELETE", path_of(id))
}

/// Removes an analysis and all its files.
#[must_use]
pub fn remove(id: &str) -> Call<()> {
    Call::new("DELETE", format!("{}?remove=true", path_of(id)))
}

/// Where a worker takes a tensor, as a file of safetensors, and answers with its singular values, as
/// [`SpectrumView`](crate::tab::SpectrumView).
pub const SINGULAR_VALUES: &str = "api/singular-values";

/// The path of a file of an analysis, such as `results.json`.
#[must_use]
pub fn file_of(id: &str, name: &str) -> String {
    format!("{}/{name}", path_of(id))
}

fn path_of(id: &str) -> String {
    format!("api/analyses/{}", escaped(id))
}

/// What does not stand for itself: all but unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A name as one segment of a path.
fn escaped(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::{add_to_upload, remove, rename};
    use crate::service::Rename;

    #[test]
    fn names_are_segments() {
        let call = add_to_upload("a b", "c/ü?.pt", 7);
        assert_eq!(call.path, "api/uploads/a%20b/c/%C3%BC%3F.pt?offset=7");
        assert_eq!(remove("x/y").path, "api/analyses/x%2Fy?remove=true");
    }

    #[test]
    fn what_goes_along_is_json() {
        let name = Rename {
            name: "\"a\"".to_owned(),
        };
        let call = rename("1", &name);
        assert_eq!(call.body.as_deref(), Some(r#"{"name":"\"a\""}"#));
        assert_eq!(
            (call.method, call.unread().path.as_str()),
            ("PATCH", "api/analyses/1")
        );
    }
}
