//! One analysis of the list, and what can be done with it.

use ckptscope_protocol::call;
use ckptscope_protocol::service::{AnalysisInfo, Phase, Rename};
use js_sys::Date;
use leptos::ev::SubmitEvent;
use leptos::html::{Button, Input};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::screens::native_worker::starting::CopyButton;
use crate::screens::readout;
use crate::screens::track::Track;
use crate::store::State;
use crate::store::native_worker::history::History;
use crate::store::native_worker::opening::open_several;
use crate::store::native_worker::shown::short_link;

/// What is asked in place of the row's buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
    Nothing,
    Name,
    Removal,
}

#[component]
pub(super) fn Row(id: String) -> impl IntoView {
    let history = History::here();
    let id = StoredValue::new(id);
    let asking = RwSignal::new(Asking::Nothing);
    let info = Memo::new(move |_| id.with_value(|id| history.one(id)));
    let name = move || match asking.get() {
        Asking::Name => view! { <NameField info asking/> }.into_any(),
        Asking::Nothing | Asking::Removal => view! { <Name info/> }.into_any(),
    };
    let (rename, remove) = (NodeRef::new(), NodeRef::new());
    let is_removal = Memo::new(move |_| asking.get() == Asking::Removal);
    let actions = move || match is_removal.get() {
        true => view! { <Removal info asking/> }.into_any(),
        false => view! { <Actions info asking rename remove/> }.into_any(),
    };
    Effect::new(move |before: Option<Asking>| {
        let now = asking.get();
        match before.filter(|_| now == Asking::Nothing) {
            Some(Asking::Name) => focus(rename),
            Some(Asking::Removal) => focus(remove),
            Some(Asking::Nothing) | None => {}
        }
        now
    });
    view! {
        <li class="analysis" data-test="analysis">
            <Pick info/>
            <div class="about">{name}<Times info/></div>
            <Progress info/>
            <div class="row acts">{actions}</div>
        </li>
    }
}

/// Picks the analysis for a comparison; only what is finished can be.
#[component]
fn Pick(info: Memo<Option<AnalysisInfo>>) -> impl IntoView {
    let history = History::here();
    let is_done = Memo::new(move |_| phase(info) == Some(Phase::Done));
    let is_picked = move || {
        let id = info.with(id_of);
        history.picked.with(|picked| picked.contains(&id))
    };
    let pick = move |_| {
        let id = info.with_untracked(id_of);
        history.picked.update(|picked| {
            if !picked.remove(&id) {
                picked.insert(id);
            }
        });
    };
    let label = move || format!("compare {}", info.with(name_of));
    view! {
        <input
            type="checkbox"
            data-test="analysis-pick"
            aria-label=label
            disabled=move || !is_done.get()
            prop:checked=is_picked
            on:change=pick
        />
    }
}

#[component]
fn Name(info: Memo<Option<AnalysisInfo>>) -> impl IntoView {
    let source = move || {
        let source = info.with(|info| info.as_ref().map(|info| info.source_name.clone()));
        let source = source.unwrap_or_default();
        (source != info.with(name_of)).then_some(source)
    };
    view! {
        <b data-test="analysis-name">{move || info.with(name_of)}</b>
        " "
        <span class="label">{source}</span>
    }
}

#[component]
fn NameField(info: Memo<Option<AnalysisInfo>>, asking: RwSignal<Asking>) -> impl IntoView {
    let history = History::here();
    let field = NodeRef::<Input>::new();
    let name = RwSignal::new(info.with_untracked(name_of));
    field.on_load(|field| {
        // In the next task: now it is not in the document yet.
        request_animation_frame(move || {
            let _ = field.focus();
            field.select();
        });
    });
    let rename = move |event: SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked().trim().to_owned();
        asking.set(Asking::Nothing);
        if !name.is_empty() {
            let id = info.with_untracked(id_of);
            history.change(call::rename(&id, &Rename { name }).unread());
        }
    };
    let give_up = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            // The dialog stays.
            event.prevent_default();
            event.stop_propagation();
            asking.set(Asking::Nothing);
        }
    };
    view! {
        <form class="row tight" on:submit=rename>
            <input
                type="text"
                aria-label="name of the analysis"
                data-test="analysis-new-name"
                node_ref=field
                prop:value=name
                on:keydown=give_up
                on:input=move |event| name.set(event_target_value(&event))
            />
            <button type="submit" class="primary" data-test="analysis-save-name">"Save"</button>
            <button type="button" on:click=move |_| asking.set(Asking::Nothing)>"Keep"</button>
        </form>
    }
}

/// When it was asked for, and how long it took.
#[component]
fn Times(info: Memo<Option<AnalysisInfo>>) -> impl IntoView {
    let words = move || {
        let info = info.get()?;
        let now = Date::now();
        let asked = readout::ago(info.asked as f64);
        let seconds = |from: u64, to: f64| (to - from as f64).max(0.0) / 1000.0;
        let took = info.began.map(|began| match (info.phase, info.ended) {
            (Phase::Running, _) => {
                format!("computing for {}", readout::duration(seconds(began, now)))
            }
            (_, Some(ended)) => format!("took {}", readout::duration(seconds(began, ended as f64))),
            (_, None) => String::new(),
        });
        let took = took.filter(|took| !took.is_empty());
        Some(
            [Some(asked), took]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
        )
    };
    let exactly = move || {
        let info = info.get()?;
        let date = Date::new(&JsValue::from_f64(info.asked as f64));
        Some(String::from(
            date.to_locale_string("default", &JsValue::UNDEFINED),
        ))
    };
    view! { <div class="label" title=exactly>{words}</div> }
}

/// How far it is.
#[component]
fn Progress(info: Memo<Option<AnalysisInfo>>) -> impl IntoView {
    let words = move || {
        let info = info.get()?;
        let (class, words) = match info.phase {
            Phase::Queued if info.ahead == 0 => ("label", "waiting, next".to_owned()),
            Phase::Queued => ("label", format!("waiting, {} before it", info.ahead)),
            Phase::Planning => ("label", "planning".to_owned()),
            Phase::Running => {
                let units = readout::count(info.units);
                let all = readout::counted(info.of_units, "layer step");
                ("label", format!("{units} of {all}"))
            }
            Phase::Done => ("ok", "done".to_owned()),
            Phase::Failed => ("bad", "failed".to_owned()),
            Phase::Cancelled => ("label", "cancelled".to_owned()),
        };
        let is_running = info.phase == Phase::Running;
        let percent = info.units as f64 / info.of_units.max(1) as f64 * 100.0;
        let percent = Signal::stored(Some(percent));
        let track = is_running.then(|| view! { <Track label="progress" percent/> });
        let class_of_message = match info.phase {
            Phase::Failed => "failure",
            _ => "label outcome",
        };
        let message = info.message.map(|message| {
            view! { <div class=class_of_message data-test="analysis-message">{message}</div> }
        });
        Some(view! { <span class=class data-test="analysis-phase">{words}</span>{track}{message} })
    };
    view! { <div class="how-far">{words}</div> }
}

#[component]
fn Actions(
    info: Memo<Option<AnalysisInfo>>,
    asking: RwSignal<Asking>,
    rename: NodeRef<Button>,
    remove: NodeRef<Button>,
) -> impl IntoView {
    let state = State::here();
    let history = History::here();
    let now = Memo::new(move |_| phase(info));
    let open = move |_| {
        if let Some(info) = info.get_untracked() {
            history.native_worker.is_history_open.set(false);
            open_several(state, vec![info]);
        }
    };
    let stop_or_go_on = move || match now.get()? {
        Phase::Queued | Phase::Planning | Phase::Running => {
            let cancel =
                move |_| history.change(call::cancel(&info.with_untracked(id_of)).unread());
            Some(
                view! { <button data-test="analysis-cancel" on:click=cancel>"Cancel"</button> }
                    .into_any(),
            )
        }
        Phase::Failed | Phase::Cancelled => {
            let resume =
                move |_| history.change(call::resume(&info.with_untracked(id_of)).unread());
            Some(
                view! { <button data-test="analysis-resume" on:click=resume>"Go on"</button> }
                    .into_any(),
            )
        }
        Phase::Done => None,
    };
    let worker = history.native_worker.worker.get_untracked();
    let link = worker.map(|it| short_link(it.address(), &info.with_untracked(id_of)));
    let open_words = move || match now.get() {
        Some(Phase::Queued | Phase::Planning | Phase::Running) => "Watch",
        _ => "Open",
    };
    view! {
        <button class="open" data-test="analysis-open" on:click=open>{open_words}</button>
        {stop_or_go_on}
        <button node_ref=rename data-test="analysis-rename" on:click=move |_| asking.set(Asking::Name)>"Rename"</button>
        {link.map(|text| view! { <CopyButton text label="Copy link" test="analysis-link"/> })}
        <button node_ref=remove data-test="analysis-remove" on:click=move |_| asking.set(Asking::Removal)>"Remove"</button>
    }
}

/// Asks before what the worker has is gone.
#[component]
fn Removal(info: Memo<Option<AnalysisInfo>>, asking: RwSignal<Asking>) -> impl IntoView {
    let history = History::here();
    let remove = move |_| {
        let id = info.with_untracked(id_of);
        history.picked.update(|picked| {
            picked.remove(&id);
        });
        history.change(call::remove(&id));
    };
    let keep = NodeRef::new();
    focus(keep);
    view! {
        <span role="alert">"Its results on the worker are deleted, too. Remove it?"</span>
        <button class="danger" data-test="analysis-remove-yes" on:click=remove>"Remove"</button>
        <button node_ref=keep data-test="analysis-remove-no" on:click=move |_| asking.set(Asking::Nothing)>"Keep"</button>
    }
}

/// Moves the keyboard to a button that is about to be there.
fn focus(button: NodeRef<Button>) {
    request_animation_frame(move || {
        if let Some(button) = button.try_get_untracked().flatten() {
            // Fails for nothing that is in the document.
            let _ = button.focus();
        }
    });
}

fn phase(info: Memo<Option<AnalysisInfo>>) -> Option<Phase> {
    info.with(|info| info.as_ref().map(|info| info.phase))
}

fn id_of(info: &Option<AnalysisInfo>) -> String {
    info.as_ref()
        .map(|info| info.id.clone())
        .unwrap_or_default()
}

fn name_of(info: &Option<AnalysisInfo>) -> String {
    info.as_ref()
        .map(|info| info.name.clone())
        .unwrap_or_default()
}
