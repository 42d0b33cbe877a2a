//! Line charts.

use ckptscope_plot::{Axes, Dash, LineChart, Scale, Series, Size, Theme, layer_colours};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::svg::{Piece, parsed, pieces, place_of, points, with_class, words};

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

/// The drawing; every series is in it.
fn checked(chart: &LineChart) -> String {
    let svg = chart.to_svg();
    let document = parsed(&svg);
    assert_eq!(with_class(&document, "series").len(), chart.series.len());
    svg
}

/// The lines of a series.
fn lines<'a>(series: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
    let is_line = |child: &Node<'_, '_>| child.has_tag_name("polyline");
    series.children().filter(is_line).collect()
}

/// What shows of the line through a series' points: a dot each.
fn dots(series: Node<'_, '_>) -> Vec<Piece> {
    let group = series.children().find(|child| child.has_tag_name("g"));
    group.map(pieces).unwrap_or_default()
}

fn circles(series: Node<'_, '_>) -> usize {
    let is_circle = |child: &Node<'_, '_>| child.has_tag_name("circle");
    series.children().filter(is_circle).count()
}

fn near(one: (f64, f64), other: (f64, f64)) -> bool {
    (one.0 - other.0).abs() < 0.15 && (one.1 - other.1).abs() < 0.15
}

/// The only series of a drawing.
fn only<'a>(document: &'a Document<'a>) -> Node<'a, 'a> {
    let series = with_class(document, "series");
    assert_eq!(series.len(), 1);
    series[0]
}

#[test]
fn every_series_is_a_named_group_with_its_line() {
    let svg = checked(&chart(vec![
        vec![(0.0, Some(1.0)), (1.0, Some(2.0))],
        vec![(0.0, Some(3.0)), (1.0, Some(1.0))],
    ]));
    let document = parsed(&svg);
    for (index, group) in with_class(&document, "series").into_iter().enumerate() {
        assert_eq!(
            group.attribute("data-series"),
            Some(format!("layer {index}").as_str())
        );
        assert_eq!((lines(group).len(), dots(group).len()), (1, 2));
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
    let document = parsed(&svg);
    assert_eq!(lines(only(&document)).len(), 2);
}

#[test]
fn a_value_between_gaps_is_a_dot() {
    let svg = checked(&chart(vec![vec![
        (0.0, None),
        (1.0, Some(2.0)),
        (2.0, None),
    ]]));
    let document = parsed(&svg);
    let series = only(&document);
    assert_eq!((lines(series).len(), circles(series)), (0, 1));
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
    let document = parsed(&svg);
    assert_eq!(dots(only(&document)).len(), 2);
}

#[test]
fn dashes_belong_to_the_group() {
    let mut chart = chart(vec![vec![(0.0, Some(1.0)), (1.0, Some(2.0))]]);
    chart.series[0].dash = Dash::Dashed;
    let svg = checked(&chart);
    let document = parsed(&svg);
    assert!(only(&document).attribute("stroke-dasharray").is_some());
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

#[test]
fn every_point_has_a_dot_at_its_place() {
    let values = |index: u32| (f64::from(index), Some(f64::from(index * 7 % 5)));
    let chart = chart(vec![(0..60).map(values).collect()]);
    let svg = checked(&chart);
    let document = parsed(&svg);
    let axes = chart.axes();
    let dots = dots(only(&document));
    assert_eq!(dots.len(), 60);
    for (dot, &(x, y)) in dots.iter().zip(&chart.series[0].points) {
        let place = y.and_then(|y| Some((axes.x.position(x)?, axes.y.position(y)?)));
        let place = place.expect("a place");
        assert!(
            near(dot.from, place) && near(dot.to, place),
            "{dot:?} {place:?}"
        );
    }
}

#[test]
fn points_in_one_place_are_one_dot() {
    let chart = chart(vec![vec![(1.0, Some(1.0)), (1.0, Some(1.0))]]);
    let svg = checked(&chart);
    assert_eq!(circles(only(&parsed(&svg))), 1);
}

#[test]
fn no_point_of_thousands_is_left_out() {
    let points: Vec<_> = (1..4000)
        .map(|index| (f64::from(index), Some(1.0 / f64::from(index))))
        .collect();
    let mut chart = chart(vec![points]);
    chart.y_scale = Scale::Log;
    let svg = checked(&chart);
    let document = parsed(&svg);
    let lines = lines(only(&document));
    assert_eq!(points_of(&lines), 3999);
}

fn points_of(lines: &[Node<'_, '_>]) -> usize {
    lines.iter().map(|line| points(*line).len()).sum()
}

#[test]
fn charts_with_the_same_ranges_have_the_same_axes() {
    let mut one = chart(vec![vec![(0.0, Some(0.1)), (5.0, Some(0.2))]]);
    let mut other = chart(vec![vec![(100.0, Some(70.0)), (900.0, Some(3.0))]]);
    for chart in [&mut one, &mut other] {
        chart.x_range = Some((0.0, 1000.0));
        chart.y_range = Some((0.0, 100.0));
    }
    assert_eq!(one.axes(), other.axes());
    let (left, right) = one.axes().x.pixels();
    assert_eq!(one.axes().x.position(0.0), Some(left));
    assert_eq!(one.axes().x.position(1000.0), Some(right));
}

#[test]
fn a_range_that_is_none_counts_for_nothing() {
    let points = vec![(1.0, Some(0.1)), (5.0, Some(0.2))];
    let free = chart(vec![points.clone()]);
    for range in [
        (1.0, 1.0),
        (2.0, 1.0),
        (f64::NAN, 1.0),
        (0.0, f64::INFINITY),
    ] {
        let mut fixed = chart(vec![points.clone()]);
        (fixed.x_range, fixed.y_range) = (Some(range), Some(range));
        assert_eq!(fixed.axes(), free.axes(), "{range:?}");
    }
}

#[test]
fn lines_end_at_the_edge_of_their_ranges() {
    let mut chart = chart(vec![vec![
        (0.0, Some(0.5)),
        (1.0, Some(0.5)),
        (2.0, Some(1e9)),
        (3.0, Some(0.5)),
        (9.0, Some(0.5)),
    ]]);
    (chart.x_range, chart.y_range) = (Some((0.5, 4.0)), Some((0.0, 1.0)));
    let svg = checked(&chart);
    let document = parsed(&svg);
    let axes = chart.axes();
    let ((left, right), (bottom, top)) = (axes.x.pixels(), axes.y.pixels());
    let lines = lines(only(&document));
    assert_eq!(lines.len(), 2, "the outlier parts the line");
    let all: Vec<_> = lines.iter().flat_map(|line| points(*line)).collect();
    for (x, y) in &all {
        assert!((left - 0.1..=right + 0.1).contains(x), "{all:?}");
        assert!((top - 0.1..=bottom + 0.1).contains(y), "{all:?}");
    }
    let reaches = |at: (f64, f64)| all.iter().any(|&point| near(point, at));
    let middle = axes.y.position(0.5).expect("a place");
    assert!(
        reaches((left, middle)) && reaches((right, middle)),
        "{all:?}"
    );
    assert_eq!(
        dots(only(&document)).len(),
        2,
        "what is inside: at 1 and at 3"
    );
}

#[test]
fn faded_series_stand_behind_in_another_colour() {
    let points = vec![(0.0, Some(1.0)), (1.0, Some(2.0))];
    let mut chart = chart(vec![points.clone(), points]);
    let clear = checked(&chart);
    chart.series[1].faded = true;
    let svg = checked(&chart);
    let document = parsed(&svg);
    let series = with_class(&document, "series");
    let names: Vec<_> = series
        .iter()
        .filter_map(|series| series.attribute("data-series"))
        .collect();
    assert_eq!(names, ["layer 1", "layer 0"]);
    let colour = |node: Node<'_, '_>| lines(node)[0].attribute("stroke").map(str::to_owned);
    let clear = parsed(&clear);
    let clear = with_class(&clear, "series");
    assert_eq!(colour(series[1]), colour(clear[0]));
    assert_ne!(colour(series[0]), colour(clear[1]));
}

#[test]
fn long_numbers_have_room_beside_the_axis() {
    let tiny = chart(vec![vec![
        (0.0, Some(1.000_000_1)),
        (1.0, Some(1.000_000_4)),
    ]]);
    let short = chart(vec![vec![(0.0, Some(0.0)), (1.0, Some(1.0))]]);
    let left = |chart: &LineChart| chart.axes().x.pixels().0;
    assert!(left(&tiny) > left(&short) + 20.0);
    let svg = checked(&tiny);
    let document = parsed(&svg);
    assert!(words(&document).contains(&"1.0000002".to_owned()), "{svg}");
}

#[test]
fn one_step_is_marked_as_it_is_and_its_dots_are_apart_from_the_edges() {
    let mut chart = chart(vec![vec![(1537.0, Some(1.0))], vec![(1537.0, Some(2.0))]]);
    for scale in [Scale::Linear, Scale::Log, Scale::LogFromZero] {
        chart.x_scale = scale;
        let svg = checked(&chart);
        let document = parsed(&svg);
        for series in with_class(&document, "series") {
            assert_eq!(circles(series), 1);
        }
        let x = &chart.axes().x;
        let (left, right) = x.pixels();
        let at = x.position(1537.0).expect("a place");
        assert!(left + 50.0 < at && at < right - 50.0);
        let labels: Vec<_> = x.ticks(34.0).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["1537"]);
    }
}

#[test]
fn steps_are_marked_at_whole_numbers() {
    let chart = chart(vec![vec![
        (0.0, Some(1.0)),
        (1.0, Some(1.0)),
        (2.0, Some(1.0)),
    ]]);
    let labels: Vec<_> = chart.axes().x.ticks(34.0);
    let labels: Vec<_> = labels.into_iter().map(|tick| tick.label).collect();
    assert_eq!(labels, ["0", "1", "2"]);
}

#[test]
fn small_multiples_leave_most_of_their_room_to_the_plot() {
    let mut chart = chart(vec![vec![(0.0, Some(0.0)), (200_000.0, Some(1.0))]]);
    chart.size = Size {
        width: 180,
        height: 110,
    };
    let svg = checked(&chart);
    let document = parsed(&svg);
    let Axes { x, y } = chart.axes();
    let ((left, right), (bottom, top)) = (x.pixels(), y.pixels());
    assert!((right - left) * (bottom - top) > 0.6 * 180.0 * 110.0);
    let said = words(&document);
    assert!((4..=9).contains(&said.len()), "{said:?}");
}

#[test]
fn labels_of_steps_never_overlap() {
    for most in [7e2, 1e5, 1e6, 123_456.0] {
        for width in [180, 320, 470] {
            let mut chart = chart(vec![vec![(0.0, Some(0.0)), (most, Some(1.0))]]);
            chart.size.width = width;
            let svg = checked(&chart);
            let document = parsed(&svg);
            let bottom = chart.axes().y.pixels().0;
            let said = words(&document).into_iter();
            let mut labels: Vec<(f64, f64)> = said
                .filter_map(|words| {
                    let (x, y) = place_of(&document, &words)?;
                    (y > bottom).then_some((x, words.chars().count() as f64 * 3.2))
                })
                .collect();
            labels.sort_by(|a, b| a.0.total_cmp(&b.0));
            for pair in labels.windows(2) {
                assert!(pair[0].0 + pair[0].1 < pair[1].0 - pair[1].1, "{labels:?}");
            }
            assert!(labels.iter().all(|(x, half)| x + half <= f64::from(width)));
        }
    }
}

#[test]
fn fifty_lines_take_little_room() {
    let line = |line: u32, count: u32| {
        (0..count)
            .map(|step| {
                (
                    f64::from(step),
                    Some(f64::from((step * 37 + line * 11) % 101)),
                )
            })
            .collect()
    };
    for count in [60, 100] {
        let svg = chart((0..50).map(|index| line(index, count)).collect()).to_svg();
        assert!(svg.len() < 150_000, "{} bytes", svg.len());
    }
}

proptest! {
    #[test]
    fn any_values_in_any_scale_are_drawn(
        points in proptest::collection::vec((any::<f64>(), proptest::option::of(any::<f64>())), 0..20),
        scales in (0..3usize, 0..3usize),
        ranges in proptest::option::of((any::<(f64, f64)>(), any::<(f64, f64)>())),
        size in (0..2000u32, 0..1000u32),
    ) {
        const SCALES: [Scale; 3] = [Scale::Linear, Scale::Log, Scale::LogFromZero];
        let mut chart = chart(vec![points]);
        (chart.x_scale, chart.y_scale) = (SCALES[scales.0], SCALES[scales.1]);
        (chart.x_range, chart.y_range) = ranges.unzip();
        chart.size = Size { width: size.0, height: size.1 };
        checked(&chart);
    }
}
