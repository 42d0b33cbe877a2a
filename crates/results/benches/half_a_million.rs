//! Results of a large analysis: 528,000 numbers of 100 steps, 32 layers with 32 heads each, and 5
//! metrics, taken in, written, read and compared. `cargo bench -p ckptscope-results`.
//!
//! `... -- --write FOLDER` writes two of them as `one.json` and `two.json`, for whoever wants to
//! know what `worker compare` takes as a whole process, and does no more.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use ckptscope_results::compare::Comparison;
use ckptscope_results::{
    DataKind, Entry, EntryId, MeasuredComponent, Number, Results, SeriesId, Split, Value,
};

const METRICS: [&str; 5] = ["per", "condition_number", "gini", "hoyer", "norm"];
const STEPS: u64 = 100;
const LAYERS: u64 = 32;
const HEADS: u64 = 32;

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--write");
    if let Some(folder) = arguments.nth(1) {
        for (name, seed) in [("one", 1), ("two", 2)] {
            let path = Path::new(&folder).join(format!("{name}.json"));
            fs::write(path, results(seed).to_json().unwrap()).unwrap();
        }
        return;
    }
    let results = timed("528,000 numbers taken in", || results(1));
    assert_eq!(results.series.numbers(), 528_000);
    let json = timed("written as results.json", || results.to_json().unwrap());
    let text = String::from_utf8(json).unwrap();
    println!("{:40} {:8.1} MB", "results.json", text.len() as f64 / 1e6);
    let read = timed("results.json read", || Results::parse(&text).unwrap());
    assert_eq!(read, results);
    let table = timed("written as CSV", || results.long_csv().unwrap());
    println!("{:40} {:8.1} MB", "CSV", table.len() as f64 / 1e6);
    let other = self::results(2);
    let runs = vec![(None, results), (None, other)];
    let compared = timed("two of them compared", || {
        let comparison = Comparison::of(runs).unwrap();
        (
            comparison.csv().unwrap(),
            comparison.merged.to_json().unwrap(),
        )
    });
    black_box(compared);
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{name:40} {:8.0} ms", start.elapsed().as_secs_f64() * 1e3);
    result
}

/// Values with all the digits that measured ones have.
fn results(seed: u64) -> Results {
    let made_of = serde_json::json!({
        "form": "circuit",
        "output_layer": "self_attn.o_proj",
        "value_layer": "self_attn.v_proj",
        "gains": false,
    });
    let component = MeasuredComponent {
        component: "ov_circuit".to_owned(),
        kind: DataKind::Weights,
        parameters: made_of.as_object().cloned(),
        ..MeasuredComponent::default()
    };
    let entry = |metric: &&str| Entry {
        label: (*metric).to_owned(),
        metric: (*metric).to_owned(),
        split: Split::Val,
        components: vec![component.clone()],
        ..Entry::default()
    };
    let mut results = Results {
        analysis_name: "half a million".to_owned(),
        steps: (0..STEPS).map(|step| step * 1000).collect(),
        entries: METRICS.iter().map(entry).collect(),
        ..Results::default()
    };
    for step in results.steps.clone() {
        for layer in 0..LAYERS {
            for metric in METRICS {
                let heads = (0..HEADS).map(Some).chain([None]);
                let numbers = heads.map(|head| number(seed, metric, step, layer, head));
                results.series.extend(numbers);
            }
        }
    }
    results.sort();
    results
}

fn number(seed: u64, metric: &str, step: u64, layer: u64, head: Option<u64>) -> Number {
    let place = (seed + step) as f64 / 7000.0 + layer as f64 + head.unwrap_or(HEADS) as f64 / 3.0;
    let value = 0.5 + place.sin() / (2.0 + metric.len() as f64);
    Number {
        id: SeriesId {
            entry: EntryId::new(metric, Split::Val),
            component: "ov_circuit".into(),
            kind: DataKind::Weights,
            stack: "model.layers.".into(),
            layer: Some(layer),
            head,
            ..SeriesId::default()
        },
        step,
        value: Some(Value::Number(value)),
        status: None,
    }
}
