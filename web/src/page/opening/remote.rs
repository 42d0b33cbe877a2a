//! The way to a run on the Hugging Face Hub, or at any address.

use ckptscope_checkpoint::http::{Token, Url, url::decoded};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::message::{Remote, Secret};
use crate::page::begin::{self, Wanted};
use crate::page::state::{State, Wish};
use crate::run_place::RunPlace;

/// What a person gave. Nothing of it is kept when the tab is closed.
#[derive(Clone, Copy)]
pub(in crate::page) struct Given {
    /// A repository or an address.
    place: RwSignal<String>,
    token: RwSignal<String>,
    /// The config that a link has for a place, which may need a token first.
    ordered: StoredValue<Option<(String, String)>>,
}

impl Given {
    pub(in crate::page) fn new() -> Self {
        Self {
            place: RwSignal::new(String::new()),
            token: RwSignal::new(String::new()),
            ordered: StoredValue::new(None),
        }
    }
}

/// Opens a run on the Hub or at an address. With a config, its analysis is computed at once.
pub(in crate::page) async fn open(state: State, wish: Wish, place: String, config: Option<String>) {
    let ordered = config.map(|config| (place.clone(), config));
    state.given.place.set(place);
    state.given.ordered.set_value(ordered);
    open_given(state, wish).await;
}

/// Opens what was given, for whoever the token is of.
pub(in crate::page) async fn open_given(state: State, wish: Wish) {
    let given = state.given;
    let place = given.place.get_untracked().trim().to_owned();
    let ordered = given.ordered.get_value();
    let config = ordered.filter(|(of, _)| *of == place);
    let remote = Remote {
        place,
        endpoint: endpoint(),
        token: Secret(given.token.get_untracked().trim().to_owned()),
        ..Remote::default()
    };
    if let Some(reason) = obstacle(&remote) {
        return wish.fail(&reason);
    }
    let place = RunPlace::Remote(Box::new(remote));
    wish.open(place, config.map(|(_, config)| config)).await;
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
    if !token.0.is_empty() && Token::new(&token.0).is_none() {
        return Some("The token has characters that no token has: copy it again.".to_owned());
    }
    if Url::parse(endpoint).is_none() {
        return Some(format!("This page names a hub that is none: {endpoint}"));
    }
    None
}

/// The hub that the page names.
pub(in crate::page) fn endpoint() -> String {
    let named = document().query_selector("meta[name=hub]").ok().flatten();
    let named = named.and_then(|meta| meta.get_attribute("content"));
    named.unwrap_or_default()
}

/// What `#repo=OWNER/NAME&branch=REVISION` asks for.
pub(in crate::page) fn asked_for(hash: &str) -> Option<String> {
    let mut pairs = hash.strip_prefix('#')?.split('&');
    let value = |pair: &str, key: &str| {
        let value = pair.strip_prefix(key)?.strip_prefix('=')?;
        Some(decoded(value)).filter(|value| !value.is_empty())
    };
    let repository = value(pairs.next()?, "repo")?;
    let branch = pairs.find_map(|pair| value(pair, "branch"));
    Some(match branch {
        Some(branch) => format!("{repository}@{branch}"),
        None => repository,
    })
}

/// Fields for a place and a token.
#[component]
pub(super) fn RemoteFields() -> impl IntoView {
    let state = State::here();
    let given = state.given;
    let open = move |event: SubmitEvent| {
        event.prevent_default();
        let place = given.place.get_untracked();
        begin::open(state, Wanted::Place(place));
    };
    view! {
        <div class="remote" on:click=|event| event.stop_propagation()>
            <label class="label" for="remote-place">"Hugging Face repository or address"</label>
            <form class="row" on:submit=open>
                <input
                    id="remote-place"
                    type="text"
                    placeholder="owner/name"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    data-test="remote-place"
                    prop:value=given.place
                    on:input=move |event| given.place.set(event_target_value(&event))
                />
                <button type="submit" data-test="remote-open">"Open"</button>
            </form>
            <details>
                <summary data-test="remote-more">"Private or gated? What can be opened?"</summary>
                <label>
                    "Token"
                    <input
                        type="password"
                        autocomplete="off"
                        data-test="remote-token"
                        prop:value=given.token
                        on:input=move |event| given.token.set(event_target_value(&event))
                    />
                </label>
                <span class="label">
                    "Kept in this tab only, and sent to the Hub itself only. It is never in links, results or \
                     addresses."
                </span>
                <span class="label">
                    "A repository ("<code>"owner/name"</code>"), with a branch, tag, commit or pattern of them ("
                    <code>"owner/name@revision"</code>", "<code>"owner/name@step{N}"</code>
                    "), an address of it in the browser, or any address of a checkpoint file whose server allows \
                     ranges and other sites to read (CORS)."
                </span>
            </details>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::asked_for;

    #[test]
    fn a_link_typed_by_hand() {
        let asked = |hash| asked_for(hash);
        assert_eq!(asked("#repo=a/b").as_deref(), Some("a/b"));
        assert_eq!(asked("#repo=a%2Fb&branch=c/d").as_deref(), Some("a/b@c/d"));
        assert_eq!(asked("#repo=a/b&x=y&branch=c").as_deref(), Some("a/b@c"));
        assert_eq!(asked("#repo="), None);
        assert_eq!(asked("#a=xyz"), None);
    }
}
