//! Tensors that are alike but for their stacks, their files or a `.weight`.

use ckptscope_analysis::plan::{Catalogs, PlanErrors};
use ckptscope_analysis::proposal::proposals;
use ckptscope_analysis::results::planned;
use ckptscope_analysis::{Config, Plan, Registry, Survey};
use ckptscope_checkpoint::{DataKind, Layout, MemoryTree, Naming, Part, Run, Step};
use ckptscope_results::Results;
use futures_lite::future::block_on;
use proptest::prelude::*;

use crate::support::{layers, numbers, safetensors, tree};

/// The names of one file.
type Names = Vec<String>;

/// A run of weights: of every step the files, and of each its tensors.
fn run_of(steps: &[Vec<Names>]) -> (MemoryTree, Run) {
    let path = |step: usize, file: usize| format!("step_{step}/part-{file}.safetensors");
    let mut contents = Vec::new();
    let mut run = Run {
        layout: Layout::StepFolders,
        steps: Vec::new(),
        broken: Vec::new(),
        model: None,
        config: None,
        passed_over: Vec::new(),
        warnings: Vec::new(),
    };
    for (step, files) in steps.iter().enumerate() {
        for (file, names) in files.iter().enumerate() {
            let tensors: Vec<_> = names.iter().map(|it| (it.clone(), vec![2, 3])).collect();
            contents.push((path(step, file), safetensors(&tensors)));
        }
        let part = Part {
            kind: DataKind::Weights,
            split: None,
            paths: (0..files.len()).map(|file| path(step, file)).collect(),
            index: None,
        };
        run.steps.push(Step {
            number: step as u64,
            parts: vec![part],
        });
    }
    (tree(contents), run)
}

/// A run of one step of one file.
fn checkpoint(names: &[&str]) -> (MemoryTree, Run) {
    run_of(&[vec![owned(names)]])
}

fn owned(names: &[&str]) -> Names {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A config of these suffixes, each a component by itself.
fn config(suffixes: &[&str]) -> Config {
    let mut text = "metrics:\n  - metric_name: norm\n    norm_type: frobenius\n    data_split: \
                    val\n    components:\n"
        .to_owned();
    for suffix in suffixes {
        text += &format!(
            "      - {{component_name: simple, data_type: weights, layers: all, layer_suffixes: \
             {suffix}}}\n"
        );
    }
    Config::parse(&(text + "steps: all\n"), &Registry::default()).unwrap()
}

fn plan((tree, run): &(MemoryTree, Run), suffixes: &[&str]) -> Result<Plan, PlanErrors> {
    block_on(Plan::make(&config(suffixes), run, tree))
}

fn refusal(files: &(MemoryTree, Run), suffixes: &[&str]) -> String {
    plan(files, suffixes).err().unwrap().to_string()
}

/// The keys of what a plan gives.
fn keys(files: &(MemoryTree, Run), suffixes: &[&str]) -> Vec<String> {
    let plan = plan(files, suffixes).unwrap_or_else(|errors| panic!("{errors}"));
    let lanes = plan.lanes.iter();
    let numbers = lanes.flat_map(|lane| numbers(lane, &files.0));
    numbers.map(|number| number.id.key()).collect()
}

/// An encoder and a decoder, as T5 has them.
const TWO_STACKS: &[&str] = &[
    "encoder.block.0.attn.weight",
    "decoder.block.0.attn.weight",
    "decoder.block.0.cross.weight",
];

#[test]
fn a_suffix_of_two_stacks_is_refused_with_their_names() {
    let expected = "line 6, metrics[0].components[0]: weights of `attn` are in several stacks of \
                    layers, `decoder.block.`, `encoder.block.`; say which one is meant, as with \
                    `stack: decoder.block` or the suffix `decoder.block.*.attn`";
    assert_eq!(refusal(&checkpoint(TWO_STACKS), &["attn"]), expected);
    let beside = checkpoint(&["model.layers.0.a", "layers.0.a"]);
    assert!(refusal(&beside, &["a"]).contains("`layers.`, `model.layers.`"));
    // Also where they share no layer.
    let beside = checkpoint(&["model.layers.0.a", "layers.1.a"]);
    assert!(refusal(&beside, &["a"]).contains("`layers.`, `model.layers.`"));
}

#[test]
fn a_config_chooses_one_of_several_stacks() {
    let files = checkpoint(TWO_STACKS);
    let expected = ["encoder.block.0.attn.weights"];
    assert_eq!(keys(&files, &["encoder.block.*.attn"]), expected);
    // Some of the names will do, and the key.
    for stack in [
        "encoder.block",
        "encoder",
        "module.encoder.block.",
        "encoder.block.*",
    ] {
        assert_eq!(
            keys(&files, &[&format!("attn, stack: {stack:?}")]),
            expected,
            "{stack}"
        );
    }
    let both = ["encoder.block.*.attn", "decoder.block.*.attn"];
    let found = keys(&files, &both);
    assert_eq!(
        found,
        [
            "encoder.block.0.attn.weights",
            "decoder.block.0.attn.weights"
        ]
    );
}

#[test]
fn all_layers_are_those_of_the_stack() {
    let names = [
        "text.layers.0.v",
        "text.layers.1.v",
        "vision.layers.0.v",
        "vision.layers.2.v",
    ];
    let found = keys(&checkpoint(&names), &["text.layers.*.v"]);
    assert_eq!(
        found,
        ["text.layers.0.v.weights", "text.layers.1.v.weights"]
    );
    let found = keys(&checkpoint(&names), &["vision.layers.*.v"]);
    assert_eq!(
        found,
        ["vision.layers.0.v.weights", "vision.layers.2.v.weights"]
    );
    let found = refusal(&checkpoint(&names), &["v, stack: layers"]);
    assert!(
        found.contains("`text.layers.`, `vision.layers.`"),
        "{found}"
    );
}

#[test]
fn numbers_at_the_start_of_names_are_a_stack_too() {
    let files = checkpoint(&["0.a", "1.a", "teacher.0.a", "teacher.1.a"]);
    let expected = "several stacks of layers, `*`, `teacher.`; say which one is meant, as with \
                    `stack: \"*\"` or the suffix `\"*.a\"`";
    assert!(refusal(&files, &["a"]).ends_with(expected));
    assert_eq!(keys(&files, &["\"*.a\""]), ["0.a.weights", "1.a.weights"]);
    assert_eq!(
        keys(&files, &["a, stack: \"*\""]),
        ["0.a.weights", "1.a.weights"]
    );
}

#[test]
fn a_stack_that_is_not_there_is_refused_with_those_that_are() {
    let found = refusal(&checkpoint(TWO_STACKS), &["attn, stack: encodr.block"]);
    let expected = "line 6, metrics[0].components[0]: no stack of layers with weights of `attn` is \
                    called `encodr.block` (did you mean `encoder.block`?); there are \
                    decoder.block, encoder.block";
    assert_eq!(found, expected);
}

#[test]
fn a_chosen_stack_may_be_called_otherwise_at_another_step() {
    let second = [
        "model.encoder.block.0.attn.weight",
        "model.decoder.block.0.attn.weight",
    ];
    let steps = run_of(&[vec![owned(TWO_STACKS)], vec![owned(&second)]]);
    let suffix = "attn, stack: encoder";
    let warnings = plan(&steps, &[suffix]).unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("`encoder.block.` and `model.encoder.block.`"),
        "{warnings:?}"
    );
    assert_eq!(keys(&steps, &[suffix]), ["encoder.block.0.attn.weights"; 2]);
}

#[test]
fn results_of_several_stacks_say_which() {
    let files = checkpoint(TWO_STACKS);
    let results = |suffixes: &[&str]| {
        let config = config(suffixes);
        let plan = block_on(Plan::make(&config, &files.1, &files.0)).unwrap();
        let mut results = planned("demo", "run", &config, &files.1, &plan);
        let found = plan.lanes.iter().flat_map(|lane| numbers(lane, &files.0));
        results.series.extend(found);
        results
    };
    let both = results(&["attn, stack: encoder", "decoder.block.*.attn", "cross"]);
    let told = both.entries[0].components.iter();
    let told: Vec<_> = told
        .map(|it| (it.stack.as_str(), it.component.as_str()))
        .collect();
    let expected = [
        ("encoder.block.", "attn"),
        ("decoder.block.", "attn"),
        ("decoder.block.", "cross"),
    ];
    assert_eq!(told, expected);
    assert!(both.names_stacks());
    let csv = String::from_utf8(both.csv(&both.entries[0].id()).unwrap()).unwrap();
    assert!(
        csv.starts_with("step,key,component,output,layer,head,data_type,stack,"),
        "{csv}"
    );
    assert!(csv.contains("0,encoder.block.0.attn.weights,attn,,0,,weights,encoder.block.,"));
    assert_eq!(
        Results::parse(&String::from_utf8(both.to_json().unwrap()).unwrap()).unwrap(),
        both
    );
    // Of one stack tables say nothing; the entry does where the config names it.
    let one = results(&["encoder.block.*.attn"]);
    assert!(!one.names_stacks());
    assert_eq!(one.entries[0].components[0].stack, "encoder.block.");
}

#[test]
fn what_one_stack_alone_has_is_measured() {
    let found = keys(&checkpoint(TWO_STACKS), &["cross"]);
    assert_eq!(found, ["decoder.block.0.cross.weights"]);
}

#[test]
fn stacks_that_a_config_names_on_purpose_are_not_taken_for_one() {
    let (tree, run) = checkpoint(&["vision.layers.0.out_proj", "text.layers.0.v_proj"]);
    let text = "metrics:\n  - metric_name: norm\n    norm_type: frobenius\n    data_split: val\n    \
                components:\n      - {component_name: key_value_circuit, data_type: weights, \
                layer_suffixes: {key_layer: vision.layers.*.out_proj, value_layer: \
                text.layers.*.v_proj}, layers: all}\nsteps: all\n";
    let config = Config::parse(text, &Registry::default()).unwrap();
    let plan = block_on(Plan::make(&config, &run, &tree));
    let told = plan.map_or_else(|errors| errors.to_string(), |plan| plan.warnings.join("\n"));
    assert!(!told.contains("taken for the same"), "{told}");
    assert!(!told.contains("several stacks"), "{told}");
}

#[test]
fn a_component_of_two_stacks_is_refused() {
    let (tree, run) = checkpoint(&["vision.layers.0.out_proj", "text.layers.0.v_proj"]);
    let text = "metrics:\n  - metric_name: norm\n    norm_type: frobenius\n    data_split: val\n    \
                components:\n      - {component_name: key_value_circuit, data_type: weights, \
                layer_suffixes: {key_layer: out_proj, value_layer: v_proj}, layers: all}\n\
                steps: all\n";
    let config = Config::parse(text, &Registry::default()).unwrap();
    let errors = block_on(Plan::make(&config, &run, &tree)).err().unwrap();
    let expected = "the tensors of key_value_circuit are in several stacks of layers, \
                    `text.layers.`, `vision.layers.`";
    assert!(errors.to_string().contains(expected), "{errors}");
}

/// The names with a wrapper in front, and one behind the layer's number.
fn wrapped(names: &[&str]) -> Names {
    let names = names.iter().map(|name| {
        let name = name.replace(".0.", ".0._checkpoint_wrapped_module.");
        format!("_orig_mod.module.{name}")
    });
    names.collect()
}

#[test]
fn wrappers_around_tensors_change_nothing() {
    let plain = run_of(&[vec![owned(TWO_STACKS)]]);
    let wrapped = run_of(&[vec![wrapped(TWO_STACKS)]]);
    assert_eq!(keys(&wrapped, &["cross"]), keys(&plain, &["cross"]));
    assert_eq!(refusal(&wrapped, &["attn"]), refusal(&plain, &["attn"]));
    // A config may have the names as the files have them.
    let written = "_checkpoint_wrapped_module.cross";
    assert_eq!(
        keys(&wrapped, &[written]),
        ["decoder.block.0.cross.weights"]
    );
}

#[test]
fn wrappers_may_change_from_step_to_step() {
    let steps = run_of(&[vec![owned(TWO_STACKS)], vec![wrapped(TWO_STACKS)]]);
    assert_eq!(plan(&steps, &["cross"]).unwrap().warnings, [""; 0]);
    assert_eq!(
        keys(&steps, &["cross"]),
        ["decoder.block.0.cross.weights"; 2]
    );
}

#[test]
fn keys_of_a_pico_run_have_its_wrappers() {
    let names = |wrapper: &str| vec![vec![vec![format!("{wrapper}layers.0.a")]]];
    let key = |(tree, mut run): (MemoryTree, Run)| {
        run.layout = Layout::Pico;
        keys(&(tree, run), &["a"])
    };
    let expected = "_forward_module.layers.0.a.weights";
    assert_eq!(key(run_of(&names("_forward_module."))), [expected]);
    let both = [names("_forward_module."), names("")].concat();
    assert_eq!(key(run_of(&both)), [expected; 2]);
}

#[test]
fn a_tensor_that_is_there_wrapped_and_unwrapped_is_refused_with_both_names() {
    let names = ["layers.0.a", "module.layers.0.a", "layers.1.a"];
    let found = refusal(&checkpoint(&names), &["a"]);
    let expected = "layers.0.a in step_0/part-0.safetensors, module.layers.0.a in step_0/part-0";
    assert!(found.contains(expected), "{found}");
}

#[test]
fn the_only_stack_may_be_called_otherwise_at_another_step() {
    let first = vec![owned(&["layers.0.a"])];
    let renamed = run_of(&[first.clone(), vec![owned(&["model.layers.0.a.weight"])]]);
    let warnings = plan(&renamed, &["a"]).unwrap().warnings;
    let expected = "weights of `a`: the layers are called `layers.` and `model.layers.`, each the \
                    only stack of its files; they are taken for the same";
    assert_eq!(warnings, [expected]);
    assert_eq!(keys(&renamed, &["a"]), ["layers.0.a.weights"; 2]);
    // What a file holds the model in may change.
    let held = [
        "model.layers.0.a",
        "state_dict.model.layers.0.a",
        "network.layers.0.a",
    ];
    let held = run_of(&held.map(|name| vec![owned(&[name])]));
    assert_eq!(plan(&held, &["a"]).unwrap().warnings.len(), 1);
    // Another stack is another model's, or another part of it.
    for other in ["decoder.layers.0.a", "teacher.layers.0.a"] {
        let other = run_of(&[vec![owned(&["encoder.layers.0.a"])], vec![owned(&[other])]]);
        assert!(refusal(&other, &["a"]).contains("`encoder.layers.`"));
    }
    // Which of two it would be nobody knows.
    let grown = run_of(&[first, vec![owned(&["b.layers.0.a", "c.layers.0.x"])]]);
    assert!(refusal(&grown, &["a"]).contains("`b.layers.`, `layers.`"));
}

#[test]
fn layers_stand_behind_any_word_or_none() {
    for (names, suffix, expected) in [
        (
            ["0.a.weight", "1.a.weight"],
            "a",
            ["0.a.weights", "1.a.weights"],
        ),
        (
            ["x.blk.0.a", "x.blk.7.a"],
            "a",
            ["x.blk.0.a.weights", "x.blk.7.a.weights"],
        ),
        (
            ["bert.encoder.layer.0.q", "bert.encoder.layer.1.q"],
            "q",
            [
                "bert.encoder.layer.0.q.weights",
                "bert.encoder.layer.1.q.weights",
            ],
        ),
    ] {
        assert_eq!(keys(&checkpoint(&names), &[suffix]), expected);
    }
}

#[test]
fn names_without_layers_are_told() {
    let found = refusal(&checkpoint(&["embed.weight", "head.3.w", "norm"]), &["a"]);
    let expected = "no layers were recognised in 3 names of weights like `embed.weight`, \
                    `head.3.w`, `norm`; a layer is a number in a name, as in \
                    `layers.0.attention.o_proj`; `layers: none` measures tensors outside of \
                    layers, by their whole names";
    assert!(found.ends_with(expected), "{found}");
}

#[test]
fn a_name_with_and_one_without_weight_are_both_reached() {
    let both = ["layers.0.a", "layers.0.a.weight"];
    for names in [both, [both[1], both[0]]] {
        let files = run_of(&[vec![owned(&names)], vec![owned(&both[1..])]]);
        let plan = plan(&files, &["a", "a.weight"]).unwrap();
        let warnings = [
            "weights of `a`: not those of `a.weight`, which there are as well",
            "weights of `a` in layer 0, val split: not at steps 1; skipped there",
        ];
        assert_eq!(plan.warnings, warnings);
        let read = |step: usize| -> Vec<Option<&str>> {
            let step = &plan.lanes[0].steps[step];
            let inputs = step.inputs.iter().map(|inputs| inputs.tensors().first());
            inputs
                .map(|input| input.map(|input| step.tensors[*input].name()))
                .collect()
        };
        assert_eq!(read(0), [Some("layers.0.a"), Some("layers.0.a.weight")]);
        assert_eq!(read(1), [None, Some("layers.0.a.weight")]);
    }
}

#[test]
fn a_name_in_two_files_is_refused_with_both() {
    let files = || {
        vec![
            owned(&["layers.0.a.weight", "layers.0.b"]),
            owned(&["layers.0.a.weight"]),
        ]
    };
    let found = run_of(&[files()]);
    let expected = "line 6, metrics[0].components[0]: step 0 has weights of `a` in layer 0 2 \
                    times: layers.0.a.weight in step_0/part-0.safetensors, layers.0.a.weight in \
                    step_0/part-1.safetensors; nothing says which of them counts, so keep only one";
    assert_eq!(refusal(&found, &["a"]), expected);
    // Who does not ask for it does not care.
    assert_eq!(keys(&found, &["b"]), ["layers.0.b.weights"]);
}

#[test]
fn a_layer_that_is_spelled_in_two_ways_is_refused() {
    let found = refusal(&checkpoint(&["layers.7.a", "layers.07.a"]), &["a"]);
    assert!(found.contains("layers.07.a in step_0"), "{found}");
    assert!(found.contains("layers.7.a in step_0"), "{found}");
}

#[test]
fn every_stack_has_proposals_of_its_own() {
    let mut tensors = layers(
        2,
        &[
            ("encoder.layers.{}.self_attn.o_proj.weight", &[8, 8]),
            ("decoder.layers.{}.self_attn.o_proj.weight", &[8, 8]),
            ("decoder.layers.{}.cross_attn.o_proj.weight", &[8, 8]),
            ("decoder.layers.{}.fc2.weight", &[8, 16]),
        ],
    );
    // Once in the layer, and once more.
    tensors.push(("decoder.layers.01.fc2.weight".to_owned(), vec![8, 16]));
    let tree = tree(vec![(
        "model.safetensors".to_owned(),
        safetensors(&tensors),
    )]);
    let run = block_on(Run::find(&tree)).unwrap();
    let survey = block_on(Survey::of(&run, &tree, &Catalogs::default()));
    let names: Vec<&str> = survey.suffixes.iter().map(|it| it.name.as_str()).collect();
    let expected = [
        "cross_attn.o_proj",
        "decoder.layers.*.self_attn.o_proj",
        "encoder.layers.*.self_attn.o_proj",
    ];
    assert_eq!(names, expected);
    let warnings =
        ["weights of step 0 that cannot be analysed, because a layer has several of one name: fc2"];
    assert_eq!(survey.warnings, warnings);
    let registry = Registry::default();
    let found = proposals(&run, &survey, &registry);
    let of = |stack: &str| found.iter().filter(|it| it.title.ends_with(stack)).count();
    assert_eq!(of(": decoder.layers"), of(": encoder.layers"));
    assert_eq!(of(": decoder.layers") * 2, found.len());
    assert!(found[0].title.ends_with(": decoder.layers"));
    for proposal in found {
        let config = Config::parse(&proposal.text, &registry).unwrap();
        let plan = block_on(Plan::make(&config, &run, &tree));
        let plan = plan.unwrap_or_else(|errors| panic!("{errors}\n{}", proposal.text));
        assert!(plan.cost.numbers > 0);
        assert!(!plan.has_several_stacks());
    }
}

/// What a plan says, whatever the order of tensors in files and of files in a step.
fn outcome(files: &(MemoryTree, Run), suffixes: &[&str]) -> String {
    let plan = match plan(files, suffixes) {
        Ok(plan) => plan,
        Err(errors) => return errors.to_string(),
    };
    let mut text = format!("{:?} {:?}\n", plan.cost, plan.warnings);
    for lane in &plan.lanes {
        for job in &lane.jobs {
            text += &format!("{} of {}\n", job.key(lane.layer), job.stack);
        }
        for step in &lane.steps {
            let tensors = step.tensors.iter();
            let names = tensors.map(|tensor| {
                let paths = tensor.extents().map(|extent| extent.path);
                (paths.collect::<Vec<_>>(), tensor.name())
            });
            text += &format!("{:?} {:?}\n", step.inputs, names.collect::<Vec<_>>());
        }
    }
    text
}

/// Few names that clash in every way there is.
fn name() -> impl Strategy<Value = String> {
    let stack = prop::sample::select(vec!["layers.", "model.layers.", "decoder.layers."]);
    let layer = prop::sample::select(vec!["0", "1", "01"]);
    let rest = prop::sample::select(vec!["a", "a.weight", "a.weight.weight", "b", "b.weight"]);
    (stack, layer, rest).prop_map(|(stack, layer, rest)| format!("{stack}{layer}.{rest}"))
}

/// Files of one step: names of a file are unique.
fn files() -> impl Strategy<Value = Vec<Names>> {
    let file = prop::collection::btree_set(name(), 1..5);
    let file = file.prop_map(|names| names.into_iter().collect());
    prop::collection::vec(file, 1..3)
}

/// The same run with its tensors and files in another order.
fn shuffled(steps: Vec<Vec<Names>>) -> impl Strategy<Value = (Vec<Vec<Names>>, Vec<Vec<usize>>)> {
    let names = |names: Names| Just(names).prop_shuffle();
    let files = |files: Vec<Names>| files.into_iter().map(names).collect::<Vec<_>>();
    let orders: Vec<_> = steps
        .iter()
        .map(|files| Just((0..files.len()).collect::<Vec<_>>()).prop_shuffle())
        .collect();
    (steps.into_iter().map(files).collect::<Vec<_>>(), orders)
}

proptest! {
    #[test]
    fn the_order_of_tensors_and_files_does_not_matter(
        (steps, (other, orders)) in prop::collection::vec(files(), 1..3)
            .prop_flat_map(|steps| (Just(steps.clone()), shuffled(steps))),
        suffix in prop::sample::select(vec!["a", "a.weight", "b"]),
    ) {
        let found = run_of(&steps);
        let mut again = run_of(&other);
        for (step, order) in again.1.steps.iter_mut().zip(orders) {
            let paths = std::mem::take(&mut step.parts[0].paths);
            step.parts[0].paths = order.iter().map(|file| paths[*file].clone()).collect();
        }
        prop_assert_eq!(outcome(&found, &[suffix]), outcome(&again, &[suffix]));
    }

    #[test]
    fn no_tensor_takes_the_place_of_another(
        steps in prop::collection::vec(files(), 1..3),
        suffix in prop::sample::select(vec!["a", "a.weight", "b"]),
    ) {
        let found = run_of(&steps);
        let Ok(plan) = plan(&found, &[suffix]) else {
            return Ok(());
        };
        for lane in &plan.lanes {
            let stacks: Vec<String> = lane
                .steps
                .iter()
                .flat_map(|step| &step.tensors)
                .filter_map(|it| Naming::default().layer_of(it.name()))
                .map(|layer| layer.stack)
                .collect();
            let ends = |one: &String| one.trim_start_matches("model.").to_owned();
            for (one, other) in stacks.iter().zip(stacks.iter().skip(1)) {
                let is_deeper = one.ends_with(other.as_str()) || other.ends_with(one.as_str());
                prop_assert!(is_deeper || ends(one) == ends(other));
            }
            for step in &lane.steps {
                let [tensor] = step.tensors.as_slice() else {
                    panic!("one input reads {} tensors", step.tensors.len());
                };
                let files = &steps[step.step as usize];
                let others = files.iter().flatten().filter(|other| {
                    let Some(layer) = Naming::default().layer_of(other) else { return false };
                    let fits = layer.rest == suffix || layer.rest == format!("{suffix}.weight");
                    fits && Some(layer.number) == lane.layer && *other != tensor.name()
                });
                // What else fits ends in `.weight` beside it, which is a suffix of its own.
                let rest = |name: &str| Naming::default().layer_of(name).map(|layer| layer.rest);
                let own = rest(tensor.name()).unwrap_or_default();
                for other in others {
                    prop_assert_eq!(rest(other), Some(format!("{own}.weight")));
                }
                let times = files.iter().flatten().filter(|name| *name == tensor.name());
                prop_assert_eq!(times.count(), 1);
            }
        }
    }
}
