//! Series arranged as charts show them.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;

use ckptscope_chart::{Along, Chart, Draw};
use ckptscope_plot::{Scale, Size, Theme};
use ckptscope_results::{
    DataKind, Entry, EntryId, Names, Number, SeriesId, SeriesSet, Split, Status, Value,
};
use ckptscope_web_page::choices::{Choices, ColourBy, Lines, Spread};
use ckptscope_web_page::panel::chart::ChartPlan;
use ckptscope_web_page::panel::look::Palette;
use ckptscope_web_page::panel::title::Title;
use ckptscope_web_page::panel::{Added, Panel, PanelId, Panels, Subject};
use leptos::prelude::{GetUntracked, WithUntracked};
use serde_json::json;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn number(kind: &str, component: &str, layer: u64, step: u64, value: Option<f64>) -> Number {
    Number {
        id: SeriesId {
            entry: EntryId::new("per", Split::Val),
            component: component.into(),
            kind: kind.parse().expect("a kind of data"),
            stack: "layers.".into(),
            layer: Some(layer),
            ..SeriesId::default()
        },
        step,
        value: value.map(Value::Number),
        status: None,
    }
}

fn of_head(head: u64, mut number: Number) -> Number {
    number.id.head = Some(head);
    number
}

fn add(panels: &mut Panels, numbers: Vec<Number>) -> Added {
    let set: SeriesSet = numbers.into_iter().collect();
    panels.add_all(set.iter())
}

fn panels(numbers: Vec<Number>) -> Panels {
    let mut panels = Panels::default();
    add(&mut panels, numbers);
    panels
}

fn panel(numbers: Vec<Number>) -> Panel {
    panels(numbers).all[0].panel.get_untracked()
}

fn points(panel: &Panel, line: usize) -> Vec<(u64, Option<f64>)> {
    panel.lines[line].points().collect()
}

fn subject(layer: u64, component: &str, head: Option<u64>) -> Subject {
    Subject {
        component: component.into(),
        stack: None,
        run: None,
        expert: None,
        layer: Some(layer),
        head,
    }
}

#[wasm_bindgen_test]
fn each_kind_of_data_has_a_chart() {
    let panels = panels(vec![
        number("gradients", "w_2", 0, 0, Some(2.0)),
        number("weights", "w_2", 0, 0, Some(1.0)),
        number("activations", "w_2", 0, 0, Some(1.0)),
    ]);
    let kinds: Vec<DataKind> = panels.all.iter().map(|slot| slot.id.kind).collect();
    let expected = [
        DataKind::Activations,
        DataKind::Weights,
        DataKind::Gradients,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(panels.labels(), ["per"]);
}

#[wasm_bindgen_test]
fn what_grows_is_told_once() {
    let mut panels = Panels::default();
    let first = add(&mut panels, vec![number("weights", "w_2", 0, 0, Some(1.0))]);
    assert!(first.has_grown);
    let again = add(&mut panels, vec![number("weights", "w_2", 0, 1, Some(1.0))]);
    assert!(!again.has_grown);
    assert_eq!(again.changed.len(), 1);
    let layer = add(&mut panels, vec![number("weights", "w_2", 1, 1, Some(1.0))]);
    assert!(
        layer.has_grown,
        "colours depend on how many layers there are"
    );
}

#[wasm_bindgen_test]
fn lines_and_points_are_sorted_however_they_come() {
    let panel = panel(vec![
        number("weights", "w_2", 1, 8, Some(1.0)),
        number("weights", "w_2", 0, 4, None),
        number("weights", "w_2", 1, 2, Some(3.0)),
    ]);
    let layers: Vec<Option<u64>> = panel.lines.iter().map(|line| line.subject.layer).collect();
    assert_eq!(layers, [Some(0), Some(1)]);
    assert_eq!(points(&panel, 1), [(2, Some(3.0)), (8, Some(1.0))]);
    assert_eq!(panel.steps(), [2, 4, 8]);
    assert_eq!(panel.lines[0].at(4), None);
    assert_eq!(panel.lines[1].at(8), Some(1.0));
    assert_eq!(panel.line(&subject(1, "w_2", None)), panel.lines.get(1));
    assert_eq!(panel.line(&subject(2, "w_2", None)), None);
}

#[wasm_bindgen_test]
fn a_value_keeps_what_there_is_to_know_of_it() {
    let mut noted = number("weights", "w_2", 0, 4, None);
    noted.status = Some(Status::new("rank_deficient", "rank 8 of 96"));
    let panel = panel(vec![number("weights", "w_2", 0, 0, Some(1.0)), noted]);
    let status = |step| panel.lines[0].status(step);
    assert_eq!(status(4).as_deref(), Some("rank 8 of 96"));
    assert_eq!(status(0), None);
}

#[wasm_bindgen_test]
fn a_head_is_a_line_of_its_own() {
    let layer = number("weights", "ov_circuit", 0, 0, Some(2.0));
    let panel = panel(vec![layer.clone(), of_head(3, layer)]);
    assert!(panel.has_heads());
    let names = |lines| {
        let shown: Panel = panel.only(lines);
        shown
            .lines
            .iter()
            .map(|line| Names::of([&line.subject]).name(&line.subject))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Lines::Layers), ["layer 0 · ov_circuit"]);
    assert_eq!(names(Lines::Heads), ["layer 0 · head 3 · ov_circuit"]);
}

#[wasm_bindgen_test]
fn a_chart_without_heads_shows_its_layers_anyway() {
    let panel = panel(vec![number("weights", "w_2", 0, 0, Some(2.0))]);
    assert_eq!(panel.only(Lines::Heads), panel);
}

#[wasm_bindgen_test]
fn a_single_step_runs_over_layers() {
    let over = panel(vec![
        number("weights", "w_2", 0, 100, Some(1.0)),
        number("weights", "w_2", 1, 100, None),
        number("weights", "w_2", 2, 100, Some(3.0)),
        number("weights", "v_proj", 2, 100, Some(4.0)),
    ])
    .over_layers();
    let short = Names::of(over.lines.iter().map(|line| &line.subject));
    let names: Vec<String> = over
        .lines
        .iter()
        .map(|line| short.name(&line.subject))
        .collect();
    assert_eq!(names, ["v_proj", "w_2"]);
    let expected = [(0, Some(1.0)), (1, None), (2, Some(3.0))];
    assert_eq!(points(&over, 1), expected);
}

#[wasm_bindgen_test]
fn over_layers_what_is_outside_of_them_is_counted() {
    let mut outside = number("weights", "lm_head", 0, 100, Some(2.0));
    outside.id.layer = None;
    let over = panel(vec![number("weights", "w_2", 0, 100, Some(1.0)), outside]).over_layers();
    assert_eq!((over.lines.len(), over.left_out), (1, 1));
    let plan = ChartPlan {
        chart: Chart::named("line").expect("a chart"),
        looks: Vec::new(),
        names: Names::of(over.lines.iter().map(|line| &line.subject)).into(),
        title: Title::default(),
        panel: over,
        choices: Choices::default(),
        along: Along::Layers,
        theme: Theme::Light,
    };
    assert_eq!(plan.x_label(), "layer (without 1 tensor outside of layers)");
}

#[wasm_bindgen_test]
fn no_two_lines_of_a_chart_have_one_name_or_one_look() {
    let mut numbers = Vec::new();
    for layer in 0..12 {
        for expert in 0..9 {
            let component = format!("mlp.experts.{expert}.down_proj");
            let own = number("weights", &component, layer, 0, Some(1.0));
            numbers.extend((0..5).map(|head| of_head(head, own.clone())));
            numbers.push(own);
        }
        numbers.push(number("weights", "shared.down_proj", layer, 0, Some(1.0)));
    }
    let panels = panels(numbers);
    let panel = panels.all[0].panel.get_untracked();
    for colour in [ColourBy::Layer, ColourBy::Part, ColourBy::Head] {
        let pinned = Choices::default().pinned;
        let palette = Palette::new(panels.seen.clone(), colour, pinned, Theme::Dark);
        for lines in [Lines::Layers, Lines::Heads] {
            let looks = palette.looks(&panel.only(lines), &Choices::default());
            let names: HashSet<_> = looks.iter().map(|look| &look.name).collect();
            assert_eq!(names.len(), looks.len(), "by {colour:?}");
            let seen = looks
                .iter()
                .map(|look| (look.colour, look.dash, &look.mark));
            let seen: HashSet<_> = seen.collect();
            assert_eq!(seen.len(), looks.len(), "by {colour:?}");
        }
    }
    let palette = Palette::new(
        panels.seen,
        ColourBy::Part,
        Choices::default().pinned,
        Theme::Light,
    );
    let looks = palette.looks(&panel.only(Lines::Layers), &Choices::default());
    assert_eq!(looks[0].name, "layer 0 · experts.0.down_proj");
}

#[wasm_bindgen_test]
fn subjects_travel_as_text() {
    for subject in [
        subject(0, "attention.v_proj", None),
        subject(12, "odd:name", Some(3)),
        Subject {
            component: "w_2".into(),
            stack: None,
            run: Some("seed 1".into()),
            expert: None,
            layer: None,
            head: None,
        },
        Subject {
            stack: Some("encoder.block.".into()),
            ..subject(0, "attn", None)
        },
    ] {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    for text in [
        "",
        "0",
        "0:",
        "x::w_2",
        "-1::w_2",
        "99999999999999999999::w_2",
    ] {
        assert!(text.parse::<Subject>().is_err(), "{text:?}");
    }
}

fn entry(metric: &str, label: &str, target: Option<u64>, parameters: &serde_json::Value) -> Entry {
    serde_json::from_value(json!({
        "label": label, "metric": metric, "summary": "what it says", "split": "val",
        "target": target, "parameters": parameters,
    }))
    .expect("an entry")
}

#[wasm_bindgen_test]
fn titles_are_for_people() {
    let id = |label: &str, output: &str| PanelId {
        entry: EntryId::new(label, Split::Val),
        output: output.into(),
        kind: DataKind::Activations,
    };
    let entries = [
        entry("cka", "cka", Some(2000), &json!({})),
        entry("per", "per", None, &json!({})),
        entry(
            "norm",
            "norm_nuclear",
            None,
            &json!({"norm_type": "nuclear"}),
        ),
        entry(
            "new_metric",
            "mine",
            None,
            &json!({"k": 5, "is_centred": true, "off": false}),
        ),
    ];
    let title = |label: &str, output: &str| Title::of(&id(label, output), &entries);
    assert_eq!(
        title("cka", "").line(),
        "CKA · activations · to step 2000 · val"
    );
    assert_eq!(title("cka", "").label, None);
    assert_eq!(title("per", "").name, "Effective rank (PER)");
    assert_eq!(title("per", "").label, None);
    assert_eq!(title("mine", "").label.as_deref(), Some("mine"));
    assert_eq!(title("norm_nuclear", "").name, "Norm: nuclear");
    assert_eq!(title("norm_nuclear", "").label, None);
    assert_eq!(
        title("mine", "top_mean").name,
        "New metric: k 5, is centred, top mean"
    );
    assert_eq!(title("unknown", "").name, "unknown");
}

#[wasm_bindgen_test]
fn a_layer_has_one_colour_in_all_charts() {
    let all = panels(vec![
        number("weights", "w_2", 0, 0, Some(1.0)),
        number("weights", "w_2", 7, 0, Some(1.0)),
        number("gradients", "w_2", 7, 0, Some(1.0)),
    ]);
    let palette = Palette::new(
        all.seen.clone(),
        ColourBy::Layer,
        Choices::default().pinned,
        Theme::Light,
    );
    let looks = |place: usize| {
        let panel = &all.all[place].panel;
        panel.with_untracked(|panel| palette.looks(panel, &Choices::default()))
    };
    assert_eq!(looks(0)[1].colour, looks(1)[0].colour);
    assert_ne!(looks(0)[0].colour, looks(0)[1].colour);
}

#[wasm_bindgen_test]
fn hidden_isolated_and_pinned_follow_the_series() {
    let panel = panel(vec![
        number("weights", "v_proj", 0, 0, Some(1.0)),
        number("weights", "w_2", 0, 0, Some(1.0)),
        number("weights", "w_2", 1, 0, Some(1.0)),
    ]);
    let seen = panels(vec![number("weights", "w_2", 0, 0, None)]).seen;
    let drawn = |choices: &Choices| {
        let palette = Palette::new(
            seen.clone(),
            ColourBy::Layer,
            choices.pinned.clone(),
            Theme::Dark,
        );
        let looks = palette.looks(&panel, choices);
        looks
            .into_iter()
            .map(|look| look.is_drawn)
            .collect::<Vec<_>>()
    };
    let mut choices = Choices::default();
    choices.hidden.insert(subject(0, "w_2", None));
    assert_eq!(drawn(&choices), [true, false, true]);
    choices.isolated = Some(subject(1, "w_2", None));
    assert_eq!(drawn(&choices), [false, false, true]);
    choices.isolated = Some(subject(5, "elsewhere", None));
    assert_eq!(
        drawn(&choices),
        [true, false, true],
        "a chart without it is as ever"
    );
    let mut pinned = choices.pinned.clone();
    pinned.insert(subject(0, "w_2", None), 200);
    let palette = Palette::new(seen, ColourBy::Layer, pinned, Theme::Dark);
    assert_eq!(
        palette.looks(&panel, &choices).len(),
        3,
        "a colour that is not there is passed over"
    );
}

#[wasm_bindgen_test]
fn a_chart_draws_what_is_not_hidden() {
    let panel = panel(vec![
        number("weights", "v_proj", 0, 0, Some(1.0)),
        number("weights", "v_proj", 0, 8, None),
        number("weights", "w_2", 0, 8, Some(3.0)),
    ]);
    let mut choices = Choices::default();
    choices.hidden.insert(subject(0, "v_proj", None));
    let plan = |choices: &Choices, chart| {
        let seen = panels(vec![number("weights", "w_2", 0, 0, None)]).seen;
        let palette = Palette::new(seen, choices.colour, choices.pinned.clone(), Theme::Light);
        ChartPlan {
            looks: palette.looks(&panel, choices),
            names: palette.names.clone(),
            title: Title::of(&panel.id, &[]),
            panel: panel.clone(),
            choices: choices.clone(),
            chart,
            along: Along::Steps,
            theme: Theme::Light,
        }
    };
    let size = Size {
        width: 400,
        height: 200,
    };
    let [lines, heatmap] = ["line", "heatmap"].map(|name| Chart::named(name).expect("a chart"));
    let (Draw::Lines(draw_lines), Draw::Rows(draw_rows)) = (lines.draw, heatmap.draw) else {
        panic!("lines and rows");
    };
    let all = draw_rows(&plan(&Choices::default(), heatmap).whole(size));
    let values: Vec<_> = all.rows.iter().map(|row| row.values.clone()).collect();
    assert_eq!(values, [[Some(1.0), None], [None, Some(3.0)]]);
    assert_eq!(all.columns, ["0", "8"]);
    let lines = draw_lines(&plan(&choices, lines).whole(size));
    assert_eq!(lines.series.len(), 1);
    assert_eq!(lines.series[0].points, [(8.0, Some(3.0))]);
    assert_eq!(
        (lines.x_scale, lines.y_scale),
        (Scale::LogFromZero, Scale::Linear)
    );
    assert!(lines.title.contains("w_2") && !lines.title.contains("v_proj"));
    // Values over powers of ten decide by themselves, until somebody does.
    let wide = panel_of(&[1.0, 2000.0]);
    let scale = |choices: Choices| {
        let plan = ChartPlan {
            panel: wide.clone(),
            ..plan(&choices, heatmap)
        };
        draw_rows(&plan.whole(size)).scale
    };
    assert_eq!(scale(Choices::default()), Scale::Log);
    let y = Spread::Linear;
    let chosen = Choices {
        y,
        ..Choices::default()
    };
    assert_eq!(scale(chosen), Scale::Linear);
}

/// A chart of the same two lines, with these values.
fn panel_of(values: &[f64; 2]) -> Panel {
    let [first, second] = *values;
    panel(vec![
        number("weights", "v_proj", 0, 0, Some(first)),
        number("weights", "w_2", 0, 8, Some(second)),
    ])
}
