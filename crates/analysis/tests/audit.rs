//! Audits of runs in memory and of a hub on loopback.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

use ckptscope_analysis::audit::{Audit, Change, Finding, Property};
use ckptscope_checkpoint::{MemoryTree, Run};
use futures_lite::future::block_on;

/// A safetensors file of tensors that are filled with one number.
fn file(tensors: &[(&str, &str, &[u64])], fill: u8) -> Vec<u8> {
    let mut end = 0;
    let entries = tensors.iter().map(|(name, dtype, shape)| {
        let element = if *dtype == "F32" { 4 } else { 2 };
        let start = end;
        end += shape.iter().product::<u64>() * element;
        format!(
            r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#
        )
    });
    let header = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(vec![fill; usize::try_from(end).unwrap()]);
    file
}

const TWO: &[(&str, &str, &[u64])] = &[("layers.0.w", "F32", &[2, 3]), ("norm", "F32", &[3])];

fn audit(files: Vec<(String, Vec<u8>)>) -> Vec<Finding> {
    let tree = MemoryTree::new("run", files);
    block_on(async {
        let run = Run::find(&tree).await.unwrap();
        Audit::of_run(&tree, &run).await.findings
    })
}

fn step(number: u64, content: Vec<u8>) -> (String, Vec<u8>) {
    (format!("step_{number}/model.safetensors"), content)
}

/// Steps at these numbers, each with other values.
fn sound(numbers: &[u64]) -> Vec<(String, Vec<u8>)> {
    let fill = |index: usize| u8::try_from(index).unwrap();
    let steps = numbers.iter().enumerate();
    steps
        .map(|(index, number)| step(*number, file(TWO, fill(index))))
        .collect()
}

#[test]
fn a_sound_run_has_nothing_odd() {
    for numbers in [
        &[0][..],
        &[5, 6],
        &[0, 1, 2, 4, 8, 16, 1000, 2000, 3000],
        &[1, 5, 6, 90],
    ] {
        assert_eq!(audit(sound(numbers)), [], "{numbers:?}");
    }
}

#[test]
fn steps_with_the_same_bytes() {
    let mut files = sound(&[10, 20, 30, 40, 50]);
    files[1].1 = files[2].1.clone();
    files[0].1 = files[4].1.clone();
    assert_eq!(
        audit(files),
        [
            Finding::SameWeights {
                steps: vec![10, 50],
                with_last: true
            },
            Finding::SameWeights {
                steps: vec![20, 30],
                with_last: false
            },
        ]
    );
    // Of the same length and the same beginning, and not the same.
    let mut nearly = sound(&[10, 20]);
    nearly[1].1 = nearly[0].1.clone();
    *nearly[1].1.last_mut().unwrap() ^= 1;
    assert_eq!(audit(nearly), []);
    // Longer than what is looked at first, and different in the middle.
    let long: &[(&str, &str, &[u64])] = &[("w", "F32", &[100_000])];
    let mut nearly = vec![step(10, file(long, 1)), step(20, file(long, 1))];
    nearly[1].1[200_003] ^= 1;
    assert_eq!(audit(nearly.clone()), []);
    nearly[1].1[200_003] ^= 1;
    assert_eq!(audit(nearly).len(), 1);
}

#[test]
fn a_shard_of_another_step() {
    let shard = |step: u64, number: u64, fill: u8| {
        let tensor = format!("layers.{number}.w");
        let path = format!("step_{step}/model-0000{number}-of-00002.safetensors");
        (path, file(&[(&tensor, "F32", &[2, 3])], fill))
    };
    let files = vec![
        shard(1, 1, 1),
        shard(1, 2, 2),
        shard(2, 1, 1),
        shard(2, 2, 3),
    ];
    let files_found = vec!["step_1/model-00001-of-00002.safetensors".to_owned()];
    assert_eq!(
        audit(files),
        [Finding::SameFiles {
            steps: vec![1, 2],
            files: files_found
        }]
    );
}

#[test]
fn steps_that_are_not_there() {
    let missing = |steps: &[u64], distance| Finding::MissingSteps {
        steps: steps.to_vec(),
        distance,
    };
    assert_eq!(audit(sound(&[10, 20, 40, 50])), [missing(&[30], 10)]);
    let numbers = [1, 2, 4, 8, 100, 200, 500, 600, 800, 900];
    assert_eq!(audit(sound(&numbers)), [missing(&[300, 400, 700], 100)]);
}

#[test]
fn tensors_that_come_and_go_and_change() {
    let mut files = sound(&[10, 20, 30, 40]);
    files[2].1 = file(&TWO[..1], 9);
    let lacking = Finding::LackingTensors {
        steps: vec![30],
        tensors: vec!["norm".to_owned()],
        others: 3,
    };
    assert_eq!(audit(files), [lacking]);

    let mut files = sound(&[10, 20, 30, 40]);
    let more = [TWO, &[("bias", "F32", &[3])]].concat();
    files[0].1 = file(&more, 9);
    let extra = Finding::ExtraTensors {
        steps: vec![10],
        tensors: vec!["bias".to_owned()],
        others: 3,
    };
    assert_eq!(audit(files), [extra]);

    let mut files = sound(&[10, 20, 30, 40]);
    for (index, number) in [(2, 9), (3, 10)] {
        files[index].1 = file(
            &[("layers.0.w", "BF16", &[2, 3]), ("norm", "BF16", &[4])],
            number,
        );
    }
    let change = |from: &str, to: &str| Change {
        after: 20,
        step: 30,
        from: from.to_owned(),
        to: to.to_owned(),
    };
    let found = audit(files);
    let dtype = Finding::ChangingTensors {
        tensors: vec!["layers.0.w".to_owned(), "norm".to_owned()],
        property: Property::Dtype,
        changes: vec![change("F32", "BF16")],
    };
    let shape = Finding::ChangingTensors {
        tensors: vec!["norm".to_owned()],
        property: Property::Shape,
        changes: vec![change("[3]", "[4]")],
    };
    assert_eq!(found, [dtype, shape]);
    assert_eq!(
        found[0].to_string(),
        "the element type of 2 tensors changes, F32 at step 20 and BF16 at step 30: layers.0.w, norm"
    );
}

#[test]
fn a_broken_file_is_told_and_lacks_nothing() {
    let mut files = sound(&[10, 20, 30]);
    files[1].1.truncate(100);
    let found = audit(files);
    let [Finding::UnreadableFile { step: 20, reason }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(reason.contains("step_20/model.safetensors"), "{reason}");
}

#[test]
fn findings_go_to_others_as_they_are() {
    let mut files = sound(&[10, 20, 30, 40]);
    files[0].1 = files[3].1.clone();
    let tree = MemoryTree::new("run", files);
    let audit = block_on(async {
        let run = Run::find(&tree).await.unwrap();
        Audit::of_run(&tree, &run).await
    });
    assert_eq!((audit.steps.len(), audit.steps[0].tensors), (4, 2));
    let text = serde_json::to_string(&audit).unwrap();
    assert_eq!(serde_json::from_str::<Audit>(&text).unwrap(), audit);
    assert_eq!(
        audit.findings[0].to_string(),
        "step 10 has the weights of step 40, the last one, byte for byte"
    );
}
