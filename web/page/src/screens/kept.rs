//! What this browser kept, and what is done so that nothing is lost unasked.

use ckptscope_web_browser::part::MissingPart;
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use js_sys::Array;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::opening::taking;
use super::readout;
use crate::handles::{self, HandleObstacle};
use crate::run_place::RunPlace;
use crate::save::{self, Download};
use crate::store::kept::{Aside, KeptInfo, KeptPart, RememberedRun, begin_keeping, keep_config};
use crate::store::open_request::{OpenRequest, Wish};
use crate::store::{OpenTask, Stage, State};

/// Finds what earlier visits left, and goes on with what this tab showed before a reload.
#[cfg_attr(
    feature = "split",
    wasm_split(kept, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn begin(state: State) -> Result<(), MissingPart> {
    state.kept.part.set(Some(KeptPart {
        list: || view! { <KeptList/> }.into_any(),
        notices: || view! { <KeptNotices/> }.into_any(),
        keep: begin_keeping,
    }));
    state.analysis.keep_late();
    keep_drafts(state);
    remember_runs(state);
    ask_before_leaving(state);
    spawn_local(async move {
        state.kept.look().await;
        let is_idle = state.stage.get_untracked() == Stage::Landing;
        if let Some(info) = state.kept.of_this_tab().filter(|_| is_idle) {
            state.open(OpenRequest::Kept(Box::new(info), Wish::Restore));
        }
    });
    Ok(())
}

/// Opens what was kept.
#[cfg_attr(
    feature = "split",
    wasm_split(kept, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn open(
    state: State,
    task: OpenTask,
    info: KeptInfo,
    wish: Wish,
) -> Result<(), MissingPart> {
    spawn_local(task.open_kept(state, info, wish));
    Ok(())
}

/// Has a person pick a folder that the browser finds again after a reload.
#[cfg_attr(
    feature = "split",
    wasm_split(kept, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn pick(state: State, task: OpenTask) -> Result<(), MissingPart> {
    spawn_local(async move {
        match handles::pick_folder().await {
            Ok(Some(picked)) => open_found(state, task, &picked).await,
            Ok(None) => state.settle(),
            Err(reason) => task.fail(&reason),
        }
    });
    Ok(())
}

/// Opens a run of this machine that was open before.
#[cfg_attr(
    feature = "split",
    wasm_split(kept, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
pub(super) fn open_again(
    state: State,
    task: OpenTask,
    run: RememberedRun,
) -> Result<(), MissingPart> {
    spawn_local(async move {
        match state.kept.handles_of(&run).await {
            Some(found) => open_found(state, task, &found).await,
            None => task.fail(&format!(
                "{} is not remembered any more. Choose its folder again.",
                run.name
            )),
        }
    });
    Ok(())
}

/// Opens what handles lead to. A person has just clicked.
async fn open_found(state: State, task: OpenTask, found: &Array) {
    match handles::files(found, true).await {
        _ if !task.is_wanted() => {}
        Ok(files) => taking::picked(state, task, files),
        Err(HandleObstacle::Lost(reason)) => task.fail(&format!(
            "It could not be read: {reason}. Check that it still exists, and allow it to be read."
        )),
        Err(HandleObstacle::WantsClick) => {
            task.fail(&"The browser did not allow it to be read.");
        }
    }
}

/// Remembers each run that is opened from this machine, where the browser can.
fn remember_runs(state: State) {
    Effect::new(move |_| {
        let name = state
            .opened
            .with(|opened| Some(opened.as_ref()?.run.name.clone()));
        let Some((name, RunPlace::Files(files))) = name.zip(state.web_workers.place()) else {
            return;
        };
        if let Some(found) = files.handles {
            spawn_local(state.kept.remember(name, found));
        }
    });
}

/// Keeps the config that a person writes, unless it is one that was proposed.
fn keep_drafts(state: State) {
    Effect::new(move |_| {
        let text = state.ask.text.get();
        state.opened.with(|opened| {
            let Some(opened) = opened else { return };
            let mut proposals = opened.proposals.iter();
            let is_own = !text.is_empty() && !proposals.any(|proposal| proposal.text == text);
            keep_config(&opened.run.name, Some(text.as_str()).filter(|_| is_own));
        });
    });
}

/// Has the browser ask before the tab is closed or reloaded while something would be lost.
fn ask_before_leaving(state: State) {
    // The page lives as long as the tab.
    let _ = window_event_listener(ev::beforeunload, move |event| {
        if untrack(|| state.has_work_at_risk()) {
            event.prevent_default();
            event.set_return_value("unsaved");
        }
    });
}

/// Results that others took the place of, and an analysis that the open run could go on with.
#[component]
fn KeptNotices() -> impl IntoView {
    let state = State::here();
    let left = move || {
        let info = state.kept.left.get()?;
        Some(view! { <Left info/> })
    };
    let is_busy = Memo::new(move |_| state.analysis.is_busy());
    view! {
        <AsideNotice/>
        {move || (!is_busy.get()).then_some(left)}
    }
}

#[component]
fn AsideNotice() -> impl IntoView {
    let state = State::here();
    let said = RwSignal::new(None::<String>);
    let bring = move |_| {
        if let Some(aside) = state.kept.aside.get_untracked() {
            state.bring_back(aside);
        }
    };
    let keep = move |_| {
        let saved = state
            .kept
            .aside
            .with_untracked(|aside| aside.as_ref().map(saved));
        said.set(saved.and_then(Result::err));
    };
    let dismiss = move |_| state.kept.aside.set(None);
    let name = Memo::new(move |_| {
        state.kept.aside.with(|aside| {
            let results = &aside.as_ref()?.results;
            Some((results.analysis_name.clone(), results.source.clone()))
        })
    });
    move || {
        let (name, source) = name.get()?;
        Some(view! {
            <div class="notice aside-notice" role="status" data-test="aside">
                <span>"The former results, "<b>{name}</b>" of "{source}", were put aside."</span>
                <button data-test="bring-back" on:click=bring>"Bring back"</button>
                <button data-test="aside-save" on:click=keep>"Save"</button>
                <button aria-label="dismiss" data-test="aside-dismiss" on:click=dismiss>"×"</button>
                {move || said.get().map(|reason| view! { <p class="failure" role="alert">{reason}</p> })}
            </div>
        })
    }
}

/// Saves results that were put aside as a file.
fn saved(aside: &Aside) -> Result<(), String> {
    let mut results = aside.results.clone();
    results.sort();
    let file = Download {
        name: save::file_name(&[&results.analysis_name], "ckptscope.json"),
        media_type: "application/json",
        bytes: results.to_json().map_err(|error| error.to_string())?,
    };
    file.save()
}

#[component]
fn Left(info: KeptInfo) -> impl IntoView {
    let state = State::here();
    let words = format!(
        "“{}” of this run was left at {} of {}.",
        info.name,
        readout::count(info.units),
        readout::counted(info.of_units, "layer step")
    );
    let can_go_on = info.has_run() || state.opened.with_untracked(Option::is_some);
    let go_on = move |_| {
        let info = info.clone();
        if state.opened.with_untracked(Option::is_some) {
            spawn_local(state.go_on_here(info));
        } else {
            state.open(OpenRequest::Kept(Box::new(info), Wish::GoOn));
        }
    };
    view! {
        <div class="notice" role="status" data-test="left">
            <span>
                {words}
                {(!can_go_on).then_some(" Open or drop the run again to go on.")}
            </span>
            <Show when=move || can_go_on>
                <button class="primary" data-test="go-on" on:click=go_on.clone()>"Go on"</button>
            </Show>
            <button aria-label="dismiss" on:click=move |_| state.kept.left.set(None)>"×"</button>
        </div>
    }
}

/// What is kept; nothing where there is nothing.
#[component]
fn KeptList() -> impl IntoView {
    let state = State::here();
    let kept = state.kept;
    let ids = Memo::new(move |_| {
        kept.all
            .with(|all| all.iter().map(|info| info.id.clone()).collect::<Vec<_>>())
    });
    let failure = move || {
        let reason = kept.failure.get()?;
        Some(view! {
            <p class="label" role="status" data-test="kept-failure">
                "This browser keeps no results ("{reason}"): save what you want to have again."
            </p>
        })
    };
    let has_any = move || {
        let has_runs = !kept.runs.with(Vec::is_empty);
        has_runs || !ids.with(Vec::is_empty) || kept.failure.with(Option::is_some)
    };
    let list = move || {
        view! {
            <ul class="analyses" data-test="kept-list">
                <For each=move || kept.runs.get() key=|run| run.opened.to_bits() children=|run| view! { <RunRow run/> }/>
                <For each=move || ids.get() key=String::clone children=|id| view! { <Row id/> }/>
            </ul>
        }
    };
    view! {
        <Show when=has_any>
            <section class="worker-runs kept" aria-label="kept in this browser" data-test="kept">
                <div class="row">
                    <b>"Kept in this browser"</b>
                    <span class="grow"></span>
                    <Forget/>
                </div>
                {failure}
                {list}
            </section>
        </Show>
    }
}

/// Forgets everything, once that was said twice.
#[component]
fn Forget() -> impl IntoView {
    let kept = State::here().kept;
    let is_asking = RwSignal::new(false);
    let ask = move |event: ev::MouseEvent| {
        event.stop_propagation();
        is_asking.set(true);
    };
    let keep = move |event: ev::MouseEvent| {
        event.stop_propagation();
        is_asking.set(false);
    };
    let forget = move |_| spawn_local(kept.forget_all());
    move || {
        match is_asking.get() {
        false => view! { <button class="quiet" data-test="forget-all" on:click=ask>"Forget all"</button> }.into_any(),
        true => view! {
            <span class="row tight" role="alert">
                "All of them?"
                <button class="danger" data-test="forget-yes" on:click=forget>"Forget"</button>
                <button data-test="forget-no" on:click=keep>"Keep"</button>
            </span>
        }
        .into_any(),
    }
    }
}

/// A run of this machine, which opens again with one click.
#[component]
fn RunRow(run: RememberedRun) -> impl IntoView {
    let state = State::here();
    let (name, words) = (
        run.name.clone(),
        format!("run on this machine · opened {}", readout::ago(run.opened)),
    );
    let label = format!("forget the run {name}");
    let again = run.clone();
    let open = move |_| state.open(OpenRequest::Again(again.clone()));
    let forget = move |event: ev::MouseEvent| {
        event.stop_propagation();
        let run = run.clone();
        spawn_local(async move {
            if let Err(reason) = state.kept.forget_run(&run).await {
                state.kept.failure.set(Some(reason));
            }
        });
    };
    view! {
        <li class="analysis kept-analysis" data-test="remembered-run">
            <div class="about">
                <b>{name}</b>
                <div class="label">{words}</div>
            </div>
            <div class="row acts">
                <button data-test="open-again" on:click=open>"Open run"</button>
                <button aria-label=label data-test="forget-run" on:click=forget>"Forget"</button>
            </div>
        </li>
    }
}

#[component]
fn Row(id: String) -> impl IntoView {
    let state = State::here();
    let id = StoredValue::new(id);
    let info = Memo::new(move |_| {
        let all = state.kept.all;
        all.with(|all| id.with_value(|id| all.iter().find(|info| info.id == *id).cloned()))
    });
    let open = move |wish| {
        state.native_worker.is_history_open.set(false);
        if let Some(info) = info.get_untracked() {
            state.open(OpenRequest::Kept(Box::new(info), wish));
        }
    };
    let forget = move |event: ev::MouseEvent| {
        event.stop_propagation();
        spawn_local(state.kept.forget(id.get_value()));
    };
    let may_go_on = Memo::new(move |_| {
        info.with(|info| {
            info.as_ref()
                .is_some_and(|info| info.is_left() && info.has_run())
        })
    });
    let name = move || info.with(|info| info.as_ref().map(|info| info.name.clone()));
    view! {
        <li class="analysis kept-analysis" data-test="kept-analysis">
            <div class="about">
                <b>{name}</b>
                <div class="label">{move || info.get().map(|info| in_words(&info))}</div>
            </div>
            <div class="row acts">
                <button data-test="kept-open" on:click=move |_| open(Wish::Show)>"Open"</button>
                <Show when=move || may_go_on.get()>
                    <button data-test="kept-go-on" on:click=move |_| open(Wish::GoOn)>"Go on"</button>
                </Show>
                <button
                    aria-label=move || format!("forget {}", name().unwrap_or_default())
                    data-test="kept-forget"
                    on:click=forget
                >
                    "Forget"
                </button>
            </div>
        </li>
    }
}

/// `pico-decoder-micro-1 · 12 of 45 layer steps · 3 minutes ago`.
fn in_words(info: &KeptInfo) -> String {
    let far = if info.is_left() {
        format!(
            "left at {} of {}",
            readout::count(info.units),
            readout::counted(info.of_units, "layer step")
        )
    } else {
        readout::counted(info.numbers, "number")
    };
    format!("{} · {far} · {}", info.run, readout::ago(info.begun as f64))
}
