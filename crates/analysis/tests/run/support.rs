//! The bundled run, and runs made here.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use ckptscope_analysis::{Config, Lane, Plan, Registry, run_lane};
use ckptscope_checkpoint::{LocalTree, MemoryTree, Run, Tree};
use ckptscope_protocol::Event;
use ckptscope_results::Number;
use futures_lite::future::block_on;

/// The bundled run's files.
pub(crate) fn bundled() -> LocalTree {
    LocalTree::scan(root().join("tests/data/pico-decoder-micro-1")).unwrap()
}

/// One of the project's configs.
pub(crate) fn own_config(name: &str) -> String {
    std::fs::read_to_string(root().join("configs").join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
}

/// The run, the config, and the plan.
pub(crate) fn planned(tree: &dyn Tree, text: &str) -> (Run, Config, Plan) {
    let run = block_on(Run::find(tree)).unwrap();
    let config = Config::parse(text, &Registry::default());
    let config = config.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let plan = block_on(Plan::make(&config, &run, tree));
    let plan = plan.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    (run, config, plan)
}

/// The numbers that a lane tells.
pub(crate) fn numbers(lane: &Lane, tree: &dyn Tree) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut listener = |event| {
        if let Event::Number(number) = event {
            numbers.push(number);
        }
        ControlFlow::Continue(())
    };
    block_on(run_lane(lane, tree, &mut listener)).unwrap();
    numbers
}

/// A safetensors file of float32 tensors, their entries from a sequence without pattern.
pub(crate) fn safetensors(tensors: &[(String, Vec<u64>)]) -> Vec<u8> {
    let (mut header, mut data) = (String::new(), Vec::new());
    let mut state = 1_u32;
    for (name, shape) in tensors {
        let begin = data.len();
        for _ in 0..shape.iter().product::<u64>() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            data.extend(((state >> 8) as f32 / 16_777_216.0 - 0.5).to_le_bytes());
        }
        let comma = if header.is_empty() { "" } else { "," };
        let end = data.len();
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
        )
        .unwrap();
    }
    let header = format!("{{{header}}}");
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.extend(data);
    file
}

/// Tensors of every layer: names with `{}` for the layer's number, and their shapes.
pub(crate) fn layers(count: u64, tensors: &[(&str, &[u64])]) -> Vec<(String, Vec<u64>)> {
    (0..count)
        .flat_map(|layer| {
            tensors
                .iter()
                .map(move |(name, shape)| (name.replace("{}", &layer.to_string()), shape.to_vec()))
        })
        .collect()
}

/// Files of these contents.
pub(crate) fn tree(files: Vec<(String, Vec<u8>)>) -> MemoryTree {
    MemoryTree::new("run", files)
}
