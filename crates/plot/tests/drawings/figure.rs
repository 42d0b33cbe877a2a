//! Drawings that stand alone.

use ckptscope_plot::{
    Dash, Figure, Heatmap, Histogram, LineChart, Row, Series, Size, Theme, layer_colours,
};

use crate::svg::{number, parsed, place_of, with_class, words};

fn figure() -> Option<Figure> {
    Some(Figure {
        title: "CKA <of> \"everything\" & more".into(),
        subtitle: "val · to step 2000".into(),
    })
}

fn chart(names: &[&str]) -> LineChart {
    let colours = layer_colours(names.len(), Theme::Dark);
    let series = names.iter().zip(colours).map(|(name, colour)| Series {
        name: (*name).to_owned(),
        colour,
        dash: Dash::Dashed,
        points: vec![(0.0, Some(0.0)), (1.0, Some(1.0))],
        ..Series::default()
    });
    LineChart {
        series: series.collect(),
        theme: Theme::Dark,
        figure: figure(),
        ..LineChart::default()
    }
}

#[test]
fn a_figure_has_heading_legend_and_ground() {
    let names = ["0 · <script>", "1 & 2", "\u{2}\u{ffff}"];
    let chart = chart(&names);
    let svg = chart.to_svg();
    let document = parsed(&svg);
    let said = words(&document);
    for expected in ["CKA <of> \"everything\" & more", "val · to step 2000"] {
        assert!(said.iter().any(|words| words == expected), "{said:?}");
    }
    let legend = with_class(&document, "legend")[0];
    let swatches = legend
        .descendants()
        .filter(|node| node.has_tag_name("polyline"));
    for (swatch, series) in swatches.zip(&chart.series) {
        let colour = swatch.attribute("stroke").expect("stroke");
        assert_eq!(colour.to_lowercase(), series.colour.to_string());
        let group = swatch.parent().expect("a group");
        assert!(group.attribute("stroke-dasharray").is_some());
    }
    for name in &names[..2] {
        assert!(said.iter().any(|words| words == name), "{said:?}");
    }
    let ground = document
        .descendants()
        .find(|node| node.has_tag_name("rect"))
        .expect("a ground");
    let size = chart.drawn_size();
    assert_eq!(number(ground, "width"), f64::from(size.width) * 10.0);
    assert_eq!(number(ground, "height"), f64::from(size.height) * 10.0);
    let colour = ground.attribute("fill").expect("fill").to_lowercase();
    assert_eq!(colour, Theme::Dark.ground().to_string());
}

#[test]
fn without_a_figure_there_is_no_ground() {
    let chart = LineChart {
        figure: None,
        ..chart(&["a"])
    };
    let svg = chart.to_svg();
    let document = parsed(&svg);
    assert!(with_class(&document, "figure").is_empty());
    assert!(!document.descendants().any(|node| node.has_tag_name("rect")));
    assert_eq!(chart.drawn_size(), chart.size);
}

#[test]
fn the_plot_keeps_its_size() {
    let with = chart(&["a", "b"]);
    let without = LineChart {
        figure: None,
        ..with.clone()
    };
    let (inside, alone) = (with.axes(), without.axes());
    assert_eq!(inside.x, alone.x);
    let height = |(bottom, top): (f64, f64)| bottom - top;
    assert_eq!(height(inside.y.pixels()), height(alone.y.pixels()));
    assert!(inside.y.pixels().1 > alone.y.pixels().1 + 20.0);
    let root = parsed(&with.to_svg())
        .root_element()
        .attribute("height")
        .map(str::to_owned);
    assert_eq!(root, Some(with.drawn_size().height.to_string()));
}

#[test]
fn a_legend_of_many_lines_stays_inside_and_apart() {
    let names: Vec<String> = (0..40)
        .map(|index| format!("layer {index} · v_proj"))
        .collect();
    let chart = chart(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let svg = chart.to_svg();
    let document = parsed(&svg);
    let size = chart.drawn_size();
    let below = f64::from(chart.size.height);
    let places: Vec<_> = names
        .iter()
        .map(|name| place_of(&document, name).expect("every name"))
        .collect();
    for (index, place) in places.iter().enumerate() {
        assert!(place.1 > below && place.1 < f64::from(size.height) - 5.0);
        assert!(place.0 + 100.0 < f64::from(size.width));
        for other in &places[..index] {
            let apart = (place.1 - other.1).abs() > 14.0 || (place.0 - other.0).abs() > 120.0;
            assert!(apart, "{place:?} {other:?}");
        }
    }
}

#[test]
fn a_name_longer_than_the_drawing_is_cut() {
    let long = "a name that nobody could have foreseen ".repeat(10);
    let svg = chart(&[&long]).to_svg();
    let said = words(&parsed(&svg));
    assert!(
        said.iter()
            .any(|words| words.starts_with("a name") && words.contains('…'))
    );
}

#[test]
fn heatmaps_and_histograms_make_figures_too() {
    let heatmap = Heatmap {
        rows: vec![Row {
            name: "0".into(),
            values: vec![Some(1.0), Some(2.0)],
        }],
        columns: vec!["0".into(), "1".into()],
        figure: figure(),
        ..Heatmap::default()
    };
    let histogram = Histogram {
        edges: vec![0.0, 1.0],
        counts: vec![3],
        figure: figure(),
        ..Histogram::default()
    };
    let plain = Size {
        width: 470,
        height: 250,
    };
    for (svg, size) in [
        (heatmap.to_svg(), heatmap.drawn_size()),
        (histogram.to_svg(), histogram.drawn_size()),
    ] {
        assert!(words(&parsed(&svg)).contains(&"val · to step 2000".to_owned()));
        assert!(size.height > plain.height && size.width == plain.width);
    }
    assert!(heatmap.cells().area().top > 45.0);
    assert!(histogram.axes().y.pixels().1 > 45.0);
}
