//! What every chart must hold, and what each draws.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use ckptscope_chart::{
    Along, CHARTS, Chart, ChartInput, Curve, Draw, Of, StyledCurve, Tiles, grouped, omitted,
    over_layers, steps,
};
use ckptscope_plot::{Figure, LineChart, Scale, Series as Line, Size, Theme};
use ckptscope_results::{Names, Series, SeriesId, Status, Value};
use roxmltree::Document;

/// A curve of a head of a layer, with these points.
fn curve(layer: u64, head: Option<u64>, points: &[(u64, Option<f64>)]) -> Curve {
    let id = SeriesId {
        component: "ov_circuit".into(),
        layer: Some(layer),
        head,
        ..SeriesId::default()
    };
    let subject = id.subject(false);
    let mut series = Series::new(id);
    for &(step, value) in points {
        let status = value.is_none().then(|| Status::new("none", "no value"));
        series.insert(step, value.map(Value::Number), status);
    }
    Curve {
        subject,
        series: Arc::new(series),
    }
}

/// Two layers of three heads at three steps.
fn heads() -> Vec<Curve> {
    let pairs = (0..2).flat_map(|layer| (0..3).map(move |head| (layer, head)));
    let curve = |(layer, head): (u64, u64)| {
        let value = |step: u64| (step, Some((1 + step + 10 * layer + head) as f64));
        curve(layer, Some(head), &[0, 10, 100].map(value))
    };
    pairs.map(curve).collect()
}

fn input(curves: &[Curve]) -> ChartInput<'_> {
    let styled = |curve| StyledCurve {
        curve,
        style: Line {
            name: Names::of(curves.iter().map(|it| &it.subject)).name(&curve.subject),
            ..Line::default()
        },
    };
    ChartInput {
        title: "what it shows".to_owned(),
        curves: curves.iter().map(styled).collect(),
        columns: steps(curves),
        row_name: Box::new(|subject| Names::of([subject]).name(subject)),
        x_label: "along".into(),
        value_label: "values",
        x_scale: Scale::Linear,
        value_scale: Scale::Linear,
        size: Size {
            width: 400,
            height: 240,
        },
        theme: Theme::Dark,
        figure: None,
    }
}

fn drawn(chart: &Chart, input: &ChartInput<'_>) -> (String, Size) {
    match chart.draw {
        Draw::Lines(draw) => {
            let drawn = draw(input);
            (drawn.to_svg(), drawn.drawn_size())
        }
        Draw::Rows(draw) => {
            let drawn = draw(input);
            (drawn.to_svg(), drawn.drawn_size())
        }
    }
}

fn lines(name: &str, curves: &[Curve]) -> LineChart {
    match Chart::named(name).unwrap().draw {
        Draw::Lines(draw) => draw(&input(curves)),
        Draw::Rows(_) => panic!("{name} has rows"),
    }
}

#[test]
fn every_chart_has_a_name_and_words_of_its_own() {
    let mut names = BTreeSet::new();
    for &chart in CHARTS {
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(chart.name.chars().all(is_plain), "{}", chart.name);
        // The page calls its table so.
        assert_ne!(chart.name, "table");
        assert!(names.insert(chart.name) && names.insert(chart.title));
        for words in [chart.summary, chart.marks, chart.lacking] {
            assert!(!words.is_empty() && !words.ends_with('.'), "{words}");
        }
        assert_eq!(Chart::named(chart.name), Some(chart));
    }
    assert_eq!(Chart::named("pie"), None);
}

#[test]
fn every_chart_draws_as_it_is_asked() {
    let heads = heads();
    for &chart in CHARTS {
        let (svg, size) = drawn(chart, &input(&heads));
        let document = Document::parse(&svg).unwrap();
        let words = document.descendants().filter_map(|node| node.text());
        let words: Vec<&str> = words.map(str::trim).collect();
        for asked in ["what it shows", "along", "values"] {
            assert!(words.contains(&asked), "{}: no {asked}", chart.name);
        }
        assert_eq!((size.width, size.height), (400, 240), "{}", chart.name);
        let figure = Some(Figure {
            title: "heading".to_owned(),
            subtitle: String::new(),
        });
        let (svg, size) = drawn(
            chart,
            &ChartInput {
                figure,
                ..input(&heads)
            },
        );
        assert!(
            svg.contains("heading") && size.height > 240,
            "{}",
            chart.name
        );
    }
}

#[test]
fn every_chart_says_that_there_are_no_values() {
    let missing = curve(0, Some(0), &[(0, None), (10, None)]);
    for &chart in CHARTS {
        for curves in [&[][..], std::slice::from_ref(&missing)] {
            let (svg, _) = drawn(chart, &input(curves));
            assert!(svg.contains("no values"), "{}", chart.name);
        }
    }
}

#[test]
fn every_chart_draws_a_single_value() {
    let only = [curve(0, Some(0), &[(7, Some(1.5))])];
    for &chart in CHARTS {
        let (svg, _) = drawn(chart, &input(&only));
        assert!(!svg.contains("no values"), "{}", chart.name);
        assert!(
            !svg.contains("NaN") && !svg.contains("inf"),
            "{}",
            chart.name
        );
    }
}

#[test]
fn a_report_has_something_of_layers_and_of_heads() {
    let layer = curve(0, None, &[(0, Some(1.0))]);
    let head = curve(0, Some(1), &[(0, Some(1.0))]);
    for curve in [&layer, &head] {
        for along in [Along::Steps, Along::Layers] {
            let mut charts = CHARTS.iter();
            assert!(charts.any(|chart| (chart.is_reported)(&[curve], along)));
        }
    }
    // What is of heads is in no report of layers.
    let mut of_heads = CHARTS.iter().filter(|chart| chart.of == Of::Heads);
    assert!(!of_heads.any(|chart| (chart.is_reported)(&[&layer], Along::Steps)));
}

#[test]
fn a_line_is_a_curve() {
    let chart = lines("line", &heads());
    let names: Vec<&str> = chart.series.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names.len(), 6);
    assert_eq!(names[4], "layer 1 · head 1 · ov_circuit");
    let expected = [(0.0, Some(12.0)), (10.0, Some(22.0)), (100.0, Some(112.0))];
    assert_eq!(chart.series[4].points, expected);
}

#[test]
fn a_row_is_a_curve_and_a_column_a_step() {
    let mut curves = heads();
    curves.push(curve(2, Some(0), &[(10, Some(5.0)), (20, None)]));
    let Draw::Rows(draw) = Chart::named("heatmap").unwrap().draw else {
        panic!("a heatmap has rows");
    };
    let heatmap = draw(&input(&curves));
    assert_eq!(heatmap.columns, ["0", "10", "20", "100"]);
    assert_eq!(heatmap.rows[6].name, "layer 2 · head 0 · ov_circuit");
    assert_eq!(heatmap.rows[6].values, [None, Some(5.0), None, None]);
    assert_eq!(heatmap.rows[0].values[3], Some(101.0));
}

#[test]
fn a_spread_is_of_the_values_that_exist() {
    let curves: Vec<Curve> = [Some(1.0), Some(2.0), None, Some(4.0), Some(8.0)]
        .into_iter()
        .zip(0..)
        .map(|(value, head)| curve(0, Some(head), &[(0, value), (10 + head, Some(5.0))]))
        .collect();
    let chart = lines("spread", &curves);
    let at_first: Vec<_> = chart
        .series
        .iter()
        .map(|line| (line.name.as_str(), line.points[0]))
        .collect();
    let expected = [
        ("max", 8.0),
        ("75 %", 5.0),
        ("median", 3.0),
        ("25 %", 1.75),
        ("min", 1.0),
    ];
    assert_eq!(
        at_first,
        expected.map(|(name, value)| (name, (0.0, Some(value))))
    );
    // Each other step has one value only.
    for line in &chart.series {
        let points = (10..15_u32).map(|step| (f64::from(step), Some(5.0)));
        assert!(line.points[1..].iter().copied().eq(points));
    }
}

#[test]
fn tiles_are_told_apart_by_what_lines_have_in_common() {
    let heads = heads();
    let short = Names::of(heads.iter().map(|curve| &curve.subject));
    let of = |tiles: Tiles| grouped(&heads, |curve| tiles.common(&curve.subject));
    let names = |tiles: Tiles| -> Vec<String> {
        let of = of(tiles).into_iter();
        of.map(|(of, _)| short.name(&of)).collect()
    };
    assert_eq!(of(Tiles::All).len(), 1);
    assert_eq!(names(Tiles::Component), ["ov_circuit"]);
    let layers = ["layer 0 · ov_circuit", "layer 1 · ov_circuit"];
    assert_eq!(names(Tiles::Layer), layers);
    let subject = &heads[4].subject;
    assert_eq!(Tiles::Layer.name(subject, &short), "head 1");
    assert_eq!(Tiles::Component.name(subject, &short), "layer 1 · head 1");
    assert_eq!(Tiles::All.name(subject, &short), short.name(subject));
    // The same thing apart from its like comes to it.
    let scattered = grouped([1, 2, 11, 12, 21], |number| number % 10);
    assert_eq!(scattered, [(1, vec![1, 11, 21]), (2, vec![2, 12])]);
}

#[test]
fn a_single_step_runs_over_layers() {
    let mut outside = curve(0, None, &[(5, Some(9.0))]);
    outside.subject.layer = None;
    let curves = [
        curve(0, None, &[(5, Some(1.0))]),
        curve(2, None, &[(5, None)]),
        curve(2, Some(0), &[(5, Some(3.0))]),
        curve(3, None, &[]),
        outside,
    ];
    let over = over_layers(&curves);
    // The last one has neither a layer nor a place.
    assert_eq!(over.left_out, 1);
    let over = over.curves;
    assert_eq!(over.len(), 2);
    assert_eq!(over[0].subject.layer, None);
    let points = |curve: &Curve| curve.points().collect::<Vec<_>>();
    assert_eq!(points(&over[0]), [(0, Some(1.0)), (2, None)]);
    assert_eq!(over[0].status(2).as_deref(), Some("no value"));
    assert_eq!(over[1].subject.head, Some(0));
    assert_eq!(points(&over[1]), [(2, Some(3.0))]);
}

#[test]
fn charts_over_the_same_steps_are_as_wide_as_each_other() {
    let whole = [curve(
        0,
        None,
        &[(0, Some(1.0)), (50, Some(2.0)), (100, Some(3.0))],
    )];
    let gaps = [curve(0, None, &[(0, None), (50, Some(2.0)), (100, None)])];
    for &chart in CHARTS {
        let Draw::Lines(draw) = chart.draw else {
            continue;
        };
        let ends = |curves: &[Curve]| {
            let x = draw(&input(curves)).axes().x;
            let (left, right) = x.pixels();
            [left, right].map(|pixel| x.value_at(pixel).round() as i64)
        };
        assert_eq!(ends(&whole), ends(&gaps), "{}", chart.name);
    }
}

#[test]
fn what_is_not_drawn_is_counted_with_its_reason() {
    let curves = [
        curve(0, None, &[(0, Some(0.0)), (1, Some(-1.0)), (2, None)]),
        curve(
            1,
            None,
            &[(0, Some(1.0)), (1, None), (2, Some(f64::INFINITY))],
        ),
    ];
    assert_eq!(
        omitted(&curves, Scale::Linear).as_deref(),
        Some("not drawn: 2 no value; 1 infinite")
    );
    assert_eq!(
        omitted(&curves, Scale::Log).as_deref(),
        Some("not drawn: 2 no value; 2 not above 0, on a log axis; 1 infinite")
    );
    assert_eq!(omitted(&heads(), Scale::Log), None);
}
