//! Lines over steps, and their legend.

use std::sync::Arc;

use ckptscope_plot::Size;
use leptos::html::Div;
use leptos::prelude::*;

use super::basis::Basis;
use super::drawing::Drawing;
use super::legend::Legend;
use super::picture::Picture;
use super::render_queue::RenderQueue;
use crate::browser;
use crate::panel::PanelSignal;
use crate::panel::chart::ChartPlan;

/// A line chart; the legend below it reads out the values at the cursor.
#[component]
pub(super) fn LinesView(panel: PanelSignal, is_near: Signal<bool>, height: u32) -> impl IntoView {
    let basis = Basis::here();
    let queue = RenderQueue::here();
    let slot = queue.slot();
    let element = NodeRef::<Div>::new();
    let width = browser::width_of(element);
    let picture = RwSignal::new(None::<Arc<Picture>>);
    Effect::new(move |_| {
        let size = Size {
            width: width.get(),
            height,
        };
        if !is_near.get() || size.width == 0 {
            return;
        }
        basis.track(&panel);
        let panel = panel.clone();
        queue.render(slot, move || {
            picture.try_set(Some(Arc::new(draw(basis.plan(&panel), size))));
        });
    });
    view! {
        <div node_ref=element>
            <Drawing picture height/>
        </div>
        <Legend picture/>
    }
}

fn draw(plan: ChartPlan, size: Size) -> Picture {
    let chart = plan.line_chart(size);
    Picture {
        xs: plan.panel.steps(),
        axes: chart.axes(),
        svg: chart.to_svg(),
        plan,
    }
}
