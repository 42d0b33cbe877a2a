//! Repositories of many steps: few requests to open one, and each step as it is when it is read.

use std::collections::BTreeSet;

use ckptscope_checkpoint::hub::{HubAddress, HubTree, Manifest};
use ckptscope_checkpoint::{DataKind, Layout, Run, Split, Tree};
use ckptscope_fake_hub::Repository;
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH};
use ckptscope_fake_hub::suite::{SUITE, WITHOUT_WEIGHTS, model, sound, steps, suite};

use crate::world::{World, changes};

fn overview(world: &World, address: &str) -> HubTree {
    let address = HubAddress::parse(address).unwrap();
    world.block_on(async {
        let listing = world.hub.look_up(&address).await.unwrap();
        listing.overview().await.unwrap()
    })
}

fn run(world: &World, tree: &HubTree) -> Run {
    world.block_on(tree.find_run()).unwrap()
}

fn numbers(run: &Run) -> Vec<u64> {
    run.steps.iter().map(|step| step.number).collect()
}

fn settled(world: &World, tree: &HubTree, run: &Run, steps: &[u64]) -> Run {
    let steps: BTreeSet<u64> = steps.iter().copied().collect();
    world.block_on(tree.settle(run, &steps)).unwrap()
}

/// The paths of a step's weights.
fn paths(run: &Run, number: u64) -> Vec<String> {
    let step = run.steps.iter().find(|step| step.number == number);
    let part = step.and_then(|step| step.part(DataKind::Weights, Split::Val));
    part.map(|part| part.paths.clone()).unwrap_or_default()
}

/// So many steps of which one is changed; none of its files are left where there are no changes.
fn with_one(changed: u64, files: &[(&str, Option<&[u8]>)]) -> Repository {
    let mut repository = sound("a/b", &(0..9).map(|step| step * 10).collect::<Vec<_>>());
    repository.commit(&format!("step{changed}"), "Change", files.to_vec());
    repository
}

#[test]
fn a_suite_opens_with_few_requests() {
    let world = World::new(vec![suite()]);
    let tree = overview(&world, SUITE);
    let found = run(&world, &tree);
    assert_eq!(numbers(&found), steps());
    assert_eq!(found.layout, Layout::StepFolders);
    assert_eq!(found.model.as_ref().unwrap().n_layers, Some(2));
    let last = found.steps.last().unwrap();
    world.block_on(last.parts[0].read(&tree)).unwrap();
    let (hub, file_host) = world.requests();
    // Commits, refs, three trees, the config (resolved and read), the last step's file (the same).
    assert_eq!((hub, file_host), (2 + 3 + 2 + 1, 1));
    let told = found.warnings.last().unwrap();
    assert!(
        told.starts_with("the files of 152 of 154 steps are not listed yet"),
        "{told}"
    );
}

#[test]
fn a_step_is_listed_before_it_is_read_and_once() {
    let world = World::new(vec![suite()]);
    let tree = overview(&world, SUITE);
    let found = run(&world, &tree);
    world.requests();
    let wanted = [512, 1000, WITHOUT_WEIGHTS];
    let exact = settled(&world, &tree, &found, &wanted);
    // Three trees; their configs are that of the run, as the list says.
    assert_eq!(world.requests(), (3, 0));
    assert_eq!(paths(&exact, 512), ["step_512/model.safetensors"]);
    assert_eq!(numbers(&exact).len(), 153);
    assert_eq!(exact.broken.len(), 1);
    assert_eq!(exact.broken[0].number, WITHOUT_WEIGHTS);
    let told = exact.warnings.join("\n");
    let words = "step 99000 cannot be read: it has no weights; there are only README.md";
    assert!(told.contains(words), "{told}");
    assert!(told.contains("the files of 149 of 154 steps"), "{told}");
    let source = world.open(&tree, "step_512/model.safetensors");
    let content = world.read(&*source, 0, source.bytes()).unwrap();
    assert_eq!(content, model(512, &[]));
    world.requests();
    // Who asks again, with whatever run, gets the same.
    assert_eq!(settled(&world, &tree, &found, &wanted), exact);
    assert_eq!(world.requests(), (0, 0));
    let all = settled(&world, &tree, &found, &steps());
    assert_eq!(numbers(&all).len(), 153);
    assert!(!all.warnings.join("\n").contains("not listed yet"));
}

#[test]
fn what_was_assumed_of_a_step_is_replaced_by_what_it_has() {
    let weights = model(40, &[]);
    let of = |files: &[(&str, Option<&[u8]>)]| {
        let world = World::new(vec![with_one(40, files)]);
        let tree = overview(&world, "a/b");
        let found = run(&world, &tree);
        assert_eq!(paths(&found, 40), ["step_40/model.safetensors"]);
        let exact = settled(&world, &tree, &found, &[30, 40]);
        assert_eq!(paths(&exact, 30), ["step_30/model.safetensors"]);
        (paths(&exact, 40), exact.warnings.join("\n"))
    };
    let gone = ("model.safetensors", None);
    let (other, _) = of(&[gone, ("pytorch_model.bin", Some(&weights))]);
    assert_eq!(other, ["step_40/pytorch_model.bin"]);
    let shard = |number| format!("model-0000{number}-of-00002.safetensors");
    let (first, second) = (shard(1), shard(2));
    let both = [
        gone,
        (&first, Some(&weights[..])),
        (&second, Some(&weights[..])),
    ];
    let (shards, _) = of(&both);
    assert_eq!(
        shards,
        [format!("step_40/{first}"), format!("step_40/{second}")]
    );
    let (nothing, told) = of(&[gone, ("config.json", None), ("README.md", None)]);
    assert!(nothing.is_empty());
    assert!(
        told.contains("step 40 cannot be read: step40 has no files"),
        "{told}"
    );
    let (config, told) = of(&[gone, ("README.md", None)]);
    assert!(config.is_empty());
    assert!(
        told.contains("it has no weights; there are only config.json"),
        "{told}"
    );
    let (half, told) = of(&[gone, (&first, Some(&weights[..]))]);
    assert!(half.is_empty(), "{half:?}");
    assert!(
        told.contains("step 40 cannot be read: shards are missing"),
        "{told}"
    );
}

#[test]
fn a_step_of_shards_is_read_as_its_index_says() {
    let index: &[u8] = br#"{"weight_map": {
        "model.embed_tokens.weight": "first.safetensors",
        "model.layers.0.mlp.down_proj.weight": "model-00001-of-00001.safetensors"
    }}"#;
    let weights = model(40, &[]);
    let files = [
        ("model.safetensors", None),
        ("model.safetensors.index.json", Some(index)),
        ("model-00001-of-00001.safetensors", Some(&weights[..])),
        ("first.safetensors", Some(&weights[..])),
    ];
    let world = World::new(vec![with_one(40, &files)]);
    let tree = overview(&world, "a/b");
    let exact = settled(&world, &tree, &run(&world, &tree), &[40]);
    let step = exact.steps.iter().find(|step| step.number == 40).unwrap();
    let content = world.block_on(step.parts[0].read(&tree)).unwrap();
    let paths: Vec<_> = content
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert!(paths.contains(&"step_40/first.safetensors"), "{paths:?}");
    let tensors = content.files.iter().flat_map(|file| &file.catalog.tensors);
    assert_eq!(tensors.count(), 2);
}

#[test]
fn steps_that_stand_for_the_others_may_be_broken() {
    for ends in [&[0][..], &[80], &[0, 80]] {
        let mut repository = sound("a/b", &(0..9).map(|step| step * 10).collect::<Vec<_>>());
        for step in ends {
            let none: [(&str, Option<&[u8]>); 1] = [("model.safetensors", None)];
            repository.commit(&format!("step{step}"), "Remove", none);
        }
        let world = World::new(vec![repository]);
        let tree = overview(&world, "a/b");
        let found = run(&world, &tree);
        let exact = settled(&world, &tree, &found, &numbers(&found));
        let expected: Vec<u64> = (0..9)
            .map(|step| step * 10)
            .filter(|step| !ends.contains(step))
            .collect();
        assert_eq!(numbers(&exact), expected, "{ends:?}");
        assert_eq!(exact.broken.len(), ends.len());
    }
}

#[test]
fn one_broken_revision_costs_one_step() {
    let index: &[u8] = br#"{"weight_map": {"a": "model-00001-of-00002.safetensors"}}"#;
    let files = [
        ("model.safetensors", None),
        ("model.safetensors.index.json", Some(index)),
    ];
    let world = World::new(vec![with_one(40, &files)]);
    // All listed at once, as an analysis of all steps has them.
    let tree = world.tree("a/b").unwrap();
    let found = run(&world, &tree);
    assert_eq!(paths(&found, 50), ["step_50/model.safetensors"]);
    let step = |number| found.steps.iter().find(|step| step.number == number);
    for step in [30, 40].into_iter().filter_map(step) {
        let read = world.block_on(step.parts[0].read(&tree));
        assert_eq!(read.is_ok(), step.number != 40, "{read:?}");
    }
}

#[test]
fn a_step_of_another_model_is_left_out_once_it_is_listed() {
    let other: &[u8] = b"of an average";
    let repository = with_one(
        40,
        &[
            ("model.safetensors", None),
            ("ema.safetensors", Some(other)),
        ],
    );
    let world = World::new(vec![repository]);
    let tree = overview(&world, "a/b");
    let found = run(&world, &tree);
    assert!(numbers(&found).contains(&40));
    let exact = settled(&world, &tree, &found, &[40]);
    assert!(!numbers(&exact).contains(&40));
    let told = exact.warnings.join("\n");
    assert!(told.contains("step_40/ema.safetensors"), "{told}");
}

#[test]
fn a_config_that_differs_at_a_step_is_not_that_of_all() {
    let config: &[u8] = br#"{"num_hidden_layers": 7, "hidden_size": 8}"#;
    let world = World::new(vec![with_one(40, &[("config.json", Some(config))])]);
    let tree = overview(&world, "a/b");
    let found = run(&world, &tree);
    assert!(found.model.as_ref().unwrap().n_layers.is_some());
    let same = settled(&world, &tree, &found, &[30]);
    assert_eq!(same.model, found.model);
    let exact = settled(&world, &tree, &found, &[40]);
    assert_eq!(exact.model.unwrap().n_layers, None);
    let told = exact.warnings.join("\n");
    assert!(told.contains("step_40/config.json"), "{told}");
}

#[test]
fn what_was_settled_goes_along_with_the_list() {
    let world = World::new(vec![suite()]);
    let tree = overview(&world, SUITE);
    let found = run(&world, &tree);
    settled(&world, &tree, &found, &[512]);
    let text = serde_json::to_string(&tree.manifest()).unwrap();
    let sent: Manifest = serde_json::from_str(&text).unwrap();
    let other = World::new(vec![suite()]);
    let sent = other.hub.listed(sent);
    assert_eq!(numbers(&run(&other, &sent)).len(), 154);
    other.requests();
    let path = "step_512/model.safetensors";
    let source = other.open(&sent, path);
    assert_eq!(other.read(&*source, 0, 8).unwrap(), model(512, &[])[..8]);
    assert_eq!(other.requests(), (1, 1), "resolved and read");
    assert_eq!(sent.unlisted(), tree.unlisted());
    let more = settled(&other, &sent, &run(&other, &sent), &[256]);
    assert_eq!(paths(&more, 256), ["step_256/model.safetensors"]);
}

#[test]
fn steps_that_are_commits_are_assumed_to_be_like_those_that_saved_the_same() {
    let world = World::of_examples(None);
    let address = format!("{PICO}@{PICO_BRANCH}");
    let eager = run(&world, &world.tree(&address).unwrap());
    world.requests();
    let tree = overview(&world, &address);
    let found = run(&world, &tree);
    let (hub, _) = world.requests();
    assert!(hub < 20, "{hub}");
    assert_eq!(numbers(&found), numbers(&eager));
    let exact = settled(&world, &tree, &found, &numbers(&eager));
    assert_eq!(exact.steps, eager.steps);
    assert_eq!(exact.warnings, eager.warnings);
    assert!(exact.broken.is_empty());
    let names: Vec<_> = tree.steps().iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, vec![None; 15]);
}

#[test]
fn few_steps_are_listed_at_once() {
    let world = World::new(vec![sound("a/b", &[1, 2, 3, 4])]);
    let tree = overview(&world, "a/b");
    assert!(tree.unlisted().is_empty());
    assert_eq!(run(&world, &tree).warnings, [""; 0]);
    assert_eq!(tree.files().len(), 4 * 3 + 1);
    let mut files = Repository::new("a/c");
    files.commit("main", "Upload", changes(&[("model.safetensors", b"1")]));
    let world = World::new(vec![files]);
    assert!(overview(&world, "a/c").unlisted().is_empty());
}
