//! Single figures: what is chosen, how it is arranged, how large it gets.

use std::collections::BTreeSet;

use ckptscope_chart::{CHARTS, Chart};
use ckptscope_plot::{Scale, Size, Theme};
use ckptscope_report::curve::panels;
use ckptscope_report::figure::{By, Choice, Drawn, FigureError, draw};
use roxmltree::{Document, Node};

use ckptscope_results::{Number, Results, SEPARATOR, SeriesSet, Value};

use crate::example::{changed, results};

fn chart(name: &str) -> &'static Chart {
    Chart::named(name).unwrap()
}

fn choice() -> Choice {
    Choice {
        components: Vec::new(),
        layers: None,
        heads: false,
        chart: chart("line"),
        by: By::Layer,
        x: None,
        y: None,
        free_y: false,
        theme: Theme::Light,
        width: None,
        height: None,
    }
}

fn drawn(layers: u64, heads: u64, choice: &Choice) -> Result<Drawn, FigureError> {
    let results = results(layers, heads);
    let panels = panels(&results);
    assert_eq!(panels.len(), 1);
    draw(&panels[0], &results.entries, choice)
}

/// How many series there are, and all words.
fn seen(drawn: &Drawn) -> (usize, Vec<String>) {
    let document = Document::parse(&drawn.svg).unwrap();
    let nodes = || document.descendants();
    let series = nodes().filter(|node| node.attribute("class") == Some("series"));
    let words = nodes().filter(|node| node.has_tag_name("text"));
    let words = words.map(|node| node.text().unwrap_or_default().trim().to_owned());
    (series.count(), words.collect())
}

#[test]
fn by_layer_there_is_a_chart_for_each_component() {
    let (series, words) = seen(&drawn(3, 2, &choice()).unwrap());
    assert_eq!(series, 6);
    for word in [
        "v_proj",
        "ov_circuit",
        "layer 0",
        "layer 2",
        "Gini coefficient",
    ] {
        assert!(words.iter().any(|own| own == word), "{word}: {words:?}");
    }
}

/// The example with other names for its two components.
fn drawn_with_names(names: [&str; 2], choice: &Choice) -> Drawn {
    let results = changed(results(2, 0), |mut number| {
        let place = usize::from(&*number.id.component == "ov_circuit");
        let name = names[place].split_once(SEPARATOR);
        let (component, run) = name.map_or((names[place], None), |(name, run)| (name, Some(run)));
        number.id.component = component.into();
        number.id.run = run.map(Into::into);
        Some(number)
    });
    draw(&panels(&results)[0], &results.entries, choice).unwrap()
}

#[test]
fn components_that_end_alike_have_charts_and_rows_of_their_own() {
    for (names, shown) in [
        (["attn.c_proj", "mlp.c_proj"], ["attn.c_proj", "mlp.c_proj"]),
        (
            [
                "attention.o_proj · Qwen2.5-0.5B",
                "attention.o_proj · Qwen2.5-1.5B",
            ],
            ["o_proj · Qwen2.5-0.5B", "o_proj · Qwen2.5-1.5B"],
        ),
    ] {
        let (series, words) = seen(&drawn_with_names(names, &choice()));
        assert_eq!(series, 4);
        for name in shown {
            assert_eq!(words.iter().filter(|own| *own == name).count(), 1, "{name}");
        }
        let choice = Choice {
            chart: chart("heatmap"),
            ..choice()
        };
        let (_, words) = seen(&drawn_with_names(names, &choice));
        for name in shown {
            let row = format!("0 · {name}");
            assert!(words.contains(&row), "{row}: {words:?}");
        }
    }
}

#[test]
fn long_names_of_rows_differ_where_they_are_cut() {
    let seeds = ["seed1", "seed2"];
    let names = seeds.map(|seed| format!("ov_circuit · pythia-410m-deduped-{seed}"));
    let choice = Choice {
        chart: chart("heatmap"),
        width: Some(321),
        ..choice()
    };
    let [one, two] = &names;
    let (_, words) = seen(&drawn_with_names([one, two], &choice));
    for seed in seeds {
        let is_its = |words: &&String| words.starts_with("0 · ") && words.ends_with(seed);
        assert_eq!(words.iter().filter(is_its).count(), 1, "{words:?}");
    }
}

#[test]
fn by_component_there_is_a_chart_for_each_layer() {
    let choice = Choice {
        by: By::Component,
        ..choice()
    };
    let (series, words) = seen(&drawn(3, 2, &choice).unwrap());
    assert_eq!(series, 6);
    for word in ["layer 0", "layer 1", "layer 2", "v_proj", "ov_circuit"] {
        assert_eq!(words.iter().filter(|own| *own == word).count(), 1, "{word}");
    }
}

/// The example with so many components.
fn drawn_with_components(count: usize, choice: &Choice) -> Result<Drawn, FigureError> {
    let mut results = results(1, 0);
    let own: Vec<Number> = results.series.each().collect();
    results.series = SeriesSet::default();
    for part in 0..count {
        let own = own
            .iter()
            .filter(|number| &*number.id.component == "ov_circuit");
        results.series.extend(own.cloned().map(|mut number| {
            number.id.component = format!("part_{part}").into();
            number
        }));
    }
    draw(&panels(&results)[0], &results.entries, choice)
}

#[test]
fn all_components_have_lines_that_look_different() {
    let choice = Choice {
        by: By::Component,
        ..choice()
    };
    let drawn = drawn_with_components(32, &choice).unwrap();
    let document = Document::parse(&drawn.svg).unwrap();
    let looks = |class: &str| -> BTreeSet<(Option<String>, Option<String>)> {
        let groups = document.descendants();
        let groups = groups.filter(|node| node.attribute("class") == Some(class));
        let lines = groups.flat_map(|group| group.descendants());
        let lines = lines.filter(|node| node.has_tag_name("polyline"));
        let look = |line: Node<'_, '_>| {
            let dashes = line
                .ancestors()
                .find_map(|node| node.attribute("stroke-dasharray"));
            (
                line.attribute("stroke").map(str::to_owned),
                dashes.map(str::to_owned),
            )
        };
        lines.map(look).collect()
    };
    assert_eq!(looks("legend").len(), 32);
    // Dots are dashes of a line of their own.
    assert!(looks("series").is_superset(&looks("legend")));
    let error = drawn_with_components(33, &choice).unwrap_err();
    assert_eq!(error, FigureError::Alike { components: 33 });
}

#[test]
fn by_head_there_is_a_chart_for_each_layer_with_heads() {
    let choice = Choice {
        by: By::Head,
        layers: Some(BTreeSet::from([0, 2])),
        ..choice()
    };
    let (series, words) = seen(&drawn(3, 2, &choice).unwrap());
    assert_eq!(series, 4);
    assert!(words.iter().any(|own| own == "layer 2 · ov_circuit"));
    assert!(!words.iter().any(|own| own.starts_with("layer 1")));
}

#[test]
fn every_chart_makes_a_figure_of_heads() {
    for &chart in CHARTS {
        let choice = Choice {
            chart,
            heads: true,
            ..choice()
        };
        let (_, words) = seen(&drawn(3, 2, &choice).unwrap());
        for word in ["Gini coefficient", "step"] {
            // Lines have a logarithmic axis.
            let is_it = |own: &String| own.trim_end_matches(" (log)") == word;
            assert!(words.iter().any(is_it), "{word}: {words:?}");
        }
    }
}

#[test]
fn lines_of_a_charts_own_have_a_legend_or_labels() {
    for layers in [3, 12] {
        let choice = Choice {
            chart: chart("spread"),
            ..choice()
        };
        let (series, words) = seen(&drawn(layers, 0, &choice).unwrap());
        // Five for each of two components.
        assert_eq!(series, 10);
        for word in ["max", "75 %", "median", "25 %", "min"] {
            assert!(words.iter().any(|own| own == word), "{word}: {words:?}");
        }
        assert!(!words.iter().any(|words| words.contains("numbers:")));
    }
}

#[test]
fn a_single_step_is_drawn_over_layers() {
    let results = changed(results(3, 2), |number| {
        (number.step == 1000).then_some(number)
    });
    let panels = panels(&results);
    let drawn = |choice: &Choice| seen(&draw(&panels[0], &results.entries, choice).unwrap());
    let (series, words) = drawn(&choice());
    assert_eq!(series, 2);
    for word in ["layer", "v_proj", "ov_circuit", "weights · val · step 1000"] {
        assert_eq!(words.iter().filter(|own| *own == word).count(), 1, "{word}");
    }
    assert!(!words.iter().any(|own| own.starts_with("layer ")));
    let of_heads = Choice {
        heads: true,
        ..choice()
    };
    let (series, words) = drawn(&of_heads);
    assert_eq!(series, 2);
    for word in ["layer", "ov_circuit", "head 0", "head 1"] {
        assert!(words.iter().any(|own| own == word), "{word}: {words:?}");
    }
}

/// The example, with `v_proj` of layer 0 as a tensor outside of layers.
fn with_outside(layers: u64) -> Results {
    changed(results(layers, 0), |mut number| {
        let is_first = number.id.layer == Some(0) && &*number.id.component != "ov_circuit";
        if is_first {
            number.id.component = "lm_head".into();
            number.id.layer = None;
        }
        Some(number)
    })
}

#[test]
fn tensors_outside_of_layers_are_called_so() {
    let results = with_outside(3);
    let panels = panels(&results);
    let drawn = |choice: &Choice| seen(&draw(&panels[0], &results.entries, choice).unwrap());
    let (series, words) = drawn(&choice());
    assert_eq!(series, 6);
    assert!(
        words.iter().any(|own| own == "outside of layers"),
        "{words:?}"
    );
    assert!(!words.iter().any(|own| own.contains('–')), "{words:?}");
    let heatmap = Choice {
        chart: chart("heatmap"),
        ..choice()
    };
    let (_, words) = drawn(&heatmap);
    assert!(words.iter().any(|own| own == "lm_head"), "{words:?}");
}

#[test]
fn of_a_single_step_tensors_outside_of_layers_are_told() {
    let mut results = with_outside(3);
    let at_1000 = results.series.each().filter(|number| number.step == 1000);
    results.series = at_1000.collect();
    let panels = panels(&results);
    let wide = Choice {
        width: Some(643),
        ..choice()
    };
    let drawn = draw(&panels[0], &results.entries, &wide).unwrap();
    let (series, words) = seen(&drawn);
    assert_eq!(series, 2);
    let told = "without 1 tensor outside of layers · weights · val · step 1000";
    assert!(words.iter().any(|own| own == told), "{words:?}");
    // By themselves they are drawn at their step.
    let alone = Choice {
        components: vec!["lm_head".to_owned()],
        ..choice()
    };
    let (series, words) = seen(&draw(&panels[0], &results.entries, &alone).unwrap());
    assert_eq!(series, 1);
    assert!(words.iter().any(|own| own == "step"), "{words:?}");
}

#[test]
fn axes_that_are_not_linear_say_so_in_every_chart() {
    for &chart in CHARTS {
        let choice = Choice {
            chart,
            x: Some(Scale::LogFromZero).filter(|_| chart.has_x_axis()),
            y: Some(Scale::Log),
            ..choice()
        };
        let (_, words) = seen(&drawn(3, 2, &choice).unwrap());
        let is_told = |own: &String| own.ends_with("(log)") || own == "log scale";
        let told = words.iter().filter(|own| is_told(own)).count();
        assert!(told > 0, "{}: {words:?}", chart.name);
        let steps = words.iter().filter(|own| *own == "step (log)").count();
        assert_eq!(steps > 0, chart.has_x_axis(), "{}: {words:?}", chart.name);
        let linear = Choice {
            x: Some(Scale::Linear),
            y: Some(Scale::Linear),
            ..choice
        };
        let (_, words) = seen(&drawn(3, 2, &linear).unwrap());
        assert!(!words.iter().any(is_told), "{}: {words:?}", chart.name);
    }
}

#[test]
fn values_over_powers_of_ten_are_logarithmic_by_themselves() {
    for (factor, is_told) in [(1.0, false), (1e4, true)] {
        let results = changed(results(3, 0), |mut number| {
            let value = 1.0 + number.step as f64 / 1000.0;
            let is_large = number.id.layer == Some(2);
            let value = if is_large { value * factor } else { value };
            number.value = Some(Value::Number(value));
            Some(number)
        });
        let panels = panels(&results);
        for chart in ["line", "heatmap", "spread"].map(chart) {
            let choice = Choice { chart, ..choice() };
            let (_, words) = seen(&draw(&panels[0], &results.entries, &choice).unwrap());
            let mut values = words.iter().filter(|own| !own.starts_with("step"));
            let told = values.any(|own| own.ends_with("(log)") || own == "log scale");
            assert_eq!(told, is_told, "{}: {words:?}", chart.name);
        }
    }
}

#[test]
fn many_layers_have_numbers_at_their_ends_instead_of_a_legend() {
    let choice = Choice {
        components: vec!["ov_circuit".to_owned()],
        ..choice()
    };
    let (series, words) = seen(&drawn(12, 1, &choice).unwrap());
    assert_eq!(series, 12);
    assert!(!words.iter().any(|own| own == "layer 0"), "{words:?}");
    assert!(words.iter().any(|own| own.ends_with("numbers: layers")));
}

#[test]
fn a_figure_has_the_size_that_was_asked_for() {
    for (name, by) in [
        ("line", By::Layer),
        ("line", By::Component),
        ("heatmap", By::Layer),
    ] {
        let choice = Choice {
            chart: chart(name),
            by,
            width: Some(643),
            height: Some(400),
            ..choice()
        };
        let size = drawn(3, 2, &choice).unwrap().size;
        let asked = Size {
            width: 643,
            height: 400,
        };
        assert_eq!(size, asked, "{name} {by:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let choice = Choice {
        by: By::Head,
        width: Some(300),
        height: Some(200),
        ..choice()
    };
    let error = drawn(12, 2, &choice).unwrap_err();
    assert!(
        matches!(error, FigureError::Crowded { charts: 12, .. }),
        "{error}"
    );
}

#[test]
fn a_heatmap_that_shows_nothing_is_refused() {
    let choice = |height| Choice {
        chart: chart("heatmap"),
        by: By::Head,
        height,
        ..choice()
    };
    let low = drawn(3, 2, &choice(Some(76))).unwrap_err();
    assert!(
        matches!(low, FigureError::Crowded { charts: 1, .. }),
        "{low}"
    );
    let thin = drawn(12, 12, &choice(Some(200))).unwrap_err();
    assert_eq!(thin, FigureError::Thin { rows: 144 });
    // Nobody said how high it is to be.
    assert!(drawn(30, 30, &choice(None)).unwrap().size.height > 900);
}

#[test]
fn nothing_to_draw_is_said() {
    let choice = Choice {
        heads: true,
        components: vec!["attention.v_proj".to_owned()],
        ..choice()
    };
    let error = drawn(3, 2, &choice).unwrap_err();
    assert!(matches!(error, FigureError::Nothing { .. }), "{error}");
}

#[test]
fn a_heatmap_has_a_row_for_each_layer() {
    let choice = Choice {
        chart: chart("heatmap"),
        components: vec!["ov_circuit".to_owned()],
        ..choice()
    };
    let (_, words) = seen(&drawn(3, 2, &choice).unwrap());
    for word in ["0", "1", "2", "ov_circuit · weights · val"] {
        assert!(words.iter().any(|own| own == word), "{word}: {words:?}");
    }
}
