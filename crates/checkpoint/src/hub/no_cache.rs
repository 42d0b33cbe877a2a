//! In a browser there is no cache to share with Python's tools.

use std::rc::Rc;

use super::client::{Commit, FileOfCommit, Refs};
use super::tree::HubFile;
use crate::source::Source;

/// A cache that has nothing.
#[derive(Clone, Debug, Default)]
pub struct Cache;

impl Cache {
    pub(super) fn find(&self, _repository: &str, _file: &HubFile) -> Option<Rc<dyn Source>> {
        None
    }

    pub(super) fn keeps(&self, _repository: &str) -> Option<String> {
        None
    }

    pub(super) fn shown(&self) -> String {
        "nowhere".to_owned()
    }

    pub(super) fn refs(&self, _repository: &str) -> Refs {
        Refs::default()
    }

    pub(super) fn commit(&self, _repository: &str, _revision: &str) -> Option<Commit> {
        None
    }

    pub(super) fn only_commit(&self, _repository: &str) -> Option<Commit> {
        None
    }

    pub(super) fn files(&self, _repository: &str, _commit: &str) -> Vec<FileOfCommit> {
        Vec::new()
    }
}
