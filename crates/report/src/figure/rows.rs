//! Rows: one for each curve, in one drawing.

use ckptscope_chart::{ChartInput, DrawRows, RowHeights, StyledCurve, Tiles, omitted, steps};
use ckptscope_plot::{Figure, Scale, Series, Size};
use ckptscope_results::Subject;

use super::{COLUMN, Choice, Drawn, FigureError, PAGE, of_values};
use crate::curve::PanelCurves;
use ckptscope_results::title::Title;

/// Above and below the rows.
const AROUND: u32 = 70;

/// Draws the curves of a panel as rows of cells.
pub(super) fn rows(
    panel: &PanelCurves,
    draw: DrawRows,
    title: &Title,
    choice: &Choice,
) -> Result<Drawn, FigureError> {
    let scale = choice.y.unwrap_or_else(|| of_values(panel));
    let plain = |curve| StyledCurve {
        curve,
        style: Series::default(),
    };
    let curves: Vec<StyledCurve<'_>> = panel.curves().map(plain).collect();
    let count = curves.len();
    let (component, width) = match panel.parts.as_slice() {
        [only] => (format!("{} · ", only.name), COLUMN),
        // Rows have long names.
        _ => (String::new(), PAGE),
    };
    let mut heatmap = draw(&ChartInput {
        title: title.line(),
        curves,
        columns: steps(panel.curves()),
        row_name: Box::new(|subject| row_name(panel, subject)),
        x_label: "step".into(),
        value_label: "",
        x_scale: Scale::Linear,
        value_scale: scale,
        size: Size {
            width: choice.width.unwrap_or(width),
            height: height_of(count),
        },
        theme: choice.theme,
        figure: Some(Figure {
            title: title.name.clone(),
            subtitle: format!("{component}{}", title.details),
        }),
    });
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
        omitted: omitted(panel.curves(), scale),
    })
}

/// As high as so many rows want to be, and at least a pixel for each.
fn height_of(rows: usize) -> u32 {
    let wanted = RowHeights {
        row: 13,
        around: AROUND,
        least: 120,
        most: 640,
    };
    let rows_alone = u32::try_from(rows).unwrap_or(u32::MAX);
    wanted.of(rows).max(rows_alone.saturating_add(AROUND))
}

/// `0`, `0 · h1`; where there are several components, `0 · h1 · ov_circuit`. Outside of layers the
/// component alone.
fn row_name(panel: &PanelCurves, subject: &Subject) -> String {
    let of = Tiles::Component.common(subject);
    let mut parts = panel.parts.iter();
    let component = parts
        .find(|part| part.of == of)
        .map(|part| part.short.as_str());
    let component = component.filter(|_| panel.parts.len() > 1 || subject.layer.is_none());
    let layer = subject.layer.map(|layer| layer.to_string());
    let head = subject.head.map(|head| format!("h{head}"));
    let words = [layer, head, component.map(str::to_owned)].into_iter();
    words.flatten().collect::<Vec<_>>().join(" · ")
}
