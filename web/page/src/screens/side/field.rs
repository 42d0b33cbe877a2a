//! Controls with a label, and what is wrong with them below.

use leptos::prelude::*;

use crate::store::State;

/// An option of a menu: its value and what it says.
pub(super) type Choice = (String, String);

/// What is wrong with a field, by its path in the config.
#[component]
pub(super) fn Problems(
    #[prop(into)] path: Signal<String>,
    /// Whether what is wrong within it is told too.
    #[prop(optional)]
    deep: bool,
) -> impl IntoView {
    let ask = State::here().ask;
    let messages = move || {
        let problems = path.with(|path| ask.problems_at(path, deep));
        let lines = problems
            .into_iter()
            .map(|problem| view! { <p>{problem.message}</p> });
        lines.collect_view()
    };
    view! { <div class="problems" aria-live="polite">{messages}</div> }
}

/// Whether something is wrong with a field.
pub(super) fn is_wrong(path: Signal<String>) -> impl Fn() -> Option<&'static str> + Copy + Send {
    let ask = State::here().ask;
    move || {
        let is_wrong = path.with(|path| !ask.problems_at(path, true).is_empty());
        is_wrong.then_some("true")
    }
}

/// One of several.
#[component]
pub(super) fn Select(
    #[prop(into)] label: String,
    #[prop(into)] options: Signal<Vec<Choice>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] path: Signal<String>,
    choose: Callback<String>,
    #[prop(default = "select")] test: &'static str,
) -> impl IntoView {
    let options = Memo::new(move |_| {
        let mut options = options.get();
        let value = value.get();
        // What a config names and nobody offers is shown all the same.
        if !options.iter().any(|(option, _)| *option == value) {
            options.insert(0, (value.clone(), value));
        }
        options
    });
    let option = move |(option, words): Choice| {
        let here = option.clone();
        let is_on = move || value.with(|value| *value == here);
        view! { <option value=option prop:selected=is_on>{words}</option> }
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <select
                aria-invalid=is_wrong(path)
                data-test=test
                on:change:target=move |event| choose.run(event.target().value())
            >
                {move || options.get().into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}

/// A line of text with its label.
#[component]
pub(super) fn Text(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] path: Signal<String>,
    change: Callback<String>,
    #[prop(into, optional)] placeholder: String,
    #[prop(default = "text")] test: &'static str,
    #[prop(default = "text")] mode: &'static str,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <Typed value path change placeholder test mode/>
        </label>
    }
}

/// What a person types. It is never rewritten while it has the focus: what cannot be read stays as
/// it was typed, and is a problem beside it. Numbers are typed as text, since a browser's field for
/// numbers shows what it does not tell.
#[component]
pub(super) fn Typed(
    #[prop(into)] value: Signal<String>,
    #[prop(into)] path: Signal<String>,
    change: Callback<String>,
    #[prop(into, optional)] placeholder: String,
    #[prop(into, optional)] hint: String,
    #[prop(default = "text")] test: &'static str,
    /// Which keys a screen offers: `text`, `numeric` or `decimal`.
    #[prop(default = "text")]
    mode: &'static str,
) -> impl IntoView {
    let typed = RwSignal::new(None::<String>);
    let shown = move || typed.get().unwrap_or_else(|| value.get());
    let take = move |text: String| {
        typed.set(Some(text.clone()));
        change.run(text);
    };
    view! {
        <input
            type="text"
            inputmode=mode
            autocomplete="off"
            spellcheck="false"
            placeholder=placeholder
            title=Some(hint).filter(|hint| !hint.is_empty())
            aria-invalid=is_wrong(path)
            data-test=test
            prop:value=shown
            on:focus:target=move |event| typed.set(Some(event.target().value()))
            on:blur=move |_| typed.set(None)
            on:input:target=move |event| take(event.target().value())
        />
    }
}
