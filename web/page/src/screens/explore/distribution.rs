//! Drawings of one tensor: how its entries are spread, and its singular values.

use std::sync::Arc;

use ckptscope_plot::{Histogram, LineChart, Scale, Series, Size, layer_colours};
use ckptscope_protocol::tab::{SPECTRUM_NUMBERS, SpectrumView, TensorView};
use leptos::html::Div;
use leptos::prelude::*;

use crate::browser;
use crate::screens::readout;
use crate::store::State;

const HEIGHT: u32 = 200;

/// The histogram of the entries.
#[component]
pub(super) fn Bars(tensor: Arc<TensorView>) -> impl IntoView {
    let state = State::here();
    let drawing = move |size: Size| {
        let theme = state.theme.get();
        let histogram = Histogram {
            title: format!("Histogram of the entries of {}", tensor.name),
            x_label: "value".to_owned(),
            y_label: "entries".to_owned(),
            edges: edges(tensor.min, tensor.max, tensor.histogram.len()),
            counts: tensor.histogram.clone(),
            colour: layer_colours(1, theme).first().copied().unwrap_or_default(),
            size,
            theme,
            ..Histogram::default()
        };
        histogram.to_svg()
    };
    view! { <Drawing draw=Arc::new(drawing) test="tensor-histogram"/> }
}

/// The singular values, the largest first, where they are not zero.
#[component]
pub(super) fn Spectrum(name: String, spectrum: Arc<SpectrumView>) -> impl IntoView {
    let state = State::here();
    let caption = spectrum_in_words(&spectrum);
    let (numbers, _) = spectrum.numbers.as_chunks();
    let numbers = SPECTRUM_NUMBERS.iter().zip(numbers).map(|(name, number)| {
        view! { <div><dt>{*name}</dt><dd>{interval_in_words(*number)}</dd></div> }
    });
    let numbers = numbers.collect_view();
    let estimated = if spectrum.is_estimated {
        "Estimated singular values"
    } else {
        "Singular values"
    };
    let drawing = move |size: Size| {
        let theme = state.theme.get();
        let values = spectrum.values.iter().enumerate();
        let point = |(index, value): (usize, &f64)| {
            let is_positive = *value > 0.0;
            ((index + 1) as f64, is_positive.then_some(*value))
        };
        let chart = LineChart {
            title: format!("{estimated} of {name}, the largest first"),
            x_label: "rank".to_owned(),
            y_label: "singular value".to_owned(),
            y_scale: Scale::Log,
            series: vec![Series {
                name: "singular values".to_owned(),
                colour: layer_colours(1, theme).first().copied().unwrap_or_default(),
                points: values.map(point).collect(),
                ..Series::default()
            }],
            size,
            theme,
            ..LineChart::default()
        };
        chart.to_svg()
    };
    view! {
        <Drawing draw=Arc::new(drawing) test="tensor-spectrum"/>
        <p class="label" data-test="spectrum-caption">{caption}</p>
        <dl class="facts-list" data-test="spectrum-numbers">{numbers}</dl>
    }
}

/// An SVG as wide as its place.
#[component]
fn Drawing(draw: Arc<dyn Fn(Size) -> String + Send + Sync>, test: &'static str) -> impl IntoView {
    let element = NodeRef::<Div>::new();
    let width = browser::width_of(element);
    let svg = move || {
        let size = Size {
            width: width.get(),
            height: HEIGHT,
        };
        (size.width > 0).then(|| draw(size))
    };
    view! { <div class="plain-drawing" node_ref=element data-test=test inner_html=svg></div> }
}

/// Where bins begin and end: they are equally wide.
fn edges(min: Option<f64>, max: Option<f64>, bins: usize) -> Vec<f64> {
    let (Some(min), Some(max)) = (min, max) else {
        return Vec::new();
    };
    // A width that overflows is avoided by weighing both ends.
    let edge = |index: usize| {
        let part = index as f64 / bins.max(1) as f64;
        min * (1.0 - part) + max * part
    };
    (0..=bins).map(edge).collect()
}

/// A number, with its interval where it has one.
fn interval_in_words([value, low, high]: [f64; 3]) -> String {
    let number = |value: f64| ckptscope_plot::significant(value, 4);
    if low == high {
        number(value)
    } else {
        format!("{} ({} to {})", number(value), number(low), number(high))
    }
}

fn spectrum_in_words(spectrum: &SpectrumView) -> String {
    let values = &spectrum.values;
    let count = readout::counted(values.len() as u64, "singular value");
    if spectrum.is_estimated {
        return format!(
            "{count}. An estimate from a few random directions: the curve is smoothed, and how small \
             the smallest are is not known. Of 100 intervals in brackets 95 hold the exact number."
        );
    }
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return count;
    };
    let number = |value: f64| ckptscope_plot::significant(value, 4);
    let zeros = values.iter().filter(|value| **value <= 0.0).count();
    let not_drawn = match zeros {
        0 => String::new(),
        zeros => format!("; {zeros} of them exactly zero and not drawn"),
    };
    format!(
        "{count}, from {} down to {}{not_drawn}",
        number(*first),
        number(*last)
    )
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn bins_end_exactly_at_both_ends() {
        let edges = edges(Some(-f64::MAX), Some(f64::MAX), 4);
        assert_eq!(edges.len(), 5);
        assert_eq!(edges[0], -f64::MAX);
        assert_eq!(edges[2], 0.0);
        assert_eq!(edges[4], f64::MAX);
    }

    #[test]
    fn an_estimate_claims_no_smallest_value() {
        let words = spectrum_in_words(&SpectrumView {
            is_estimated: true,
            values: vec![2.0, 0.0],
            ..SpectrumView::default()
        });
        assert!(
            words.starts_with("2 singular values. An estimate"),
            "{words}"
        );
        assert!(!words.contains("zero"), "{words}");
    }

    #[test]
    fn zeros_are_told() {
        let exact = SpectrumView {
            values: vec![2.0, 1.0, 0.0],
            ..SpectrumView::default()
        };
        let words = spectrum_in_words(&exact);
        assert_eq!(
            words,
            "3 singular values, from 2.000 down to 0; 1 of them exactly zero and not drawn"
        );
    }
}
