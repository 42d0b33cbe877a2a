//! The tensors of a part, by layer.

use std::sync::Arc;

use ckptscope_protocol::tab::{PartName, TensorList, TensorRow};
use leptos::prelude::*;

use super::grouping::{Group, Total, grouped, totals};
use crate::screens::readout;
use crate::store::State;
use crate::store::explore::{Explore, Loadable};

/// Rows that a group shows before it is asked for more.
const ROWS_AT_ONCE: usize = 200;

/// Rows that a search unfolds by itself.
const ROWS_UNFOLDED: usize = 300;

/// The list with its search field, or why there is none.
#[component]
pub(super) fn Tree() -> impl IntoView {
    let explore = State::here().explore;
    let body = move || match explore.list.get() {
        Loadable::NotAsked => ().into_any(),
        Loadable::Loading => {
            view! { <p class="label" role="status">"Reading the directory…"</p> }.into_any()
        }
        Loadable::Failed(message) => {
            view! { <p class="failure" role="alert" data-test="tensors-failed">{message}</p> }
                .into_any()
        }
        Loadable::Loaded(list) => view! { <Tensors list/> }.into_any(),
    };
    let heading = move || explore.part.with(|part| part.as_ref().map(in_words));
    view! {
        <section class="tensors card" data-test="tensors">
            <header><h3>"Tensors"</h3><span class="sub">{heading}</span></header>
            {body}
        </section>
    }
}

/// `step 256 · weights · val`.
pub(super) fn in_words(part: &PartName) -> String {
    let split = part.split.as_deref().map(|split| format!(" · {split}"));
    format!(
        "step {} · {}{}",
        part.step,
        part.data_type,
        split.unwrap_or_default()
    )
}

#[component]
fn Tensors(list: Arc<TensorList>) -> impl IntoView {
    let explore = State::here().explore;
    let list = StoredValue::new(list);
    let groups = Memo::new(move |_| {
        explore
            .search
            .with(|search| list.with_value(|list| grouped(&list.tensors, search)))
    });
    let all = list.with_value(|list| list.tensors.len() as u64);
    let matching = move || {
        let found = groups.with(|groups| groups.iter().map(|group| group.rows.len() as u64).sum());
        if explore.search.with(|search| search.trim().is_empty()) {
            readout::counted(all, "tensor")
        } else {
            format!(
                "{} of {}",
                readout::count(found),
                readout::counted(all, "tensor")
            )
        }
    };
    let unfolded_by_search = Memo::new(move |_| {
        let is_searching = explore.search.with(|search| !search.trim().is_empty());
        groups.with(|groups| {
            if is_searching {
                few(groups)
            } else {
                Vec::new()
            }
        })
    });
    let shown = move || groups.get().into_iter();
    view! {
        <input
            type="search"
            placeholder="Search names"
            aria-label="Search tensors by name"
            data-test="tensor-search"
            prop:value=move || explore.search.get()
            on:input:target=move |event| explore.search.set(event.target().value())
        />
        <p class="label" role="status" data-test="tensor-count">{matching}</p>
        <Totals totals=list.with_value(|list| totals(&list.tensors))/>
        <div class="groups">
            <For
                each=shown
                key=|group| (group.prefix.clone(), group.rows.clone())
                let:group
            >
                <Branch group list unfolded_by_search/>
            </For>
        </div>
        <Unreadable list/>
    }
}

/// The first groups that have few rows together.
fn few(groups: &[Group]) -> Vec<String> {
    let mut rows = 0;
    let fitting = groups.iter().take_while(|group| {
        rows += group.rows.len().min(ROWS_AT_ONCE);
        rows <= ROWS_UNFOLDED
    });
    fitting.map(|group| group.prefix.clone()).collect()
}

#[component]
fn Totals(totals: Vec<Total>) -> impl IntoView {
    let words = totals.into_iter().map(|total| {
        let amount = format!(
            "{}, {}",
            readout::counted(total.tensors, "tensor"),
            readout::bytes(total.bytes)
        );
        view! { <li><b>{total.dtype}</b>" "{amount}</li> }
    });
    view! { <ul class="totals" aria-label="Totals per dtype">{words.collect_view()}</ul> }
}

/// A group that is unfolded by a click or by a search.
#[component]
fn Branch(
    group: Group,
    list: StoredValue<Arc<TensorList>>,
    unfolded_by_search: Memo<Vec<String>>,
) -> impl IntoView {
    let explore = State::here().explore;
    let prefix = StoredValue::new(group.prefix.clone());
    let is_open = Memo::new(move |_| {
        let by_hand = explore
            .unfolded
            .with(|unfolded| prefix.with_value(|prefix| unfolded.contains(prefix)));
        by_hand != unfolded_by_search.with(|open| prefix.with_value(|prefix| open.contains(prefix)))
    });
    let name = match group.prefix.as_str() {
        "" => "outside layers".to_owned(),
        prefix => prefix.to_owned(),
    };
    let amount = format!(
        "{}, {}",
        readout::count(group.rows.len() as u64),
        readout::bytes(group.bytes)
    );
    let fold = move |_| {
        explore.unfolded.update(|unfolded| {
            let prefix = prefix.get_value();
            if !unfolded.remove(&prefix) {
                unfolded.insert(prefix);
            }
        });
    };
    let rows = StoredValue::new(group.rows);
    view! {
        <div class="group">
            <button
                class="fold"
                aria-expanded=move || is_open.get().to_string()
                data-test="tensor-group"
                on:click=fold
            >
                <span class="arrow" aria-hidden="true"></span>
                <span class="name">{name}</span>
                <span class="label">{amount}</span>
            </button>
            <Show when=move || is_open.get()>
                <Rows rows=rows.get_value() list start=prefix.with_value(String::len)/>
            </Show>
        </div>
    }
}

/// The rows of a group, not all at once where they are many.
#[component]
fn Rows(rows: Vec<usize>, list: StoredValue<Arc<TensorList>>, start: usize) -> impl IntoView {
    let explore = State::here().explore;
    let limit = RwSignal::new(ROWS_AT_ONCE);
    let all = rows.len();
    let rows = StoredValue::new(rows);
    let shown =
        move || rows.with_value(|rows| rows.iter().copied().take(limit.get()).collect::<Vec<_>>());
    let row = move |index: usize| {
        let row = list.with_value(|list| list.tensors.get(index).cloned());
        row.map(|row| view! { <Row row start explore/> })
    };
    let rest = move || all.saturating_sub(limit.get());
    let more = move || {
        format!(
            "Show {} more of {}",
            rest().min(ROWS_AT_ONCE),
            readout::count(rest() as u64)
        )
    };
    view! {
        <ul class="rows">
            <For each=shown key=|index| *index children=row/>
        </ul>
        <Show when=move || { rest() > 0 }>
            <button class="more" on:click=move |_| limit.update(|limit| *limit += ROWS_AT_ONCE)>{more}</button>
        </Show>
    }
}

#[component]
fn Row(row: TensorRow, start: usize, explore: Explore) -> impl IntoView {
    let name = StoredValue::new(row.name.clone());
    let is_chosen = move || {
        explore
            .name
            .with(|chosen| name.with_value(|name| chosen.as_ref() == Some(name)))
    };
    let short = row.name.get(start..).unwrap_or(&row.name);
    let short = short.trim_start_matches('.').to_owned();
    let shape = shape_in_words(&row.shape);
    let title = match &row.stored {
        Some(stored) => format!("{}: {stored}", row.name),
        None => row.name.clone(),
    };
    view! {
        <li>
            <button
                class="tensor"
                class:on=is_chosen
                aria-pressed=move || is_chosen().to_string()
                title=title
                data-test="tensor"
                on:click=move |_| explore.look_at(name.get_value())
            >
                <span class="name">{short}</span>
                <span class="dtype">{row.dtype}</span>
                <span class="shape">{shape}</span>
                <span class="size">{readout::bytes(row.bytes)}</span>
            </button>
        </li>
    }
}

/// `48 × 128`; `scalar` for no dimensions.
pub(super) fn shape_in_words(shape: &[u64]) -> String {
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let extents: Vec<String> = shape.iter().map(u64::to_string).collect();
    extents.join(" × ")
}

#[component]
fn Unreadable(list: StoredValue<Arc<TensorList>>) -> impl IntoView {
    let unreadable = list.with_value(|list| list.unreadable.clone());
    if unreadable.is_empty() {
        return None;
    }
    let count = readout::counted(unreadable.len() as u64, "tensor");
    let lines = unreadable.into_iter().map(|(name, reason)| {
        view! { <li><b>{name}</b>": "{reason}</li> }
    });
    Some(view! {
        <details class="warnings" data-test="unreadable">
            <summary>{count}" cannot be read"</summary>
            <ul>{lines.collect_view()}</ul>
        </details>
    })
}
