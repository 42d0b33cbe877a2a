//! What a metric measures: its components.

use ckptscope_protocol::tab::SuffixSummary;
use ckptscope_protocol::{ComponentForm, ComponentMenu, ParameterMenu};
use leptos::prelude::*;

use super::entry::Entry;
use super::field::{Choice, Problems, Select, Text};
use super::parameter::{Value, set_value, value_of};
use super::suffixes;
use crate::screens::readout;
use crate::store::ask::Pace;

/// An entry of a metric's components, by its place.
#[derive(Clone, Copy)]
struct Component {
    entry: Entry,
    place: usize,
}

impl Component {
    /// What it holds now; nothing of one that has just gone.
    fn read<T>(self, read: impl Fn(&ComponentForm) -> T) -> T {
        self.entry.read(|entry| {
            let gone = ComponentForm::default();
            read(entry.components.get(self.place).unwrap_or(&gone))
        })
    }

    /// Changes it.
    fn edit(self, pace: Pace, change: impl FnOnce(&mut ComponentForm)) {
        self.entry.edit(pace, |entry| {
            if let Some(component) = entry.components.get_mut(self.place) {
                change(component);
            }
        });
    }

    /// Takes it away.
    fn remove(self) {
        self.entry.edit(Pace::Chosen, |entry| {
            if self.place < entry.components.len() {
                entry.components.remove(self.place);
            }
        });
    }

    /// The path of a field of it.
    fn path(self, field: &str) -> String {
        self.entry
            .path(&format!("components[{}]{field}", self.place))
    }

    fn suffixes(self) -> Vec<String> {
        self.read(|form| form.suffixes.clone())
    }

    /// What the menu says of its kind.
    fn menu(self) -> Option<ComponentMenu> {
        let name = self.read(|form| form.component.clone());
        let mut kinds = self.entry.component_menu().into_iter();
        kinds.find(|menu| menu.name == name)
    }

    fn has_roles(self) -> bool {
        self.menu().is_some_and(|menu| !menu.roles.is_empty())
    }

    /// Whether it names a stack of layers, or the run has several with the same suffixes.
    fn has_stacks(self) -> bool {
        let names_one = self.read(|form| !form.stack.is_empty());
        names_one || self.offered().iter().any(|it| it.suffix.contains("*."))
    }

    /// The suffixes that the run has for its kind of data.
    fn offered(self) -> Vec<SuffixSummary> {
        let data_type = self.read(|form| form.data_type.clone());
        let split = self.entry.read(|entry| entry.split.clone());
        let all = self.entry.state.opened.with(|opened| {
            let all = opened.as_ref().map(|opened| opened.run.suffixes.clone());
            all.unwrap_or_default()
        });
        offered(all, &data_type, &split)
    }
}

/// The suffixes of a kind of data, each once: of the split where it has data of its own, else of
/// what serves both.
fn offered(all: Vec<SuffixSummary>, data_type: &str, split: &str) -> Vec<SuffixSummary> {
    let is_own = |suffix: &SuffixSummary| {
        suffix.data_type == data_type && suffix.split.as_deref() == Some(split)
    };
    let has_own = all.iter().any(is_own);
    let mut offered: Vec<SuffixSummary> = Vec::new();
    for suffix in all {
        let serves_both = suffix.split.is_none() && suffix.data_type == data_type;
        let is_here = if has_own {
            is_own(&suffix)
        } else {
            serves_both
        };
        let is_new = offered.iter().all(|other| other.suffix != suffix.suffix);
        if is_here && is_new {
            offered.push(suffix);
        }
    }
    offered
}

/// The components, and the way to another.
#[component]
pub(super) fn Components(entry: Entry) -> impl IntoView {
    let count = Memo::new(move |_| entry.read(|entry| entry.components.len()));
    let add = move |_| {
        let kinds = untrack(|| entry.menu())
            .map(|menu| menu.data_types)
            .unwrap_or_default();
        let added = untrack(|| new_component(entry, &kinds));
        entry.edit(Pace::Chosen, |entry| entry.components.push(added));
    };
    view! {
        <div class="field">
            <span>"Of"</span>
            <Problems path=entry.path("components")/>
            <For each=move || 0..count.get() key=|place| *place let:place>
                <Editor component=Component { entry, place }/>
            </For>
            <button data-test="component-add" on:click=add>"+ Add components"</button>
        </div>
    }
}

/// Plain components of the next kind of data that the entry does not measure yet.
fn new_component(entry: Entry, kinds: &[String]) -> ComponentForm {
    let used = entry.read(|entry| {
        let kinds = entry.components.iter().map(|it| it.data_type.clone());
        kinds.collect::<Vec<_>>()
    });
    let in_run = entry.state.opened.with(|opened| {
        let suffixes = opened.as_ref().map(|opened| opened.run.suffixes.clone());
        suffixes.unwrap_or_default()
    });
    let is_in_run = |kind: &&String| in_run.iter().any(|suffix| suffix.data_type == **kind);
    let mut usable = kinds.iter().filter(is_in_run);
    let first = usable.clone().next().or(kinds.first());
    let data_type = usable.find(|kind| !used.contains(kind)).or(first);
    let plain = entry
        .component_menu()
        .into_iter()
        .find(|kind| kind.roles.is_empty());
    ComponentForm {
        component: plain.map(|kind| kind.name).unwrap_or_default(),
        data_type: data_type.cloned().unwrap_or_default(),
        suffixes: Vec::new(),
        parts: Vec::new(),
        stack: String::new(),
        layers: "all".to_owned(),
        parameters: Vec::new(),
    }
}

#[component]
fn Editor(component: Component) -> impl IntoView {
    let menu = Memo::new(move |_| component.menu());
    let has_roles = Memo::new(move |_| component.has_roles());
    let summary = move || menu.with(|menu| menu.as_ref().map(|menu| menu.summary.clone()));
    let has_stacks = Memo::new(move |_| component.has_stacks());
    view! {
        <fieldset class="group-editor" data-test="component">
            <legend class="out-of-sight">{format!("Components {}", component.place + 1)}</legend>
            <div class="pair">
                <Kind component/>
                <DataType component/>
            </div>
            <p class="label">{summary}</p>
            <Show when=move || has_roles.get() fallback=move || view! { <Chips component/> }>
                <Roles component/>
            </Show>
            {move || menu.get().map(|menu| {
                let parameters = menu.parameters.into_iter();
                parameters.map(|menu| view! { <Parameter component menu/> }).collect_view()
            })}
            <Show when=move || has_stacks.get()>
                <Stack component/>
            </Show>
            <Layers component/>
            <div>
                <button
                    class="quiet"
                    data-test="component-remove"
                    on:click=move |_| component.remove()
                >
                    "Remove these"
                </button>
            </div>
            <Problems path=component.path("")/>
        </fieldset>
    }
}

#[component]
fn Kind(component: Component) -> impl IntoView {
    let options = move || {
        let menu = component.entry.component_menu().into_iter();
        menu.map(|kind| (kind.name.clone(), kind.name))
            .collect::<Vec<Choice>>()
    };
    let choose = move |name: String| {
        let kinds = untrack(|| component.entry.component_menu());
        let offered = untrack(|| component.offered())
            .into_iter()
            .map(|it| it.suffix);
        let offered: Vec<String> = offered.collect();
        let had_roles = untrack(|| component.has_roles());
        if let Some(kind) = kinds.iter().find(|kind| kind.name == name) {
            component.edit(Pace::Chosen, |component| {
                suffixes::change_kind(component, had_roles, kind, &offered);
            });
        }
    };
    view! {
        <div>
            <Select
                label="Component"
                options=Signal::derive(options)
                value=Signal::derive(move || component.read(|form| form.component.clone()))
                path=component.path(".component_name")
                choose=Callback::new(choose)
                test="component-name"
            />
            <Problems path=component.path(".component_name")/>
        </div>
    }
}

/// The kinds of data that both the metric and the component serve.
#[component]
fn DataType(component: Component) -> impl IntoView {
    let options = move || {
        let of_metric = component
            .entry
            .menu()
            .map(|menu| menu.data_types)
            .unwrap_or_default();
        let of_component = component
            .menu()
            .map(|menu| menu.data_types)
            .unwrap_or_default();
        let both = of_metric
            .into_iter()
            .filter(|kind| of_component.contains(kind));
        both.map(|kind| (kind.clone(), kind))
            .collect::<Vec<Choice>>()
    };
    let choose = move |kind: String| {
        component.edit(Pace::Chosen, |component| component.data_type = kind);
    };
    view! {
        <div>
            <Select
                label="Data"
                options=Signal::derive(options)
                value=Signal::derive(move || component.read(|form| form.data_type.clone()))
                path=component.path(".data_type")
                choose=Callback::new(choose)
                test="component-data"
            />
            <Problems path=component.path(".data_type")/>
        </div>
    }
}

/// One button for each suffix that the run has, and for those that the config names beside.
#[component]
fn Chips(component: Component) -> impl IntoView {
    let chosen = Memo::new(move |_| component.suffixes());
    let offered = Memo::new(move |_| {
        let mut all = component.offered();
        for suffix in chosen.get() {
            if !suffix.is_empty() && all.iter().all(|it| it.suffix != suffix) {
                all.push(SuffixSummary {
                    suffix,
                    ..SuffixSummary::default()
                });
            }
        }
        all
    });
    let chip = move |summary: SuffixSummary| {
        let title = in_words(&summary);
        let toggle = suffixes::toggle as Toggle;
        view! { <Chip component name=summary.suffix title chosen toggle test="suffix"/> }
    };
    view! {
        <Parts component/>
        <div class="suffixes" role="group" aria-label="Tensors">
            <For each=move || offered.get() key=|it| it.suffix.clone() children=chip/>
        </div>
        <Problems path=component.path(".layer_suffixes") deep=true/>
    }
}

/// One button for each part that the model has, and for those that the config names beside.
#[component]
fn Parts(component: Component) -> impl IntoView {
    let chosen = Memo::new(move |_| component.read(|form| form.parts.clone()));
    let offered = Memo::new(move |_| {
        let mut parts = component.menu().map(|menu| menu.parts).unwrap_or_default();
        component.entry.state.opened.with(|opened| {
            let in_run = opened.as_ref().map(|opened| &opened.run.parts);
            chosen.with(|chosen| {
                let is_known = |part: &String| in_run.is_none_or(|in_run| in_run.contains(part));
                parts.retain(|part| chosen.contains(part) || is_known(part));
            });
        });
        parts
    });
    let chip = move |name: String| {
        let title = "the part of the model, as its architecture stores it".to_owned();
        let toggle = suffixes::toggle_part as Toggle;
        view! { <Chip component name title chosen toggle test="part"/> }
    };
    let chips = move || {
        view! {
            <p class="label">"Parts of the model"</p>
            <div class="suffixes" role="group" aria-label="Parts">
                <For each=move || offered.get() key=Clone::clone children=chip/>
            </div>
            <p class="label">"or tensors by their names"</p>
        }
    };
    let has_some = Memo::new(move |_| offered.with(|offered| !offered.is_empty()));
    view! {
        <Show when=move || has_some.get()>{chips()}</Show>
        <Problems path=component.path(".part") deep=true/>
    }
}

/// Puts a name into the lists of a component, or takes it out.
type Toggle = fn(&mut ComponentForm, &str);

/// A name that is chosen or not.
#[component]
fn Chip(
    component: Component,
    name: String,
    title: String,
    chosen: Memo<Vec<String>>,
    toggle: Toggle,
    test: &'static str,
) -> impl IntoView {
    let stored = StoredValue::new(name.clone());
    let is_on =
        Memo::new(move |_| chosen.with(|chosen| stored.with_value(|name| chosen.contains(name))));
    let change = move |_| {
        component.edit(Pace::Chosen, |component| {
            stored.with_value(|name| toggle(component, name));
        });
    };
    view! {
        <button
            class="suffix"
            class:on=move || is_on.get()
            aria-pressed=move || is_on.get().to_string()
            title=title
            data-test=test
            on:click=change
        >
            {name}
        </button>
    }
}

fn in_words(suffix: &SuffixSummary) -> String {
    if suffix.layers.is_empty() {
        return "not in this run".to_owned();
    }
    let shape: Vec<String> = suffix.shape.iter().map(u64::to_string).collect();
    let layers = readout::counted(suffix.layers.len() as u64, "layer");
    format!("{}, in {layers}", shape.join(" × "))
}

/// What a role has where the config names no tensor for it.
const BY_ROLE: &str = "as the architecture says";

/// A menu for each role of a component.
#[component]
fn Roles(component: Component) -> impl IntoView {
    let roles = Memo::new(move |_| component.menu().map(|menu| menu.roles).unwrap_or_default());
    let role = move |(index, role): (usize, String)| {
        let options = move || {
            let by_role = (String::new(), BY_ROLE.to_owned());
            let offered = component.offered().into_iter();
            let offered = offered.map(|it| (it.suffix.clone(), it.suffix));
            std::iter::once(by_role)
                .chain(offered)
                .collect::<Vec<Choice>>()
        };
        let value = move || component.suffixes().get(index).cloned().unwrap_or_default();
        let choose = move |suffix: String| {
            component.edit(Pace::Chosen, |component| {
                suffixes::set_role(component, index, suffix);
            });
        };
        let field = format!(".layer_suffixes.{role}");
        view! {
            <Select
                label=role.replace('_', " ")
                options=Signal::derive(options)
                value=Signal::derive(value)
                choose=Callback::new(choose)
                path=component.path(&field)
                test="role"
            />
        }
    };
    view! {
        {move || roles.get().into_iter().enumerate().map(role).collect_view()}
        <Problems path=component.path(".layer_suffixes") deep=true/>
    }
}

/// The stack of layers, for what it does not say in front of its suffixes.
#[component]
fn Stack(component: Component) -> impl IntoView {
    let set = move |stack: String| {
        component.edit(Pace::Typed, |component| component.stack = stack);
    };
    view! {
        <div class="grow">
            <Text
                label="Stack of layers, where its suffixes name none"
                value=Signal::derive(move || component.read(|form| form.stack.clone()))
                path=component.path(".stack")
                placeholder="as in encoder.block"
                change=Callback::new(set)
                test="stack"
            />
            <Problems path=component.path(".stack")/>
        </div>
    }
}

#[component]
fn Layers(component: Component) -> impl IntoView {
    let state = component.entry.state;
    let hint = state.opened.with_untracked(|opened| {
        let layers = opened.as_ref().and_then(|opened| opened.run.n_layers);
        layers.map_or_else(
            || "all, 0..11 or 0, 2".to_owned(),
            |layers| format!("all, 0..{} or 0, 2", layers.saturating_sub(1)),
        )
    });
    let set = move |layers: String| {
        component.edit(Pace::Typed, |component| component.layers = layers);
    };
    view! {
        <div class="grow">
            <Text
                label=format!("Layers ({hint})")
                value=Signal::derive(move || component.read(|form| form.layers.clone()))
                path=component.path(".layers")
                placeholder="all"
                change=Callback::new(set)
                test="layers"
            />
            <Problems path=component.path(".layers") deep=true/>
        </div>
    }
}

#[component]
fn Parameter(component: Component, menu: ParameterMenu) -> impl IntoView {
    let name = StoredValue::new(menu.name.clone());
    let default = menu.default.clone();
    let value = move || {
        let given = component.read(|form| name.with_value(|name| value_of(&form.parameters, name)));
        given.unwrap_or_else(|| default.clone())
    };
    let set = move |(pace, value): (Pace, String)| {
        component.edit(pace, |component| {
            set_value(&mut component.parameters, name.get_value(), value);
        });
    };
    let path = component.path(&format!(".{}", menu.name));
    view! { <Value menu path value=Signal::derive(value) set=Callback::new(set)/> }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_split_with_data_of_its_own_offers_no_others() {
        let suffix = |split: Option<&str>, suffix: &str| SuffixSummary {
            data_type: "weights".to_owned(),
            split: split.map(str::to_owned),
            suffix: suffix.to_owned(),
            ..SuffixSummary::default()
        };
        let all = vec![
            suffix(Some("val"), "o_proj"),
            suffix(None, "o_proj"),
            suffix(None, "q_proj"),
        ];
        let names = |split: &str| {
            let offered = offered(all.clone(), "weights", split).into_iter();
            offered.map(|it| it.suffix).collect::<Vec<_>>()
        };
        assert_eq!(names("val"), ["o_proj"]);
        assert_eq!(names("train"), ["o_proj", "q_proj"]);
    }
}
