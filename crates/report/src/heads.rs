//! The heads of every layer: small charts on the same axes, and all of them as one heatmap.
//!
//! All points are drawn. Of wide runs heads are folded away with `<details>`, which needs no
//! script.

use std::collections::BTreeSet;

use crate::charts::{MOST_NAMED_ROWS, Pen, SharedAxes, heatmap};
use crate::curve::{Curve, PanelCurves, PartCurves};
use crate::markup::{counted, details, escaped};

/// A heatmap of all heads is no higher than this, and its rows are thin then.
const MOST_HEIGHT: u32 = 760;
/// Heads of so many layers are shown at once; of more when somebody asks.
const OPEN_LAYERS: usize = 4;

/// What there is of heads in a panel; nothing where it has none.
pub(crate) fn heads(panel: &PanelCurves<'_>, name: &str, steps: &[u64], pen: &Pen) -> String {
    let with_heads = panel
        .parts
        .iter()
        .filter(|part| part.heads().next().is_some());
    with_heads
        .map(|part| heads_of(part, name, steps, pen))
        .collect()
}

fn heads_of(part: &PartCurves<'_>, title: &str, steps: &[u64], pen: &Pen) -> String {
    let all: Vec<&Curve<'_>> = part.heads().collect();
    let component = &part.name;
    if all.iter().all(|curve| curve.values().next().is_none()) {
        let full = escaped(component);
        return format!(
            "<p class=note>Heads of {full}: all values are undefined, the reason stands \
             below.</p>\n"
        );
    }
    if steps.len() < 2 {
        return over_layers(part, title);
    }
    let axes = SharedAxes::of(&all);
    let layers: Vec<&[&Curve<'_>]> = all
        .chunk_by(|one, other| one.layer == other.layer)
        .collect();
    let mut body = String::from("<div class=heads><div class=small>\n");
    for of_layer in &layers {
        let layer = of_layer.first().map_or(0, |curve| curve.layer);
        let said = format!("{title} of {component}, layer {layer}, a line for each head");
        let chart = pen.small(&said, of_layer, &axes);
        body.push_str(&format!(
            "<figure><figcaption>layer {layer}</figcaption>{chart}</figure>\n"
        ));
    }
    let said = format!("{title} of {component}, a row for each head, a column for each step");
    let rows = if all.len() > MOST_NAMED_ROWS {
        name_of_first
    } else {
        name
    };
    let cells = heatmap(
        &said,
        all.iter().copied(),
        ("step", steps),
        (rows, MOST_HEIGHT),
    );
    body.push_str(&format!(
        "</div><figure class=tall><figcaption>all heads</figcaption>{cells}</figure></div>\n"
    ));
    let summary = format!(
        "{}: {} in {}",
        component,
        counted(all.len(), "head"),
        counted(layers.len(), "layer")
    );
    details(&summary, layers.len() <= OPEN_LAYERS, &body)
}

/// Of a single step: a row for each head, a column for each layer.
fn over_layers(part: &PartCurves<'_>, title: &str) -> String {
    let over = part.over_layers();
    let layers: BTreeSet<u64> = part.heads().map(|curve| curve.layer).collect();
    let layers: Vec<u64> = layers.into_iter().collect();
    let component = &part.name;
    let said = format!("{title} of {component}, a row for each head, a column for each layer");
    let rows: fn(&Curve<'_>) -> String = |curve| format!("h{}", curve.head.unwrap_or(0));
    let cells = heatmap(&said, over.heads(), ("layer", &layers), (rows, MOST_HEIGHT));
    let full = escaped(component);
    format!("<figure><figcaption>heads of {full}</figcaption>{cells}</figure>\n")
}

/// `3 · h1`.
fn name(curve: &Curve<'_>) -> String {
    format!("{} · h{}", curve.layer, curve.head.unwrap_or(0))
}

/// Only the first of a layer's rows has a name, where there is no room for all.
fn name_of_first(curve: &Curve<'_>) -> String {
    match curve.head {
        Some(0) => format!("layer {}", curve.layer),
        _ => String::new(),
    }
}
