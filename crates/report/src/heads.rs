//! The heads of every layer: small charts on the same axes, and all of them as one heatmap.

use crate::charts::{Pen, SharedAxes, heatmap};
use crate::curve::{Curve, Panel, Part, short};
use crate::markup::{counted, details, escaped};

/// A heatmap of all heads is no higher than this, and its rows are thin then.
const MOST_HEIGHT: u32 = 760;
/// Heads of so many layers are shown at once; of more when somebody asks.
const OPEN_LAYERS: usize = 4;

/// What there is of heads in a panel; nothing where it has none.
pub(crate) fn heads(panel: &Panel<'_>, name: &str, steps: &[u64], pen: &Pen) -> String {
    let with_heads = panel
        .parts
        .iter()
        .filter(|part| part.heads().next().is_some());
    with_heads
        .map(|part| heads_of(part, name, steps, pen))
        .collect()
}

fn heads_of(part: &Part<'_>, name: &str, steps: &[u64], pen: &Pen) -> String {
    let all: Vec<&Curve<'_>> = part.heads().collect();
    let component = short(part.component);
    if all.iter().all(|curve| curve.values().next().is_none()) {
        let full = escaped(part.component);
        return format!(
            "<p class=note>Heads of {full}: all values are undefined, the reason stands \
             below.</p>\n"
        );
    }
    let axes = SharedAxes::of(&all);
    let layers: Vec<&[&Curve<'_>]> = all
        .chunk_by(|one, other| one.layer == other.layer)
        .collect();
    let mut body = String::from("<div class=small>\n");
    for of_layer in &layers {
        let layer = of_layer.first().map_or(0, |curve| curve.layer);
        let title = format!("{name} of {component}, layer {layer}, a line for each head");
        let chart = pen.small(&title, of_layer, &axes);
        body.push_str(&format!(
            "<figure><figcaption>layer {layer}</figcaption>{chart}</figure>\n"
        ));
    }
    let title = format!("{name} of {component}, a row for each head, a column for each step");
    let rows: fn(&Curve<'_>) -> String =
        |curve| format!("{} · h{}", curve.layer, curve.head.unwrap_or(0));
    let cells = heatmap(&title, all.iter().copied(), steps, (rows, MOST_HEIGHT));
    body.push_str(&format!(
        "</div><figure class=tall><figcaption>all heads</figcaption>{cells}</figure>\n"
    ));
    let summary = format!(
        "{}: {} in {}",
        part.component,
        counted(all.len(), "head"),
        counted(layers.len(), "layer")
    );
    details(&summary, layers.len() <= OPEN_LAYERS, &body)
}
