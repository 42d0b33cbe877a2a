//! A row of cells for each curve: values as colours.

use ckptscope_plot::{Heatmap, Row};

use crate::chart::are_of_heads;
use crate::{Along, Chart, ChartInput, Draw, Of, StyledCurve, Tiles};

pub(crate) static CHART: Chart = Chart {
    name: "heatmap",
    title: "Heatmap",
    summary: "Rows of cells",
    marks: "a row for each",
    of: Of::LayersOrHeads,
    tiles: Tiles::All,
    has_colours: false,
    // Over layers a component has a single row, which says less than its line.
    is_reported: |curves, along| along == Along::Steps || are_of_heads(curves),
    lacking: "nothing to draw",
    draw: Draw::Rows(draw),
};

fn draw(input: &ChartInput<'_>) -> Heatmap {
    let row = |StyledCurve { curve, .. }: &StyledCurve<'_>| Row {
        name: (input.row_name)(&curve.subject),
        values: input.columns.iter().map(|&step| curve.at(step)).collect(),
    };
    Heatmap {
        title: input.title.clone(),
        x_label: input.x_label.to_string(),
        value_label: input.value_label.to_owned(),
        rows: input.curves.iter().map(row).collect(),
        columns: input.columns.iter().map(u64::to_string).collect(),
        scale: input.value_scale,
        size: input.size,
        theme: input.theme,
        figure: input.figure.clone(),
        ..Heatmap::default()
    }
}
