//! The components of a panel side by side: lines above, the same as a heatmap below.
//!
//! Cards are 350 pixels wide, so that words in them are never scaled, on a screen of 400 pixels or
//! 1280.

use crate::charts::{Pen, heatmap};
use crate::curve::{Curve, PanelCurves, PartCurves};
use crate::markup::escaped;

/// A heatmap of layers is no higher than this.
const MOST_HEIGHT: u32 = 420;

/// A card for each component with values of whole layers.
pub(crate) fn cards(panel: &PanelCurves<'_>, name: &str, steps: &[u64], pen: &Pen) -> String {
    let mut cards = String::new();
    for part in &panel.parts {
        if part.layers().next().is_some() {
            cards.push_str(&card(part, name, steps, pen));
        }
    }
    if cards.is_empty() {
        return cards;
    }
    format!("<div class=cards>\n{cards}</div>\n")
}

fn card(part: &PartCurves<'_>, name: &str, steps: &[u64], pen: &Pen) -> String {
    let component = &part.name;
    let full = escaped(component);
    if steps.len() < 2 {
        let over = part.over_layers();
        let title = format!("{name} of {component} over layers");
        let lines = over.layers().map(|curve| pen.over_layers(&title, curve));
        let lines: String = lines.collect();
        return format!("<figure class=card><figcaption>{full}</figcaption>\n{lines}</figure>\n");
    }
    let of_lines = format!("{name} of {component} over steps, a line for each layer");
    let of_cells = format!("{name} of {component}, a row for each layer, a column for each step");
    let lines = pen.lines(&of_lines, part.layers());
    let rows: fn(&Curve<'_>) -> String = |curve| curve.layer.to_string();
    let cells = heatmap(
        &of_cells,
        part.layers(),
        ("step", steps),
        (rows, MOST_HEIGHT),
    );
    format!("<figure class=card><figcaption>{full}</figcaption>\n{lines}{cells}</figure>\n")
}
