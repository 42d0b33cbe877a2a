//! What a metric measures: groups of components.

use ckptscope_analysis::config::{ComponentForm, ComponentMenu, ParameterMenu};
use leptos::prelude::*;

use super::field::{Choice, Problems, Select, Text};
use super::groups::{change_kind, groups, remove, toggle_suffix};
use super::metric::{Entry, Value, set_value, value_of};
use crate::message::SuffixSummary;
use crate::page::store::ask::Pace;

/// A group of components of an entry, by its place among them.
#[derive(Clone, Copy)]
struct Group {
    entry: Entry,
    place: usize,
}

impl Group {
    /// Places of its members among the entry's components.
    fn members(self) -> Vec<usize> {
        let menu = self.entry.component_menu();
        let all = self.entry.read(|entry| groups(&entry.components, &menu));
        all.get(self.place).cloned().unwrap_or_default()
    }

    /// Its first member; nothing of a group that has just gone.
    fn first(self) -> ComponentForm {
        let first = self.members().first().copied();
        self.entry.read(|entry| {
            let first = first.and_then(|first| entry.components.get(first));
            first.cloned().unwrap_or_default()
        })
    }

    fn suffixes(self) -> Vec<String> {
        let members = self.members();
        self.entry.read(|entry| {
            let members = members
                .iter()
                .filter_map(|member| entry.components.get(*member));
            members.flat_map(|member| member.suffixes.clone()).collect()
        })
    }

    fn menu(self) -> Option<ComponentMenu> {
        let name = self.first().component;
        self.entry
            .component_menu()
            .into_iter()
            .find(|menu| menu.name == name)
    }

    /// Changes the components, knowing which are the group's.
    fn edit(self, pace: Pace, change: impl FnOnce(&mut Vec<ComponentForm>, &[usize])) {
        let members = untrack(|| self.members());
        self.entry
            .edit(pace, |entry| change(&mut entry.components, &members));
    }

    /// Changes every member alike.
    fn edit_each(self, pace: Pace, change: impl Fn(&mut ComponentForm)) {
        self.edit(pace, |components, members| {
            for (index, component) in components.iter_mut().enumerate() {
                if members.contains(&index) {
                    change(component);
                }
            }
        });
    }

    /// The paths of a field of all its members.
    fn paths(self, field: &str) -> Vec<String> {
        let members = self.members().into_iter();
        let path = |member: usize| self.entry.path(&format!("components[{member}]{field}"));
        members.map(path).collect()
    }

    /// The path of a field of its first member.
    fn path(self, field: &str) -> String {
        self.paths(field).into_iter().next().unwrap_or_default()
    }

    /// The suffixes that the run has for its kind of data.
    fn offered(self) -> Vec<SuffixSummary> {
        let data_type = self.first().data_type;
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

/// The groups, and the way to another.
#[component]
pub(super) fn Components(entry: Entry) -> impl IntoView {
    let count = Memo::new(move |_| {
        let menu = entry.component_menu();
        entry.read(|entry| groups(&entry.components, &menu).len())
    });
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
                <GroupEditor group=Group { entry, place }/>
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
        suffixes: vec![String::new()],
        layers: "all".to_owned(),
        parameters: Vec::new(),
    }
}

#[component]
fn GroupEditor(group: Group) -> impl IntoView {
    let menu = Memo::new(move |_| group.menu());
    let has_roles =
        Memo::new(move |_| menu.with(|menu| menu.as_ref().is_some_and(|it| !it.roles.is_empty())));
    let summary = move || menu.with(|menu| menu.as_ref().map(|menu| menu.summary.clone()));
    view! {
        <fieldset class="group-editor" data-test="component">
            <legend class="out-of-sight">{format!("Components {}", group.place + 1)}</legend>
            <div class="pair">
                <Kind group/>
                <DataType group/>
            </div>
            <p class="label">{summary}</p>
            <Show when=move || has_roles.get() fallback=move || view! { <Chips group/> }>
                <Roles group/>
            </Show>
            {move || menu.get().map(|menu| {
                let parameters = menu.parameters.into_iter();
                parameters.map(|menu| view! { <Parameter group menu/> }).collect_view()
            })}
            <Layers group/>
            <div>
                <button
                    class="quiet"
                    data-test="component-remove"
                    on:click=move |_| group.edit(Pace::Chosen, remove)
                >
                    "Remove these"
                </button>
            </div>
            <GroupProblems group field="" deep=false/>
        </fieldset>
    }
}

/// What is wrong with a field of any member, each thing once.
#[component]
fn GroupProblems(
    group: Group,
    field: &'static str,
    #[prop(default = true)] deep: bool,
) -> impl IntoView {
    let ask = group.entry.ask;
    let messages = Memo::new(move |_| {
        let mut messages: Vec<String> = Vec::new();
        for path in group.paths(field) {
            for problem in ask.problems_at(&path, deep) {
                if !messages.contains(&problem.message) {
                    messages.push(problem.message);
                }
            }
        }
        messages
    });
    let lines = move || {
        messages
            .get()
            .into_iter()
            .map(|message| view! { <p>{message}</p> })
            .collect_view()
    };
    view! { <div class="problems" aria-live="polite">{lines}</div> }
}

#[component]
fn Kind(group: Group) -> impl IntoView {
    let options = move || {
        let menu = group.entry.component_menu().into_iter();
        menu.map(|kind| (kind.name.clone(), kind.name))
            .collect::<Vec<Choice>>()
    };
    let choose = move |name: String| {
        let kinds = untrack(|| group.entry.component_menu());
        let offered = untrack(|| group.offered()).into_iter().map(|it| it.suffix);
        let offered: Vec<String> = offered.collect();
        if let Some(kind) = kinds.iter().find(|kind| kind.name == name) {
            group.edit(Pace::Chosen, |components, members| {
                change_kind(components, members, kind, &offered);
            });
        }
    };
    view! {
        <div>
            <Select
                label="Component"
                options=Signal::derive(options)
                value=Signal::derive(move || group.first().component)
                path=Signal::derive(move || group.path(".component_name"))
                choose=Callback::new(choose)
                test="component-name"
            />
            <GroupProblems group field=".component_name"/>
        </div>
    }
}

/// The kinds of data that both the metric and the component serve.
#[component]
fn DataType(group: Group) -> impl IntoView {
    let options = move || {
        let of_metric = group
            .entry
            .menu()
            .map(|menu| menu.data_types)
            .unwrap_or_default();
        let of_component = group.menu().map(|menu| menu.data_types).unwrap_or_default();
        let both = of_metric
            .into_iter()
            .filter(|kind| of_component.contains(kind));
        both.map(|kind| (kind.clone(), kind))
            .collect::<Vec<Choice>>()
    };
    let choose = move |kind: String| {
        group.edit_each(Pace::Chosen, |component| {
            component.data_type.clone_from(&kind);
        });
    };
    view! {
        <div>
            <Select
                label="Data"
                options=Signal::derive(options)
                value=Signal::derive(move || group.first().data_type)
                path=Signal::derive(move || group.path(".data_type"))
                choose=Callback::new(choose)
                test="component-data"
            />
            <GroupProblems group field=".data_type"/>
        </div>
    }
}

/// One button for each suffix that the run has, and for those that the config names beside.
#[component]
fn Chips(group: Group) -> impl IntoView {
    let chosen = Memo::new(move |_| group.suffixes());
    let offered = Memo::new(move |_| {
        let mut all = group.offered();
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
        let suffix = StoredValue::new(summary.suffix.clone());
        let is_on = Memo::new(move |_| {
            chosen.with(|chosen| suffix.with_value(|suffix| chosen.contains(suffix)))
        });
        let toggle = move |_| {
            group.edit(Pace::Chosen, |components, members| {
                suffix.with_value(|suffix| toggle_suffix(components, members, suffix));
            });
        };
        view! {
            <button
                class="suffix"
                class:on=move || is_on.get()
                aria-pressed=move || is_on.get().to_string()
                title=title
                data-test="suffix"
                on:click=toggle
            >
                {summary.suffix}
            </button>
        }
    };
    view! {
        <div class="suffixes" role="group" aria-label="Tensors">
            <For each=move || offered.get() key=|it| it.suffix.clone() children=chip/>
        </div>
        <GroupProblems group field=".layer_suffixes"/>
    }
}

fn in_words(suffix: &SuffixSummary) -> String {
    if suffix.layers.is_empty() {
        return "not in this run".to_owned();
    }
    let shape: Vec<String> = suffix.shape.iter().map(u64::to_string).collect();
    format!("{}, in {} layers", shape.join(" × "), suffix.layers.len())
}

/// A menu for each role of a component.
#[component]
fn Roles(group: Group) -> impl IntoView {
    let roles = Memo::new(move |_| group.menu().map(|menu| menu.roles).unwrap_or_default());
    let role = move |(index, role): (usize, String)| {
        let options = move || {
            let offered = group.offered().into_iter();
            offered
                .map(|it| (it.suffix.clone(), it.suffix))
                .collect::<Vec<Choice>>()
        };
        let value = move || group.suffixes().get(index).cloned().unwrap_or_default();
        let choose = move |suffix: String| {
            group.edit_each(Pace::Chosen, |component| {
                let wanted = component.suffixes.len().max(index + 1);
                component.suffixes.resize(wanted, String::new());
                if let Some(place) = component.suffixes.get_mut(index) {
                    place.clone_from(&suffix);
                }
            });
        };
        let field = format!(".layer_suffixes.{role}");
        view! {
            <Select
                label=role.replace('_', " ")
                options=Signal::derive(options)
                value=Signal::derive(value)
                choose=Callback::new(choose)
                path=Signal::derive(move || group.path(&field))
                test="role"
            />
        }
    };
    view! {
        {move || roles.get().into_iter().enumerate().map(role).collect_view()}
        <GroupProblems group field=".layer_suffixes"/>
    }
}

#[component]
fn Layers(group: Group) -> impl IntoView {
    let state = group.entry.state;
    let hint = state.opened.with_untracked(|opened| {
        let layers = opened.as_ref().and_then(|opened| opened.run.n_layers);
        layers.map_or_else(
            || "all, 0..11 or 0, 2".to_owned(),
            |layers| format!("all, 0..{} or 0, 2", layers.saturating_sub(1)),
        )
    });
    let set = move |layers: String| {
        group.edit_each(Pace::Typed, |component| {
            component.layers.clone_from(&layers);
        });
    };
    view! {
        <div class="grow">
            <Text
                label=format!("Layers ({hint})")
                value=Signal::derive(move || group.first().layers)
                path=Signal::derive(move || group.path(".layers"))
                placeholder="all"
                change=Callback::new(set)
                test="layers"
            />
            <GroupProblems group field=".layers"/>
        </div>
    }
}

#[component]
fn Parameter(group: Group, menu: ParameterMenu) -> impl IntoView {
    let name = StoredValue::new(menu.name.clone());
    let default = menu.default.clone();
    let value = move || {
        let given = name.with_value(|name| value_of(&group.first().parameters, name));
        given.unwrap_or_else(|| default.clone())
    };
    let set = move |(pace, value): (Pace, String)| {
        group.edit_each(pace, |component| {
            set_value(&mut component.parameters, name.get_value(), value.clone());
        });
    };
    let path = untrack(|| group.path(&format!(".{}", menu.name)));
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
