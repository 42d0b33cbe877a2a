//! Times what redrawing a chart costs the page, in a browser: arranging its numbers, drawing it,
//! and putting the drawing into the document.
//!
//!     cargo xtask bench --browser redraw
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

fn main() {}

#[cfg(target_arch = "wasm32")]
mod browser {
    use ckptscope_chart::{Along, Chart, Draw};
    use ckptscope_plot::{Size, Theme};
    use ckptscope_results::{DataKind, EntryId, Number, SeriesId, SeriesSet, Split, Value};
    use ckptscope_web_page::choices::{Choices, ColourBy, Lines};
    use ckptscope_web_page::panel::Panels;
    use ckptscope_web_page::panel::chart::ChartPlan;
    use ckptscope_web_page::panel::look::Palette;
    use ckptscope_web_page::panel::title::Title;
    use leptos::prelude::{GetUntracked, document, window};
    use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

    wasm_bindgen_test_configure!(run_in_browser);

    const SERIES: u64 = 50;
    const STEPS: u64 = 100;
    const TIMES: usize = 15;
    const SIZE: Size = Size {
        width: 470,
        height: 240,
    };

    #[wasm_bindgen_test]
    fn redraw() {
        let filter = option_env!("CKPTSCOPE_BENCH_FILTER").unwrap_or_default();
        if !"redraw".contains(filter) {
            return;
        }
        let panels = panels();
        let [lines, heatmap] = ["line", "heatmap"].map(|name| Chart::named(name).unwrap());
        let (Draw::Lines(draw_lines), Draw::Rows(draw_rows)) = (lines.draw, heatmap.draw) else {
            return;
        };
        let element = document().create_element("div").unwrap();
        document().body().unwrap().append_child(&element).unwrap();
        console_log!("{:48} {:>9} {:>9}", "milliseconds", "best", "median");
        time("arrange 50 series x 100 steps", || drop(self::panels()));
        time("plan a chart of them", || drop(plan(&panels, lines)));
        time("draw it as lines", || {
            drop(draw_lines(&plan(&panels, lines).whole(SIZE)).to_svg());
        });
        time("lines, shown and laid out", || {
            element.set_inner_html(&draw_lines(&plan(&panels, lines).whole(SIZE)).to_svg());
            element.get_bounding_client_rect();
        });
        time("heatmap, shown and laid out", || {
            element.set_inner_html(&draw_rows(&plan(&panels, heatmap).whole(SIZE)).to_svg());
            element.get_bounding_client_rect();
        });
        element.remove();
    }

    fn time(name: &str, work: impl Fn()) {
        let clock = window().performance().unwrap();
        let mut times: Vec<f64> = Vec::new();
        for _ in 0..TIMES {
            let start = clock.now();
            work();
            times.push(clock.now() - start);
        }
        times.sort_by(f64::total_cmp);
        console_log!("{name:48} {:9.2} {:9.2}", times[0], times[TIMES / 2]);
    }

    fn plan(panels: &Panels, chart: &'static Chart) -> ChartPlan {
        let choices = Choices::default();
        let panel = panels.all[0].panel.get_untracked().only(Lines::Layers);
        let colour = ColourBy::Layer;
        let palette = Palette::new(
            panels.seen.clone(),
            colour,
            choices.pinned.clone(),
            Theme::Light,
        );
        ChartPlan {
            looks: palette.looks(&panel, &choices),
            names: palette.names.clone(),
            title: Title::of(&panel.id, &[]),
            panel,
            choices,
            chart,
            along: Along::Steps,
            theme: Theme::Light,
        }
    }

    fn panels() -> Panels {
        let mut panels = Panels::default();
        let points = (0..STEPS).flat_map(|step| (0..SERIES).map(move |layer| (step, layer)));
        let number = |(step, layer): (u64, u64)| Number {
            id: SeriesId {
                entry: EntryId::new("per", Split::Val),
                component: "attention.v_proj".into(),
                kind: DataKind::Weights,
                stack: "model.layers.".into(),
                layer: Some(layer),
                ..SeriesId::default()
            },
            step: step * 20,
            value: Some(Value::Number(((step * 7 + layer * 13) as f64 / 50.0).sin())),
            status: None,
        };
        let set: SeriesSet = points.map(number).collect();
        panels.add_all(set.iter());
        panels
    }
}
