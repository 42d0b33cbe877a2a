//! Which steps are computed.

use leptos::prelude::*;

use super::field::{Problems, Text};
use crate::screens::readout;
use crate::store::State;
use crate::store::ask::Pace;

/// How steps are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    All,
    List,
    Range,
}

const WAYS: [(Way, &str, &str); 3] = [
    (Way::All, "all", "steps-all"),
    (Way::List, "some", "steps-some"),
    (Way::Range, "every so many", "steps-range"),
];

impl Way {
    fn of(steps: &str) -> Self {
        match steps.trim() {
            "all" | "" => Self::All,
            range if range.contains("..") => Self::Range,
            _ => Self::List,
        }
    }

    /// What a form holds that chooses this way, of a run with these steps.
    fn begin(self, steps: &[u64]) -> String {
        let (first, last) = (steps.first().copied(), steps.last().copied());
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
        match self {
            Self::All => "all".to_owned(),
            Self::List if first == last => first.to_string(),
            Self::List => format!("{first}, {last}"),
            Self::Range => format!("{first}..{last} step {}", stride(steps)),
        }
    }
}

/// The commonest distance of two steps.
fn stride(steps: &[u64]) -> u64 {
    let mut strides: Vec<u64> = steps
        .iter()
        .zip(steps.iter().skip(1))
        .map(|(one, next)| next.saturating_sub(*one))
        .collect();
    strides.sort_unstable();
    strides.get(strides.len() / 2).copied().unwrap_or(1).max(1)
}

/// All, a list or a range, and how many they are.
#[component]
pub(super) fn Steps() -> impl IntoView {
    let state = State::here();
    let text = Memo::new(move |_| state.ask.form.with(|form| form.steps.clone()));
    // A field that is being emptied is still a list.
    let chosen = RwSignal::new(None::<Way>);
    let way = Memo::new(move |_| {
        let way = text.with(|text| Way::of(text));
        let is_blank = text.with(|text| text.trim().is_empty());
        chosen.get().filter(|_| is_blank).unwrap_or(way)
    });
    let set = move |pace: Pace, steps: String| state.ask.edit(pace, |form| form.steps = steps);
    let buttons = WAYS.map(|(option, words, test)| {
        let is_on = move || way.get() == option;
        let choose = move |_| {
            chosen.set(Some(option));
            if !untrack(is_on) {
                set(Pace::Chosen, option.begin(&steps_of(state)));
            }
        };
        view! {
            <button class:on=is_on aria-pressed=move || is_on().to_string() data-test=test on:click=choose>
                {words}
            </button>
        }
    });
    let count = move || {
        let steps = state.ask.checked.with(|checked| checked.steps);
        let is_known = state.ask.checked.with(|checked| checked.cost.is_some());
        is_known.then(|| readout::counted(steps, "step"))
    };
    view! {
        <div class="field">
            <span class="row">
                <span>"Steps"</span>
                <span class="grow"></span>
                <span data-test="steps-count">{count}</span>
            </span>
            <span class="seg" role="group" aria-label="Steps">{buttons.collect_view()}</span>
            {move || match way.get() {
                Way::All => ().into_any(),
                Way::List => view! {
                    <Text
                        label="Steps, with commas between"
                        value=text
                        path="steps".to_owned()
                        placeholder="0, 50, 100"
                        test="steps-list"
                        change=Callback::new(move |steps| {
                            chosen.set(Some(Way::List));
                            set(Pace::Typed, steps);
                        })
                    />
                }
                .into_any(),
                Way::Range => view! { <Range text/> }.into_any(),
            }}
            <Problems path="steps".to_owned() deep=true/>
        </div>
    }
}

/// The three numbers of `0..1000 step 50`, each as it was typed.
#[component]
fn Range(text: Memo<String>) -> impl IntoView {
    let ask = State::here().ask;
    let parts = RwSignal::new(untrack(|| text.with(|text| range(text))));
    Effect::new(move |_| {
        let text = text.get();
        if written(&parts.get_untracked()) != text {
            parts.set(range(&text));
        }
    });
    let fields = [
        ("From", 0, "range-from"),
        ("To", 1, "range-to"),
        ("Every", 2, "range-every"),
    ];
    let fields = fields.map(|(label, index, test)| {
        let change = move |value: String| {
            parts.update(|parts| parts[index] = value);
            let steps = written(&parts.get_untracked());
            ask.edit(Pace::Typed, |form| form.steps = steps);
        };
        view! {
            <Text
                label=label
                value=Signal::derive(move || parts.with(|parts| parts[index].clone()))
                path=["steps.start", "steps.end", "steps.step"][index].to_owned()
                mode="numeric"
                test=test
                change=Callback::new(change)
            />
        }
    });
    view! { <div class="triple">{fields.collect_view()}</div> }
}

fn written([from, to, every]: &[String; 3]) -> String {
    format!("{from}..{to} step {every}")
}

/// Start, end and stride, as they are written.
fn range(text: &str) -> [String; 3] {
    let (from, rest) = text.split_once("..").unwrap_or((text, ""));
    let (to, every) = rest.split_once("step").unwrap_or((rest, "1"));
    [from, to, every].map(|part| part.trim().to_owned())
}

fn steps_of(state: State) -> Vec<u64> {
    state.opened.with_untracked(|opened| {
        let steps = opened.as_ref().map(|opened| opened.run.steps.as_slice());
        steps
            .unwrap_or_default()
            .iter()
            .map(|step| step.number)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_range_is_taken_apart_and_begun() {
        assert_eq!(range("0..1000 step 50"), ["0", "1000", "50"]);
        assert_eq!(range(" 0 .. "), ["0", "", "1"]);
        assert_eq!(Way::Range.begin(&[0, 50, 100, 101]), "0..101 step 50");
        assert_eq!(Way::Range.begin(&[]), "0..0 step 1");
        assert_eq!(Way::List.begin(&[7]), "7");
    }

    #[test]
    fn what_is_written_says_the_way() {
        assert_eq!(Way::of("all"), Way::All);
        assert_eq!(Way::of("0, 50"), Way::List);
        assert_eq!(Way::of("0..100 step"), Way::Range);
    }
}
