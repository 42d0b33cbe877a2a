//! Configs: what is read, what is refused and how, and the way back to text.

#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why"
)]

mod as_form;
mod files;
mod forms;
mod in_place;
mod labels;
mod limits;
mod refusals;
mod round_trip;

use ckptscope_analysis::Registry;
use ckptscope_analysis::config::Config;
use ckptscope_protocol::ConfigProblem;

/// A metric entry on one line, given its keys up to the split.
fn entry(keys: &str) -> String {
    let kind = if keys.contains("target_checkpoint") {
        "activations"
    } else {
        "weights"
    };
    format!(
        "{{{keys}, data_split: val, components: [{{component_name: simple, data_type: {kind}, \
         layer_suffixes: attention.o_proj, layers: all}}]}}"
    )
}

fn parse(text: &str) -> Config {
    Config::parse(text, &Registry::default()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn problems(text: &str) -> Vec<ConfigProblem> {
    match Config::parse(text, &Registry::default()) {
        Ok(config) => panic!("not refused:\n{config:?}"),
        Err(errors) => errors.0,
    }
}
