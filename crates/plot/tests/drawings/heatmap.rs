//! Heatmaps.

use ckptscope_plot::{Cell, Heatmap, Rectangle, Row, Scale, Size, Theme};
use proptest::prelude::*;
use roxmltree::Document;

use crate::svg::{Piece, number, parsed, pieces, place_of, with_class, words};

fn heatmap(rows: Vec<Vec<Option<f64>>>) -> Heatmap {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let row = |(index, values)| Row {
        name: format!("{index} · v_proj"),
        values,
    };
    Heatmap {
        title: "Gini".into(),
        rows: rows.into_iter().enumerate().map(row).collect(),
        columns: (0..columns).map(|column| column.to_string()).collect(),
        ..Heatmap::default()
    }
}

/// What varies without an order, 0 to 1.
fn scattered(index: usize) -> f64 {
    (index * 7919 % 1009) as f64 / 1008.0
}

fn many(rows: usize, columns: usize) -> Vec<Vec<Option<f64>>> {
    let row = |row: usize| (0..columns).map(move |column| Some(scattered(row * columns + column)));
    (0..rows).map(|index| row(index).collect()).collect()
}

fn cell_pieces(document: &Document<'_>) -> Vec<Piece> {
    let cells = with_class(document, "cells")[0];
    let groups = cells.children().filter(|child| child.has_tag_name("g"));
    groups.flat_map(pieces).collect()
}

/// The colours that cover the middle of an area.
fn colours_of(area: Rectangle, pieces: &[Piece]) -> Vec<&str> {
    let (x, y) = (area.left + area.width / 2.0, area.top + area.height / 2.0);
    let covers = |piece: &&Piece| {
        let (left, right) = (piece.from.0.min(piece.to.0), piece.from.0.max(piece.to.0));
        left < x && x < right && (piece.from.1 - y).abs() < piece.width / 2.0
    };
    pieces
        .iter()
        .filter(covers)
        .map(|piece| piece.colour.as_str())
        .collect()
}

/// The colours of the bar, from the smallest to the largest value.
fn bar(document: &Document<'_>) -> Vec<String> {
    let cells = with_class(document, "cells")[0];
    let mut steps: Vec<_> = cells
        .children()
        .filter(|child| child.has_tag_name("rect"))
        .map(|step| (number(step, "y"), step.attribute("fill").expect("fill")))
        .collect();
    steps.sort_by(|a, b| b.0.total_cmp(&a.0));
    steps.into_iter().map(|(_, fill)| fill.to_owned()).collect()
}

#[test]
fn every_cell_has_the_colour_of_its_value() {
    for (rows, columns) in [(5, 7), (48, 100), (100, 3), (3, 300)] {
        let mut values = many(rows, columns);
        values[1][2] = None;
        values[2][0] = None;
        let mut heatmap = heatmap(values.clone());
        heatmap.range = Some((0.0, 1.0));
        let svg = heatmap.to_svg();
        let document = parsed(&svg);
        let (pieces, bar) = (cell_pieces(&document), bar(&document));
        let cells = heatmap.cells();
        for (row, values) in values.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                let area = cells.rectangle(row, column).expect("a cell");
                let seen = colours_of(area, &pieces);
                let expected = value.map(|value| {
                    let step = (value * (bar.len() - 1) as f64).round() as usize;
                    bar[step].as_str()
                });
                let expected: Vec<&str> = expected.into_iter().collect();
                assert_eq!(seen, expected, "{row} {column} of {rows} x {columns}");
            }
        }
    }
}

#[test]
fn a_pixel_belongs_to_the_cell_that_covers_it() {
    let cells = heatmap(many(48, 100)).cells();
    for row in 0..48 {
        for column in 0..100 {
            let area = cells.rectangle(row, column).expect("a cell");
            let (x, y) = (area.left + area.width / 2.0, area.top + area.height / 2.0);
            assert_eq!(cells.at(x, y), Some(Cell { row, column }));
        }
    }
    let all = cells.area();
    assert_eq!(cells.at(all.left - 0.1, all.top + 1.0), None);
    assert_eq!(cells.at(all.left + 1.0, all.top + all.height + 0.1), None);
    assert_eq!(cells.rectangle(48, 0), None);
    assert_eq!(cells.rectangle(0, 100), None);
}

#[test]
fn the_bar_states_the_range() {
    let mut heatmap = heatmap(vec![vec![Some(0.4137), Some(0.5), Some(0.6211)]]);
    let said = |heatmap: &Heatmap| words(&parsed(&heatmap.to_svg()));
    let linear = said(&heatmap);
    for end in ["0.414", "0.621"] {
        assert!(linear.contains(&end.to_owned()), "{linear:?}");
    }
    heatmap.range = Some((0.0, 1.0));
    let fixed = said(&heatmap);
    for end in ["0", "1"] {
        assert!(fixed.contains(&end.to_owned()), "{fixed:?}");
    }
    heatmap.range = None;
    heatmap.scale = Scale::Log;
    heatmap.rows[0].values = vec![Some(12.34), Some(5.678e5), Some(0.0)];
    let log = said(&heatmap);
    for end in ["12.3", "567800", "1000"] {
        assert!(log.contains(&end.to_owned()), "{log:?}");
    }
}

#[test]
fn what_lies_outside_the_range_has_the_colour_of_its_end() {
    let mut heatmap = heatmap(vec![vec![Some(-5.0), Some(0.0), Some(1.0), Some(7.0)]]);
    heatmap.range = Some((0.0, 1.0));
    let svg = heatmap.to_svg();
    let document = parsed(&svg);
    let (pieces, cells) = (cell_pieces(&document), heatmap.cells());
    let colour = |column| colours_of(cells.rectangle(0, column).expect("a cell"), &pieces);
    assert_eq!(colour(0), colour(1));
    assert_eq!(colour(2), colour(3));
    assert_ne!(colour(1), colour(2));
}

#[test]
fn equal_values_have_one_colour_and_one_label() {
    let heatmap = heatmap(vec![vec![Some(0.25); 3]; 2]);
    let svg = heatmap.to_svg();
    let document = parsed(&svg);
    let pieces = cell_pieces(&document);
    assert!(pieces.iter().all(|piece| piece.colour == pieces[0].colour));
    let labels = words(&document);
    assert_eq!(labels.iter().filter(|label| *label == "0.25").count(), 1);
}

#[test]
fn nothing_to_draw_says_so() {
    for heatmap in [
        heatmap(vec![]),
        heatmap(vec![vec![None; 4]; 3]),
        heatmap(vec![vec![Some(f64::NAN)]]),
    ] {
        let svg = heatmap.to_svg();
        let document = parsed(&svg);
        assert!(words(&document).contains(&"no values".to_owned()));
        assert!(cell_pieces(&document).is_empty());
    }
}

#[test]
fn short_rows_are_hatched_at_their_end() {
    let heatmap = heatmap(vec![vec![Some(1.0), Some(2.0)], vec![Some(3.0)]]);
    let svg = heatmap.to_svg();
    let document = parsed(&svg);
    let area = heatmap.cells().rectangle(1, 1).expect("a cell");
    assert!(colours_of(area, &cell_pieces(&document)).is_empty());
    let is_inside = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("rect")
            && number(*node, "x") / 10.0 <= area.left
            && (number(*node, "x") + number(*node, "width")) / 10.0 >= area.left + area.width - 2.0
    };
    let frame = with_class(&document, "frame")[0];
    assert!(frame.children().any(|node| is_inside(&node)));
}

#[test]
fn row_names_are_thinned_where_rows_are_thin() {
    let named = |rows: usize| {
        let heatmap = heatmap(many(rows, 4));
        let svg = heatmap.to_svg();
        let document = parsed(&svg);
        let names = heatmap.rows.iter();
        let mut places: Vec<f64> = names
            .filter_map(|row| place_of(&document, &row.name))
            .map(|place| place.1)
            .collect();
        places.sort_by(f64::total_cmp);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 10.9));
        places.len()
    };
    assert_eq!(named(9), 9);
    assert!((8..48).contains(&named(48)));
    assert!((8..300).contains(&named(300)));
}

#[test]
fn column_names_never_overlap_and_the_ends_are_named() {
    for (columns, width) in [(15, 470), (100, 470), (100, 180), (2, 200), (1, 100)] {
        let mut heatmap = heatmap(many(3, columns));
        heatmap.columns = (0..columns).map(|step| (step * 1000).to_string()).collect();
        heatmap.size.width = width;
        let svg = heatmap.to_svg();
        let document = parsed(&svg);
        let area = heatmap.cells().area();
        let mut labels: Vec<(f64, f64)> = heatmap
            .columns
            .iter()
            .filter_map(|name| Some((place_of(&document, name)?, name.len() as f64 * 3.2)))
            .filter(|((_, y), _)| *y > area.top + area.height)
            .map(|((x, _), half)| (x, half))
            .collect();
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        for pair in labels.windows(2) {
            assert!(pair[0].0 + pair[0].1 < pair[1].0 - pair[1].1, "{labels:?}");
        }
        let last = heatmap.columns.last().expect("a column");
        assert!(place_of(&document, last).is_some(), "{columns} {width}");
    }
}

#[test]
fn a_cell_takes_few_bytes() {
    let svg = heatmap(many(48, 100)).to_svg();
    assert!(svg.len() < 150_000, "{} bytes", svg.len());
    assert!(parsed(&svg).descendants().count() < 2000);
}

#[test]
fn names_may_hold_anything() {
    let mut heatmap = heatmap(many(1, 2));
    heatmap.rows[0].name = "<b> & \u{1}".into();
    heatmap.columns[0] = "<script>".into();
    (heatmap.title, heatmap.value_label) = ("a < b".into(), "\"<i>\"".into());
    assert!(!heatmap.to_svg().contains("<script"));
    parsed(&heatmap.to_svg());
}

#[test]
fn themes_have_their_own_colours() {
    let light = heatmap(many(3, 3));
    let dark = Heatmap {
        theme: Theme::Dark,
        ..light.clone()
    };
    assert_eq!(light.cells(), dark.cells());
    let colours = |heatmap: &Heatmap| bar(&parsed(&heatmap.to_svg()));
    assert_ne!(colours(&light), colours(&dark));
}

#[test]
fn what_shares_a_pixel_is_said_where_there_are_words_for_it() {
    let mut heatmap = heatmap(many(2, 900));
    assert_eq!(heatmap.per_row(), None);
    let (least, most) = heatmap.per_column().expect("they share");
    heatmap.x_label = "step".to_owned();
    let said = words(&parsed(&heatmap.to_svg())).join(" ");
    assert!(
        said.contains(&format!("step ({least} to {most} in a column)")),
        "{said}"
    );
}

proptest! {
    #[test]
    fn every_end_of_the_bar_is_in_the_picture(
        values in proptest::collection::vec(0.0..1.0_f64, 2..3000),
        rows in 1..4usize,
        width in 120..600_u32,
    ) {
        let columns = values.len().div_ceil(rows);
        let rows = values.chunks(columns).map(|row| row.iter().copied().map(Some).collect());
        let mut heatmap = heatmap(rows.collect());
        heatmap.size.width = width;
        let svg = heatmap.to_svg();
        let document = parsed(&svg);
        let (pieces, bar) = (cell_pieces(&document), bar(&document));
        for end in [bar.first(), bar.last()] {
            let end = end.expect("a bar");
            prop_assert!(pieces.iter().any(|piece| piece.colour == *end), "{end}");
        }
    }

    #[test]
    fn any_values_in_any_scale_are_drawn(
        rows in proptest::collection::vec(
            proptest::collection::vec(proptest::option::of(any::<f64>()), 0..9), 0..9),
        scale in 0..3usize,
        range in proptest::option::of(any::<(f64, f64)>()),
        size in (0..2000u32, 0..1000u32),
    ) {
        let mut heatmap = heatmap(rows);
        heatmap.scale = [Scale::Linear, Scale::Log, Scale::LogFromZero][scale];
        heatmap.range = range;
        heatmap.size = Size { width: size.0, height: size.1 };
        parsed(&heatmap.to_svg());
    }
}
