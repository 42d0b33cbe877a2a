//! Results that are made up, and the report of them in parts.

use ckptscope_report::{Provenance, html};
use ckptscope_results::{
    DataKind, Entry, EntryId, Input, MeasuredComponent, ModelShape, Number, Results, SeriesId,
    SeriesSet, Split, Status, Value,
};

/// The steps of the example.
pub(crate) const STEPS: [u64; 4] = [0, 10, 100, 1000];

/// So many layers and heads; one metric of weights of two components, one of which has heads.
pub(crate) fn results(layers: u64, heads: u64) -> Results {
    let mut series = SeriesSet::default();
    for step in STEPS {
        for layer in 0..layers {
            series.insert(number(step, "attention.v_proj", layer, None));
            let all = (0..heads).map(Some).chain([None]);
            series.extend(all.map(|head| number(step, "ov_circuit", layer, head)));
        }
    }
    let measured = ["attention.v_proj", "ov_circuit"].map(|component| MeasuredComponent {
        component: component.to_owned(),
        kind: DataKind::Weights,
        parameters: Some(serde_json::Map::new()),
        ..MeasuredComponent::default()
    });
    let mut results = Results {
        program: "ckptscope 1.2.3".to_owned(),
        analysis_name: "made up".to_owned(),
        source: "nobody/nothing@main".to_owned(),
        model: Some(ModelShape {
            d_model: Some(48),
            n_layers: Some(layers),
            n_heads: Some(heads),
            source: "config.json".to_owned(),
            ..ModelShape::default()
        }),
        steps: STEPS.to_vec(),
        missing_steps: vec![2000, 2001, 2002],
        entries: vec![Entry {
            label: "gini".to_owned(),
            metric: "gini".to_owned(),
            summary: "how unevenly magnitudes are spread".to_owned(),
            split: Split::Val,
            components: measured.to_vec(),
            ..Entry::default()
        }],
        config: "metrics: []\n".to_owned(),
        series,
        ..Results::default()
    };
    results.sort();
    results
}

/// Values that rise and fall differently in each curve; one of layer 1 is undefined.
fn number(step: u64, component: &str, layer: u64, head: Option<u64>) -> Number {
    let is_missing = (step, component, layer, head) == (10, "attention.v_proj", 1, None);
    let seed = (step + 3 * layer + 7 * head.map_or(0, |head| head + 1)) as f64;
    let value = 0.5 + 0.4 * (seed * 0.37).sin();
    Number {
        id: SeriesId {
            entry: EntryId::new("gini", Split::Val),
            component: component.into(),
            stack: "layers.".into(),
            layer: Some(layer),
            head,
            ..SeriesId::default()
        },
        step,
        value: (!is_missing).then_some(Value::Number(value)),
        status: is_missing.then(|| Status::new("all_zero", "the matrix is zero")),
    }
}

/// The results with every number changed, or left out.
pub(crate) fn changed(mut results: Results, change: impl Fn(Number) -> Option<Number>) -> Results {
    let all: Vec<Number> = results.series.each().collect();
    results.series = all.into_iter().filter_map(change).collect();
    results
}

/// Two files of a repository.
pub(crate) fn inputs() -> Vec<Input> {
    let input = |step: u64| Input {
        path: format!("step_{step}/model.safetensors"),
        bytes: 1_500_000,
        commit: Some("0123456789abcdef".to_owned()),
        content_id: Some(format!("{step:064x}")),
    };
    vec![input(0), input(10)]
}

/// The report without a time.
pub(crate) fn report(results: &Results) -> String {
    html(results, &Provenance::default()).unwrap()
}

/// The cells of every row of the first table whose caption ends so, heads of rows included.
pub(crate) fn rows(report: &str, caption: &str) -> Vec<Vec<String>> {
    let mut tables = report.split("<caption>").skip(1);
    let is_it = |table: &&str| {
        let end = table.find(['\n', '<']).unwrap();
        table[..end].ends_with(caption)
    };
    let table = tables.find(is_it).unwrap_or_else(|| panic!("{caption}"));
    let body = table.split_once("<tbody>").unwrap().1;
    let body = body.split_once("</table>").unwrap().0;
    let rows = body.split("<tr>").skip(1);
    let cell = |cell: &str| {
        let text = cell.split_once('>').unwrap().1;
        text.split('<').next().unwrap().trim().to_owned()
    };
    rows.map(|row| {
        let row = row.replace("<th", "<td");
        row.split("<td").skip(1).map(cell).collect()
    })
    .collect()
}
