//! What the page's address asks for: an analysis in a link, or a results file somewhere.

use ckptscope_results::Results;
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use js_sys::Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Response};

use super::native_worker::fetching::look_at_address;
use super::native_worker::views::open_linked;
use crate::choices::Choices;
use crate::fetch;
use crate::link::stream::collected;
use crate::link::{Link, LinkSource, MARK};
use crate::store::address::{self, ANALYSIS_MARK, RESULTS_MARK, unescaped};
use crate::store::arrival::{Awaited, Notice};
use crate::store::open_request::OpenRequest;
use crate::store::{OpenTask, State};

/// The largest results file that is fetched.
const MOST_BYTES: usize = 500_000_000;

/// Opens what the address asks for, now and whenever it changes.
pub(super) fn follow_address(state: State) {
    look(state);
    let listener = window_event_listener(leptos::ev::hashchange, move |_| look(state));
    on_cleanup(move || listener.remove());
    Effect::new(move |_| {
        if state.opened.with(Option::is_some) {
            meet(state);
        }
    });
}

/// Opens what the part of the address behind `#` asks for.
#[cfg_attr(
    feature = "split",
    wasm_split(links, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
#[expect(clippy::needless_pass_by_value, reason = "it goes to another part")]
pub(super) fn open(state: State, task: OpenTask, hash: String) -> Result<(), MissingPart> {
    let hash = address::without_trail(&hash).to_owned();
    spawn_local(async move {
        if let Some(place) = address::repository(&hash) {
            state.arrival.dismiss();
            return task.open_remote(place, None).await;
        }
        if let Some(id) = hash.strip_prefix(ANALYSIS_MARK) {
            let begun = begin!(open_linked(state, task, unescaped(id)));
            return begun.unwrap_or_else(|missing| task.fail(&missing));
        }
        let opened = match hash.strip_prefix(RESULTS_MARK) {
            Some(address) => open_results(state, &unescaped(address), task).await,
            None => {
                let text = hash.strip_prefix(MARK).unwrap_or_default();
                open_link(state, text, task).await
            }
        };
        if let Err(message) = opened {
            fail(state, task, &message);
        }
    });
    Ok(())
}

fn fail(state: State, task: OpenTask, message: &str) {
    if task.is_wanted() {
        state.arrival.dismiss();
        task.fail(&message);
    }
}

async fn open_link(state: State, text: &str, task: OpenTask) -> Result<(), String> {
    let link = Link::decode(text).await;
    if !task.is_wanted() {
        return Ok(());
    }
    let link = link.map_err(|error| error.to_string())?;
    match (link.results, link.source) {
        (Some(results), source) => {
            show(state, results, "a link", link.choices);
            state.origin.set_value(Some(source));
        }
        (None, LinkSource::Remote { place, .. }) => {
            state.arrival.dismiss();
            state.view.take(link.choices);
            task.open_remote(place, Some(link.config)).await;
        }
        (None, LinkSource::Demo) => {
            state.arrival.dismiss();
            state.view.take(link.choices);
            task.open_demo(Some(link.config)).await;
        }
        (None, LinkSource::Files { name }) => {
            let awaited = Awaited {
                name,
                config: link.config,
                choices: link.choices,
                is_config: false,
            };
            state.close();
            state.arrival.wait_for(awaited);
        }
    }
    Ok(())
}

async fn open_results(state: State, address: &str, task: OpenTask) -> Result<(), String> {
    let file = fetched(task, address).await?;
    if !task.is_wanted() {
        return Ok(());
    }
    task.tell(address.to_owned(), None);
    let answer = state.web_workers.read_results(&file).await;
    if !task.is_wanted() {
        return Ok(());
    }
    let results = answer.map_err(|message| format!("{address}: {message}"))?;
    let choices = untrack(|| state.view.choices());
    show(state, results, address, choices);
    Ok(())
}

/// Shows results that were not computed here; a run that is open is closed.
fn show(state: State, results: Results, from: &str, choices: Choices) {
    let (name, config) = (results.source.clone(), results.config.clone());
    state.show_results(results);
    state.view.take(choices);
    state.ask.text.set(config);
    state.arrival.bring(&name, from);
}

/// A run was opened: the one that a link was made of computes as the link says.
fn meet(state: State) {
    let name = state
        .opened
        .with_untracked(|opened| opened.as_ref().map(|opened| opened.run.name.clone()));
    match state.arrival.notice.get_untracked() {
        Some(Notice::Awaited(awaited)) if awaited.is_config => {
            state.arrival.dismiss();
            spawn_local(async move {
                let _ = begin!(ask_config(state, awaited.config));
            });
        }
        Some(Notice::Awaited(awaited)) if Some(&awaited.name) == name.as_ref() => {
            use_awaited(state, *awaited);
        }
        Some(Notice::Awaited(_)) | None => {}
        Some(Notice::Brought { .. }) => state.arrival.leave(),
    }
}

fn use_awaited(state: State, awaited: Awaited) {
    state.arrival.dismiss();
    state.view.take(awaited.choices);
    // The run is open, so that part of the program is there.
    spawn_local(async move {
        let _ = begin!(compute(state, awaited.config));
    });
}

/// Has what the address asks for opened.
fn look(state: State) {
    look_at_address(state);
    let hash = window().location().hash().unwrap_or_default();
    if address::asks_for_something(&hash) {
        state.open(OpenRequest::Address(hash));
    }
}

#[cfg_attr(
    feature = "split",
    wasm_split(workbench, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn compute(state: State, config: String) -> Result<(), MissingPart> {
    spawn_local(async move {
        state.ask.check_text(config).await;
        state.run();
    });
    Ok(())
}

/// Asks what a config says, and computes nothing yet.
#[cfg_attr(
    feature = "split",
    wasm_split(workbench, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn ask_config(state: State, config: String) -> Result<(), MissingPart> {
    state.ask.replace(config);
    Ok(())
}

/// A whole results file, with its size shown while it comes.
async fn fetched(task: OpenTask, address: &str) -> Result<Blob, String> {
    let unreachable = |_| {
        format!(
            "{address} could not be fetched: the server cannot be reached, or it does not allow \
             other sites to read from it (CORS). Download the file and drop it here."
        )
    };
    let response = JsFuture::from(fetch::request(address))
        .await
        .map_err(unreachable)?;
    let response: Response = wasm_bindgen::JsCast::unchecked_into(response);
    match response.status() {
        _ if response.ok() => {}
        404 | 410 => {
            return Err(format!(
                "there is no file at {address} (the server answered 404)"
            ));
        }
        status => {
            return Err(format!(
                "{address} could not be fetched: the server answered {status}"
            ));
        }
    }
    let length = response.headers().get("content-length").ok().flatten();
    let length: Option<u64> = length.and_then(|length| length.parse().ok());
    let stream = response
        .body()
        .ok_or_else(|| format!("the file at {address} is empty"))?;
    let progress = |bytes: usize| {
        let bytes = bytes as u64;
        // Packed on the way, it is longer than it was said to be.
        let of = length.unwrap_or_default().max(bytes);
        task.tell(address.to_owned(), Some((bytes, of)));
    };
    match collected(&stream, MOST_BYTES, progress).await {
        Ok(Some(bytes)) => {
            let text = std::str::from_utf8(&bytes).ok();
            let file =
                text.and_then(|text| Blob::new_with_str_sequence(&Array::of1(&text.into())).ok());
            file.ok_or_else(|| format!("the file at {address} is no results file: it is not text"))
        }
        Ok(None) => Err(format!(
            "the file at {address} has more than {} MB, which no results file has",
            MOST_BYTES / 1_000_000
        )),
        Err(_) => Err(format!(
            "{address} came only in part: the connection was lost; try again"
        )),
    }
}

/// Says what came with the address, where that needs saying.
#[component]
pub(super) fn ArrivalNotice() -> impl IntoView {
    let arrival = State::here().arrival;
    let dismiss = move |_| arrival.dismiss();
    let words = move |notice: Notice| {
        match notice {
        Notice::Brought { name, from } => view! {
            <span>
                "Results of "<b>{name}</b>", from "{from}". Nothing was computed here; open the run itself to \
                 compute again."
            </span>
        }
        .into_any(),
        Notice::Awaited(awaited) => view! { <AwaitedNotice awaited=*awaited/> }.into_any(),
    }
    };
    move || {
        arrival.notice.get().map(|notice| {
            view! {
                <div class="notice arrival" role="status" data-test="arrival">
                    {words(notice)}
                    <button aria-label="dismiss" data-test="arrival-dismiss" on:click=dismiss>"×"</button>
                </div>
            }
        })
    }
}

#[component]
fn AwaitedNotice(awaited: Awaited) -> impl IntoView {
    let state = State::here();
    let config = awaited.config.clone();
    let name = awaited.name.clone();
    let is_config = awaited.is_config;
    let apply = move |_| use_awaited(state, awaited.clone());
    let words = if is_config {
        view! {
            "The config "<b>{name}</b>" waits for a run: open or drop one, and it is asked of it."
        }
        .into_any()
    } else {
        view! {
            "The link is an analysis of "<b>{name}</b>", files of whoever made it; they are not in the link. \
             Open or drop that run here, and it is computed as the link says."
        }
        .into_any()
    };
    view! {
        <span>
            {words}
            <details>
                <summary>"its config"</summary>
                <pre>{config}</pre>
            </details>
        </span>
        <Show when=move || !is_config && state.opened.with(Option::is_some)>
            <button data-test="arrival-apply" on:click=apply.clone()>"Use its config for this run"</button>
        </Show>
    }
}
