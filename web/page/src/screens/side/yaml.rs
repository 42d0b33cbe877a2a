//! What is asked, as YAML.

use leptos::ev::KeyboardEvent;
use leptos::html::{Div, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::HtmlTextAreaElement;

use super::editing::Editing;
use super::history::History;
use super::tab::Tab;
use crate::save::{self, Download};
use crate::screens::opening::PickText;
use crate::store::ask::Ask;
use crate::store::{Side, State};

/// The config as YAML.
pub(super) static TAB: Tab = Tab {
    name: Side::YAML,
    title: "YAML",
    is_shown: State::is_run_open,
    view: || view! { <Yaml/> }.into_any(),
    main: None,
    is_wide: true,
    has_footer: true,
};

/// Height of a line in CSS pixels, as the style sheet says.
const LINE_HEIGHT: i32 = 18;

/// The text with its line numbers, and the ways in and out.
#[component]
fn Yaml() -> impl IntoView {
    view! {
        <Tools/>
        <Editor/>
        <p class="label">
            "Tab indents. To leave the text with the keyboard press Escape, then Tab. Ctrl+Enter runs."
        </p>
    }
}

#[component]
fn Tools() -> impl IntoView {
    let ask = State::here().ask;
    let said = RwSignal::new(None::<String>);
    let load = move |text: Result<String, String>| match text {
        Ok(text) => {
            said.set(None);
            ask.replace(text);
        }
        Err(message) => said.set(Some(message)),
    };
    let save = move |_| {
        let download = Download {
            name: "config.yaml".to_owned(),
            media_type: "application/yaml",
            bytes: ask.text.get_untracked().into_bytes(),
        };
        said.set(download.save().err());
    };
    let copy = move |_| {
        spawn_local(async move {
            let copied = save::copy(&ask.text.get_untracked()).await;
            let words = match copied {
                Ok(()) => "Copied.".to_owned(),
                Err(message) => format!("It could not be copied: {message}"),
            };
            said.set(Some(words));
        });
    };
    view! {
        <div class="row">
            <PickText
                label="Load"
                test="load-config"
                accept=".yaml,.yml,application/yaml"
                take=Callback::new(load)
            />
            <button data-test="save-config" on:click=save>"Save"</button>
            <button data-test="copy-config" on:click=copy>"Copy"</button>
            <span class="grow"></span>
            <History/>
        </div>
        <p class="label" role="status">{move || said.get()}</p>
    }
}

#[component]
fn Editor() -> impl IntoView {
    let ask = State::here().ask;
    let editing = Editing::here();
    let text = NodeRef::<Textarea>::new();
    let gutter = NodeRef::<Div>::new();
    let may_leave = StoredValue::new(false);
    let follow = move |_| {
        if let (Some(text), Some(gutter)) = (text.get_untracked(), gutter.get_untracked()) {
            gutter.set_scroll_top(text.scroll_top());
        }
    };
    let press = move |event: KeyboardEvent| {
        let leaves = may_leave.get_value();
        may_leave.set_value(event.key() == "Escape");
        if let Some(edit) = taken_back(&event) {
            event.prevent_default();
            if let Some(text) = text.get_untracked() {
                let before = text.value();
                edit(ask);
                request_animation_frame(move || go_to_change(&text, &before));
            }
            return;
        }
        if event.key() != "Tab" || event.shift_key() || leaves {
            return;
        }
        event.prevent_default();
        if let Some(text) = text.get_untracked() {
            indent(&text);
            ask.type_text(text.value());
        }
    };
    Effect::new(move |_| {
        if let (Some(line), Some(text)) = (editing.line.get(), text.get()) {
            editing.line.set(None);
            // A field that has just been made gets its text before the next frame.
            request_animation_frame(move || go_to(&text, line));
        }
    });
    view! {
        <div class="yaml">
            <div class="gutter" node_ref=gutter aria-hidden="true"><Numbers/></div>
            <textarea
                node_ref=text
                aria-label="Config as YAML"
                aria-invalid=move || ask.checked.with(|checked| !checked.problems.is_empty()).then_some("true")
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                wrap="off"
                data-test="yaml"
                prop:value=move || ask.text.get()
                on:input:target=move |event| ask.type_text(event.target().value())
                on:keydown=press
                on:blur=move |_| may_leave.set_value(false)
                on:scroll=follow
            ></textarea>
        </div>
    }
}

/// Numbers of the lines; those with problems are marked.
#[component]
fn Numbers() -> impl IntoView {
    let ask = State::here().ask;
    let count = Memo::new(move |_| ask.text.with(|text| text.split('\n').count() as u64));
    let wrong = Memo::new(move |_| {
        ask.checked.with(|checked| {
            let problems = checked.problems.iter();
            problems
                .map(|problem| problem.location.line)
                .collect::<Vec<_>>()
        })
    });
    let number = move |line: u64| {
        let is_wrong = move || wrong.with(|wrong| wrong.contains(&line));
        view! { <span class:wrong=is_wrong>{line}</span> }
    };
    view! { <For each=move || 1..=count.get() key=|line| *line children=number/> }
}

/// What a key takes back or does again. The browser's own memory of a text ends where the page
/// changes it, so the page's own answers.
fn taken_back(event: &KeyboardEvent) -> Option<fn(Ask)> {
    if !(event.ctrl_key() || event.meta_key()) || event.alt_key() {
        return None;
    }
    match (event.key().to_lowercase().as_str(), event.shift_key()) {
        ("z", false) => Some(Ask::undo),
        ("z", true) | ("y", false) => Some(Ask::redo),
        _ => None,
    }
}

/// Puts the cursor behind what has changed.
fn go_to_change(text: &HtmlTextAreaElement, before: &str) {
    let after = text.value();
    let same = before.chars().rev().zip(after.chars().rev());
    let same = same.take_while(|(one, other)| one == other);
    let same: usize = same.map(|(character, _)| character.len_utf16()).sum();
    let place = (after.encode_utf16().count() - same) as u32;
    // Fails for what is not shown.
    let _ = text.set_selection_range(place, place);
}

/// Two blanks at the cursor.
fn indent(text: &HtmlTextAreaElement) {
    let place = |place: Result<Option<u32>, _>| place.ok().flatten().unwrap_or_default();
    let (start, end) = (place(text.selection_start()), place(text.selection_end()));
    // Fails for places outside the text.
    let _ = text.set_range_text_with_start_and_end_and_mode("  ", start, end, "end");
}

/// Selects a line and brings it into sight.
fn go_to(text: &HtmlTextAreaElement, line: u64) {
    let content = text.value();
    let index = usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let lines: Vec<&str> = content.split('\n').collect();
    let index = index.min(lines.len().saturating_sub(1));
    // The browser counts in UTF-16.
    let length = |line: &&str| line.encode_utf16().count() as u32;
    let start: u32 = lines.iter().take(index).map(|line| length(line) + 1).sum();
    let end = start + lines.get(index).map_or(0, length);
    // Fails for what is not shown.
    let _ = text.focus();
    let _ = text.set_selection_range(start, end);
    let above = i32::try_from(index).unwrap_or(i32::MAX).saturating_sub(3);
    text.set_scroll_top(above.max(0).saturating_mul(LINE_HEIGHT));
}
