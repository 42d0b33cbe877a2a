//! One metric of the form: a card that opens into an editor.

use ckptscope_protocol::{ComponentForm, ComponentMenu, MetricForm, MetricMenu, ParameterMenu};
use ckptscope_results::Names;
use leptos::prelude::*;

use super::component::Components;
use super::editing::Editing;
use super::entry::Entry;
use super::field::{Choice, Problems, Select, Text};
use super::parameter::{Value, set_value, value_of};
use crate::store::State;
use crate::store::ask::Pace;

/// The card.
#[component]
pub(super) fn Question(index: usize) -> impl IntoView {
    let state = State::here();
    let editing = Editing::here();
    let entry = Entry {
        index,
        ask: state.ask,
        state,
    };
    let is_open = Memo::new(move |_| editing.metric.get() == Some(index));
    let is_wrong = move || {
        !entry
            .ask
            .problems_at(&format!("metrics[{index}]"), true)
            .is_empty()
    };
    let title = move || {
        let menu = entry.menu();
        entry.read(|form| title(form, menu.as_ref()))
    };
    let split = move || entry.read(|entry| entry.split.clone());
    let summary = move || {
        let (menu, short) = (entry.component_menu(), entry.short_names());
        entry.read(|form| summary(form, &menu, &short))
    };
    let fold = move |_| {
        editing
            .metric
            .set(Some(index).filter(|_| !is_open.get_untracked()));
    };
    view! {
        <article class="question" class:on=move || is_open.get() class:wrong=is_wrong data-test="metric">
            <button
                class="fold"
                aria-expanded=move || is_open.get().to_string()
                data-test="metric-fold"
                on:click=fold
            >
                <span class="name">{title}</span>
                <span class="label">{split}</span>
                <span class="contents">{summary}</span>
            </button>
            <Show when=move || is_open.get()><Editor entry/></Show>
        </article>
    }
}

#[component]
fn Editor(entry: Entry) -> impl IntoView {
    let editing = Editing::here();
    let duplicate = move |_| {
        entry.ask.edit(Pace::Chosen, |form| {
            if let Some(copy) = form.metrics.get(entry.index).cloned() {
                form.metrics.insert(entry.index + 1, copy);
            }
        });
        editing.metric.set(Some(entry.index + 1));
    };
    let remove = move |_| {
        editing.metric.set(None);
        entry.ask.edit(Pace::Chosen, |form| {
            if entry.index < form.metrics.len() {
                form.metrics.remove(entry.index);
            }
        });
    };
    let menu = Memo::new(move |_| entry.menu());
    let own_path = format!("metrics[{}]", entry.index);
    view! {
        <div class="editor">
            <Problems path=own_path/>
            <Kind entry/>
            <div class="pair">
                <Target entry/>
                <Split entry/>
            </div>
            {move || menu.get().map(|menu| {
                let parameters = menu.parameters.into_iter();
                parameters.map(|menu| view! { <Parameter entry menu/> }).collect_view()
            })}
            <Name entry/>
            <Components entry/>
            <div class="row">
                <button data-test="metric-duplicate" on:click=duplicate>"Duplicate"</button>
                <button data-test="metric-remove" on:click=remove>"Remove"</button>
            </div>
        </div>
    }
}

/// Which metric it is. Parameters that another one does not take are dropped.
#[component]
fn Kind(entry: Entry) -> impl IntoView {
    let metrics = Memo::new(move |_| {
        entry.state.opened.with(|opened| {
            let menu = opened.as_ref().map(|opened| opened.menu.metrics.clone());
            menu.unwrap_or_default()
        })
    });
    let options = move || {
        let metrics = metrics.get().into_iter();
        metrics
            .map(|metric| (metric.name.clone(), metric.name))
            .collect::<Vec<Choice>>()
    };
    let choose = move |name: String| {
        let menu = metrics.with_untracked(|all| all.iter().find(|it| it.name == name).cloned());
        entry.edit(Pace::Chosen, |entry| {
            entry.metric = name;
            let Some(menu) = menu else { return };
            let takes = |parameter: &String| menu.parameters.iter().any(|it| it.name == *parameter);
            entry.parameters.retain(|(parameter, _)| takes(parameter));
            match (menu.is_comparative, entry.target.is_empty()) {
                (true, true) => "last".clone_into(&mut entry.target),
                (false, _) => entry.target.clear(),
                (true, false) => {}
            }
        });
    };
    let summary = move || entry.menu().map(|menu| menu.summary);
    view! {
        <Select
            label="Metric"
            options=Signal::derive(options)
            value=Signal::derive(move || entry.read(|entry| entry.metric.clone()))
            path=entry.path("metric_name")
            choose=Callback::new(choose)
            test="metric-name"
        />
        <p class="label">{summary}</p>
        <Problems path=entry.path("metric_name")/>
    }
}

/// The checkpoint that comparative metrics compare with.
#[component]
fn Target(entry: Entry) -> impl IntoView {
    let is_comparative = Memo::new(move |_| {
        let has_target = entry.read(|entry| !entry.target.is_empty());
        has_target || entry.menu().is_some_and(|menu| menu.is_comparative)
    });
    let options = move || {
        let steps = entry.state.opened.with(|opened| {
            let steps = opened.as_ref().map(|opened| opened.run.steps.clone());
            steps.unwrap_or_default()
        });
        let last = ("last".to_owned(), "the last step".to_owned());
        let numbers = steps.iter().map(|step| step.number.to_string());
        let steps = numbers.map(|number| (number.clone(), format!("step {number}")));
        std::iter::once(last).chain(steps).collect::<Vec<_>>()
    };
    view! {
        <Show when=move || is_comparative.get()>
            <div>
                <Select
                    label="Compared with"
                    options=Signal::derive(options)
                    value=Signal::derive(move || entry.read(|entry| entry.target.clone()))
                    path=entry.path("target_checkpoint")
                    choose=Callback::new(move |target| entry.edit(Pace::Chosen, |entry| entry.target = target))
                    test="metric-target"
                />
                <Problems path=entry.path("target_checkpoint")/>
            </div>
        </Show>
    }
}

#[component]
fn Split(entry: Entry) -> impl IntoView {
    let options = ["train", "val"].map(|split| (split.to_owned(), split.to_owned()));
    view! {
        <div>
            <Select
                label="Split"
                options=Signal::stored(options.to_vec())
                value=Signal::derive(move || entry.read(|entry| entry.split.clone()))
                path=entry.path("data_split")
                choose=Callback::new(move |split| entry.edit(Pace::Chosen, |entry| entry.split = split))
                test="metric-split"
            />
            <Problems path=entry.path("data_split")/>
        </div>
    }
}

#[component]
fn Name(entry: Entry) -> impl IntoView {
    view! {
        <Text
            label="Name of its results"
            value=Signal::derive(move || entry.read(|entry| entry.name.clone()))
            path=entry.path("name")
            placeholder="follows from the metric"
            test="metric-label"
            change=Callback::new(move |name| entry.edit(Pace::Typed, |entry| entry.name = name))
        />
        <Problems path=entry.path("name")/>
    }
}

/// One parameter, by what values it takes.
#[component]
fn Parameter(entry: Entry, menu: ParameterMenu) -> impl IntoView {
    let path = entry.path(&menu.name);
    let name = StoredValue::new(menu.name.clone());
    let default = menu.default.clone();
    let value = Signal::derive(move || {
        let given = entry.read(|entry| name.with_value(|name| value_of(&entry.parameters, name)));
        given.unwrap_or_else(|| default.clone())
    });
    let set = move |pace: Pace, value: String| {
        entry.edit(pace, |entry| {
            set_value(&mut entry.parameters, name.get_value(), value);
        });
    };
    view! { <Value menu path=path value set=Callback::new(move |(pace, value)| set(pace, value))/> }
}

/// `Norm · nuclear`; its own name where it has one. Values that say nothing are left out.
fn title(entry: &MetricForm, menu: Option<&MetricMenu>) -> String {
    if !entry.name.is_empty() {
        return entry.name.clone();
    }
    let metric = menu.map_or_else(|| entry.metric.clone(), |menu| menu.title.clone());
    let values = entry
        .parameters
        .iter()
        .filter_map(|(name, value)| match value.as_str() {
            "" | "false" => None,
            "true" => Some(name.replace('_', " ")),
            value if value.parse().is_ok_and(f64::is_finite) => {
                Some(format!("{} {value}", name.replace('_', " ")))
            }
            value => Some(value.to_owned()),
        });
    let words: Vec<String> = std::iter::once(metric).chain(values).collect();
    words.join(" · ")
}

/// `weights: v_proj, o_proj · to the last step · all layers`, kinds of data in order.
fn summary(entry: &MetricForm, menu: &[ComponentMenu], short: &Names) -> String {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    let named = entry.components.iter().flat_map(|component| {
        let names = names(component, menu, short).into_iter();
        names.map(|name| (component.data_type.as_str(), name))
    });
    for (kind, name) in named {
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => kinds.push((kind, vec![name])),
        }
    }
    let kinds = kinds
        .iter()
        .map(|(kind, names)| format!("{kind}: {}", names.join(", ")));
    let mut parts: Vec<String> = kinds.collect();
    if parts.is_empty() {
        parts.push("no components".to_owned());
    }
    match entry.target.as_str() {
        "" => {}
        "last" => parts.push("to the last step".to_owned()),
        step => parts.push(format!("to step {step}")),
    }
    parts.push(layers(entry));
    parts.join(" · ")
}

/// Its suffixes in short, and its parts; its own name where they make one matrix.
fn names<'a>(
    component: &'a ComponentForm,
    menu: &[ComponentMenu],
    short: &'a Names,
) -> Vec<&'a str> {
    let kind = menu.iter().find(|kind| kind.name == component.component);
    if kind.is_some_and(|kind| !kind.roles.is_empty()) {
        return vec![component.component.as_str()];
    }
    let suffixes = component.suffixes.iter();
    suffixes
        .map(|suffix| short.component(suffix))
        .chain(component.parts.iter().map(String::as_str))
        .collect()
}

fn layers(entry: &MetricForm) -> String {
    let mut selections = entry
        .components
        .iter()
        .map(|component| component.layers.trim());
    let first = selections.next().unwrap_or("all");
    let differ = selections.any(|other| other != first);
    match first {
        _ if differ => "different layers".to_owned(),
        "all" => "all layers".to_owned(),
        one if one.parse::<u64>().is_ok() => format!("layer {one}"),
        some => format!("layers {some}"),
    }
}

#[cfg(test)]
mod tests {
    use ckptscope_results::Text as SharedText;
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_card_says_what_is_measured() {
        let component = |name: &str, data_type: &str, suffixes: &[&str]| ComponentForm {
            component: name.to_owned(),
            data_type: data_type.to_owned(),
            suffixes: suffixes.iter().map(|suffix| (*suffix).to_owned()).collect(),
            layers: "0..2".to_owned(),
            ..ComponentForm::default()
        };
        let entry = MetricForm {
            metric: "norm".to_owned(),
            parameters: vec![("norm_type".to_owned(), "nuclear".to_owned())],
            target: "2000".to_owned(),
            components: vec![
                component(
                    "simple",
                    "weights",
                    &["attention.v_proj", "attention.o_proj"],
                ),
                component("simple", "gradients", &["w_2"]),
                component("ov_circuit", "weights", &["a", "b"]),
                component("simple", "weights", &["attention.o_proj"]),
            ],
            ..MetricForm::default()
        };
        let menu = MetricMenu {
            title: "Norm".to_owned(),
            ..MetricMenu::default()
        };
        assert_eq!(title(&entry, Some(&menu)), "Norm · nuclear");
        let offered = ["attention.v_proj", "attention.o_proj", "w_2"].map(SharedText::from);
        let short = Names::of_components(&offered);
        let circuit = ComponentMenu {
            name: "ov_circuit".to_owned(),
            roles: vec!["output_layer".to_owned(), "value_layer".to_owned()],
            ..ComponentMenu::default()
        };
        assert_eq!(
            summary(&entry, &[circuit], &short),
            "weights: v_proj, o_proj, ov_circuit · gradients: w_2 · to step 2000 · layers 0..2"
        );
    }
}
