//! The web worker's answers, over files as the browser gives them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ckptscope_checkpoint::{ReadError, Source, Tree};
use ckptscope_protocol::Sealed;
use ckptscope_protocol::tab::{
    Ask, CheckForm, CheckText, Checked, ComputeLane, LaneDone, ListTensors, MakePlan, MeasureSpeed,
    News, OpenRun, Opened, PartName, PlannedLanes, ReadResults, Reply, Secret, SpectrumWay,
    ViewSpectrum, ViewTensor,
};
use ckptscope_results::Number;
use ckptscope_web_tab::{BlobSource, FilesTree, RequestHandler};
use include_dir::{Dir, include_dir};
use js_sys::{Array, Uint8Array};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_browser);

static RUN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../tests/data/pico-decoder-micro-1");
const EXPECTED: &str = include_str!("../../../tests/data/pico-decoder-micro-1.expected.json");
const DEMO: &str = include_str!("../../../configs/demo.yaml");

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).unwrap()
}

fn files(folder: &Dir<'_>) -> Vec<(String, Blob)> {
    let own = folder.files().map(|file| {
        let path = file.path().to_string_lossy().into_owned();
        (path, blob(file.contents()))
    });
    own.chain(folder.dirs().flat_map(files)).collect()
}

/// A handler that has the bundled run, and what it replies.
struct Office {
    handler: RequestHandler,
    replies: Rc<RefCell<Vec<Reply>>>,
}

impl Office {
    fn empty() -> Self {
        let replies = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&replies);
        let tell = move |reply: &Reply| {
            // As it travels: what JSON does not keep would be missed.
            let text = serde_json::to_string(reply).unwrap();
            heard
                .borrow_mut()
                .push(serde_json::from_str(&text).unwrap());
        };
        let handler = RequestHandler::new(tell);
        Self { handler, replies }
    }

    fn with(files: Vec<(String, Blob)>) -> Self {
        let office = Self::empty();
        office
            .handler
            .use_files(FilesTree::new("micro".to_owned(), files));
        office
    }

    /// What is told of a question, and its answer.
    async fn hear<Q: Ask>(
        &self,
        question: Q,
        file: Option<Blob>,
    ) -> (Vec<News>, Result<Q::Answer, String>) {
        let number = 7;
        self.handler.answer(number, question.into(), file).await;
        let replies = self.replies.take();
        assert!(replies.iter().all(|reply| reply.number == number));
        let mut news: Vec<News> = replies.into_iter().map(|reply| reply.news).collect();
        let answer = match news.pop() {
            Some(News::Answer(answer)) => Ok(Q::take(answer).unwrap()),
            Some(News::Failed { message }) => Err(message),
            other => panic!("{other:?}"),
        };
        (news, answer)
    }

    async fn ask<Q: Ask>(&self, question: Q) -> Result<Q::Answer, String> {
        let (news, answer) = self.hear(question, None).await;
        assert_eq!(news, []);
        answer
    }

    async fn open(&self) -> Opened {
        *self.ask(OpenRun {}).await.unwrap()
    }

    async fn check(&self, text: &str) -> Checked {
        let text = text.to_owned();
        *self.ask(CheckText { text }).await.unwrap()
    }

    async fn plan(&self, text: &str, workers: usize) -> PlannedLanes {
        let question = MakePlan {
            text: text.to_owned(),
            workers,
            ..MakePlan::default()
        };
        *self.ask(question).await.unwrap()
    }

    async fn numbers(&self, lane: Sealed) -> Vec<Number> {
        let (news, answer) = self.hear(ComputeLane { lane }, None).await;
        assert_eq!(answer, Ok(LaneDone::default()));
        let numbers = news.into_iter().flat_map(|news| match news {
            News::Lane(update) => update.numbers.0,
            other => panic!("{other:?}"),
        });
        numbers.collect()
    }

    async fn failure<Q: Ask>(&self, question: Q) -> String {
        self.ask(question).await.err().unwrap()
    }
}

fn weights(step: u64) -> PartName {
    PartName {
        step,
        data_type: "weights".to_owned(),
        split: Some("val".to_owned()),
    }
}

#[wasm_bindgen_test]
async fn ranges_of_a_blob() {
    let bytes: Vec<u8> = (0..=255).collect();
    let source = BlobSource::new("a.bin".to_owned(), blob(&bytes));
    assert_eq!(source.bytes(), 256);
    assert_eq!(source.read_at(0, 0).await.unwrap(), [0; 0]);
    assert_eq!(source.read_at(10, 5).await.unwrap(), bytes[10..15]);
    assert_eq!(source.read_at(0, 256).await.unwrap(), bytes);
    for (offset, length) in [(250, 7), (257, 0), (u64::MAX, 2)] {
        let error = source.read_at(offset, length).await.unwrap_err();
        assert!(matches!(error, ReadError::OutOfRange { .. }), "{error}");
    }
}

#[wasm_bindgen_test]
async fn a_blob_longer_than_32_bits_count() {
    let mebibyte = blob(&vec![7; 1 << 20]);
    let parts = (0..4096)
        .map(|_| mebibyte.clone())
        .chain([blob(b"the end")]);
    let whole = Blob::new_with_blob_sequence(&parts.collect::<Array>()).unwrap();
    let source = BlobSource::new("big".to_owned(), whole);
    assert_eq!(source.bytes(), (1 << 32) + 7);
    assert_eq!(source.read_at((1 << 32) - 1, 4).await.unwrap(), b"\x07the");
}

#[wasm_bindgen_test]
async fn a_tree_of_blobs() {
    let files = [("b", "1"), ("a/x", "22"), ("b", "333")];
    let files = files.map(|(path, content)| (path.to_owned(), blob(content.as_bytes())));
    let tree = FilesTree::new("dropped".to_owned(), files);
    let listed: Vec<_> = tree
        .files()
        .iter()
        .map(|file| (file.path.as_str(), file.bytes))
        .collect();
    assert_eq!(listed, [("a/x", 2), ("b", 3)]);
    let source = tree.open("b").await.unwrap();
    assert_eq!(source.read_at(0, 3).await.unwrap(), b"333");
    let error = tree.open("c").await.err().unwrap();
    assert_eq!(error.to_string(), "there is no such file in dropped: c");
}

#[wasm_bindgen_test]
async fn the_bundled_run_is_opened() {
    let opened = Office::with(files(&RUN)).open().await;
    let run = &opened.run;
    assert_eq!((run.name.as_str(), run.steps.len()), ("micro", 15));
    assert_eq!((run.n_layers, run.n_heads), (Some(3), Some(4)));
    let last = run.steps.last().unwrap();
    assert_eq!(last.number, 2000);
    assert!(
        last.parts
            .iter()
            .all(|part| part.files == 1 && part.bytes > 1000)
    );
    let value = run
        .suffixes
        .iter()
        .find(|suffix| suffix.suffix == "attention.v_proj")
        .unwrap();
    assert_eq!(
        (value.layers.as_slice(), value.shape.len()),
        (&[0, 1, 2][..], 2)
    );
    assert_eq!(opened.proposals.len(), 5);
    assert!(
        opened
            .menu
            .metrics
            .iter()
            .any(|metric| metric.name == "pwcca")
    );
    let office = Office::with(files(&RUN));
    let rates = office.ask(MeasureSpeed {}).await.unwrap();
    assert!(rates.are_known(), "{rates:?}");
    for proposal in &opened.proposals {
        let checked = office.check(&proposal.text).await;
        assert_eq!(checked.problems, [], "{}", proposal.text);
    }
}

/// Expected values by split and step, metric, and component key.
type Expected = BTreeMap<String, BTreeMap<String, BTreeMap<String, Option<f64>>>>;

#[wasm_bindgen_test]
async fn the_demo_gives_the_expected_values() {
    let office = Office::with(files(&RUN));
    let planned = office.plan(DEMO, 2).await;
    assert_eq!(planned.results.analysis_name, "demo");
    assert!(planned.results.series.is_empty());
    assert!(planned.lanes.len() >= 3 && planned.lanes[0].name == "layer 0");
    let mut results = planned.results.clone();
    for lane in planned.lanes {
        results.series.extend(office.numbers(lane.lane).await);
    }
    results.sort();
    assert_eq!(results.series.numbers() as u64, planned.cost.numbers);
    let expected: Expected = serde_json::from_str(EXPECTED).unwrap();
    for (id, point) in results.rows() {
        let place = format!("{}/step_{}", id.entry.split, point.step);
        let expected = expected[&place][&*id.entry.label][&id.key()];
        match (point.number(), expected) {
            (None, None) => {}
            (Some(found), Some(expected)) => {
                let relative = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
                assert!(
                    relative < 1e-6,
                    "{place} {}: {found}, not {expected}",
                    id.key()
                );
            }
            other => panic!("{place} {}: {other:?}", id.key()),
        }
    }
    let text = serde_json::to_string(&results).unwrap();
    let file = Some(blob(text.as_bytes()));
    let (news, answer) = office.hear(ReadResults {}, file).await;
    let mut read = answer.unwrap();
    assert!(read.series.is_empty());
    for news in news {
        match news {
            News::Series(series) => read.series.extend_series(series),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(*read, results);
}

#[wasm_bindgen_test]
async fn configs_and_forms_are_checked() {
    let office = Office::with(files(&RUN));
    let checked = office.check(DEMO).await;
    assert_eq!((checked.text.as_deref(), checked.steps), (Some(DEMO), 15));
    assert!(checked.problems.is_empty() && checked.cost.is_some());
    let mut form = checked.form.unwrap();

    let compose = async |form| {
        let text = DEMO.to_owned();
        office.ask(CheckForm { form, text }).await.unwrap()
    };
    let composed = compose(form.clone()).await;
    assert_eq!(composed.cost, checked.cost);
    // Nothing was edited: comments and all stay.
    assert_eq!(composed.text.as_deref(), Some(DEMO));

    form.metrics[0].components[0].suffixes[0] = "attention.q_proj".to_owned();
    let composed = compose(form.clone()).await;
    assert_eq!((composed.cost, composed.problems.len()), (None, 1));
    assert_eq!(
        composed.problems[0].location.path,
        "metrics[0].components[0].layer_suffixes[0]"
    );
    assert!(composed.text.is_some());

    form.steps = "often".to_owned();
    let composed = compose(form.clone()).await;
    assert_eq!((composed.text, composed.form), (None, Some(form)));
    assert_eq!(composed.problems[0].location.path, "steps");

    let checked = office.check("metrics: 3").await;
    assert!(checked.form.is_none() && checked.problems[0].location.line == 1);
}

#[wasm_bindgen_test]
async fn tensors_are_listed_and_looked_at() {
    let office = Office::with(files(&RUN));
    let part = weights(2000);
    let list = office.ask(ListTensors { part }).await.unwrap();
    let row = list
        .tensors
        .iter()
        .find(|row| row.name.ends_with("1.attention.v_proj"))
        .unwrap();
    let (path, name) = (row.path.clone(), row.name.clone());
    let elements: u64 = row.shape.iter().product();
    assert_eq!(row.bytes, 4 * elements);
    let look = ViewTensor {
        part: weights(2000),
        path: path.clone(),
        name,
    };
    let view = *office.ask(look.clone()).await.unwrap();
    assert_eq!((view.entries, view.not_finite), (elements, 0));
    let cost = view.spectrum.unwrap();
    assert!(cost.work.operations() > 0.0 && cost.too_large.is_none());
    assert_eq!(view.histogram.iter().sum::<u64>(), elements);
    let norm = view.frobenius_norm.unwrap();
    let question = |way| ViewSpectrum {
        tensor: look.clone(),
        way,
    };
    let spectrum = office.ask(question(SpectrumWay::Exact)).await.unwrap();
    let squares: f64 = spectrum.values.iter().map(|value| value * value).sum();
    assert!((squares.sqrt() / norm - 1.0).abs() < 1e-12, "{norm}");
    assert!(spectrum.values.is_sorted_by(|a, b| a >= b));
    // So small a matrix is decomposed even where an estimate would do.
    let estimated = office.ask(question(SpectrumWay::Estimated)).await;
    assert_eq!(estimated.unwrap(), spectrum);
    let sent = office.failure(question(SpectrumWay::Sent {
        address: "http://127.0.0.1:1/".to_owned(),
        token: Secret::default(),
    }));
    let message = sent.await;
    assert!(
        message.starts_with("the worker does not answer: "),
        "{message}"
    );

    let name = "none".to_owned();
    let message = office
        .failure(ViewTensor {
            part: weights(2000),
            path,
            name,
        })
        .await;
    assert!(message.starts_with("there is no tensor \"none\" in checkpoints/step_2000/"));
    let message = office.failure(ListTensors { part: weights(3) }).await;
    assert_eq!(message, "step 3 has no val weights");
}

#[wasm_bindgen_test]
async fn what_cannot_be_done_is_said_in_words() {
    let message = Office::empty().failure(OpenRun {}).await;
    assert_eq!(message, "no files are open: drop a run's folder first");
    let office = Office::with(vec![("notes.txt".to_owned(), blob(b"hello"))]);
    let message = office.failure(OpenRun {}).await;
    assert!(message.contains("no checkpoint was found") && message.contains("notes.txt"));
    let lane = Sealed::of(&BTreeMap::from([("layer", 0)])).unwrap();
    let message = office.failure(ComputeLane { lane }).await;
    assert!(
        message.starts_with("a part of the analysis was not understood"),
        "{message}"
    );
    let message = office.failure(ReadResults {}).await;
    assert!(message.contains("did not come"), "{message}");
    let file = blob(br#"{"format": "ckptscope-results", "version": 99}"#);
    let (_, answer) = office.hear(ReadResults {}, Some(file)).await;
    let message = answer.err().unwrap();
    assert!(message.contains("made by a newer ckptscope"), "{message}");
}

#[wasm_bindgen_test]
async fn a_broken_file_is_named() {
    let mut files = files(&RUN);
    for (path, content) in &mut files {
        if path.ends_with("step_16/learning_dynamics/val_weights.pt") {
            *content = blob(&vec![0; 5000]);
        }
    }
    let office = Office::with(files);
    assert_eq!(office.open().await.run.steps.len(), 15);
    // It costs its step, and is told before anything is computed.
    let checked = office.check(DEMO).await;
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let told = checked.warnings.join("\n");
    assert!(
        told.contains("step 16") && told.contains("val_weights.pt"),
        "{told}"
    );
    // Who wants none missing is refused, in the same words.
    let strict = format!("{DEMO}\non_error: stop\n");
    let checked = office.check(&strict).await;
    assert_eq!(checked.problems.len(), 1, "{:?}", checked.problems);
    let message = &checked.problems[0].message;
    assert!(
        message.contains("step 16") && message.contains("val_weights.pt"),
        "{message}"
    );
}

/// A safetensors file of one square matrix of 4 GiB, all of it the same mebibyte.
fn huge_file(name: &str) -> Blob {
    let header = format!(
        r#"{{"{name}":{{"dtype":"F32","shape":[32768,32768],"data_offsets":[0,4294967296]}}}}"#
    );
    let length = (header.len() as u64).to_le_bytes();
    let beginning = blob(&[&length, header.as_bytes()].concat());
    let mebibyte = blob(&vec![0; 1 << 20]);
    let parts = [beginning]
        .into_iter()
        .chain((0..4096).map(|_| mebibyte.clone()));
    Blob::new_with_blob_sequence(&parts.collect::<Array>()).unwrap()
}

#[wasm_bindgen_test]
async fn what_memory_cannot_hold_is_refused_before_it_is_read() {
    let name = "layers.0.mlp.down_proj.weight";
    let path = "model.safetensors";
    let office = Office::with(vec![(path.to_owned(), huge_file(name))]);
    let proposal = office.open().await.proposals.remove(0);
    let checked = office.check(&proposal.text).await;
    // A worker may do it: the config is right, and what it costs is known.
    assert!(checked.problems.is_empty() && checked.cost.is_some());
    let message = checked.too_large.unwrap();
    assert!(
        message.contains("a browser gives 4 GB at most"),
        "{message}"
    );
    let part = PartName {
        split: None,
        ..weights(0)
    };
    let (path, name) = (path.to_owned(), name.to_owned());
    let message = office.failure(ViewTensor { part, path, name }).await;
    assert!(
        message.contains("takes 12.9 GB of memory to look at"),
        "{message}"
    );
}
