//! Cells: a row for each curve.

use ckptscope_plot::{Figure, Heatmap, Row, Scale, Size};

use super::{COLUMN, Choice, Drawn, FigureError, PAGE, of_values};
use crate::curve::{Curve, PanelCurves, PartCurves};
use ckptscope_results::title::Title;

/// Of a row of a heatmap.
const ROW: u32 = 13;
/// Above and below the rows.
const AROUND: u32 = 70;

/// Draws the curves of a panel as rows of cells.
pub(super) fn heatmap(
    panel: &PanelCurves<'_>,
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let steps = panel.steps();
    let mut rows: Vec<Row> = Vec::new();
    for part in &panel.parts {
        rows.extend(part.curves.iter().map(|curve| Row {
            name: row_name(panel, part, curve),
            values: steps.iter().map(|&step| curve.at(step)).collect(),
        }));
    }
    let scale = choice.y.unwrap_or_else(|| of_values(panel));
    let count = rows.len();
    let (component, width) = match panel.parts.as_slice() {
        [only] => (format!("{} · ", only.name), COLUMN),
        // Rows have long names.
        _ => (String::new(), PAGE),
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
            width: choice.width.unwrap_or(width),
            height: height_of(count),
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
    FigureError::if_crowded(1, heatmap.size)?;
    if heatmap.cells().area().height < count as f64 {
        return Err(FigureError::Thin { rows: count });
    }
    Ok(Drawn {
        svg: heatmap.to_svg(),
        size: heatmap.drawn_size(),
    })
}

/// As high as so many rows want to be, and at least a pixel for each.
fn height_of(rows: usize) -> u32 {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    let wanted = rows.saturating_mul(ROW).saturating_add(AROUND);
    wanted.clamp(120, 640).max(rows.saturating_add(AROUND))
}

/// `0`, `0 · h1`; where there are several components, `0 · h1 · ov_circuit`.
fn row_name(panel: &PanelCurves<'_>, part: &PartCurves<'_>, curve: &Curve<'_>) -> String {
    let number = match curve.head {
        None => curve.layer.to_string(),
        Some(head) => format!("{} · h{head}", curve.layer),
    };
    match panel.parts.as_slice() {
        [_] => number,
        _ => format!("{number} · {}", panel.brief(part)),
    }
}
