//! Cells: a row for each curve.

use std::collections::BTreeSet;

use trainscope_plot::{Figure, Heatmap, Row, Scale, Size};

use super::{COLUMN, Choice, Chosen, Drawn, of_values};
use crate::curve::short;
use crate::title::Title;

/// Of a row of a heatmap.
const ROW: u32 = 13;

/// Draws curves as rows of cells.
pub(super) fn heatmap(chosen: &[Chosen<'_>], title: &Title, choice: &Choice) -> Drawn {
    let steps: BTreeSet<u64> = chosen
        .iter()
        .flat_map(|(_, curve)| curve.points.iter().map(|point| point.step))
        .collect();
    let one_component = chosen
        .iter()
        .all(|(component, _)| *component == chosen[0].0);
    let row = |&(component, curve): &Chosen<'_>| {
        let number = match curve.head {
            None => curve.layer.to_string(),
            Some(head) => format!("{} · h{head}", curve.layer),
        };
        let name = if one_component {
            number
        } else {
            format!("{number} · {}", short(component))
        };
        let values = steps.iter().map(|&step| curve.at(step)).collect();
        Row { name, values }
    };
    let rows: Vec<Row> = chosen.iter().map(row).collect();
    let scale = choice.y.unwrap_or_else(|| of_values(chosen));
    let wanted = u32::try_from(rows.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(ROW);
    let component = if one_component {
        format!("{} · ", chosen[0].0)
    } else {
        String::new()
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
