//! The heads of every layer: small charts on the same axes, and all of them in one drawing.
//!
//! All points are drawn. Of wide runs heads are folded away with `<details>`, which needs no
//! script.

use std::collections::BTreeSet;

use ckptscope_chart::{Along, Chart, Draw, Tiles, steps};
use ckptscope_results::Subject;

use crate::charts::{MOST_NAMED_ROWS, Pen, Reported};
use crate::curve::{PanelCurves, PartCurves};
use crate::markup::{counted, details, escaped};

/// A heatmap of all heads is no higher than this, and its rows are thin then.
const MOST_HEIGHT: u32 = 760;
/// Heads of so many layers are shown at once; of more when somebody asks.
const OPEN_LAYERS: usize = 4;

/// What there is of heads in a panel; nothing where it has none.
pub(crate) fn heads(panel: &PanelCurves, name: &str, steps: &[u64], pen: &Pen) -> String {
    let with_heads = panel.parts.iter().filter(|part| !part.heads().is_empty());
    with_heads
        .map(|part| heads_of(part, name, steps, pen))
        .collect()
}

fn heads_of(part: &PartCurves, title: &str, steps: &[u64], pen: &Pen) -> String {
    let all = part.heads();
    let component = &part.name;
    if all.iter().all(|curve| curve.values().next().is_none()) {
        let full = escaped(component);
        return format!(
            "<p class=note>Heads of {full}: all values are undefined, the reason stands \
             below.</p>\n"
        );
    }
    let name = format!("{title} of {component}");
    if steps.len() < 2 {
        return over_layers(part, name, pen);
    }
    let reported = Reported {
        name,
        each: "head",
        curves: &all,
        along: Along::Steps,
        columns: steps,
        row_name: if all.len() > MOST_NAMED_ROWS {
            name_of_first
        } else {
            row_name
        },
        most_height: MOST_HEIGHT,
    };
    let mut charts: Vec<&Chart> = reported.charts().collect();
    // Small drawings stand to the left of those of all heads.
    charts.sort_by_key(|chart| chart.tiles != Tiles::Layer);
    let figures = charts.into_iter();
    let figures: String = figures
        .map(|chart| figures_of(chart, &reported, pen))
        .collect();
    let layers: BTreeSet<Option<u64>> = all.iter().map(|curve| curve.subject.layer).collect();
    let summary = format!(
        "{}: {} in {}",
        component,
        counted(all.len(), "head"),
        counted(layers.len(), "layer")
    );
    let body = format!("<div class=heads>{figures}</div>\n");
    details(&summary, layers.len() <= OPEN_LAYERS, &body)
}

/// A chart of heads: a small drawing for each layer, or one of all heads.
fn figures_of(chart: &Chart, reported: &Reported<'_>, pen: &Pen) -> String {
    match (chart.tiles, chart.draw) {
        (Tiles::Layer, Draw::Lines(draw)) => {
            let small = pen.by_layer((chart, draw), reported).into_iter();
            let small = small.map(|(layer, drawn)| {
                format!("<figure><figcaption>layer {layer}</figcaption>{drawn}</figure>\n")
            });
            format!("<div class=small>\n{}</div>", small.collect::<String>())
        }
        _ => {
            let drawn = pen.whole(chart, reported);
            format!("<figure class=tall><figcaption>all heads</figcaption>{drawn}</figure>")
        }
    }
}

/// Of a single step: a row for each head, a column for each layer.
fn over_layers(part: &PartCurves, name: String, pen: &Pen) -> String {
    let (over, _) = part.over_layers();
    let heads = over.heads();
    let drawn = pen.all(&Reported {
        name,
        each: "head",
        curves: &heads,
        along: Along::Layers,
        columns: &steps(heads.iter().copied()),
        row_name: |subject| format!("h{}", subject.head.unwrap_or(0)),
        most_height: MOST_HEIGHT,
    });
    let full = escaped(&part.name);
    format!("<figure><figcaption>heads of {full}</figcaption>{drawn}</figure>\n")
}

/// `3 · h1`.
fn row_name(subject: &Subject) -> String {
    let (layer, head) = (subject.layer.unwrap_or(0), subject.head.unwrap_or(0));
    format!("{layer} · h{head}")
}

/// Only the first of a layer's rows has a name, where there is no room for all.
fn name_of_first(subject: &Subject) -> String {
    match (subject.layer, subject.head) {
        (Some(layer), Some(0)) => format!("layer {layer}"),
        _ => String::new(),
    }
}
