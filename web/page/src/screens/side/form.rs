//! What is asked, as a form.

use ckptscope_protocol::tab::Opened;
use ckptscope_protocol::{MetricForm, MetricMenu};
use leptos::html::Details;
use leptos::prelude::*;

use super::editing::Editing;
use super::field::Text;
use super::history::History;
use super::metric::Question;
use super::start_from::StartFrom;
use super::steps::Steps;
use crate::store::ask::Pace;
use crate::store::{Side, State};

/// The metrics as cards that open into editors, and the steps.
#[component]
pub(super) fn Form() -> impl IntoView {
    let ask = State::here().ask;
    let count = Memo::new(move |_| ask.form.with(|form| form.metrics.len()));
    let name = move || ask.form.with(|form| form.analysis_name.clone());
    view! {
        <div class="row">
            <StartFrom/>
            <span class="grow"></span>
            <History/>
        </div>
        <Nothing/>
        <Behind/>
        <WithoutComments/>
        <div class="questions" data-test="metrics">
            <For each=move || 0..count.get() key=|index| *index let:index>
                <Question index/>
            </For>
        </div>
        <AddMetric/>
        <Steps/>
        <Text
            label="Name of the analysis"
            value=Signal::derive(name)
            path="analysis_name".to_owned()
            placeholder="the run's name and the time"
            test="analysis-name"
            change=Callback::new(move |name| {
                ask.edit(Pace::Typed, |form| form.analysis_name = name);
            })
        />
    }
}

/// Says that the run has nothing that a metric could be asked of.
#[component]
fn Nothing() -> impl IntoView {
    let state = State::here();
    let is_bare = move || {
        let opened = state.opened.get();
        opened.is_some_and(|opened| opened.proposals.is_empty() && opened.run.suffixes.is_empty())
    };
    view! {
        <Show when=is_bare>
            <p class="remark" role="status" data-test="nothing-to-ask">
                "No tensors of layers were found in this run, so there is no analysis to propose. Its tensors are under Explore."
            </p>
        </Show>
    }
}

/// Says that the YAML is ahead.
#[component]
fn Behind() -> impl IntoView {
    let state = State::here();
    let is_behind = move || {
        let is_blank = state.ask.text.with(|text| text.trim().is_empty());
        state.ask.is_form_behind() && !is_blank
    };
    view! {
        <Show when=is_behind>
            <div class="remark" role="status" data-test="form-behind">
                <p>
                    "The YAML has problems, so this form still shows the config before them. An edit here replaces the YAML; “Undo” brings it back."
                </p>
                <button on:click=move |_| state.side.set(Side::YAML)>"Show the YAML"</button>
            </div>
        </Show>
    }
}

/// Says that the YAML lost comments: an edit of the form changed more than could be kept.
#[component]
fn WithoutComments() -> impl IntoView {
    let ask = State::here().ask;
    view! {
        <Show when=move || ask.dropped_comments.get()>
            <div class="remark" role="status" data-test="without-comments">
                <p>"This edit dropped comments of the YAML."</p>
                <button data-test="undo-comments" on:click=move |_| ask.undo()>"Undo"</button>
            </div>
        </Show>
    }
}

/// Every metric with a line on what it says.
#[component]
fn AddMetric() -> impl IntoView {
    let state = State::here();
    let editing = Editing::here();
    let menu = NodeRef::<Details>::new();
    let add = move |metric: MetricMenu| {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
        let entry = state.opened.with_untracked(|opened| {
            let form = state.ask.form.get_untracked();
            opened
                .as_ref()
                .map(|opened| new_entry(&metric, form.metrics.last(), opened))
        });
        if let Some(entry) = entry {
            state.ask.edit(Pace::Chosen, |form| {
                form.metrics.push(entry);
                editing.metric.set(Some(form.metrics.len() - 1));
            });
        }
    };
    let offers = move || {
        let metrics = state
            .opened
            .with(|opened| Some(opened.as_ref()?.menu.metrics.clone()))?;
        let offer = |metric: MetricMenu| {
            let (name, summary) = (metric.name.clone(), metric.summary.clone());
            view! {
                <button class="offer" data-test="add-metric-choice" on:click=move |_| add(metric.clone())>
                    <b>{name}</b>
                    <span class="label">{summary}</span>
                </button>
            }
        };
        Some(metrics.into_iter().map(offer).collect_view())
    };
    view! {
        <details class="menu whole" node_ref=menu>
            <summary data-test="add-metric">"+ Add a metric"</summary>
            <div class="sheet">{offers}</div>
        </details>
    }
}

/// An entry for a metric: of the same components as the entry before where it applies to them,
/// else of the first that the run has.
fn new_entry(metric: &MetricMenu, before: Option<&MetricForm>, opened: &Opened) -> MetricForm {
    let mut components = before
        .map(|entry| entry.components.clone())
        .unwrap_or_default();
    components.retain(|component| metric.data_types.contains(&component.data_type));
    if components.is_empty() {
        let suffixes = &opened.run.suffixes;
        let usable = suffixes
            .iter()
            .find(|it| metric.data_types.contains(&it.data_type));
        let kind = opened
            .menu
            .components
            .iter()
            .find(|kind| kind.roles.is_empty());
        components.extend(usable.zip(kind).map(|(suffix, kind)| {
            ckptscope_protocol::ComponentForm {
                component: kind.name.clone(),
                data_type: suffix.data_type.clone(),
                suffixes: vec![suffix.suffix.clone()],
                parts: Vec::new(),
                stack: String::new(),
                layers: "all".to_owned(),
                parameters: Vec::new(),
            }
        }));
    }
    let split = before.map_or_else(|| first_split(opened), |entry| entry.split.clone());
    MetricForm {
        metric: metric.name.clone(),
        target: if metric.is_comparative { "last" } else { "" }.to_owned(),
        split,
        components,
        ..MetricForm::default()
    }
}

/// A split that the run has; `val` where its data serve both.
fn first_split(opened: &Opened) -> String {
    let mut parts = opened.run.steps.iter().flat_map(|step| &step.parts);
    let has_val = parts
        .clone()
        .any(|part| part.split.as_deref() == Some("val"));
    let first = parts.find_map(|part| part.split.clone());
    if has_val { None } else { first }.unwrap_or_else(|| "val".to_owned())
}

#[cfg(test)]
mod tests {
    use ckptscope_protocol::{ComponentForm, ComponentMenu, Menu};
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use ckptscope_protocol::tab::{PartSummary, RunSummary, StepSummary, SuffixSummary};

    fn opened() -> Opened {
        let suffix = |data_type: &str, suffix: &str| SuffixSummary {
            data_type: data_type.to_owned(),
            suffix: suffix.to_owned(),
            ..SuffixSummary::default()
        };
        let part = PartSummary {
            split: Some("train".to_owned()),
            ..PartSummary::default()
        };
        Opened {
            run: RunSummary {
                suffixes: vec![suffix("weights", "w_2"), suffix("activations", "o_proj")],
                steps: vec![StepSummary {
                    parts: vec![part],
                    ..StepSummary::default()
                }],
                ..RunSummary::default()
            },
            menu: Menu {
                components: vec![ComponentMenu {
                    name: "simple".to_owned(),
                    ..ComponentMenu::default()
                }],
                ..Menu::default()
            },
            ..Opened::default()
        }
    }

    fn cka() -> MetricMenu {
        MetricMenu {
            name: "cka".to_owned(),
            is_comparative: true,
            data_types: vec!["activations".to_owned()],
            ..MetricMenu::default()
        }
    }

    #[test]
    fn the_first_entry_takes_what_the_run_has() {
        let entry = new_entry(&cka(), None, &opened());
        assert_eq!(entry.target, "last");
        assert_eq!(entry.split, "train");
        assert_eq!(entry.components[0].suffixes, ["o_proj"]);
    }

    #[test]
    fn another_entry_keeps_the_components_it_applies_to() {
        let of = |data_type: &str| ComponentForm {
            data_type: data_type.to_owned(),
            layers: "0, 2".to_owned(),
            ..ComponentForm::default()
        };
        let before = MetricForm {
            split: "val".to_owned(),
            components: vec![of("weights"), of("activations")],
            ..MetricForm::default()
        };
        let entry = new_entry(&cka(), Some(&before), &opened());
        assert_eq!(entry.split, "val");
        assert_eq!(entry.components, [of("activations")]);
    }
}
