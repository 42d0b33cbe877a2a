//! Line charts, seen as XML.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use roxmltree::{Document, Node};
use trainscope_plot::{Axes, Dash, LineChart, Scale, Series, Size, Theme, layer_colours};

fn chart(points: Vec<Vec<(f64, Option<f64>)>>) -> LineChart {
    let colours = layer_colours(points.len(), Theme::Light);
    let series = points.into_iter().zip(colours).enumerate();
    LineChart {
        title: "norm".into(),
        series: series
            .map(|(index, (points, colour))| Series {
                name: format!("layer {index}"),
                colour,
                points,
                ..Series::default()
            })
            .collect(),
        ..LineChart::default()
    }
}

fn with_class<'a>(document: &'a Document<'a>, class: &'a str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.attribute("class") == Some(class))
        .collect()
}

fn count(node: Node<'_, '_>, name: &str) -> usize {
    node.descendants()
        .filter(|child| child.has_tag_name(name))
        .count()
}

/// The lines of a series.
fn lines<'a>(series: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    series
        .children()
        .filter(|child| child.has_tag_name("polyline"))
        .collect()
}

/// Where the line through a series' points shows: the turns of its dashes, by pairs.
fn dots(series: Node<'_, '_>) -> Vec<f64> {
    let Some(line) = series.children().find(|child| child.has_tag_name("g")) else {
        return Vec::new();
    };
    let dashes = line.attribute("stroke-dasharray").expect("dashes");
    let lengths: Vec<f64> = dashes
        .split(' ')
        .map(|length| length.parse().expect("a number"))
        .collect();
    let mut along = 0.0;
    let mut starts = Vec::new();
    for pair in lengths.chunks(2) {
        if pair[0] > 0.0 {
            starts.push(along);
        }
        along += pair[0] + pair[1];
    }
    starts
}

/// The drawing, parsed; every coordinate is a number.
fn checked(chart: &LineChart) -> String {
    let svg = chart.to_svg();
    let document = Document::parse(&svg).expect("well-formed XML");
    assert_eq!(document.root_element().tag_name().name(), "svg");
    assert_eq!(with_class(&document, "series").len(), chart.series.len());
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        for bad in ["NaN", "inf"] {
            let is_text = ["aria-label", "data-series"].contains(&attribute.name());
            assert!(is_text || !attribute.value().contains(bad), "{attribute:?}");
        }
    }
    svg
}

#[test]
fn every_series_is_a_named_group_with_its_line() {
    let svg = checked(&chart(vec![
        vec![(0.0, Some(1.0)), (1.0, Some(2.0))],
        vec![(0.0, Some(3.0)), (1.0, Some(1.0))],
    ]));
    let document = Document::parse(&svg).expect("well-formed XML");
    for (index, group) in with_class(&document, "series").into_iter().enumerate() {
        assert_eq!(
            group.attribute("data-series"),
            Some(format!("layer {index}").as_str())
        );
        // The line, and the line of which only the points show.
        assert_eq!(count(group, "polyline"), 2);
    }
}

#[test]
fn a_missing_value_breaks_the_line() {
    let points = vec![
        (0.0, Some(1.0)),
        (1.0, Some(2.0)),
        (2.0, None),
        (3.0, Some(1.0)),
        (4.0, Some(2.0)),
    ];
    let svg = checked(&chart(vec![points]));
    let document = Document::parse(&svg).expect("well-formed XML");
    let series = with_class(&document, "series")[0];
    assert_eq!(lines(series).len(), 2);
}

#[test]
fn a_value_between_gaps_is_a_dot() {
    let svg = checked(&chart(vec![vec![
        (0.0, None),
        (1.0, Some(2.0)),
        (2.0, None),
    ]]));
    let document = Document::parse(&svg).expect("well-formed XML");
    let series = with_class(&document, "series")[0];
    assert_eq!((count(series, "polyline"), count(series, "circle")), (0, 1));
}

#[test]
fn nothing_to_draw_says_so() {
    assert!(checked(&chart(vec![])).contains("no values"));
    assert!(checked(&chart(vec![vec![(0.0, None)]])).contains("no values"));
}

#[test]
fn a_constant_line_lies_inside() {
    let chart = chart(vec![vec![(0.0, Some(0.5)), (9.0, Some(0.5))]]);
    checked(&chart);
    let Axes { y, .. } = chart.axes();
    let (bottom, top) = y.pixels();
    let position = y.position(0.5).expect("a place for 0.5");
    assert!(top < position && position < bottom);
}

#[test]
fn what_is_not_positive_is_a_gap_on_a_log_axis() {
    let mut chart = chart(vec![vec![
        (0.0, Some(0.0)),
        (1.0, Some(1.0)),
        (2.0, Some(10.0)),
    ]]);
    chart.y_scale = Scale::Log;
    let svg = checked(&chart);
    let document = Document::parse(&svg).expect("well-formed XML");
    assert_eq!(dots(with_class(&document, "series")[0]).len(), 2);
}

#[test]
fn dashes_belong_to_the_group() {
    let mut chart = chart(vec![vec![(0.0, Some(1.0)), (1.0, Some(2.0))]]);
    chart.series[0].dash = Dash::Dashed;
    let svg = checked(&chart);
    let document = Document::parse(&svg).expect("well-formed XML");
    assert!(
        with_class(&document, "series")[0]
            .attribute("stroke-dasharray")
            .is_some()
    );
}

#[test]
fn names_may_hold_anything() {
    let mut chart = chart(vec![vec![(0.0, Some(1.0))]]);
    chart.title = "a < b & \"c\" \u{1}".into();
    chart.series[0].name = "<script>alert('1')</script>".into();
    chart.x_label = "x < y & z".into();
    let svg = checked(&chart);
    assert!(!svg.contains("<script"));
}

proptest! {
    #[test]
    fn any_values_in_any_scale_are_drawn(
        points in proptest::collection::vec((any::<f64>(), proptest::option::of(any::<f64>())), 0..20),
        scales in (0..3usize, 0..3usize),
        size in (80..2000u32, 60..1000u32),
    ) {
        const SCALES: [Scale; 3] = [Scale::Linear, Scale::Log, Scale::LogFromZero];
        let mut chart = chart(vec![points]);
        (chart.x_scale, chart.y_scale) = (SCALES[scales.0], SCALES[scales.1]);
        chart.size = Size { width: size.0, height: size.1 };
        checked(&chart);
    }
}
