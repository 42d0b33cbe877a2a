//! Cells: a row for each curve.

use trainscope_plot::{Figure, Heatmap, Row, Scale, Size};

use super::{COLUMN, Choice, Drawn, of_values};
use crate::curve::{Curve, Panel};
use crate::title::Title;

/// Of a row of a heatmap.
const ROW: u32 = 13;

/// Draws the curves of a panel as rows of cells.
pub(super) fn heatmap(panel: &Panel<'_>, title: &Title, choice: &Choice) -> Drawn {
    let steps = panel.steps();
    let mut rows: Vec<Row> = Vec::new();
    for part in &panel.parts {
        rows.extend(part.curves.iter().map(|curve| Row {
            name: row_name(panel, part.component, curve),
            values: steps.iter().map(|&step| curve.at(step)).collect(),
        }));
    }
    let scale = choice.y.unwrap_or_else(|| of_values(panel));
    let wanted = u32::try_from(rows.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(ROW);
    let component = match panel.parts.as_slice() {
        [only] => format!("{} · ", only.component),
        _ => String::new(),
    };
    let mut heatmap = Heatmap {
        title: title.line(),
        x_label: "step".to_owned(),
        value_label: if scale == Scale::Linear {
            ""
        } else {
            "log scale"
        }
        .to_owned(),
        rows,
        columns: steps.iter().map(u64::to_string).collect(),
        scale,
        size: Size {
            width: choice.width.unwrap_or(COLUMN),
            height: wanted.saturating_add(60).clamp(120, 640),
        },
        theme: choice.theme,
        figure: Some(Figure {
            title: title.name.clone(),
            subtitle: format!("{component}{}", title.details),
        }),
        ..Heatmap::default()
    };
    if let Some(height) = choice.height {
        let around = heatmap.drawn_size().height - heatmap.size.height;
        heatmap.size.height = height.saturating_sub(around);
    }
    Drawn {
        svg: heatmap.to_svg(),
        size: heatmap.drawn_size(),
    }
}

/// `0`, `0 · h1`; where there are several components, `0 · h1 · ov_circuit`.
fn row_name(panel: &Panel<'_>, component: &str, curve: &Curve<'_>) -> String {
    let number = match curve.head {
        None => curve.layer.to_string(),
        Some(head) => format!("{} · h{head}", curve.layer),
    };
    match panel.parts.as_slice() {
        [_] => number,
        _ => format!("{number} · {}", panel.brief(component)),
    }
}
