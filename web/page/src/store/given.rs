//! What a person gave for a run that is not on this machine.

use ckptscope_protocol::tab::{Remote, Secret};
use leptos::prelude::*;

/// What a person gave. Nothing of it is kept when the tab is closed.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    /// A repository or an address.
    pub place: RwSignal<String>,
    pub token: RwSignal<String>,
    /// The config that a link has for a place, which may need a token first.
    ordered: StoredValue<Option<(String, String)>>,
}

impl Given {
    pub(crate) fn new() -> Self {
        Self {
            place: RwSignal::new(String::new()),
            token: RwSignal::new(String::new()),
            ordered: StoredValue::new(None),
        }
    }

    /// Gives a place that a link names. With a config, its analysis is computed at once.
    pub(crate) fn give(self, place: String, config: Option<String>) {
        let ordered = config.map(|config| (place.clone(), config));
        self.place.set(place);
        self.ordered.set_value(ordered);
    }

    /// What was given, for whoever the token is of, and the config of a link to it.
    ///
    /// # Errors
    /// What is wrong with it before anybody is asked, in words.
    pub(crate) fn remote(self) -> Result<(Remote, Option<String>), String> {
        let place = self.place.get_untracked().trim().to_owned();
        let ordered = self.ordered.get_value();
        let config = ordered.filter(|(of, _)| *of == place);
        let remote = Remote {
            place,
            endpoint: endpoint(),
            token: Secret(self.token.get_untracked().trim().to_owned()),
            ..Remote::default()
        };
        match obstacle(&remote) {
            Some(reason) => Err(reason),
            None => Ok((remote, config.map(|(_, config)| config))),
        }
    }
}

/// What is wrong before anybody is asked.
fn obstacle(remote: &Remote) -> Option<String> {
    let Remote {
        place,
        endpoint,
        token,
        ..
    } = remote;
    if place.is_empty() {
        return Some("Give a repository (OWNER/NAME) or an address to open.".to_owned());
    }
    if !token.is_sendable() {
        return Some("The token has characters that no token has: copy it again.".to_owned());
    }
    if web_sys::Url::new(endpoint).is_err() {
        return Some(format!("This page names a hub that is none: {endpoint}"));
    }
    None
}

/// The hub that the page names.
pub(crate) fn endpoint() -> String {
    let named = document().query_selector("meta[name=hub]").ok().flatten();
    let named = named.and_then(|meta| meta.get_attribute("content"));
    named.unwrap_or_default()
}
