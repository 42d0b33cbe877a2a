//! Results that are made up, and the report of them in parts.

use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::{Entry, FORMAT, Input, Measured, Model, Results, VERSION};
use ckptscope_report::{Provenance, html};

/// The steps of the example.
pub(crate) const STEPS: [u64; 4] = [0, 10, 100, 1000];

/// So many layers and heads; one metric of weights of two components, one of which has heads.
pub(crate) fn results(layers: u64, heads: u64) -> Results {
    let mut records = Vec::new();
    for step in STEPS {
        for layer in 0..layers {
            records.push(record(step, "attention.v_proj", layer, None));
            let all = (0..heads).map(Some).chain([None]);
            records.extend(all.map(|head| record(step, "ov_circuit", layer, head)));
        }
    }
    let measured = ["attention.v_proj", "ov_circuit"].map(|component| Measured {
        component: component.to_owned(),
        data_type: "weights".to_owned(),
    });
    let mut results = Results {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: "ckptscope 1.2.3".to_owned(),
        analysis_name: "made up".to_owned(),
        source: "nobody/nothing@main".to_owned(),
        inputs: Vec::new(),
        model: Some(Model {
            d_model: Some(48),
            n_layers: Some(layers),
            n_heads: Some(heads),
            n_kv_heads: None,
            source: "config.json".to_owned(),
        }),
        steps: STEPS.to_vec(),
        missing_steps: vec![2000, 2001, 2002],
        entries: vec![Entry {
            label: "gini".to_owned(),
            metric: "gini".to_owned(),
            summary: "how unevenly magnitudes are spread".to_owned(),
            split: "val".to_owned(),
            target: None,
            parameters: serde_json::Map::new(),
            components: measured.to_vec(),
        }],
        warnings: Vec::new(),
        config: "metrics: []\n".to_owned(),
        records,
    };
    results.sort();
    results
}

/// Values that rise and fall differently in each curve; one of layer 1 is undefined.
fn record(step: u64, component: &str, layer: u64, head: Option<u64>) -> Record {
    let is_missing = (step, component, layer, head) == (10, "attention.v_proj", 1, None);
    let seed = (step + 3 * layer + 7 * head.map_or(0, |head| head + 1)) as f64;
    let heads = head.map(|head| format!(".heads.{head}"));
    Record {
        label: "gini".to_owned(),
        split: "val".to_owned(),
        step,
        key: format!(
            "layers.{layer}.{component}.weights{}",
            heads.unwrap_or_default()
        ),
        component: component.to_owned(),
        layer,
        head,
        data_type: "weights".to_owned(),
        output: String::new(),
        value: (!is_missing).then(|| 0.5 + 0.4 * (seed * 0.37).sin()),
        status: is_missing.then(|| "the matrix is zero".to_owned()),
    }
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
