//! Where repositories have their steps.

use ckptscope_checkpoint::hub::HubTree;
use ckptscope_checkpoint::{DataKind, Layout, LocalTree, ModelShape, Run, RunError, Split, Tree};
use ckptscope_fake_hub::example::{FOLDERS, LONG_HISTORY, PICO, PICO_BRANCH, REVISIONS};
use ckptscope_fake_hub::{Options, Repository};
use pollster::block_on;

use crate::support::micro_run;
use crate::world::{World, changes, repository};

const VAL: &str = "Saving Learning Dynamics Data (val) -- Step";
const TRAIN: &str = "Saving Learning Dynamics Data (train) -- Step";
const WEIGHTS: &str = "learning_dynamics/val_weights.pt";
const GRADIENTS: &str = "learning_dynamics/val_gradients.pt";

fn run(world: &World, tree: &HubTree) -> Run {
    world.block_on(tree.find_run()).unwrap()
}

fn numbers(run: &Run) -> Vec<u64> {
    run.steps.iter().map(|step| step.number).collect()
}

#[test]
fn commits_revisions_and_folders_make_the_run_that_a_folder_makes() {
    let folder = block_on(Run::find(&LocalTree::scan(micro_run()).unwrap())).unwrap();
    let world = World::of_examples(None);
    for address in [
        format!("{PICO}@{PICO_BRANCH}"),
        REVISIONS.into(),
        FOLDERS.into(),
    ] {
        let tree = world.tree(&address).unwrap();
        assert_eq!(
            tree.name(),
            address
                .replace("micro-revisions", "micro-revisions@main")
                .replace("micro-folders", "micro-folders@main")
        );
        let run = run(&world, &tree);
        assert_eq!(run.layout, Layout::Pico, "{address}");
        assert_eq!(numbers(&run), numbers(&folder), "{address}");
        assert_eq!(run.warnings, folder.warnings, "{address}");
        // Each revision has a config beside its weights.
        let with_name_only = |model: &Option<ModelShape>| {
            let mut model = model.clone().unwrap();
            model.source = model.source.rsplit('/').next().unwrap().to_owned();
            model
        };
        let expected = with_name_only(&folder.model);
        assert_eq!(with_name_only(&run.model), expected, "{address}");
        for (found, expected) in run.steps.iter().zip(&folder.steps) {
            let kinds = |step: &ckptscope_checkpoint::Step| -> Vec<_> {
                let parts = step.parts.iter();
                parts.map(|part| (part.kind, part.split)).collect()
            };
            assert_eq!(kinds(found), kinds(expected), "{address}");
        }
    }
}

#[test]
fn what_a_commit_did_not_save_is_told_and_not_used() {
    let mut pico = Repository::new("a/b");
    pico.commit(
        "run",
        &format!("{VAL} 0"),
        changes(&[(WEIGHTS, b"w0"), (GRADIENTS, b"g0")]),
    );
    pico.commit("run", &format!("{VAL} 50"), changes(&[(WEIGHTS, b"w50")]));
    pico.commit(
        "run",
        &format!("{VAL} 100"),
        changes(&[(WEIGHTS, b"w100"), (GRADIENTS, b"g100")]),
    );
    let world = World::new(vec![pico]);
    let tree = world.tree("a/b@run").unwrap();
    let run = run(&world, &tree);
    assert_eq!(numbers(&run), [0, 50, 100]);
    let has_gradients = |step: usize| run.steps[step].part(DataKind::Gradients, Split::Val);
    assert!(has_gradients(0).is_some());
    assert!(has_gradients(1).is_none());
    assert!(has_gradients(2).is_some());
    let told = format!("{GRADIENTS} was not saved at step 50: ");
    assert!(run.warnings[0].starts_with(&told), "{:?}", run.warnings);
    assert_eq!(run.warnings.len(), 1);
    let path = format!("checkpoints/step_50/{WEIGHTS}");
    let source = world.open(&tree, &path);
    assert_eq!(world.read(&*source, 0, 3).unwrap(), b"w50");
    assert!(source.name().starts_with("a/b@"), "{}", source.name());
    assert!(source.name().ends_with(WEIGHTS), "{}", source.name());
    // The steps that are wanted are compared with those before, wanted or not.
    let only = world.tree_of("a/b@run", |step| step == 50).unwrap();
    let paths: Vec<&str> = only.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [path.as_str()]);
}

#[test]
fn of_a_repeated_step_the_oldest_commit_is_used() {
    let mut pico = Repository::new("a/b");
    for content in [b"old", b"new"] {
        pico.commit("run", &format!("{VAL} 7"), changes(&[(WEIGHTS, content)]));
    }
    let world = World::new(vec![pico]);
    let tree = world.tree("a/b@run").unwrap();
    let source = world.open(&tree, &format!("checkpoints/step_7/{WEIGHTS}"));
    assert_eq!(world.read(&*source, 0, 3).unwrap(), b"old");
    let warnings = run(&world, &tree).warnings;
    assert!(
        warnings[0].starts_with("step 7 saved more than once"),
        "{warnings:?}"
    );
}

#[test]
fn a_step_without_validation_data_has_none() {
    let mut pico = Repository::new("a/b");
    let train = "learning_dynamics/train_weights.pt";
    pico.commit("run", &format!("{VAL} 0"), changes(&[(WEIGHTS, b"v0")]));
    pico.commit("run", &format!("{TRAIN} 0"), changes(&[(train, b"t0")]));
    pico.commit("run", &format!("{TRAIN} 5"), changes(&[(train, b"t5")]));
    let world = World::new(vec![pico]);
    let run = run(&world, &world.tree("a/b@run").unwrap());
    let parts = |step: usize| -> Vec<_> {
        run.steps[step]
            .parts
            .iter()
            .map(|part| part.split)
            .collect()
    };
    assert_eq!(parts(0), [Some(Split::Train), Some(Split::Val)]);
    assert_eq!(parts(1), [Some(Split::Train)]);
    assert_eq!(run.warnings, [""; 0]);
}

#[test]
fn many_commits_come_in_pages() {
    let mut pico = Repository::new("a/b");
    for step in 0..250_u32 {
        let title = format!("{VAL} {}", step * 50);
        pico.commit("run", &title, changes(&[(WEIGHTS, &step.to_le_bytes())]));
    }
    let options = Options {
        page_entries: 60,
        ..Options::default()
    };
    let world = World::with(vec![pico], options, None, Default::default());
    let tree = world.tree_of("a/b@run", |step| step >= 12_400).unwrap();
    assert_eq!(tree.files().len(), 2);
    // 251 commits on 5 pages; the trees of the last two commits and of the one before them.
    assert_eq!(world.requests(), (5 + 3, 0));
}

/// A repository with so many steps as commits of one branch, and so many files on another.
fn many(count: u32) -> Repository {
    let mut repository = Repository::new("a/b");
    for step in 0..count {
        let title = format!("{VAL} {step}");
        repository.commit("run", &title, changes(&[(WEIGHTS, &step.to_le_bytes())]));
    }
    let names: Vec<String> = (0..count).map(|file| format!("{file:02}.txt")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|it| (it.as_str(), &b"1"[..])).collect();
    repository.commit("files", "Upload", changes(&files));
    repository
}

#[test]
fn the_next_page_is_asked_of_the_hub_that_was_named() {
    // Behind a mirror, links name the hub that it mirrors; or they name nobody.
    for origin in ["https://huggingface.co", "http://127.0.0.1:9", ""] {
        let options = Options {
            page_entries: 10,
            linked_origin: Some(origin),
            ..Options::default()
        };
        let world = World::with(vec![many(25)], options, None, Default::default());
        let tree = world.tree("a/b@run").unwrap();
        assert_eq!(numbers(&run(&world, &tree)).len(), 25, "{origin}");
        let tree = world.tree("a/b@files").unwrap();
        assert_eq!(tree.files().len(), 26, "{origin}");
    }
}

#[test]
fn a_long_history_without_steps_is_not_read_to_its_end() {
    let options = Options {
        page_entries: 60,
        ..Options::default()
    };
    let examples = ckptscope_fake_hub::example::examples(&micro_run()).unwrap();
    let world = World::with(examples, options, None, Default::default());
    let tree = world.tree(LONG_HISTORY).unwrap();
    assert_eq!(world.requests(), (3, 0), "commits, refs, tree");
    let error = world.block_on(tree.find_run()).unwrap_err();
    assert!(matches!(error, RunError::NoCheckpoint { .. }), "{error}");
}

#[test]
fn a_branch_may_have_a_slash() {
    let mut slashed = Repository::new("a/b");
    slashed.commit(
        "runs/1 of 2",
        &format!("{VAL} 3"),
        changes(&[(WEIGHTS, b"w")]),
    );
    let world = World::new(vec![slashed]);
    let tree = world.tree("a/b@runs/1 of 2").unwrap();
    assert_eq!(numbers(&run(&world, &tree)), [3]);
}

#[test]
fn one_revision_is_one_checkpoint() {
    let world = World::of_examples(None);
    let tree = world.tree(&format!("{REVISIONS}@step64")).unwrap();
    assert_eq!(run(&world, &tree).layout, Layout::Single);
    let one = World::new(vec![repository(&[(
        "model.safetensors",
        b"nothing of use",
    )])]);
    let tree = one.tree("a/b").unwrap();
    assert_eq!(run(&one, &tree).layout, Layout::Single);
}

#[test]
fn a_pattern_says_which_revisions_are_steps() {
    let mut staged = Repository::new("a/b");
    for (branch, content) in [
        ("stage1-step10-tokens1B", b"a"),
        ("stage2-step10-tokens2B", b"b"),
        ("stage2-step20-tokens3B", b"c"),
    ] {
        staged.commit(branch, "Upload", changes(&[("model.safetensors", content)]));
    }
    staged.tag("stage2-step20-tokens3B", "release");
    let world = World::new(vec![staged]);
    let tree = world.tree("a/b@stage2-step{N}-tokens*").unwrap();
    assert_eq!(numbers(&run(&world, &tree)), [10, 20]);
    let source = world.open(&tree, "step_10/model.safetensors");
    assert_eq!(world.read(&*source, 0, 1).unwrap(), b"b");
}

#[test]
fn trees_cross_threads() {
    fn crosses_threads<T: Send + Sync + 'static>() {}
    crosses_threads::<HubTree>();
    crosses_threads::<ckptscope_checkpoint::hub::HubError>();
}
