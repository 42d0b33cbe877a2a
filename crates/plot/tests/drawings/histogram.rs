//! Histograms.

use ckptscope_plot::{Axes, Histogram, Scale, Size};
use proptest::prelude::*;

use crate::svg::{number, parsed, with_class, words};

fn histogram(counts: &[u64]) -> Histogram {
    Histogram {
        title: "entries".into(),
        edges: (0..=counts.len())
            .map(|index| index as f64 * 0.5 - 1.0)
            .collect(),
        counts: counts.to_vec(),
        ..Histogram::default()
    }
}

#[test]
fn bars_stand_on_their_bins_and_are_as_high_as_their_counts() {
    for scale in [Scale::Linear, Scale::Log, Scale::LogFromZero] {
        let mut histogram = histogram(&[1, 0, 4, 100]);
        histogram.count_scale = scale;
        let svg = histogram.to_svg();
        let document = parsed(&svg);
        let bars: Vec<_> = with_class(&document, "bars")[0]
            .children()
            .filter(|child| child.has_tag_name("rect"))
            .collect();
        assert_eq!(bars.len(), 3, "{scale:?}: none for a count of 0");
        let Axes { x, y } = histogram.axes();
        for (bar, index) in bars.into_iter().zip([0, 2, 3]) {
            let left = x.position(histogram.edges[index]).expect("a place");
            let top = y.position(histogram.counts[index] as f64).expect("a place");
            assert!((number(bar, "x") / 10.0 - left).abs() < 0.1);
            assert!((number(bar, "y") / 10.0 - top).abs() < 0.1);
            let bottom = (number(bar, "y") + number(bar, "height")) / 10.0;
            assert!((bottom - y.pixels().0).abs() < 0.11);
        }
        let lowest = histogram.bar(0).expect("a bar for 1");
        assert!(scale == Scale::Linear || lowest.height > 5.0, "{scale:?}");
    }
}

#[test]
fn counts_are_marked_at_whole_numbers() {
    let labels = histogram(&[1, 2]).axes().y.ticks(28.0);
    let labels: Vec<_> = labels.into_iter().map(|tick| tick.label).collect();
    assert_eq!(labels, ["2", "1", "0"], "from the top");
}

#[test]
fn nothing_to_draw_says_so() {
    for histogram in [histogram(&[]), histogram(&[0, 0])] {
        let svg = histogram.to_svg();
        assert!(words(&parsed(&svg)).contains(&"no values".to_owned()));
    }
}

proptest! {
    #[test]
    fn any_counts_between_any_edges_are_drawn(
        edges in proptest::collection::vec(any::<f64>(), 0..12),
        counts in proptest::collection::vec(any::<u64>(), 0..12),
        scale in 0..3usize,
        size in (0..2000u32, 0..1000u32),
    ) {
        let histogram = Histogram {
            edges,
            counts,
            count_scale: [Scale::Linear, Scale::Log, Scale::LogFromZero][scale],
            size: Size { width: size.0, height: size.1 },
            ..Histogram::default()
        };
        parsed(&histogram.to_svg());
    }
}
