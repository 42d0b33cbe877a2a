//! Lines in a few numbers each: first, last, smallest, largest, change.

use std::cmp::Ordering;
use std::sync::Arc;

use ckptscope_chart::Curve;
use ckptscope_results::{Names, Summary};
use ckptscope_vocabulary::sort::sort_by;
use leptos::prelude::*;

use super::basis::Basis;
use super::render_queue::RenderQueue;
use crate::panel::{PanelSignal, Subject};
use crate::screens::readout;

/// Rows that are shown at first, and as many again each time more are asked for.
const ROWS: usize = 60;

/// One row.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    subject: Subject,
    /// What it is called among the others: its part, and all of it.
    part: String,
    name: String,
    summary: Summary,
    /// What there is to know of the last value.
    status: Option<String>,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Component,
    Layer,
    Head,
    First,
    Last,
    Min,
    Max,
    Change,
    Percentage,
    Jump,
}

const COLUMNS: [(Column, &str, &str); 10] = [
    (Column::Component, "component", "the part of the layer"),
    (Column::Layer, "layer", "counted from 0"),
    (
        Column::Head,
        "head",
        "counted from 0; none for the layer's own",
    ),
    (Column::First, "first", "the first value"),
    (Column::Last, "last", "the last value"),
    (Column::Min, "min", "the smallest value"),
    (Column::Max, "max", "the largest value"),
    (Column::Change, "change", "last minus first"),
    (
        Column::Percentage,
        "%",
        "the change as a part of the first value",
    ),
    (
        Column::Jump,
        "jump at",
        "the step whose value differs most from the one before it",
    ),
];

/// How the table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    column: Column,
    is_descending: bool,
}

/// A table of a chart's lines, sorted by any column and filtered by words.
#[component]
pub(super) fn Table(panel: PanelSignal, is_near: Signal<bool>) -> impl IntoView {
    let queue = RenderQueue::here();
    let slot = queue.slot();
    let rows = RwSignal::new(Arc::<Vec<Row>>::default());
    let basis = Basis::here();
    let is_over_layers = basis.is_over_layers;
    Effect::new(move |_| {
        if !is_near.get() {
            return;
        }
        panel.track();
        let names = basis.names();
        let panel = panel.clone();
        queue.render(slot, move || {
            let row = |line: &Curve| Row::of(line, &names);
            let summed = panel.with_untracked(|panel| panel.lines.iter().map(row).collect());
            rows.try_set(Arc::new(summed));
        });
    });
    let words = RwSignal::new(String::new());
    let order = RwSignal::new(Order {
        column: Column::Component,
        is_descending: false,
    });
    let limit = RwSignal::new(ROWS);
    let found = Memo::new(move |_| found(&rows.get(), &words.get(), order.get()));
    let has_heads =
        Memo::new(move |_| rows.with(|rows| rows.iter().any(|row| row.subject.head.is_some())));
    let shown = move || {
        let rows = found.get().into_iter().take(limit.get());
        rows.map(|row| (row.subject.clone(), row))
            .collect::<Vec<_>>()
    };
    let note = move || {
        is_over_layers
            .get()
            .then_some("There is one step only: first and last are the same value.")
    };
    view! {
        <div class="table-tools">
            <input
                type="search"
                placeholder="filter: v_proj, layer 2, head 0"
                aria-label="filter rows"
                data-test="table-filter"
                prop:value=move || words.get()
                on:input=move |event| words.set(event_target_value(&event))
            />
            <Counted found rows=Signal::derive(move || rows.with(|rows| rows.len()))/>
            <span class="label">{note}</span>
        </div>
        <div class="scroll" tabindex="0" role="region" aria-label="table of series">
            <table class:headless=move || !has_heads.get() data-test="table">
                <thead><tr>{COLUMNS.map(|(column, name, hint)| view! { <Head column name hint order/> }).collect_view()}</tr></thead>
                <tbody>
                    <For each=shown key=|(subject, row)| (subject.clone(), format!("{row:?}")) let((_, row))>
                        <RowView row/>
                    </For>
                </tbody>
            </table>
        </div>
        <Show when=move || { found.with(Vec::len) > limit.get() }>
            <button class="more" data-test="table-more" on:click=move |_| limit.update(|limit| *limit *= 2)>
                {move || format!("show more ({} not shown)", found.with(Vec::len).saturating_sub(limit.get()))}
            </button>
        </Show>
    }
}

#[component]
fn Counted(found: Memo<Vec<Row>>, rows: Signal<usize>) -> impl IntoView {
    let words = move || match (found.with(Vec::len), rows.get()) {
        (found, all) if found == all => format!("{all} series"),
        (found, all) => format!("{found} of {all} series"),
    };
    view! { <span class="label" role="status" data-test="table-count">{words}</span> }
}

/// A column's heading: a click sorts by it, another the other way round.
#[component]
fn Head(
    column: Column,
    name: &'static str,
    hint: &'static str,
    order: RwSignal<Order>,
) -> impl IntoView {
    let sorted = move || match order.get() {
        Order { column: other, .. } if other != column => "none",
        Order {
            is_descending: true,
            ..
        } => "descending",
        Order { .. } => "ascending",
    };
    let sort = move |_| {
        order.update(|order| {
            order.is_descending = order.column == column && !order.is_descending;
            order.column = column;
        });
    };
    let arrow = move || match sorted() {
        "ascending" => "▲",
        "descending" => "▼",
        _ => "",
    };
    view! {
        <th scope="col" class=class(column) aria-sort=sorted>
            <button title=hint data-test="sort" on:click=sort>{name}<i aria-hidden="true">{arrow}</i></button>
        </th>
    }
}

const fn class(column: Column) -> &'static str {
    match column {
        Column::Component => "words",
        Column::Head => "head",
        _ => "",
    }
}

#[component]
fn RowView(row: Row) -> impl IntoView {
    let Row {
        subject,
        part,
        summary,
        status,
        ..
    } = row;
    let number = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let value = |value| readout::with_digits(value, 5);
    let noted = status.is_some();
    view! {
        <tr>
            <th scope="row" class="words" title=subject.part()>{part}</th>
            <td>{number(subject.layer)}</td>
            <td class="head">{number(subject.head)}</td>
            <td>{value(summary.first)}</td>
            <td class:noted=noted title=status>{value(summary.last)}</td>
            <td>{value(summary.min.map(|(value, _)| value))}</td>
            <td>{value(summary.max.map(|(value, _)| value))}</td>
            <td>{readout::difference(summary.change)}</td>
            <td>{readout::percentage(summary.relative_change())}</td>
            <td>{number(turning_step(&summary))}</td>
        </tr>
    }
}

impl Row {
    fn of(line: &Curve, names: &Names) -> Self {
        let last = line.points().next_back().map(|point| point.0);
        Self {
            subject: line.subject.clone(),
            part: names.part(&line.subject),
            name: names.name(&line.subject),
            summary: Summary::of(line.points()),
            status: last.and_then(|step| line.status(step)),
        }
    }

    /// Whether the row's name has all of the words: `layer 2` is not in `layer 20`.
    fn has(&self, words: &str) -> bool {
        let name = format!("{} {}", self.name, self.subject.part()).to_lowercase();
        let is_there = |word: &str| {
            let is_number = word.ends_with(|last: char| last.is_ascii_digit());
            let mut places = name.match_indices(word);
            places.any(|(start, _)| {
                let after = name.get(start + word.len()..).unwrap_or_default();
                !(is_number && after.starts_with(|next: char| next.is_ascii_digit()))
            })
        };
        let words = words
            .split([',', ';'])
            .map(|word| word.trim().to_lowercase());
        words
            .filter(|word| !word.is_empty())
            .all(|word| is_there(&word))
    }

    fn compare(&self, other: &Self, column: Column) -> Ordering {
        let (a, b) = (&self.summary, &other.summary);
        let by = |value: fn(&Summary) -> Option<f64>| compare(value(a), value(b));
        match column {
            Column::Component => self.subject.cmp(&other.subject),
            Column::Layer => self.subject.layer.cmp(&other.subject.layer),
            Column::Head => self.subject.head.cmp(&other.subject.head),
            Column::First => by(|summary| summary.first),
            Column::Last => by(|summary| summary.last),
            Column::Min => by(|summary| Some(summary.min?.0)),
            Column::Max => by(|summary| Some(summary.max?.0)),
            Column::Change => by(|summary| summary.change),
            Column::Percentage => by(Summary::relative_change),
            Column::Jump => turning_step(a).cmp(&turning_step(b)),
        }
    }
}

/// The step whose value differs most from the value before it.
fn turning_step(summary: &Summary) -> Option<u64> {
    summary.jump.map(|(step, _)| step)
}

/// What does not exist comes before what does.
fn compare(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn found(rows: &[Row], words: &str, order: Order) -> Vec<Row> {
    let mut found: Vec<Row> = rows.iter().filter(|row| row.has(words)).cloned().collect();
    sort_by(&mut found, |a, b| {
        let ordering = a.compare(b, order.column);
        if order.is_descending {
            ordering.reverse()
        } else {
            ordering
        }
    });
    found
}
