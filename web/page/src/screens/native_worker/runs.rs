//! The runs that a native worker sees, as something to open.

use ckptscope_protocol::call;
use ckptscope_protocol::service::RunFound;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::screens::readout;
use crate::store::State;
use crate::store::native_worker::opening::open_run;
use crate::store::native_worker::{NativeConnection, Standing};

/// With more runs than these they can be searched.
const MOST_WITHOUT_SEARCH: usize = 8;

/// What a worker was asked to list.
#[derive(Clone, Debug, PartialEq)]
enum Listing {
    /// It has not answered yet.
    Loading,
    /// What there is.
    There(Vec<RunFound>),
    /// Why it cannot be had.
    Failed(String),
}

/// The runs, on the opening page or in the menu that opens things; nothing without a worker.
pub(super) fn view() -> AnyView {
    let native_worker = State::here().native_worker;
    let content = move || match native_worker.standing.get() {
        Standing::None => ().into_any(),
        Standing::Ready(_) => view! { <Runs native_worker/> }.into_any(),
        Standing::Connecting => view! {
            <Heading native_worker/>
            <p class="label" role="status">"connecting …"</p>
        }
        .into_any(),
        Standing::WantsToken => {
            view! { <Trouble native_worker words="The worker wants a token." button="Give it"/> }
                .into_any()
        }
        Standing::Lost(_) => {
            view! { <Trouble native_worker words="The worker cannot be used." button="Why?"/> }
                .into_any()
        }
    };
    view! { <div class="worker-runs" data-test="worker-runs">{content}</div> }.into_any()
}

#[component]
fn Heading(native_worker: NativeConnection) -> impl IntoView {
    let address = native_worker.worker.get_untracked();
    let address = address.map_or_else(String::new, |worker| worker.address().to_owned());
    view! { <span class="label">"Runs of the worker at "<b>{address}</b></span> }
}

/// What stands in place of the runs, and the way to the menu that says more.
#[component]
fn Trouble(
    native_worker: NativeConnection,
    words: &'static str,
    button: &'static str,
) -> impl IntoView {
    view! {
        <Heading native_worker/>
        <div class="row">
            <span>{words}</span>
            <button data-test="worker-trouble" on:click=move |_| native_worker.is_menu_open.set(true)>{button}</button>
        </div>
    }
}

#[component]
fn Runs(native_worker: NativeConnection) -> impl IntoView {
    let listing = RwSignal::new(Listing::Loading);
    let list = move || {
        spawn_local(async move {
            let found = listed(native_worker).await;
            // Nobody waits for it where the list is gone.
            let _ = listing.try_set(found);
        });
    };
    list();
    let content = move || match listing.get() {
        Listing::Loading => view! { <p class="label" role="status">"listing …"</p> }.into_any(),
        Listing::There(runs) if runs.is_empty() => view! { <Nothing/> }.into_any(),
        Listing::There(runs) => view! { <List runs/> }.into_any(),
        Listing::Failed(reason) => {
            view! { <p class="failure" role="alert">{reason}</p> }.into_any()
        }
    };
    view! {
        <div class="row">
            <Heading native_worker/>
            <span class="grow"></span>
            <button
                class="quiet"
                data-test="worker-runs-again"
                title="List them again"
                aria-label="List the worker's runs again"
                on:click=move |event| {
                    // The menu in which it may be stays open.
                    event.stop_propagation();
                    list();
                }
            >
                "↻"
            </button>
            <button data-test="open-history" on:click=move |_| native_worker.is_history_open.set(true)>"Analyses"</button>
        </div>
        {content}
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <p class="label" data-test="worker-no-runs">
            "It was started without a folder that has runs. Give it one, or a folder of several: "
            <code>"worker serve --root PATH/TO/RUNS"</code>
        </p>
    }
}

#[component]
fn List(runs: Vec<RunFound>) -> impl IntoView {
    let state = State::here();
    let search = RwSignal::new(String::new());
    let (runs, left_out): (Vec<_>, Vec<_>) =
        runs.into_iter().partition(|run| run.trouble.is_none());
    let is_long = runs.len() > MOST_WITHOUT_SEARCH;
    let is_none = runs.is_empty();
    let runs = StoredValue::new(runs);
    let item = move |run: RunFound| {
        let size = format!(
            "{}, {}",
            readout::counted(run.files, "file"),
            readout::bytes(run.bytes)
        );
        let (name, path) = (run.name.clone(), run.path.clone());
        view! {
            <li>
                <button class="worker-run" data-test="worker-run" on:click=move |_| open_run(state, run.clone())>
                    <b>{name}</b>
                    <span class="label">{size}</span>
                    <span class="label path">{path}</span>
                </button>
            </li>
        }
    };
    let found = move || runs.with_value(|runs| matching(runs, &search.get()));
    view! {
        <Show when=move || is_long>
            <input
                type="search"
                placeholder="search"
                aria-label="search the worker's runs"
                data-test="worker-search"
                prop:value=search
                on:click=|event| event.stop_propagation()
                on:input=move |event| search.set(event_target_value(&event))
            />
        </Show>
        <ul class="worker-list">{move || found().into_iter().map(item).collect_view()}</ul>
        <Show when=move || !is_none && found().is_empty()>
            <p class="label" role="status">"no run has that in its name or path"</p>
        </Show>
        <LeftOut folders=left_out/>
    }
}

/// Folders with checkpoints that are no runs, each with the reason.
#[component]
fn LeftOut(folders: Vec<RunFound>) -> impl IntoView {
    if folders.is_empty() {
        return None;
    }
    let count = readout::counted(folders.len() as u64, "folder");
    let lines = folders
        .into_iter()
        .filter_map(|folder| folder.trouble)
        .map(|trouble| view! { <li>{trouble}</li> });
    Some(view! {
        <details class="warnings" data-test="worker-left-out" on:click=|event| event.stop_propagation()>
            <summary>{count}" with checkpoints left out"</summary>
            <ul>{lines.collect_view()}</ul>
        </details>
    })
}

async fn listed(native_worker: NativeConnection) -> Listing {
    let Some(worker) = native_worker.worker.get_untracked() else {
        return Listing::There(Vec::new());
    };
    match worker.ask(call::runs()).await {
        Ok(runs) => Listing::There(runs),
        Err(error) => {
            native_worker.notice(&worker, &error);
            Listing::Failed(error.to_string())
        }
    }
}

/// Those that have every word in their names or paths.
fn matching(runs: &[RunFound], words: &str) -> Vec<RunFound> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let has_all = |run: &&RunFound| {
        let text = format!("{} {}", run.name, run.path).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    runs.iter().filter(has_all).cloned().collect()
}
