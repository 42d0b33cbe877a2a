//! Who may read what, and what is said to who may not.

use ckptscope_fake_hub::example::{GATED, PICO, PRIVATE, TOKEN};

use crate::world::World;

#[test]
fn the_right_token_opens_and_goes_to_the_hub_only() {
    let world = World::of_examples(Some(TOKEN));
    let tree = world.tree(PRIVATE).unwrap();
    let run = world.block_on(tree.find_run()).unwrap();
    assert_eq!(run.steps.len(), 1);
    let source = world.open(&tree, "model.safetensors");
    world.read(&*source, 0, 16).unwrap();
    world.read(&*source, 200_000, 16).unwrap();
    world.fake.expire_signatures();
    world.read(&*source, 300_000, 16).unwrap();
    assert!(!world.fake.file_host_saw_a_token());
    let log = world.fake.take_log();
    assert!(log.iter().any(|request| request.authorized));
}

#[test]
fn no_token_and_a_wrong_one_are_told_apart() {
    let none = World::of_examples(None).refusal(PRIVATE);
    assert!(
        none.contains("set HF_TOKEN to a token that may read it"),
        "{none}"
    );
    let wrong = World::of_examples(Some("hf_wrong")).refusal(PRIVATE);
    assert!(wrong.contains("does not accept the token"), "{wrong}");
    assert!(!wrong.contains("hf_wrong"), "{wrong}");
    let missing = World::of_examples(Some(TOKEN)).refusal("a/none");
    assert!(missing.contains("whose token HF_TOKEN is"), "{missing}");
}

#[test]
fn terms_are_to_be_accepted() {
    let world = World::of_examples(None);
    let tree = world.tree(GATED).unwrap();
    let source = world.open(&tree, "model.safetensors");
    let error = world.read(&*source, 0, 16).unwrap_err().to_string();
    assert!(
        error.contains("accept them on the repository's page"),
        "{error}"
    );
}

#[test]
fn a_missing_revision_names_those_that_exist() {
    let world = World::of_examples(None);
    let error = world.refusal(&format!("{PICO}@none"));
    let expected =
        format!("the repository {PICO} has no revision none; it has main, pico-decoder-micro-1");
    assert_eq!(error, expected);
    let error = world.refusal(&format!("{PICO}@x{{N}}"));
    assert!(
        error.contains("no revision that fits x{N}; it has main"),
        "{error}"
    );
    assert!(world.refusal("none").contains("OWNER/NAME"));
}
