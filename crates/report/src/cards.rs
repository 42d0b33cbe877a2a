//! The components of a panel side by side: the charts of each one below the other.
//!
//! Cards are 350 pixels wide, so that words in them are never scaled, on a screen of 400 pixels or
//! 1280.

use std::borrow::Cow;

use ckptscope_chart::{Along, steps};

use crate::charts::{Pen, Reported};
use crate::curve::{PanelCurves, PartCurves};
use crate::markup::escaped;

/// A heatmap of layers is no higher than this.
const MOST_HEIGHT: u32 = 420;

/// A card for each component with values of whole layers.
pub(crate) fn cards(panel: &PanelCurves, name: &str, steps: &[u64], pen: &Pen) -> String {
    let with_layers = panel.parts.iter().filter(|part| !part.layers().is_empty());
    let cards: String = with_layers
        .map(|part| card(part, name, steps, pen))
        .collect();
    if cards.is_empty() {
        return cards;
    }
    format!("<div class=cards>\n{cards}</div>\n")
}

fn card(part: &PartCurves, name: &str, all_steps: &[u64], pen: &Pen) -> String {
    let has_layers = part
        .curves
        .iter()
        .any(|curve| curve.subject.layer.is_some());
    let (along, part, columns) = if all_steps.len() < 2 && has_layers {
        let (over, _) = part.over_layers();
        let layers = steps(&over.curves);
        (Along::Layers, Cow::Owned(over), Cow::Owned(layers))
    } else {
        let columns = Cow::Borrowed(all_steps);
        (Along::Steps, Cow::Borrowed(part), columns)
    };
    let component = &part.name;
    let drawn = pen.all(&Reported {
        name: format!("{name} of {component}"),
        each: "layer",
        curves: &part.layers(),
        along,
        columns: &columns,
        row_name: |subject| {
            subject
                .layer
                .map_or_else(String::new, |layer| layer.to_string())
        },
        most_height: MOST_HEIGHT,
    });
    let full = escaped(component);
    format!("<figure class=card><figcaption>{full}</figcaption>\n{drawn}</figure>\n")
}
