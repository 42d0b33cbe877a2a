//! Links that carry an analysis.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use ckptscope_results::{Number, Results, Value};
use ckptscope_web_page::choices::{Choices, ColourBy, Mode, Spread};
use ckptscope_web_page::link::{Link, LinkError, LinkSource, MOST_CHARACTERS, base64url, deflate};
use ckptscope_web_page::panel::Subject;
use serde_json::json;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Results of so many series of so many steps, with values that need all their digits.
fn results(layers: u64, steps: u64) -> Results {
    let mut records = Vec::new();
    let mut seed = 1u64;
    for step in 0..steps {
        for layer in 0..layers {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits((seed >> 12) | 0x3ff0_0000_0000_0000) - 1.0;
            let is_gap = seed.is_multiple_of(11);
            records.push(json!({
                "label": "cka", "split": "val", "step": step * 100, "key": format!("model.layers.{layer}.v_proj.weights"),
                "component": "v_proj", "layer": layer, "head": null, "data_type": "weights",
                "value": if is_gap { json!(null) } else { json!(value) },
                "status": if is_gap { json!("rank 8 of 96") } else { json!(null) },
            }));
        }
    }
    let text = json!({
        "format": "ckptscope-results", "version": 1, "program": "ckptscope 0.1.0",
        "analysis_name": "demo", "source": "run", "model": null,
        "steps": (0..steps).map(|step| step * 100).collect::<Vec<_>>(), "missing_steps": [],
        "entries": [{
            "label": "cka", "metric": "cka", "summary": "", "split": "val", "target": 0, "parameters": {},
            "components": [{"component": "v_proj", "data_type": "weights"}],
        }],
        "warnings": ["one"], "config": "metrics: []\n", "records": records,
    });
    let mut results = Results::parse(&text.to_string()).expect("results");
    results.sort();
    results
}

fn link(results: Option<Results>) -> Link {
    Link {
        source: LinkSource::Files {
            name: "a run".to_owned(),
        },
        config: "analysis_name: ünïcode\n".to_owned(),
        choices: Choices::default(),
        results,
    }
}

/// A link with this content, whatever it is.
async fn holding(content: &[u8]) -> String {
    base64url::encode(&deflate::pack(content).await.expect("packed"))
}

async fn refusal(text: &str) -> LinkError {
    match Link::decode(text).await {
        Err(error) => error,
        Ok(link) => panic!("{text:?} was read as {link:?}"),
    }
}

#[wasm_bindgen_test]
async fn results_come_back_to_the_last_bit() {
    let mut results = results(5, 40);
    let odd = [0.1 + 0.2, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 1e23];
    let numbers: Vec<Number> = results.series.each().take(odd.len()).collect();
    for (mut number, value) in numbers.into_iter().zip(odd) {
        number.value = Some(Value::Number(value));
        results.series.insert(number);
    }
    let text = link(Some(results.clone())).encode().await.expect("a link");
    let back = Link::decode(&text)
        .await
        .expect("read")
        .results
        .expect("results");
    assert_eq!(back, results);
    let bits = |results: &Results| {
        let values = results.rows();
        values
            .map(|(_, point)| point.number().map(f64::to_bits))
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&back), bits(&results));
}

#[wasm_bindgen_test]
async fn an_analysis_as_large_as_the_demo_fits() {
    let text = link(Some(results(318, 15))).encode().await.expect("a link");
    assert!(text.len() < MOST_CHARACTERS, "{} characters", text.len());
}

#[wasm_bindgen_test]
async fn choices_come_back() {
    let series = |layer: u64| Subject {
        component: "attention.v_proj".into(),
        stack: None,
        run: None,
        expert: None,
        layer: Some(layer),
        head: Some(2),
    };
    let mut link = link(None);
    link.source = LinkSource::Demo;
    link.choices = Choices {
        mode: Mode("heatmap".into()),
        x: Spread::Linear,
        y: Spread::Log,
        colour: ColourBy::Part,
        metric: Some("norm_nuclear".to_owned()),
        hidden: [series(0), series(1)].into(),
        isolated: Some(series(2)),
        pinned: [(series(1), 3)].into(),
        cursor: Some(256),
        ..Choices::default()
    };
    let text = link.encode().await.expect("a link");
    assert_eq!(Link::decode(&text).await.expect("read"), link);
}

#[wasm_bindgen_test]
async fn a_link_without_choices_is_short() {
    let text = link(None).encode().await.expect("a link");
    assert!(text.len() < 160, "{} characters", text.len());
}

#[wasm_bindgen_test]
async fn what_is_no_link_is_named() {
    assert!(matches!(refusal("").await, LinkError::CutOff));
    assert!(matches!(
        refusal("a b").await,
        LinkError::Character { character: ' ' }
    ));
    assert!(matches!(
        refusal("abcd+/==").await,
        LinkError::Character { character: '+' }
    ));
    assert!(matches!(refusal("AAAAA").await, LinkError::CutOff));
    assert!(matches!(refusal("____").await, LinkError::Damaged));
    let whole = link(Some(results(3, 9))).encode().await.expect("a link");
    for length in [whole.len() / 2, whole.len() - 5] {
        let error = refusal(&whole[..length]).await;
        assert!(
            matches!(error, LinkError::CutOff | LinkError::Damaged),
            "{error}"
        );
    }
    for content in [
        "",
        "{",
        "[]",
        "null",
        "{\"v\":1}",
        "{\"v\":\"1\"}",
        "not json",
    ] {
        let error = refusal(&holding(content.as_bytes()).await).await;
        assert!(
            matches!(error, LinkError::Foreign { .. }),
            "{content:?}: {error}"
        );
    }
    let error = refusal(&holding(&[0xff, 0xfe]).await).await;
    assert!(matches!(error, LinkError::Foreign { .. }), "{error}");
}

#[wasm_bindgen_test]
async fn a_later_version_says_so_whatever_it_holds() {
    let error = refusal(&holding(br#"{"v":3,"source":17}"#).await).await;
    assert!(
        matches!(error, LinkError::Newer { version: 3, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("newer version"));
}

#[wasm_bindgen_test]
async fn a_bomb_is_not_inflated() {
    let bomb = holding(&vec![b' '; deflate::MOST_BYTES + 1]).await;
    assert!(bomb.len() < 1_000_000);
    assert!(matches!(refusal(&bomb).await, LinkError::TooLarge { .. }));
}

#[wasm_bindgen_test]
async fn hostile_results_are_refused() {
    let head = json!({
        "format": "ckptscope-results", "version": 1, "program": "", "analysis_name": "", "source": "",
        "model": null, "steps": [], "missing_steps": [], "entries": [], "warnings": [], "config": "", "records": [],
    });
    let series = |steps: u64| {
        json!({
            "label": "l", "split": "val", "key": "k", "component": "c", "layer": 0, "data_type": "weights",
            "steps": steps, "values": [1.0, 2.0],
        })
    };
    let content = |head: &serde_json::Value, series: serde_json::Value| {
        json!({
            "v": 1, "source": {"kind": "demo"}, "config": "",
            "results": {"head": head, "steps": [[0, 1], [0]], "series": [series]},
        })
    };
    let fine = holding(content(&head, series(0)).to_string().as_bytes()).await;
    let results = Link::decode(&fine)
        .await
        .expect("read")
        .results
        .expect("results");
    assert_eq!(results.series.numbers(), 2);
    for steps in [1, 2, u64::MAX] {
        let text = holding(content(&head, series(steps)).to_string().as_bytes()).await;
        assert!(matches!(refusal(&text).await, LinkError::Foreign { .. }));
    }
    let mut newer = head;
    newer["version"] = json!(9);
    let text = holding(content(&newer, series(0)).to_string().as_bytes()).await;
    assert!(matches!(refusal(&text).await, LinkError::Foreign { .. }));
}

#[wasm_bindgen_test]
fn base64url_is_the_standard_one() {
    // RFC 4648, section 10, in the alphabet of section 5 and without padding.
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64url::encode(bytes.as_bytes()), text);
        assert_eq!(base64url::decode(text).expect("bytes"), bytes.as_bytes());
    }
    assert_eq!(base64url::encode(&[0xfb, 0xff]), "-_8");
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(
        base64url::decode(&base64url::encode(&all)).expect("bytes"),
        all
    );
}

#[wasm_bindgen_test]
async fn links_of_version_1_are_read() {
    let head = json!({
        "format": "trainscope-results", "version": 1, "program": "trainscope 0.1.0",
        "analysis_name": "old", "source": "run", "model": null, "steps": [0, 8],
        "missing_steps": [], "warnings": [], "config": "a: 1",
        "entries": [{"label": "per", "metric": "per", "summary": "", "split": "val",
            "target": null, "parameters": {},
            "components": [{"component": "v_proj", "data_type": "weights"}]}],
        "records": [],
    });
    let series = json!({
        "label": "per", "split": "val", "key": "layers.1.v_proj.weights", "component": "v_proj",
        "layer": 1, "data_type": "weights", "steps": 0, "values": [0.5, null],
        "statuses": {"1": "all entries are zero"},
    });
    let content = json!({
        "v": 1, "source": {"kind": "demo"}, "config": "a: 1",
        "results": {"head": head, "steps": [[0, 8]], "series": [series]},
    });
    let text = holding(content.to_string().as_bytes()).await;
    let results = Link::decode(&text).await.expect("read").results;
    let results = results.expect("results");
    let rows: Vec<_> = results.rows().collect();
    assert_eq!(rows[0].0.key(), "layers.1.v_proj.weights");
    assert_eq!(rows[0].1.number(), Some(0.5));
    assert_eq!(rows[1].1.number(), None);
    let status = rows[1].1.status.expect("a status");
    assert_eq!(&*status.text, "all entries are zero");
}
