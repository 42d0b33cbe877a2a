//! Several charts as one drawing, and labels at the ends of lines.

use ckptscope_plot::{Colour, Facets, Figure, LineChart, Series, Size, Theme, Twins, share_axes};

use crate::svg::{parsed, place_of, with_class, words};

fn chart(name: &str, lines: usize) -> LineChart {
    let series = (0..lines).map(|line| Series {
        name: format!("line {line}"),
        points: vec![(0.0, Some(line as f64)), (10.0, Some(5.0))],
        ..Series::default()
    });
    LineChart {
        y_label: name.to_owned(),
        series: series.collect(),
        ..LineChart::default()
    }
}

fn facets() -> Facets {
    Facets {
        title: "three".to_owned(),
        figure: Figure {
            title: "Norm".to_owned(),
            subtitle: String::new(),
        },
        charts: vec![chart("a", 2), chart("b", 2), chart("c", 2)],
        columns: 2,
        legend: chart("", 2).series,
        size: Size {
            width: 600,
            height: 308,
        },
        theme: Theme::Light,
    }
}

#[test]
fn charts_stand_in_rows_with_one_heading_and_one_legend() {
    let facets = facets();
    let svg = facets.to_svg();
    let document = parsed(&svg);
    let words = words(&document);
    for once in ["Norm", "a", "b", "c", "line 0", "line 1"] {
        assert_eq!(words.iter().filter(|own| *own == once).count(), 1, "{once}");
    }
    assert_eq!(with_class(&document, "series").len(), 6);
    let each = Size {
        width: 296,
        height: 150,
    };
    assert_eq!(facets.size_of_each(), each);
    let moved: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("transform"))
        .collect();
    // A heading's height of 34 pixels, two columns of 296 pixels with 8 between them.
    let expected = [
        "translate(0 340)",
        "translate(3040 340)",
        "translate(0 1920)",
    ];
    assert_eq!(moved, expected);
    assert!(facets.drawn_size().height > facets.size.height);
}

#[test]
fn shared_axes_hold_the_values_of_all() {
    let mut facets = facets();
    facets.charts[1].series[0].points[0] = (-4.0, Some(-2.0));
    share_axes(&mut facets.charts, false);
    assert!(facets.charts.iter().all(|chart| chart.y_range.is_none()));
    share_axes(&mut facets.charts, true);
    for chart in &facets.charts {
        assert_eq!(chart.x_range, Some((-4.0, 10.0)));
        assert_eq!(chart.y_range, Some((-2.0, 5.0)));
    }
}

/// A chart of lines that all end at the same value, each with its number at its end.
fn labelled(lines: usize, height: u32) -> LineChart {
    let mut chart = chart("", lines);
    chart.size.height = height;
    for (index, series) in chart.series.iter_mut().enumerate() {
        series.end_label = format!("#{index}");
    }
    chart
}

#[test]
fn labels_at_the_ends_of_lines_stay_apart_and_inside() {
    let svg = labelled(12, 250).to_svg();
    let document = parsed(&svg);
    let mut heights: Vec<f64> = (0..12)
        .map(|line| {
            let (left, top) = place_of(&document, &format!("#{line}")).unwrap();
            assert!((400.0..470.0).contains(&left), "{left}");
            top
        })
        .collect();
    heights.sort_by(f64::total_cmp);
    assert!(heights[0] >= 0.0 && heights[11] <= 250.0, "{heights:?}");
    assert!(
        heights.windows(2).all(|pair| pair[1] - pair[0] > 9.5),
        "{heights:?}"
    );
}

#[test]
fn where_there_is_no_room_for_all_labels_some_are_left_out() {
    let svg = labelled(40, 150).to_svg();
    let document = parsed(&svg);
    let said = words(&document);
    let labels: Vec<&String> = said.iter().filter(|word| word.starts_with('#')).collect();
    assert!((8..=20).contains(&labels.len()), "{labels:?}");
    assert!(labels.iter().any(|label| *label == "#0"));
}

#[test]
fn lines_with_labels_are_not_in_the_legend() {
    let chart = LineChart {
        figure: Some(Figure::default()),
        ..labelled(3, 250)
    };
    let svg = chart.to_svg();
    let said = words(&parsed(&svg));
    assert!(
        !said.iter().any(|word| word.starts_with("line")),
        "{said:?}"
    );
}

#[test]
fn every_colour_on_light_has_one_twin_on_dark() {
    let twins = Twins {
        layers: 12,
        heads: 12,
        parts: 4,
    };
    let pairs = twins.colours();
    let mut light: Vec<String> = pairs.iter().map(|(light, _)| light.to_string()).collect();
    light.sort();
    let count = light.len();
    light.dedup();
    assert_eq!(light.len(), count);
    let twin = |of: Colour| {
        pairs
            .iter()
            .find(|(light, _)| *light == of)
            .map(|pair| pair.1)
    };
    assert_eq!(twin(Theme::Light.ground()), Some(Theme::Dark.ground()));
    let ramps = [Theme::Light, Theme::Dark].map(|theme| ckptscope_plot::layer_colours(12, theme));
    for (light, dark) in ramps[0].iter().zip(&ramps[1]) {
        assert_eq!(twin(*light), Some(*dark));
    }
}
