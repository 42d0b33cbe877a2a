//! A chart of lines, and its legend.

use std::sync::Arc;

use ckptscope_chart::{Chart, DrawLines};
use ckptscope_plot::Size;
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::Drawing;
use super::legend::Legend;
use super::picture::Picture;
use crate::panel::PanelSignal;
use crate::panel::chart::ChartPlan;

/// A chart of lines; the legend below it reads out the values at the cursor.
#[component]
pub(super) fn LinesView(
    chart: &'static Chart,
    /// What draws it.
    drawing: DrawLines,
    panel: PanelSignal,
    is_near: Signal<bool>,
    height: u32,
) -> impl IntoView {
    let (element, picture) = Basis::here().drawn(chart, panel, is_near, move |plan, width| {
        Arc::new(draw(plan, drawing, Size { width, height }))
    });
    view! {
        <div node_ref=element>
            <Drawing picture height/>
        </div>
        <Legend picture/>
    }
}

fn draw(plan: ChartPlan, drawing: DrawLines, size: Size) -> Picture {
    let chart = drawing(&plan.whole(size));
    Picture {
        xs: plan.panel.steps(),
        axes: chart.axes(),
        svg: chart.to_svg(),
        plan,
    }
}
