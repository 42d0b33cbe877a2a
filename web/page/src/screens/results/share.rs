//! The dialog that makes a link.

use ckptscope_results::Results;
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use leptos::html::{Dialog, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::link::{Link, LinkSource, MARK, MOST_CHARACTERS};
use crate::save;
use crate::screens::dialog::show_modal;
use crate::screens::readout;
use crate::store::State;
use crate::store::identity::last_part;

/// A link that was made.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    address: String,
    /// Characters behind the mark.
    length: usize,
}

/// What the dialog shows.
#[derive(Clone, Copy)]
struct Sharing {
    is_open: RwSignal<bool>,
    has_results: RwSignal<bool>,
    /// How long the link with the results would be, where that is too long.
    too_long: RwSignal<Option<usize>>,
    made: RwSignal<Option<Result<Made, String>>>,
    /// What came of copying.
    copied: RwSignal<Option<Result<(), String>>>,
}

/// A button, and the dialog it opens.
#[component]
pub(super) fn Share() -> impl IntoView {
    let state = State::here();
    let sharing = Sharing {
        is_open: RwSignal::new(false),
        has_results: RwSignal::new(true),
        too_long: RwSignal::new(None),
        made: RwSignal::new(None),
        copied: RwSignal::new(None),
    };
    let content_view = RwSignal::new(None::<fn(Sharing) -> AnyView>);
    let missing = RwSignal::new(None::<String>);
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let is_open = sharing.is_open.get();
        if let Some(dialog) = dialog.get() {
            show_modal(&dialog, is_open);
        }
    });
    let open = move |_| {
        sharing.has_results.set(true);
        sharing.too_long.set(None);
        sharing.is_open.set(true);
        spawn_local(async move {
            match begin!(begin_sharing(state, sharing)) {
                Ok(content) => content_view.set(Some(content)),
                Err(reason) => missing.set(Some(reason.to_string())),
            }
        });
    };
    let content = move || match content_view.get() {
        Some(content) => Some(content(sharing)),
        None => missing
            .get()
            .map(|reason| view! { <p class="failure" role="alert">{reason}</p> }.into_any()),
    };
    view! {
        <Show when=move || state.analysis.results.with(Option::is_some)>
            <button data-test="share" on:click=open>"Share"</button>
        </Show>
        <dialog
            class="share"
            node_ref=dialog
            aria-label="share a link"
            data-test="share-dialog"
            on:close=move |_| sharing.is_open.set(false)
        >
            {move || sharing.is_open.get().then_some(content)}
        </dialog>
    }
}

/// Makes a link, and gives what shows it.
#[cfg_attr(
    feature = "split",
    wasm_split(links, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn begin_sharing(state: State, sharing: Sharing) -> Result<fn(Sharing) -> AnyView, MissingPart> {
    sharing.make(state);
    Ok(|sharing| view! { <Content sharing/> }.into_any())
}

#[component]
fn Content(sharing: Sharing) -> impl IntoView {
    let state = State::here();
    let choose = move |has_results| {
        sharing.has_results.set(has_results);
        sharing.make(state);
    };
    let option = move |value: bool, words: &'static str, test: &'static str| {
        view! {
            <label>
                <input
                    type="radio"
                    name="share"
                    data-test=test
                    prop:checked=move || sharing.has_results.get() == value
                    disabled=move || value && sharing.too_long.get().is_some()
                    on:change=move |_| choose(value)
                />
                {words}
            </label>
        }
    };
    let close = move |_| sharing.is_open.set(false);
    view! {
        <header>
            <h3>"Share a link"</h3>
            <button data-test="share-close" on:click=close>"Close"</button>
        </header>
        <div class="options" role="radiogroup" aria-label="what the link carries">
            {option(true, "with the results: opens at once, without computing", "share-with")}
            {option(false, "without: the config and how it is shown; computed again when it is opened", "share-without")}
        </div>
        {move || sharing.too_long.get().map(|length| view! { <TooLong length/> })}
        <Outcome sharing/>
        <ShortLink/>
        <p class="label">
            "The link itself holds everything: nothing is uploaded. It carries the config, the names of \
             the run and its parts, the numbers if you choose so, and how they are shown — no files, \
             and no token."
            {local_note(state)}
        </p>
    }
}

fn local_note(state: State) -> Option<String> {
    match state.link_source() {
        LinkSource::Files { name } => Some(format!(
            " The files of {name} stay with you: whoever opens the link needs them to compute anything."
        )),
        LinkSource::Remote { place, .. } => {
            Some(format!(" Whoever opens the link reads from {place}."))
        }
        LinkSource::Demo => None,
    }
}

/// The link, or why there is none.
#[component]
fn Outcome(sharing: Sharing) -> impl IntoView {
    move || match sharing.made.get() {
        None => view! { <p class="label" role="status">"making the link …"</p> }.into_any(),
        Some(Err(reason)) => view! { <p class="failure" role="alert">{reason}</p> }.into_any(),
        Some(Ok(made)) => view! { <Ready made sharing/> }.into_any(),
    }
}

/// Where the analysis is on a worker: the link that leads there.
#[component]
fn ShortLink() -> impl IntoView {
    let state = State::here();
    let copied = RwSignal::new(None::<Result<(), String>>);
    let content = move |link: String| {
        let text = link.clone();
        let copy = move |_| {
            let text = text.clone();
            spawn_local(async move {
                let outcome = save::copy(&text).await;
                copied.set(Some(outcome));
            });
        };
        let words = move || match copied.get() {
            None => "Copy",
            Some(Ok(())) => "Copied",
            Some(Err(_)) => "Not allowed: select it",
        };
        view! {
            <div class="short-link" data-test="share-short">
                <span>"Or a short link to it on the worker, for people who reach the worker (and have its token):"</span>
                <div class="row">
                    <code data-test="share-short-link">{link}</code>
                    <button data-test="share-short-copy" on:click=copy><span aria-live="polite">{words}</span></button>
                </div>
            </div>
        }
    };
    move || state.short_link().map(content)
}

#[component]
fn TooLong(length: usize) -> impl IntoView {
    let words = format!(
        "The numbers do not fit: the link would have {} characters, and chat programs and servers cut \
         off what has more than {}. Save the results file instead (Save, then JSON): it can be opened \
         here again, by dropping it, or from the web with #results=ADDRESS. The link below computes \
         again what it shows.",
        readout::count(length as u64),
        readout::count(MOST_CHARACTERS as u64),
    );
    view! { <p class="notice" data-test="share-too-long">{words}</p> }
}

#[component]
fn Ready(made: Made, sharing: Sharing) -> impl IntoView {
    let field = NodeRef::<Textarea>::new();
    let text = StoredValue::new(made.address.clone());
    let copy = move |_| {
        spawn_local(async move {
            let outcome = save::copy(&text.get_value()).await;
            if outcome.is_err()
                && let Some(field) = field.get_untracked()
            {
                // Selected, so that the person can copy it with the keyboard.
                let _ = field.focus();
                field.select();
            }
            sharing.copied.set(Some(outcome));
        });
    };
    let said = move || {
        sharing.copied.get().map(|outcome| match outcome {
            Ok(()) => "copied".to_owned(),
            Err(_) => "the browser did not allow it: the link is selected, press Ctrl+C".to_owned(),
        })
    };
    let length = format!(
        "{} characters",
        readout::count(made.address.chars().count() as u64)
    );
    view! {
        <textarea
            readonly
            rows="4"
            aria-label="the link"
            data-test="share-link"
            node_ref=field
            prop:value=made.address
            on:focus=move |_| {
                if let Some(field) = field.get_untracked() {
                    field.select();
                }
            }
        ></textarea>
        <div class="row">
            <button class="primary" data-test="share-copy" on:click=copy>"Copy"</button>
            <span class="label" data-test="share-length">{length}</span>
            <span class="label" role="status" data-test="share-copied">{said}</span>
        </div>
    }
}

impl Sharing {
    /// Makes the link as it is wanted now.
    fn make(self, state: State) {
        self.made.set(None);
        self.copied.set(None);
        let has_results = self.has_results.get_untracked();
        spawn_local(async move {
            let made = made(state, has_results).await;
            if self.has_results.get_untracked() != has_results {
                return;
            }
            match made {
                Ok(Made { length, .. }) if has_results && length > MOST_CHARACTERS => {
                    self.too_long.set(Some(length));
                    self.has_results.set(false);
                    self.make(state);
                }
                made => self.made.set(Some(made)),
            }
        });
    }
}

async fn made(state: State, has_results: bool) -> Result<Made, String> {
    let results = state.analysis.with_numbers();
    let results = results.ok_or("there are no results to share")?;
    let link = Link {
        source: state.link_source(),
        config: results.config.clone(),
        choices: untrack(move || state.view.choices()),
        results: has_results.then(|| Results {
            source: last_part(&results.source),
            ..results
        }),
    };
    let text = link.encode().await.map_err(|error| error.to_string())?;
    Ok(Made {
        length: text.len(),
        address: format!("{}{MARK}{text}", here()),
    })
}

/// The page's address without what stands behind `#`.
fn here() -> String {
    let address = window().location().href().unwrap_or_default();
    let end = address.find('#').unwrap_or(address.len());
    address.get(..end).unwrap_or_default().to_owned()
}
